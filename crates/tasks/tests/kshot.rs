//! k-shot splits against the checksums of the published ones.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use mezo_tasks::{Split, Task, k_shot, rows_sha256, write_k_shot, zero_shot};
use support::shared;

const SEEDS: [u64; 5] = [13, 21, 42, 87, 100];

fn md5_of(path: &Path) -> String {
    let digest = Md5::digest(fs::read(path).unwrap());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The lines of a checksum file: path below the output folder, then its md5.
fn checksums(path: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| line.split_once("  ").unwrap());
    lines
        .map(|(md5, path)| (path.to_owned(), md5.to_owned()))
        .collect()
}

fn task_of_folder(folder: &str) -> Option<Task> {
    let tasks = Task::names()
        .into_iter()
        .map(|name| Task::by_name(name).unwrap());
    tasks.into_iter().find(|task| task.folder() == folder)
}

/// Writes the splits of one k with all seeds and compares every file that `listed` names.
fn compare(listed: &BTreeMap<String, String>, data: &Path, k: usize, cap: Option<usize>) -> usize {
    let out = tempfile::tempdir().unwrap();
    let folders: BTreeSet<&str> = listed
        .keys()
        .map(|path| path.split('/').next().unwrap())
        .collect();
    let mut checked = 0;
    for folder in folders {
        let lines = listed
            .keys()
            .filter(|path| path.starts_with(&format!("{folder}/")));
        let Some(task) = task_of_folder(folder) else {
            let _ = writeln!(
                std::io::stderr(),
                "not checked: {} lines of {folder} (no such task)",
                lines.count()
            );
            continue;
        };
        let there = ["train.tsv", "train.csv"]
            .iter()
            .any(|name| data.join(folder).join(name).exists());
        if !there {
            let missing = data.join(folder).display().to_string();
            let _ = writeln!(
                std::io::stderr(),
                "not checked: {} lines of {folder} (no train file in {missing})",
                lines.count()
            );
            continue;
        }
        for seed in SEEDS {
            write_k_shot(&task, Some(data), k, seed, out.path(), cap).unwrap();
        }
        let mut own = 0;
        for path in lines {
            assert_eq!(md5_of(&out.path().join(path)), listed[path], "{path}");
            own += 1;
        }
        let _ = writeln!(std::io::stderr(), "{folder}: {own} files at k = {k} equal");
        checked += own;
    }
    checked
}

#[test]
fn sixteen_shot_files_are_the_published_ones() {
    let Some(sums) = shared("data/kshot16/checksum", "16-shot checksums") else {
        return;
    };
    let Some(data) = shared("data/lmbff", "16-shot checksums") else {
        return;
    };
    // Without the cap the test files are in the list too.
    assert!(compare(&checksums(&sums), &data, 16, None) >= 5 * 5 * 3);
}

#[test]
fn the_cap_leaves_train_and_dev_alone() {
    let Some(sums) = shared("data/kshot16/checksum", "16-shot checksums, capped") else {
        return;
    };
    let Some(data) = shared("data/lmbff", "16-shot checksums, capped") else {
        return;
    };
    let mut listed = checksums(&sums);
    listed.retain(|path, _| !path.contains("/test"));
    assert!(compare(&listed, &data, 16, Some(1_000)) >= 5 * 5 * 2);
}

#[test]
fn five_hundred_and_twelve_shot_files_are_the_expected_ones() {
    let Some(sums) = shared(
        "data/kshot16/expected_512_derived.md5",
        "512-shot checksums",
    ) else {
        return;
    };
    let Some(data) = shared("data/lmbff", "512-shot checksums") else {
        return;
    };
    assert!(compare(&checksums(&sums), &data, 512, Some(1_000)) >= 5 * 5 * 2);
}

fn contents(split: &Split) -> Vec<(Vec<String>, usize)> {
    let rows = split.train.iter().chain(&split.dev).chain(&split.test);
    rows.map(|row| (row.sentences.clone(), row.label)).collect()
}

#[test]
fn a_split_drawn_in_memory_is_the_split_written_and_read() {
    let Some(data) = shared("data", "drawn against written splits") else {
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let lmbff = data.join("lmbff");
    for (name, data, cap) in [
        ("sst-2", &lmbff, 872),
        ("sst-5", &lmbff, 1_000),
        ("rte", &lmbff, 277),
        ("glue-sst2", &data, 872),
    ] {
        let task = Task::by_name(name).unwrap();
        write_k_shot(&task, Some(data), 16, 42, out.path(), Some(1_000)).unwrap();
        let read = k_shot(&task, Some(out.path()), 16, 42, Some(1_000)).unwrap();
        let drawn = k_shot(&task, Some(data), 16, 42, Some(1_000)).unwrap();
        assert_eq!(contents(&read), contents(&drawn), "{name}");
        assert_eq!(read.sha256(), drawn.sha256());
        assert_eq!(read.test.len(), cap, "{name}");
    }
}

#[test]
fn the_published_folder_is_read_as_it_lies() {
    let Some(data) = shared("data", "the published 16-shot folder") else {
        return;
    };
    let kshot = data.join("kshot16");
    let sst5 = Task::by_name("sst-5").unwrap();
    let published = k_shot(&sst5, Some(&kshot), 16, 13, Some(1_000)).unwrap();
    let drawn = k_shot(&sst5, Some(&data.join("lmbff")), 16, 13, Some(1_000)).unwrap();
    assert_eq!(published.sha256(), drawn.sha256());
    let whole = k_shot(&sst5, Some(&kshot), 16, 13, None).unwrap();
    assert_eq!(whole.test.len(), 2_210);
    assert_ne!(whole.sha256(), drawn.sha256());
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
fn a_hash_of_rows_is_of_their_contents() {
    let task = Task::by_name("made-sentiment").unwrap();
    let rows = zero_shot(&task, None, 16, None).unwrap().test;
    let split = k_shot(&task, None, 512, 13, None).unwrap();
    assert_eq!(rows_sha256(&rows), rows_sha256(&split.test));
    let mut other = rows.clone();
    other[0].label = 1 - other[0].label;
    assert_ne!(rows_sha256(&rows), rows_sha256(&other));
    other = rows.clone();
    other.swap(0, 599);
    assert_ne!(rows_sha256(&rows), rows_sha256(&other));
    assert_ne!(rows_sha256(&rows), rows_sha256(&rows[1..]));
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

fn copy(from: &Path, to: &Path, name: &str) {
    fs::create_dir_all(to).unwrap();
    fs::write(to.join(name), fs::read(from.join(name)).unwrap()).unwrap();
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

#[test]
fn a_made_split_needs_no_file_and_says_what_it_is() {
    let task = Task::by_name("made-sentiment").unwrap();
    assert!(task.made());
    let first = k_shot(&task, None, 512, 13, Some(1_000)).unwrap();
    let second = k_shot(&task, None, 512, 21, Some(1_000)).unwrap();
    assert_eq!(
        (first.train.len(), first.dev.len(), first.test.len()),
        (1_024, 1_024, 600)
    );
    assert_eq!(first.test, second.test);
    assert_ne!(first.sha256(), second.sha256());
    // Results name the data by this hash.
    assert_eq!(
        first.sha256(),
        "9f52ed6bc78cc5b9e1eb16b77b9d54122b8180d7c8ce9df60ecb99c1183ec6d2"
    );
    let texts = |rows: &[mezo_tasks::Row]| -> BTreeSet<String> {
        rows.iter().map(|row| row.sentences[0].clone()).collect()
    };
    let (train, dev, test) = (texts(&first.train), texts(&first.dev), texts(&first.test));
    assert!(train.is_disjoint(&dev) && train.is_disjoint(&test) && dev.is_disjoint(&test));
    assert_eq!(train.len() + dev.len() + test.len(), 1_024 + 1_024 + 600);
}

#[test]
fn a_made_split_can_be_written_like_any_other() {
    let task = Task::by_name("made-sentiment").unwrap();
    let out = tempfile::tempdir().unwrap();
    let written = write_k_shot(&task, None, 16, 13, out.path(), Some(1_000)).unwrap();
    let folder = out.path().join("made-sentiment/16-13");
    let expected: Vec<PathBuf> = ["train.tsv", "dev.tsv", "test.tsv"]
        .map(|name| folder.join(name))
        .to_vec();
    assert_eq!(written, expected);
    let left: BTreeSet<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert_eq!(left, expected.iter().cloned().collect());
    let split = k_shot(&task, None, 16, 13, Some(1_000)).unwrap();
    let texts = |rows: Vec<mezo_tasks::Row>| -> Vec<(Vec<String>, usize)> {
        rows.into_iter()
            .map(|row| (row.sentences, row.label))
            .collect()
    };
    assert_eq!(
        texts(task.read_file(&written[0]).unwrap()),
        texts(split.train)
    );
    assert_eq!(
        texts(task.read_file(&written[1]).unwrap()),
        texts(split.dev)
    );
}

#[test]
fn made_words_are_whole_in_a_film_vocabulary() {
    let Some(model) = shared("models/roberta-imdb-tiny", "made words in a vocabulary") else {
        return;
    };
    let tokenizer = mezo_tasks::Tokenizer::from_folder(&model).unwrap();
    let task = Task::by_name("made-sentiment").unwrap();
    let split = k_shot(&task, None, 1_000, 13, None).unwrap();
    let words: BTreeSet<&str> = split
        .train
        .iter()
        .chain(&split.dev)
        .chain(&split.test)
        .flat_map(|row| row.sentences[0].split(' '))
        .collect();
    for word in &words {
        let tokens = tokenizer.encode(&format!(" {word}")).unwrap();
        assert_eq!(tokens.len(), 1, "{word}");
    }
    println!("{} made words, each one token", words.len());
}

#[test]
fn every_published_sixteen_shot_file_can_be_read() {
    let Some(kshot) = shared("data/kshot16", "reading the published 16-shot files") else {
        return;
    };
    for name in ["sst-2", "sst-5", "trec", "snli", "mnli", "rte"] {
        let task = Task::by_name(name).unwrap();
        let end = if ["sst-5", "trec"].contains(&name) {
            "csv"
        } else {
            "tsv"
        };
        let dev = if name == "mnli" { "dev_matched" } else { "dev" };
        for (seed, part) in SEEDS.iter().flat_map(|seed| [(seed, "train"), (seed, dev)]) {
            let path = kshot.join(format!("{}/16-{seed}/{part}.{end}", task.folder()));
            let rows = task.read_file(&path).unwrap();
            for label in 0..task.labels().len() {
                let own = rows.iter().filter(|row| row.label == label).count();
                assert_eq!(own, 16, "{}: class {label}", path.display());
            }
        }
    }
}
