//! The made task: its data need no file.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use mezo_tasks::{Task, k_shot, rows_sha256, write_k_shot, zero_shot};
use support::shared;

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
