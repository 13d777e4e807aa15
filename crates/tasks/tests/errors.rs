//! What bad data, words and settings look like.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use mezo_tasks::{Task, TaskError, k_shot, write_k_shot};

/// The message about one file of a task, with the folder cut off, and its hint.
fn message(task: &str, name: &str, bytes: &[u8]) -> (String, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let error = Task::by_name(task).unwrap().read_file(&path).unwrap_err();
    let cut = format!("{}/", folder.path().display());
    (error.to_string().replace(&cut, ""), error.hint())
}

#[test]
fn rows_that_cannot_be_read_say_where() {
    let tsv = "tab-separated rows under a header line (task \"sst-2\")";
    let csv = "rows of label,text without a header (task \"sst-5\")";
    let cases: [(&str, &str, &[u8], String); 20] = [
        ("sst-2", "a.tsv", b"", format!("a.tsv: expected {tsv}, found an empty file")),
        ("sst-2", "a.tsv", b"sentence\tlabel\n", format!("a.tsv: expected {tsv}, found an empty file")),
        ("sst-5", "a.csv", b"\n\n", format!("a.csv: expected {csv}, found an empty file")),
        (
            "sst-2", "a.tsv", b"sentence\tlabel\nfine .\t1\nno label\n",
            "a.tsv:3:9: expected 2 columns, found 1: column 2 (\"label\") is missing".to_owned(),
        ),
        (
            "sst-2", "a.tsv", b"sentence\tlabel\nfine .\t1\n\n",
            "a.tsv:3:1: expected 2 columns, found 1: column 2 (\"label\") is missing".to_owned(),
        ),
        (
            "rte", "a.tsv", b"index\tsentence1\tsentence2\tlabel\n0\tOne.\tentailment\n",
            "a.tsv:2:18: expected 4 columns, found 3: column 4 (\"label\") is missing".to_owned(),
        ),
        (
            "snli", "a.tsv", b"premise\thypothesis\tlabel\na\tb\t1\n",
            "a.tsv:1:25: expected 10 columns, found 3: column 4 is missing".to_owned(),
        ),
        (
            "sst-2", "a.tsv", b"sentence\tlabel\n\xc3\xa9t\xc3\xa9 .\tpositive\n",
            "a.tsv:2:7: expected a label, one of \"0\", \"1\", found \"positive\"".to_owned(),
        ),
        (
            "sst-2", "a.tsv", b"sentence\tlabel\nfine .\t1 \n",
            "a.tsv:2:8: expected a label, one of \"0\", \"1\", found \"1 \"".to_owned(),
        ),
        (
            "rte", "a.tsv", b"index\tsentence1\tsentence2\tlabel\n0\tOne.\tTwo.\tmaybe\n",
            "a.tsv:2:13: expected a label, one of \"entailment\", \"not_entailment\", found \"maybe\"".to_owned(),
        ),
        (
            "sst-2", "a.tsv", b"sentence\tlabel\nok\t1\ncaf\xe9 .\t1\n",
            "a.tsv:3:4: expected UTF-8 text, found the byte 0xe9 (byte 23 of the file, from 0)".to_owned(),
        ),
        (
            "sst-2", "a.tsv", b"fine .\t1\ndull .\t0\n",
            "a.tsv:1:1: expected a header line, found a row with the label \"1\"".to_owned(),
        ),
        (
            "sst-2", "a.tsv", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 735994\n",
            format!("a.tsv: expected {tsv}, found a Git LFS pointer"),
        ),
        (
            "sst-5", "a.csv", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 909058\n",
            format!("a.csv: expected {csv}, found a Git LFS pointer"),
        ),
        (
            "sst-5", "a.csv", b"3,fine .\n\n7,odd .\n",
            "a.csv:3:1: expected a label, one of \"0\", \"1\", \"2\", \"3\", \"4\", found \"7\"".to_owned(),
        ),
        (
            "sst-5", "a.csv", b"3,\"two\nlines\"\n2\n",
            "a.csv:3:2: expected 2 columns, found 1: column 2 (text) is missing".to_owned(),
        ),
        (
            "sst-5", "a.csv", b"3,fine , really\n",
            "a.csv:1:1: expected 2 columns (label,text), found 3".to_owned(),
        ),
        (
            "mr", "a.csv", b"label,text\n1,fine\n",
            "a.csv:1:1: expected a label, one of \"0\", \"1\", found \"label\"".to_owned(),
        ),
        (
            "mr", "a.csv", b"1,ok\n0,\xff\xfe\n",
            "a.csv:2:3: expected UTF-8 text, found the byte 0xff (byte 7 of the file, from 0)".to_owned(),
        ),
        (
            "mnli", "a.tsv",
            b"index\tpromptID\tpairID\tgenre\ta\tb\tc\td\tsentence1\tsentence2\tlabel1\tgold_label\n0\t1\t2\n",
            "a.tsv:2:6: expected 12 columns, found 3: column 4 (\"genre\") is missing".to_owned(),
        ),
    ];
    for (task, name, bytes, expected) in cases {
        assert_eq!(message(task, name, bytes).0, expected);
    }
}

#[test]
fn hints_give_the_way_out() {
    let hint = |task, name, bytes: &[u8]| message(task, name, bytes).1.unwrap();
    assert_eq!(
        hint("sst-2", "a.tsv", b"sentence\tlabel\nno label\n"),
        "columns are separated by one tab"
    );
    assert_eq!(
        hint("mr", "a.csv", b"1\n"),
        "columns are separated by one comma"
    );
    assert_eq!(
        hint("mr", "a.csv", b"1,a,b\n"),
        "put a sentence that holds a comma in double quotes"
    );
    assert_eq!(
        hint(
            "sst-2",
            "a.tsv",
            b"version https://git-lfs.github.com/spec/v1\n"
        ),
        "fetch the file itself with `git lfs pull`"
    );
}

#[test]
fn places_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    fs::write(&path, "sentence\tlabel\nfine .\tgood\n").unwrap();
    let error = Task::by_name("sst-2")
        .unwrap()
        .read_file(&path)
        .unwrap_err();
    let place = error.place().unwrap();
    assert_eq!(
        (&*place.path, place.line, place.column),
        (path.as_path(), 2, 8)
    );
}

#[test]
fn published_reading_rules_hold() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tsv");
    fs::write(
        &path,
        "\u{feff}sentence\tlabel\r\n\"quoted .\t1\r\ntrailing . \t0",
    )
    .unwrap();
    let rows = Task::by_name("sst-2").unwrap().read_file(&path).unwrap();
    let texts: Vec<&str> = rows.iter().map(|row| row.sentences[0].as_str()).collect();
    assert_eq!(texts, ["\"quoted .", "trailing . "]);
    assert_eq!(rows[1].origin.line, 3);

    let path = folder.path().join("a.csv");
    let text =
        "1,NA\n0,null\n1,None\n\n0,\n1,\" \"\n0,\"say \"\"so\"\" , twice\"\n1,\"NaN\"\n0,none\n";
    fs::write(&path, text).unwrap();
    let rows = Task::by_name("mr").unwrap().read_file(&path).unwrap();
    let texts: Vec<&str> = rows.iter().map(|row| row.sentences[0].as_str()).collect();
    assert_eq!(
        texts,
        ["", "", "", "", " ", "say \"so\" , twice", "", "none"]
    );
    assert_eq!(rows[3].origin.line, 5);
}

#[test]
fn what_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let said = |error: TaskError| {
        error
            .to_string()
            .replace(&format!("{}/", data.display()), "")
    };
    let task = Task::by_name("sst-2").unwrap();
    let split = || k_shot(&task, Some(data), 16, 13, None);

    assert_eq!(
        said(k_shot(&task, None, 16, 13, None).unwrap_err()),
        "task \"sst-2\" reads files, expected the folder that holds SST-2/"
    );
    assert_eq!(
        said(split().unwrap_err()),
        "SST-2: expected the folder of task \"sst-2\" with train.tsv and dev.tsv, or with a split such as \
         16-13/train.tsv, found nothing there"
    );
    fs::create_dir(data.join("SST-2")).unwrap();
    assert_eq!(
        said(split().unwrap_err()),
        "SST-2/train.tsv: expected tab-separated rows under a header line (task \"sst-2\"), found nothing there"
    );
    fs::write(
        data.join("SST-2/train.tsv"),
        "sentence\tlabel\na\t0\nb\t1\n",
    )
    .unwrap();
    assert!(said(split().unwrap_err()).starts_with("SST-2/dev.tsv: expected tab-separated"));
    fs::write(data.join("SST-2/dev.tsv"), "sentence\tlabel\na\t0\nb\t1\n").unwrap();
    assert_eq!(
        said(split().unwrap_err()),
        "SST-2/train.tsv: no class has more than 16 rows, expected some for the dev part"
    );
    fs::create_dir(data.join("SST-2/16-13")).unwrap();
    assert!(said(split().unwrap_err()).starts_with("SST-2/16-13/train.tsv: expected"));
}

#[test]
fn settings_that_make_no_split_are_refused() {
    let task = Task::by_name("made-sentiment").unwrap();
    let split = |k, seed, cap| k_shot(&task, None, k, seed, cap).unwrap_err().to_string();
    assert_eq!(split(0, 13, None), "k is 0, expected at least 1");
    assert_eq!(split(16, 13, Some(0)), "test_cap is 0, expected at least 1");
    assert_eq!(
        split(16, 1 << 32, None),
        "seed 4294967296 is too large for a k-shot split, expected at most 4294967295"
    );
    assert_eq!(
        split(2_000, 13, None),
        "made-sentiment: no class has more than 2000 rows, expected some for the dev part"
    );
}

#[test]
fn nothing_is_written_when_something_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let out = folder.path().join("out");
    fs::create_dir_all(data.join("SST-2")).unwrap();
    fs::write(
        data.join("SST-2/train.tsv"),
        "sentence\tlabel\na\t0\nb\t1\n",
    )
    .unwrap();
    let task = Task::by_name("sst-2").unwrap();
    assert!(write_k_shot(&task, Some(&data), 1, 13, &out, None).is_err());
    assert!(!out.exists());
}

#[test]
fn a_last_line_without_its_end_is_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    fs::create_dir(data.join("SST-2")).unwrap();
    fs::write(
        data.join("SST-2/train.tsv"),
        "sentence\tlabel\na\t0\nb\t1\nc\t0\nd\t1",
    )
    .unwrap();
    fs::write(data.join("SST-2/dev.tsv"), "sentence\tlabel\ne\t0").unwrap();
    let task = Task::by_name("sst-2").unwrap();
    let written = write_k_shot(&task, Some(data), 1, 13, &data.join("out"), None).unwrap();
    let lines = |path: &Path| fs::read_to_string(path).unwrap().lines().count();
    assert_eq!(
        written.iter().map(|path| lines(path)).collect::<Vec<_>>(),
        [3, 3, 2]
    );
    assert!(fs::read_to_string(&written[2]).unwrap().ends_with("e\t0\n"));
}
