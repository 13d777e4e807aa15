//! What is said of a `[sweep]` whose `zip`, `list` or `exclude` is wrong.

use insta::assert_snapshot;

use crate::support::{list, refused, spec, told};

/// A sound spec with `sweep` as the lines of its `[sweep]`.
fn swept(sweep: &str) -> String {
    refused(&format!(
        "name = \"demo\"\n[task]\nname = \"sst-2\"\n[train]\nsteps = 10\n[sweep]\n{sweep}\n"
    ))
}

#[test]
fn no_zips() {
    assert_snapshot!(swept("zip = \"lr\""), @r#"
    error: spec.toml:7:7: expected a list of lists of keys for `zip`, found a string
      |
    7 | zip = "lr"
      |       ^^^^
    hint: write it as in `zip = [["lr", "eps"]]`
    "#);
    assert_snapshot!(swept("lr = [1e-4]\nzip.lr = [1e-3]"), @r#"
    error: spec.toml:8:1: expected a list of lists of keys for `zip`, found a table
      |
    8 | zip.lr = [1e-3]
      | ^^^
    hint: write it as in `zip = [["lr", "eps"]]`
    "#);
    assert_snapshot!(swept("lr = [1e-4, 3e-4]\neps = [1e-3, 3e-3]\nzip = [\"lr\", \"eps\"]"), @r#"
    error: spec.toml:9:8: expected a list of keys in `zip`, found a string
      |
    9 | zip = ["lr", "eps"]
      |        ^^^^
    hint: write it as in `zip = [["lr", "eps"]]`
    "#);
    assert_snapshot!(swept("zip = [[1e-4, 1e-3]]"), @r#"
    error: spec.toml:7:9: expected a key in quotes in `zip`, found a number
      |
    7 | zip = [[1e-4, 1e-3]]
      |         ^^^^
    hint: write it as in `zip = [["lr", "eps"]]`
    "#);
    assert_snapshot!(swept("lr = [1e-4]\nzip = [[\"lr\"]]"), @r#"
    error: spec.toml:8:8: expected two keys or more in a zip, found 1
      |
    8 | zip = [["lr"]]
      |        ^^^^^^
    hint: a key that varies for itself needs no zip
    "#);
}

#[test]
fn bad_zips() {
    assert_snapshot!(swept("lr = [1e-4]\nzip = [[\"lr\", \"eps\"]]"), @r#"
    error: spec.toml:8:15: `zip` names `train.eps`, which is not swept in the same table
      |
    8 | zip = [["lr", "eps"]]
      |               ^^^^^
    hint: its table sweeps: `lr`
    "#);
    assert_snapshot!(swept("seed = [13]\neps = [1e-3]\nzip = [[\"seed\", \"epss\"]]"), @r#"
    error: spec.toml:9:17: `zip` names `epss`, which is not swept in the same table
      |
    9 | zip = [["seed", "epss"]]
      |                 ^^^^^^
    hint: did you mean `eps`? its table sweeps: `seed`, `eps`
    "#);
    assert_snapshot!(swept("seed = [13, 21]\nlr = [1e-4, 3e-4]\neps = [1e-3]\nzip = [[\"lr\", \"eps\"]]"), @r#"
    error: spec.toml:10:15: `zip` needs lists of one length, that of `train.lr` has 2 and that of `train.eps` 1
       |
    10 | zip = [["lr", "eps"]]
       |               ^^^^^
    hint: the first value of one goes with the first of the other, and so on
    "#);
    assert_snapshot!(swept("seed = [13, 21]\nlr = [1e-4, 3e-4]\neps = [1e-3, 3e-3]\nzip = [[\"lr\", \"eps\"], [\"seed\", \"lr\"]]"), @r#"
    error: spec.toml:10:32: `train.lr` stands in `zip` on line 10 already
       |
    10 | zip = [["lr", "eps"], ["seed", "lr"]]
       |                                ^^^^
    hint: remove one of them
    "#);
    assert_snapshot!(swept("lr = [1e-4]\nzip = [[\"lr\", \"train.lr\"]]"), @r#"
    error: spec.toml:8:15: `train.lr` stands in `zip` on line 8 already
      |
    8 | zip = [["lr", "train.lr"]]
      |               ^^^^^^^^^^
    hint: remove one of them
    "#);
    assert_snapshot!(swept("seed = [13, 21]\nlist = [{ lr = 1e-4 }, { lr = 1e-3 }]\nzip = [[\"seed\", \"lr\"]]"), @r#"
    error: spec.toml:9:17: `train.lr` stands in `list` on line 8 already
      |
    9 | zip = [["seed", "lr"]]
      |                 ^^^^
    hint: remove one of them
    "#);
    assert_snapshot!(swept("lr = [1e-4, 0.0001]\neps = [1e-3, 1e-3]\nzip = [[\"lr\", \"eps\"]]"), @"
    error: spec.toml:7:13: `zip` makes `lr 0.0001 eps 1e-3` twice
      |
    7 | lr = [1e-4, 0.0001]
      |             ^^^^^^
    hint: every combination runs once; remove one of them
    ");
}

#[test]
fn no_combinations() {
    assert_snapshot!(swept("list = 3"), @"
    error: spec.toml:7:8: expected a list of tables for `list`, found a number
      |
    7 | list = 3
      |        ^
    hint: write it as in `list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3, eps = 1e-2 }]`
    ");
    assert_snapshot!(swept("list = [1e-4, 1e-3]"), @"
    error: spec.toml:7:9: expected a table in `list`, found a number
      |
    7 | list = [1e-4, 1e-3]
      |         ^^^^
    hint: write it as in `list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3, eps = 1e-2 }]`
    ");
    assert_snapshot!(swept("list = []"), @"
    error: spec.toml:7:8: `list` in [sweep] is empty
      |
    7 | list = []
      |        ^^
    hint: give it at least one entry, or remove it
    ");
    assert_snapshot!(swept("list = [{}]"), @"
    error: spec.toml:7:9: an entry of `list` is empty
      |
    7 | list = [{}]
      |         ^^
    hint: write it as in `list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3, eps = 1e-2 }]`
    ");
    assert_snapshot!(swept("list = [{ lr = [1e-4, 1e-3] }]"), @"
    error: spec.toml:7:16: expected a number, a string or a boolean for `train.lr` in `list`, found a list
      |
    7 | list = [{ lr = [1e-4, 1e-3] }]
      |                ^^^^^^^^^^^^
    hint: an entry has one value for each key; write an entry for every value
    ");
    assert_snapshot!(swept("seed = [13]\nexclude = { seed = 13 }"), @"
    error: spec.toml:8:11: expected a list of tables for `exclude`, found a table
      |
    8 | exclude = { seed = 13 }
      |           ^^^^^^^^^^^^^
    hint: write it as in `exclude = [{ lr = 1e-4, seed = 13 }]`
    ");
    assert_snapshot!(swept("seed = [13]\nexclude = [13]"), @"
    error: spec.toml:8:12: expected a table in `exclude`, found a number
      |
    8 | exclude = [13]
      |            ^^
    hint: write it as in `exclude = [{ lr = 1e-4, seed = 13 }]`
    ");
    assert_snapshot!(swept("seed = [13]\nexclude = [{}]"), @"
    error: spec.toml:8:12: an entry of `exclude` is empty
      |
    8 | exclude = [{}]
      |            ^^
    hint: write it as in `exclude = [{ lr = 1e-4, seed = 13 }]`
    ");
}

#[test]
fn bad_entries() {
    assert_snapshot!(swept("list = [{ sed = 13 }]"), @r#"
    error: spec.toml:7:11: unknown short name `sed` in [sweep]
      |
    7 | list = [{ sed = 13 }]
      |           ^^^
    hint: did you mean `seed`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("list = [{ zip = 13 }]"), @r#"
    error: spec.toml:7:11: unknown short name `zip` in [sweep]
      |
    7 | list = [{ zip = 13 }]
      |           ^^^
    hint: any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3 }]"), @"
    error: spec.toml:7:36: an entry of `list` lacks `train.eps`, which the first one has
      |
    7 | list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3 }]
      |                                    ^^^^^^^^^^^^^
    hint: every entry has the keys of the first one
    ");
    assert_snapshot!(swept("list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3, epz = 1e-2 }]"), @"
    error: spec.toml:7:49: an entry of `list` has `epz`, which the first one lacks
      |
    7 | list = [{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3, epz = 1e-2 }]
      |                                                 ^^^
    hint: did you mean `eps`? every entry has the keys of the first one: `lr`, `eps`
    ");
    assert_snapshot!(swept("list = [{ lr = 1e-4 }, { lr = \"1e-3\" }]"), @r#"
    error: spec.toml:7:31: the list of `train.lr` begins with a number and goes on with a string
      |
    7 | list = [{ lr = 1e-4 }, { lr = "1e-3" }]
      |                               ^^^^^^
    hint: write every value of a list as the same type
    "#);
    assert_snapshot!(swept("list = [{ lr = 1e-4, eps = 1e-3 }, { eps = 0.001, lr = 1e-4 }]"), @"
    error: spec.toml:7:36: `list` makes `lr 1e-4 eps 0.001` twice
      |
    7 | list = [{ lr = 1e-4, eps = 1e-3 }, { eps = 0.001, lr = 1e-4 }]
      |                                    ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: every combination runs once; remove one of them
    ");
    assert_snapshot!(swept("list = [{ lr = 1e-4, \"train.lr\" = 1e-3 }]"), @r#"
    error: spec.toml:7:22: `train.lr` stands in this entry on line 7 already
      |
    7 | list = [{ lr = 1e-4, "train.lr" = 1e-3 }]
      |                      ^^^^^^^^^^
    hint: remove one of them
    "#);
}

#[test]
fn clashes_of_a_list() {
    assert_snapshot!(swept("lr = [1e-4]\nlist = [{ lr = 1e-3 }]"), @"
    error: spec.toml:8:11: `train.lr` stands in [sweep] on line 7 already
      |
    8 | list = [{ lr = 1e-3 }]
      |           ^^
    hint: give `train.lr` its values in `list` or in a list of its own
    ");
    assert_snapshot!(swept("list = [{ lr = 1e-3 }]\nlr = [1e-4]"), @"
    error: spec.toml:8:1: `train.lr` stands in [sweep] on line 7 already
      |
    8 | lr = [1e-4]
      | ^^
    hint: give `train.lr` its values in `list` or in a list of its own
    ");
    assert_snapshot!(swept("list = [{ train.steps = 20 }]"), @"
    error: spec.toml:7:17: `train.steps` is set in [sweep] and on line 5
      |
    7 | list = [{ train.steps = 20 }]
      |                 ^^^^^
    hint: keep `train.steps` in one of the two places
    ");
    assert_snapshot!(swept("list = [{ \"method.lora\" = 1 }]"), @r#"
    error: spec.toml:7:11: `method.lora` is a table; only a key can be swept
      |
    7 | list = [{ "method.lora" = 1 }]
      |           ^^^^^^^^^^^^^
    hint: sweep a key of it by its path: `"method.lora.r"`, `"method.lora.alpha"`
    "#);
    assert_snapshot!(swept("list = [{ task.label_words = \"great\" }]"), @r#"
    error: spec.toml:7:16: `task.label_words` is a table; only a key can be swept
      |
    7 | list = [{ task.label_words = "great" }]
      |                ^^^^^^^^^^^
    hint: sweep a key of it by its path: `"task.label_words.0"`
    "#);
}

#[test]
fn bad_exclusions() {
    assert_snapshot!(swept("seed = [13, 21]\nexclude = [{ lr = 1e-4 }]"), @"
    error: spec.toml:8:14: `exclude` names `train.lr`, which is not swept in the same table
      |
    8 | exclude = [{ lr = 1e-4 }]
      |              ^^
    hint: its table sweeps: `seed`
    ");
    assert_snapshot!(swept("seed = [13, 21]\nexclude = [{ sed = 13 }]"), @"
    error: spec.toml:8:14: `exclude` names `sed`, which is not swept in the same table
      |
    8 | exclude = [{ sed = 13 }]
      |              ^^^
    hint: did you mean `seed`? its table sweeps: `seed`
    ");
    assert_snapshot!(swept("lr = [1e-4, 3e-4]\nexclude = [{ lr = 3e-5 }]"), @"
    error: spec.toml:8:19: `train.lr` never has the value 3e-5 in this table
      |
    8 | exclude = [{ lr = 3e-5 }]
      |                   ^^^^
    hint: did you mean `3e-4`? its values are: `1e-4`, `3e-4`
    ");
    assert_snapshot!(swept("method.tuning = [\"full\", \"lora\"]\nexclude = [{ method.tuning = \"lor\" }]"), @r#"
    error: spec.toml:8:30: `method.tuning` never has the value "lor" in this table
      |
    8 | exclude = [{ method.tuning = "lor" }]
      |                              ^^^^^
    hint: did you mean `"lora"`? its values are: `"full"`, `"lora"`
    "#);
    assert_snapshot!(swept("seed = [13]\nexclude = [{ seed = \"13\" }]"), @r#"
    error: spec.toml:8:21: `train.seed` never has the value "13" in this table
      |
    8 | exclude = [{ seed = "13" }]
      |                     ^^^^
    hint: its values are: `13`
    "#);
    assert_snapshot!(swept("lr = [1e-4, 3e-4]\neps = [1e-3, 3e-3]\nzip = [[\"lr\", \"eps\"]]\nexclude = [{ lr = 1e-4, eps = 3e-3 }]"), @"
    error: spec.toml:10:12: no combination has these values together
       |
    10 | exclude = [{ lr = 1e-4, eps = 3e-3 }]
       |            ^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: keys of one zip, or of `list`, have the values that stand side by side
    ");
    assert_snapshot!(swept("seed = [13, 21]\nexclude = [{ seed = 13 }, { seed = 21 }]"), @"
    error: spec.toml:8:11: `exclude` leaves no run of its table
      |
    8 | exclude = [{ seed = 13 }, { seed = 21 }]
      |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: leave out less, or remove the table
    ");
    // No table may be without a run, whatever the others have.
    assert_snapshot!(refused("name = \"demo\"\n[[sweep]]\nseed = [13]\n[[sweep]]\nseed = [13]\nexclude = [{ seed = 13 }]\n"), @"
    error: spec.toml:6:11: `exclude` leaves no run of its table
      |
    6 | exclude = [{ seed = 13 }]
      |           ^^^^^^^^^^^^^^^
    hint: leave out less, or remove the table
    ");
}

#[test]
fn near_words() {
    assert_snapshot!(swept("exlude = [{ seed = 13 }]"), @r#"
    error: spec.toml:7:1: unknown short name `exlude` in [sweep]
      |
    7 | exlude = [{ seed = 13 }]
      | ^^^^^^
    hint: did you mean `exclude`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("zipp = [[\"lr\", \"eps\"]]"), @r#"
    error: spec.toml:7:1: unknown short name `zipp` in [sweep]
      |
    7 | zipp = [["lr", "eps"]]
      | ^^^^
    hint: did you mean `zip`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
}

#[test]
fn a_long_list_of_values_is_cut_in_the_hint() {
    let said = swept(&format!(
        "seed = {}\nexclude = [{{ seed = 1000 }}]",
        list(30)
    ));
    let end = "`17`, `18`, `19`, `20` and 10 more";
    assert!(said.ends_with(end), "{said}");
}

#[test]
fn what_goes_together_counts_once() {
    let words = |sweep: &str| told(&format!("name = \"demo\"\n[sweep]\n{sweep}"));
    let zipped = |count: usize| {
        let (count, seeds) = (list(count), list(1000));
        format!("seed = {seeds}\nlr = {count}\neps = {count}\nzip = [[\"lr\", \"eps\"]]\n")
    };
    let said = "3:1 the sweep has 101,000 runs (1000 x 101), the limit is 100,000";
    assert_eq!(words(&zipped(101)), [said]);
    // What is left out counts too.
    let exclude = "exclude = [{ lr = 101 }]\n";
    assert_eq!(words(&format!("{}{exclude}", zipped(101))), [said]);
    let text = format!("name = \"demo\"\n[sweep]\n{}", zipped(100));
    assert_eq!(spec(&text).points().count(), 100_000);
}
