//! Which files a split's test rows come from, and what is said where there are none.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::fs;
use std::path::Path;

use mezo_tasks::{Task, k_shot, rows_sha256, zero_shot};
use support::shared;

fn copy(from: &Path, to: &Path, name: &str) {
    fs::create_dir_all(to).unwrap();
    fs::write(to.join(name), fs::read(from.join(name)).unwrap()).unwrap();
}

#[test]
fn zero_shot_sees_the_test_rows_of_the_runs_beside_it() {
    let data = tempfile::tempdir().unwrap();
    let task = Task::by_name("sst-2").unwrap();
    let write = |path: &str, sentence: &str| {
        let path = data.path().join("SST-2").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("sentence\tlabel\n{sentence}\t1\n")).unwrap();
    };
    let seen = |k: usize| {
        let rows = zero_shot(&task, Some(data.path()), k, None).unwrap().test;
        assert_eq!(rows.len(), 1);
        rows[0].sentences[0].clone()
    };
    // With no source, any written split is better than nothing.
    write("512-13/test.tsv", "of 512");
    assert_eq!(seen(16), "of 512");
    for part in ["train", "dev", "test"] {
        write(&format!("16-21/{part}.tsv"), &format!("{part} of 16"));
    }
    // As GLUE keeps its test labels to itself, its dev file is the source of the test rows.
    write("dev.tsv", "of the source");
    assert_eq!(seen(16), "test of 16");
    assert_eq!(seen(512), "of 512");
    // No split of k 1 or 5 is meant by the folders of 16 and 512.
    assert_eq!([seen(1), seen(5)], ["of the source", "of the source"]);
    let split = k_shot(&task, Some(data.path()), 16, 21, None).unwrap();
    let alone = zero_shot(&task, Some(data.path()), 16, None).unwrap().test;
    assert_eq!(rows_sha256(&alone), rows_sha256(&split.test));
    assert_ne!(rows_sha256(&alone), rows_sha256(&split.train));
    // A written split without test rows reports on the source's.
    write("64-13/train.tsv", "of 64");
    assert_eq!(seen(64), "of the source");
}

#[test]
fn snli_takes_its_test_rows_from_the_trimmed_file() {
    let Some(data) = shared("data", "SNLI's trimmed test file") else {
        return;
    };
    let both = tempfile::tempdir().unwrap();
    copy(&data.join("snli"), &both.path().join("snli"), "test.tsv");
    let split = Path::new("SNLI/16-13");
    for part in ["train.tsv", "dev.tsv"] {
        copy(
            &data.join("kshot16").join(split),
            &both.path().join(split),
            part,
        );
    }
    let task = Task::by_name("snli").unwrap();
    let split = k_shot(&task, Some(both.path()), 16, 13, None).unwrap();
    let of = |label| split.test.iter().filter(|row| row.label == label).count();
    // contradiction, entailment, neutral
    assert_eq!([0, 1, 2].map(of), [3_237, 3_368, 3_219]);
    assert_eq!(split.test_missing, None);
    let alone = zero_shot(&task, Some(both.path()), 16, None).unwrap();
    assert_eq!(alone.test, split.test);
}

#[test]
fn a_written_split_without_test_rows_says_so() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("SNLI/16-13");
    fs::create_dir_all(&folder).unwrap();
    let row = "a\tb\tc\td\te\tf\tg\tOne.\tTwo.\tneutral\n";
    for part in ["train.tsv", "dev.tsv"] {
        fs::write(
            folder.join(part),
            format!("{}{row}", row.replace("neutral", "gold_label")),
        )
        .unwrap();
    }
    let task = Task::by_name("snli").unwrap();
    let split = k_shot(&task, Some(data.path()), 16, 13, None).unwrap();
    assert_eq!(
        [split.train.len(), split.dev.len(), split.test.len()],
        [1, 1, 0]
    );
    let why = "no test rows: neither SNLI/16-13/test.tsv nor SNLI/dev.tsv is there";
    assert_eq!(split.test_missing.as_deref(), Some(why));
    let alone = zero_shot(&task, Some(data.path()), 16, None).unwrap();
    assert_eq!(
        (alone.test.len(), alone.test_missing.as_deref()),
        (0, Some(why))
    );
    // Without any split of that k the source is what is missing.
    let error = zero_shot(&task, Some(data.path()), 512, None).unwrap_err();
    assert!(
        error.to_string().contains("SNLI/dev.tsv: expected"),
        "{error}"
    );
    let error = k_shot(&task, Some(data.path()), 16, 21, None).unwrap_err();
    assert!(
        error.to_string().contains("SNLI/train.tsv: expected"),
        "{error}"
    );
    // Test rows that are there and cannot be read are an error as ever.
    fs::write(folder.join("test.tsv"), "").unwrap();
    assert!(k_shot(&task, Some(data.path()), 16, 13, None).is_err());
}

#[test]
fn sst2_in_one_shape_is_not_taken_for_the_other() {
    let Some(data) = shared("data", "SST-2 both ways") else {
        return;
    };
    let swapped = tempfile::tempdir().unwrap();
    for part in ["train.tsv", "dev.tsv"] {
        copy(&data.join("glue-sst2"), &swapped.path().join("SST-2"), part);
        copy(
            &data.join("lmbff/SST-2"),
            &swapped.path().join("glue-sst2"),
            part,
        );
    }
    for (name, what) in [
        (
            "sst-2",
            "67349 rows are GLUE's phrases, expected the data of task \"sst-2\"",
        ),
        (
            "glue-sst2",
            "6920 rows are LM-BFF's sentences, expected the data of task \"glue-sst2\"",
        ),
    ] {
        let task = Task::by_name(name).unwrap();
        let error = k_shot(&task, Some(swapped.path()), 16, 13, None).unwrap_err();
        assert!(error.to_string().ends_with(what), "{error}");
    }
}
