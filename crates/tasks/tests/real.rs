//! The published data from end to end where they are, and what is said of them before they are there.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::fs;
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::{Path, PathBuf};

use mezo_tasks::{Cut, Example, Row, Split, Task, Tokenizer, k_shot, zero_shot};
use support::shared;

const SEEDS: [u64; 5] = [13, 21, 42, 87, 100];

/// A task's train file below the shared data, where it is there.
fn train_file(task: &Task, data: &Path) -> Option<PathBuf> {
    let names = ["train.tsv", "train.csv"];
    let folders = [data.to_owned(), data.join("lmbff")];
    let paths = folders
        .iter()
        .flat_map(|folder| names.map(|name| folder.join(task.folder()).join(name)));
    paths.into_iter().find(|path| path.exists())
}

/// All published train rows of a task, or those of its written splits.
fn train_rows(task: &Task, data: &Path) -> Option<Vec<Row>> {
    if task.made() {
        return Some(k_shot(task, None, 1_000, 13, None).unwrap().train);
    }
    if let Some(path) = train_file(task, data) {
        return Some(task.read_file(&path).unwrap());
    }
    let kshot = data.join("kshot16");
    kshot.join(task.folder()).exists().then(|| {
        let splits = SEEDS.map(|seed| k_shot(task, Some(&kshot), 16, seed, None).unwrap());
        let rows = splits.map(|split| [split.train, split.dev].concat());
        rows.concat()
    })
}

#[test]
fn prompts_are_as_long_as_said() {
    let Some(data) = shared("data", "mean tokens") else {
        return;
    };
    let tokenizer = Tokenizer::from_folder(&data.join("roberta-tokenizer")).unwrap();
    for name in Task::names() {
        let task = Task::by_name(name).unwrap();
        let Some(rows) = train_rows(&task, &data) else {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: mean tokens of {name} (no data)"
            );
            continue;
        };
        let examples = task.encode(&tokenizer, &rows).unwrap();
        let tokens: usize = examples.iter().map(|example| example.ids.len()).sum();
        let found = tokens as f64 / examples.len() as f64;
        let said = task.mean_tokens();
        assert!(
            (said / found - 1.0).abs() < 0.05,
            "{name}: {said} said, {found:.2} found"
        );
    }
}

#[test]
fn splits_are_as_large_as_said() {
    let Some(data) = shared("data", "sizes of splits") else {
        return;
    };
    for (name, folder) in [
        ("glue-sst2", ""),
        ("made-sentiment", ""),
        ("mr", "lmbff"),
        ("rte", "lmbff"),
        ("sst-2", "lmbff"),
        ("sst-5", "lmbff"),
        ("trec", "lmbff"),
    ] {
        let task = Task::by_name(name).unwrap();
        for k in [16, 512, 700] {
            let split = k_shot(&task, Some(&data.join(folder)), k, 13, Some(1_000)).unwrap();
            let found = [split.train.len(), split.dev.len(), split.test.len()];
            let said = [
                task.train_rows(k),
                task.dev_rows(k),
                task.test_size(Some(1_000)),
            ];
            assert_eq!(said, found, "{name} at k = {k}");
        }
        let whole = zero_shot(&task, Some(&data.join(folder)), 16, None).unwrap();
        assert_eq!(task.test_size(None), whole.test.len(), "{name}");
    }
    let trec = Task::by_name("trec").unwrap();
    // Expression has 86 rows, Location 835 and Number 896.
    assert_eq!((trec.train_rows(512), trec.dev_rows(512)), (2_646, 2_243));
}

/// Every row of a split in tokens, in each of the ways to ask.
fn encode(task: &Task, tokenizer: &Tokenizer, split: &Split) -> [usize; 3] {
    let mask = tokenizer.special().mask;
    let bare = task.clone().without_prompt();
    [&split.train, &split.dev, &split.test].map(|rows| {
        let examples = task.encode(tokenizer, rows).unwrap();
        for example in &examples {
            assert_eq!(example.ids[example.asked], mask);
            assert!(example.ids.len() <= task.max_length());
        }
        for example in bare.encode(tokenizer, rows).unwrap() {
            assert_eq!(
                (example.asked, example.ids[0]),
                (0, tokenizer.special().start)
            );
            assert!(!example.ids.contains(&mask));
        }
        examples.len()
    })
}

#[test]
fn published_tasks_encode_from_end_to_end() {
    let Some(data) = shared("data", "encoding published data") else {
        return;
    };
    let tokenizer = Tokenizer::from_folder(&data.join("roberta-tokenizer")).unwrap();
    for (name, folder, k, sizes) in [
        ("sst-2", "kshot16", 16, [32, 32, 872]),
        ("sst-2", "lmbff", 512, [1_024, 1_024, 872]),
        ("glue-sst2", "", 512, [1_024, 1_024, 872]),
        ("sst-5", "kshot16", 16, [80, 80, 1_000]),
        ("sst-5", "lmbff", 512, [2_560, 2_560, 1_000]),
        ("trec", "kshot16", 16, [96, 96, 500]),
        ("trec", "lmbff", 512, [2_646, 2_243, 500]),
        ("rte", "kshot16", 16, [32, 32, 277]),
        ("rte", "lmbff", 512, [1_024, 1_024, 277]),
        ("mr", "lmbff", 16, [32, 32, 1_000]),
        ("mr", "lmbff", 512, [1_024, 1_024, 1_000]),
        // Its test rows lie in snli/ beside the splits' folder.
        ("snli", "kshot16", 16, [48, 48, 1_000]),
        // No test rows come with it, and no source.
        ("mnli", "kshot16", 16, [48, 48, 0]),
    ] {
        let task = Task::by_name(name).unwrap();
        for seed in SEEDS {
            let split = k_shot(&task, Some(&data.join(folder)), k, seed, Some(1_000)).unwrap();
            assert_eq!(
                encode(&task, &tokenizer, &split),
                sizes,
                "{name} at k = {k}"
            );
            assert_eq!(split.test_missing.is_some(), sizes[2] == 0);
        }
    }
}

#[test]
fn snli_encodes_with_the_test_rows_beside_it() {
    let Some(data) = shared("data", "SNLI with its test rows") else {
        return;
    };
    let both = tempfile::tempdir().unwrap();
    for file in ["SNLI/16-13/train.tsv", "SNLI/16-13/dev.tsv"] {
        copy(&data.join("kshot16").join(file), &both.path().join(file));
    }
    copy(
        &data.join("snli/test.tsv"),
        &both.path().join("snli/test.tsv"),
    );
    let task = Task::by_name("snli").unwrap();
    let tokenizer = Tokenizer::from_folder(&data.join("roberta-tokenizer")).unwrap();
    let split = k_shot(&task, Some(both.path()), 16, 13, Some(1_000)).unwrap();
    assert_eq!(encode(&task, &tokenizer, &split), [48, 48, 1_000]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::write(to, fs::read(from).unwrap()).unwrap();
}

#[test]
fn pairs_fit_a_small_model_once_sentences_are_cut() {
    let Some(data) = shared("data", "long pairs") else {
        return;
    };
    let Some(model) = shared("models/roberta-imdb-tiny", "long pairs") else {
        return;
    };
    let tokenizer = Tokenizer::from_folder(&model).unwrap();
    let long = |examples: &[Example]| examples.iter().filter(|own| own.ids.len() == 128).count();
    for (name, folder) in [("rte", "lmbff"), ("mnli", "kshot16"), ("snli", "kshot16")] {
        let task = Task::by_name(name).unwrap().with_max_length(128);
        let split = k_shot(&task, Some(&data.join(folder)), 16, 13, None).unwrap();
        let rows = [split.train, split.dev, split.test].concat();
        let cut = task.clone().with_cut(Cut::Sentences);
        let examples = cut.encode(&tokenizer, &rows).unwrap();
        for example in &examples {
            assert_eq!(example.ids[example.asked], tokenizer.special().mask);
            assert_eq!(example.ids.last(), Some(&tokenizer.special().end));
            assert!(example.ids.len() <= 128);
        }
        let refused = task.encode(&tokenizer, &rows).is_err();
        assert_eq!(refused, name == "rte", "{name}");
        let _ = writeln!(
            std::io::stderr(),
            "{name}: {} of {} prompts fill 128 tokens",
            long(&examples),
            rows.len()
        );
    }
}
