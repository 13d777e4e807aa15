//! From Parquet files on a hub to rows as `mezo-tasks` reads them.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, reason = "the fake hub can do more than these tests need")]
#[path = "../../hub/tests/support/fake_hub.rs"]
mod fake_hub;

use std::fs;
use std::path::PathBuf;

use fake_hub::{COMMIT, FakeHub, FakeRepo, sha256};
use mezo_data::DataError;
use mezo_hub::{Hub, HubError, Settings};
use mezo_tasks::{Task, k_shot};
use polars::io::parquet::write::KeyValueMetadata;
use polars::prelude::{Column, DataFrame, ParquetCompression, ParquetWriter};
use tempfile::TempDir;

/// A Parquet file with a column of texts for each name, and a column of labels.
fn parquet(texts: &[(&str, &[&str])], label: (&str, &[i64]), features: Option<&str>) -> Vec<u8> {
    let mut columns: Vec<Column> = texts
        .iter()
        .map(|(name, texts)| Column::new((*name).into(), texts.to_vec()))
        .collect();
    columns.push(Column::new(label.0.into(), label.1.to_vec()));
    // As on the hub there are columns that nobody asked for.
    let numbers: Vec<i32> = (0..).take(label.1.len()).collect();
    columns.push(Column::new("idx".into(), numbers));
    let mut frame = DataFrame::new(label.1.len(), columns).unwrap();
    let features = features.map(|text| {
        KeyValueMetadata::from_static(vec![("huggingface".to_owned(), text.to_owned())])
    });
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        // As the hub's files are.
        .with_compression(ParquetCompression::Snappy)
        .with_key_value_metadata(features)
        .finish(&mut frame)
        .unwrap();
    bytes
}

struct World {
    fake: FakeHub,
    dir: TempDir,
}

impl World {
    fn new(repo: &str, revision: &'static str, files: &[(&str, &[u8])]) -> Self {
        let repos = vec![(repo, FakeRepo::new(revision, files))];
        Self {
            fake: FakeHub::new(repos),
            dir: TempDir::new().unwrap(),
        }
    }

    /// SNLI with some rows.
    fn snli(train: &[u8]) -> Self {
        let dev = parquet(
            &[("premise", &["p"]), ("hypothesis", &["h"])],
            ("label", &[0]),
            None,
        );
        let files: [(&str, &[u8]); 2] = [
            ("plain_text/train-00000-of-00001.parquet", train),
            ("plain_text/validation-00000-of-00001.parquet", &dev),
        ];
        Self::new("datasets/stanfordnlp/snli", "main", &files)
    }

    fn out(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn fetch(&self, task: &str) -> Result<Vec<String>, DataError> {
        let home = self.dir.path().join("home");
        let vars = [
            ("HF_HOME".to_owned(), home.into()),
            ("HF_ENDPOINT".to_owned(), self.fake.url.clone().into()),
        ];
        let hub = Hub::new(Settings::from(&vars.into()).unwrap());
        let task = Task::by_name(task).unwrap();
        let written = mezo_data::fetch(&hub, &task, &self.out(), &mut ())?;
        let names = written.iter().map(|path| {
            let path = path.strip_prefix(self.out()).unwrap();
            path.to_str().unwrap().to_owned()
        });
        Ok(names.collect())
    }

    /// A file's rows as the task reads them: label and sentences.
    fn rows(&self, task: &str, file: &str) -> Vec<(&'static str, Vec<String>)> {
        let task = Task::by_name(task).unwrap();
        let rows = task.read_file(&self.out().join(file)).unwrap();
        rows.into_iter()
            .map(|row| (task.labels()[row.label], row.sentences))
            .collect()
    }
}

fn row(label: &'static str, sentences: &[&str]) -> (&'static str, Vec<String>) {
    (
        label,
        sentences.iter().map(|&text| text.to_owned()).collect(),
    )
}

#[test]
fn phrases_keep_their_order_and_their_blanks() {
    let train = parquet(
        &[(
            "sentence",
            &["hide new secretions ", "good , \"really\" good ", "bad "],
        )],
        ("label", &[0, 1, 0]),
        None,
    );
    let dev = parquet(&[("sentence", &["fine "])], ("label", &[1]), None);
    let files: [(&str, &[u8]); 2] = [
        ("sst2/train-00000-of-00001.parquet", &train),
        ("sst2/validation-00000-of-00001.parquet", &dev),
    ];
    let world = World::new("datasets/nyu-mll/glue", "main", &files);
    assert_eq!(
        world.fetch("glue-sst2").unwrap(),
        [
            "glue-sst2/train.tsv",
            "glue-sst2/dev.tsv",
            "glue-sst2/PROVENANCE.json"
        ]
    );
    assert_eq!(
        world.rows("glue-sst2", "glue-sst2/train.tsv"),
        [
            row("0", &["hide new secretions "]),
            row("1", &["good , \"really\" good "]),
            row("0", &["bad "]),
        ]
    );
    assert_eq!(
        fs::read_to_string(world.out().join("glue-sst2/dev.tsv")).unwrap(),
        "sentence\tlabel\nfine \t1\n"
    );
}

#[test]
fn pairs_without_a_label_are_left_out_and_breaks_become_blanks() {
    let train = parquet(
        &[
            ("premise", &["a\tb\r\nc", "none", "two", "three"]),
            ("hypothesis", &["A", "NONE", "TWO\n", "THREE"]),
        ],
        ("label", &[0, -1, 1, 2]),
        None,
    );
    let world = World::snli(&train);
    world.fetch("snli").unwrap();
    assert_eq!(
        world.rows("snli", "SNLI/train.tsv"),
        [
            row("entailment", &["a b c", "A"]),
            row("neutral", &["two", "TWO "]),
            row("contradiction", &["three", "THREE"]),
        ]
    );
    let text = fs::read_to_string(world.out().join("SNLI/train.tsv")).unwrap();
    let provenance = fs::read(world.out().join("SNLI/PROVENANCE.json")).unwrap();
    let provenance: serde_json::Value = serde_json::from_slice(&provenance).unwrap();
    assert_eq!(provenance["repository"], "datasets/stanfordnlp/snli");
    assert_eq!(provenance["commit"], COMMIT);
    assert_eq!(
        provenance["files"][0],
        serde_json::json!({
            "name": "train.tsv",
            "sha256": sha256(text.as_bytes()),
            "rows": 3,
            "from": "plain_text/train-00000-of-00001.parquet",
            "from_sha256": sha256(&train),
            "unlabelled_rows_left_out": 1,
            "sentences_with_breaks_made_blanks": 2,
        })
    );
    let task = Task::by_name("snli").unwrap();
    let split = k_shot(&task, Some(&world.out()), 1, 13, None);
    assert!(split.is_err(), "one row a class is train and no dev");
}

#[test]
fn mnli_has_two_test_sets() {
    let of = |text: &str, label| {
        let (premise, hypothesis) = (format!("{text} p"), format!("{text} h"));
        parquet(
            &[("premise", &[&premise]), ("hypothesis", &[&hypothesis])],
            ("label", &[label]),
            None,
        )
    };
    let (train, matched, other) = (of("a", 2), of("b", 1), of("c", 0));
    let files: [(&str, &[u8]); 3] = [
        ("mnli/train-00000-of-00001.parquet", &train),
        ("mnli/validation_matched-00000-of-00001.parquet", &matched),
        ("mnli/validation_mismatched-00000-of-00001.parquet", &other),
    ];
    let world = World::new("datasets/nyu-mll/glue", "main", &files);
    world.fetch("mnli").unwrap();
    for (file, expected) in [
        ("train.tsv", row("contradiction", &["a p", "a h"])),
        ("dev_matched.tsv", row("neutral", &["b p", "b h"])),
        ("dev_mismatched.tsv", row("entailment", &["c p", "c h"])),
    ] {
        assert_eq!(world.rows("mnli", &format!("MNLI/{file}")), [expected]);
    }
}

#[test]
fn rte_has_two_labels() {
    let train = parquet(
        &[("sentence1", &["a", "b"]), ("sentence2", &["A", "B"])],
        ("label", &[1, 0]),
        None,
    );
    let files: [(&str, &[u8]); 2] = [
        ("rte/train-00000-of-00001.parquet", &train),
        ("rte/validation-00000-of-00001.parquet", &train),
    ];
    let world = World::new("datasets/nyu-mll/glue", "main", &files);
    world.fetch("rte").unwrap();
    let expected = [
        row("not_entailment", &["a", "A"]),
        row("entailment", &["b", "B"]),
    ];
    assert_eq!(world.rows("rte", "RTE/train.tsv"), expected);
    assert_eq!(world.rows("rte", "RTE/dev.tsv"), expected);
}

#[test]
fn questions_are_numbered_as_published_whatever_the_hub_counts() {
    let texts = [
        "What is NATO ?",
        "How did it \"begin\" , then ?",
        "Who ?",
        "Where ?",
        "When ?",
        "Which ?",
    ];
    // ABBR ENTY DESC HUM LOC NUM, and as the hub counted them before.
    let known = parquet(
        &[("text", &texts)],
        ("coarse_label", &[0, 2, 3, 4, 5, 1]),
        None,
    );
    let before = r#"{"info": {"features": {"coarse_label":
        {"names": ["DESC", "ENTY", "ABBR", "HUM", "NUM", "LOC"], "_type": "ClassLabel"}}}}"#;
    let named = parquet(
        &[("text", &texts)],
        ("coarse_label", &[2, 0, 3, 5, 4, 1]),
        Some(before),
    );
    for train in [known, named] {
        let files: [(&str, &[u8]); 2] = [
            ("default/train/0000.parquet", &train),
            ("default/test/0000.parquet", &train),
        ];
        let world = World::new("datasets/CogComp/trec", "refs/convert/parquet", &files);
        world.fetch("trec").unwrap();
        let labels = ["2", "0", "3", "4", "5", "1"];
        let expected: Vec<_> = labels
            .iter()
            .zip(texts)
            .map(|(label, text)| row(label, &[text]))
            .collect();
        assert_eq!(world.rows("trec", "trec/train.csv"), expected);
        assert_eq!(world.rows("trec", "trec/test.csv"), expected);
    }
}

#[test]
fn what_the_hub_does_not_have_says_where_it_is() {
    let world = World::new("datasets/none", "main", &[]);
    for task in ["sst-2", "sst-5", "mr", "cr", "mpqa", "made-sentiment"] {
        let error = world.fetch(task).unwrap_err();
        assert!(matches!(error, DataError::NotOnHub { .. }) && error.is_bad_input());
        let hint = error.hint().unwrap();
        let expected = if task == "made-sentiment" {
            "in the program"
        } else {
            "datasets.tar"
        };
        assert!(hint.contains(expected), "{hint}");
    }
    assert_eq!(world.fake.seen(), []);
    let error = world.fetch("snli").unwrap_err();
    assert!(
        matches!(error, DataError::Hub(HubError::Unauthorised { .. })),
        "{error}"
    );
}

#[test]
fn data_of_other_origin_are_not_touched() {
    let train = parquet(
        &[("premise", &["a"]), ("hypothesis", &["A"])],
        ("label", &[0]),
        None,
    );
    let world = World::snli(&train);
    let published = world.out().join("SNLI/dev.tsv");
    fs::create_dir_all(published.parent().unwrap()).unwrap();
    fs::write(&published, "as published").unwrap();
    let error = world.fetch("snli").unwrap_err();
    assert!(
        matches!(&error, DataError::Occupied { path } if *path == published),
        "{error}"
    );
    assert_eq!(fs::read_dir(world.out().join("SNLI")).unwrap().count(), 1);
    fs::remove_file(&published).unwrap();
    // What came from here comes again.
    world.fetch("snli").unwrap();
    let before = fs::read(&published).unwrap();
    fs::write(&published, "changed").unwrap();
    world.fetch("snli").unwrap();
    assert!(fs::read(&published).unwrap() == before);
    assert_eq!(fs::read_dir(world.out().join("SNLI")).unwrap().count(), 3);
}

#[test]
fn a_fetch_that_was_cut_off_is_seen_and_goes_again() {
    let train = parquet(
        &[("premise", &["a"]), ("hypothesis", &["A"])],
        ("label", &[0]),
        None,
    );
    let world = World::snli(&train);
    let folder = world.out().join("SNLI");
    let names = || -> Vec<String> {
        let entries = fs::read_dir(&folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    let whole = ["PROVENANCE.json", "dev.tsv", "train.tsv"];
    for before in ["nothing", "an older fetch"] {
        // A folder in the place of the second file lets the first be moved and no more.
        let dev = folder.join("dev.tsv");
        if before != "nothing" {
            world.fetch("snli").unwrap();
            fs::write(folder.join("train.tsv"), "older").unwrap();
            fs::remove_file(&dev).unwrap();
            fs::create_dir_all(dev.join("full")).unwrap();
        } else {
            fs::create_dir_all(dev.join("full")).unwrap();
            fs::write(folder.join("PROVENANCE.json.part"), "").unwrap();
        }
        let error = world.fetch("snli").unwrap_err();
        assert!(
            matches!(&error, DataError::Write { path, .. } if *path == dev),
            "{error}"
        );
        assert_eq!(
            names(),
            ["PROVENANCE.json.part", "dev.tsv", "train.tsv"],
            "{before}"
        );
        assert_ne!(fs::read(folder.join("train.tsv")).unwrap(), b"older");
        fs::remove_dir_all(&dev).unwrap();
        world.fetch("snli").unwrap();
        assert_eq!(names(), whole);
    }
}

#[test]
fn tables_of_another_form_are_refused_with_their_place() {
    let pairs = |label: i64| {
        parquet(
            &[("premise", &["a", "b"]), ("hypothesis", &["A", "B"])],
            ("label", &[0, label]),
            None,
        )
    };
    let lacking = parquet(&[("premise", &["a"])], ("label", &[0]), None);
    for (train, expected) in [
        (
            pairs(3),
            "row 2: column \"label\" is 3, expected the number of one of entailment, neutral, contradiction",
        ),
        (lacking, "hypothesis"),
        (b"PAR1 and no more".to_vec(), "cannot read it as Parquet"),
    ] {
        let world = World::snli(&train);
        let error = world.fetch("snli").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(!world.out().exists());
    }
}
