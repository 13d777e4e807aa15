//! k-shot splits against the checksums of the published ones.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::Path;

use md5::{Digest, Md5};
use mezo_tasks::{Split, Task, k_shot, write_k_shot};
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
