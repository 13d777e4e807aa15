//! What is wrong with the data.

use insta::assert_snapshot;

use super::world::World;

const TRAIN: &str = "data/SST-2/train.tsv";
const DEV: &str = "data/SST-2/dev.tsv";

#[test]
fn a_missing_file_is_named() {
    let world = World::finished();
    world.remove(DEV);
    assert_snapshot!(world.unresolved(), @r#"error: experiments/../data/SST-2/dev.tsv: expected tab-separated rows under a header line (task "sst-2"), found nothing there"#);
}

#[test]
fn a_missing_folder_is_shown_where_it_is_named() {
    let world = World::with(&[("\"../data\"", "\"../dta\"")]);
    assert_snapshot!(world.unresolved(), @r#"
    error: experiments/small.toml:8:8: experiments/../dta/SST-2: expected the folder of task "sst-2" with train.tsv and dev.tsv, or with a split such as 16-13/train.tsv, found nothing there
      |
    8 | data = "../dta"
      |        ^^^^^^^^
    hint: `data` is the folder that holds it, and starts at the spec's own folder; --data DIR names another
    "#);
    let world = World::finished();
    assert_snapshot!(world.unresolved_with(&["--data", "nowhere"]), @r#"
    error: <here>/nowhere/SST-2: expected the folder of task "sst-2" with train.tsv and dev.tsv, or with a split such as 16-13/train.tsv, found nothing there
    hint: `data` is the folder that holds it, and starts at the spec's own folder; --data DIR names another
    "#);
}

#[test]
fn a_row_has_all_its_columns() {
    let world = World::finished();
    world.edit(TRAIN, "a small wonder .\t1", "a small wonder .");
    assert_snapshot!(world.refused(), @r#"
    error: experiments/../data/SST-2/train.tsv:6:17: expected 2 columns, found 1: column 2 ("label") is missing
    hint: columns are separated by one tab
    "#);
    let world = World::finished();
    world.edit(DEV, "sentence\tlabel", "sentence");
    assert_snapshot!(world.refused(), @r"
    error: experiments/../data/SST-2/dev.tsv:1:9: expected 2 columns, found 1: column 2 is missing
    hint: columns are separated by one tab
    ");
}

#[test]
fn a_label_is_a_class() {
    let world = World::finished();
    world.edit(TRAIN, "a small wonder .\t1", "a small wonder .\tpositive");
    assert_snapshot!(world.refused(), @r#"error: experiments/../data/SST-2/train.tsv:6:18: expected a label, one of "0", "1", found "positive""#);
}

#[test]
fn a_header_is_no_row() {
    let world = World::finished();
    world.edit(TRAIN, "sentence\tlabel\n", "");
    assert_snapshot!(world.refused(), @r#"
    error: experiments/../data/SST-2/train.tsv:1:1: expected a header line, found a row with the label "1"
    hint: the first line of a .tsv file names its columns and is not a row
    "#);
}

#[test]
fn data_are_text() {
    let world = World::finished();
    world.write(DEV, b"sentence\tlabel\nfine .\t1\na caf\xe9 .\t0\n");
    assert_snapshot!(world.refused(), @r"
    error: experiments/../data/SST-2/dev.tsv:3:6: expected UTF-8 text, found the byte 0xe9 (byte 29 of the file, from 0)
    hint: save the file as UTF-8
    ");
}

#[test]
fn data_are_not_their_pointer() {
    let world = World::finished();
    world.write(
        TRAIN,
        "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 735994\n",
    );
    assert_snapshot!(world.refused(), @r#"
    error: experiments/../data/SST-2/train.tsv: expected tab-separated rows under a header line (task "sst-2"), found a Git LFS pointer
    hint: fetch the file itself with `git lfs pull`
    "#);
}

#[test]
fn there_are_rows_to_train_on_and_to_choose_by() {
    let world = World::with(&[("k = 2", "k = 4")]);
    assert_snapshot!(world.refused(), @r"
    error: experiments/../data/SST-2/train.tsv: no class has more than 4 rows, expected some for the dev part
    hint: choose a smaller k
    ");
    let world = World::finished();
    world.write(DEV, "sentence\tlabel\n");
    assert_snapshot!(world.refused(), @r#"error: experiments/../data/SST-2/dev.tsv: expected tab-separated rows under a header line (task "sst-2"), found an empty file"#);
}
