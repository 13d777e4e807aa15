//! `mezo data fetch`, from a hub on this machine to a split that a spec can read.

#[allow(dead_code, reason = "the fake hub can do more than these tests need")]
#[path = "../../crates/hub/tests/support/fake_hub.rs"]
mod fake_hub;

use std::fs;
use std::process::{Command, Output};

use crate::common::{Place, ended, files, json, text};
use fake_hub::{COMMIT, FakeHub, FakeRepo};
use insta::assert_snapshot;
use polars::prelude::{Column, DataFrame, ParquetWriter};

const TRAIN: &str = "rte/train-00000-of-00001.parquet";
const DEV: &str = "rte/validation-00000-of-00001.parquet";

/// RTE with eight rows, four of each class.
fn parquet() -> Vec<u8> {
    let texts = |side: &str| {
        (0..8)
            .map(|row| format!("{side} {row}"))
            .collect::<Vec<_>>()
    };
    let labels: Vec<i64> = (0..8).map(|row| row % 2).collect();
    let columns = vec![
        Column::new("sentence1".into(), texts("left")),
        Column::new("sentence2".into(), texts("right")),
        Column::new("label".into(), labels),
    ];
    let mut bytes = Vec::new();
    let mut frame = DataFrame::new(8, columns).unwrap();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}

fn rte() -> FakeHub {
    let table = parquet();
    let repo = FakeRepo::new("main", &[(TRAIN, &table), (DEV, &table)]);
    FakeHub::new(vec![("datasets/nyu-mll/glue", repo)])
}

/// The command, with this hub and a cache of its own.
fn mezo(place: &Place, hub: &FakeHub, words: &str) -> Command {
    let mut command = place.mezo(words.split_whitespace());
    command
        .env("HF_ENDPOINT", &hub.url)
        .env("HF_HOME", place.path("huggingface"));
    command
}

/// What went to stderr, with the hub's address and the place's folder by name.
fn said(place: &Place, hub: &FakeHub, output: &Output) -> String {
    text(&output.stderr)
        .replace(&hub.url, "HUB")
        .replace(place.root().to_str().unwrap(), "PLACE")
}

#[test]
fn fetched_data_can_be_split() {
    let (place, hub) = (Place::new(), rte());
    let output = ended(&mut mezo(&place, &hub, "data fetch rte"), 0);
    assert_eq!(
        text(&output.stdout),
        "data/RTE/train.tsv\ndata/RTE/dev.tsv\ndata/RTE/PROVENANCE.json\n"
    );
    let fetched = said(&place, &hub, &output);
    let lines: Vec<&str> = fetched.lines().collect();
    // The two tables are the same bytes, and the cache has them once.
    assert!(
        matches!(lines[..], [line] if line.starts_with("fetched rte/train-00000-of-00001.parquet (")),
        "{fetched}"
    );
    let rows = fs::read_to_string(place.path("data/RTE/train.tsv")).unwrap();
    assert!(
        rows.starts_with("index\tsentence1\tsentence2\tlabel\n\tleft 0\tright 0\tentailment\n"),
        "{rows}"
    );
    assert_eq!(
        json(&place.path("data/RTE/PROVENANCE.json"))["commit"],
        COMMIT
    );
    // What is there is neither fetched nor said again, with the network or without.
    let before = (hub.ranges("cdn"), files(&place.path("data/RTE")));
    for offline in ["0", "1"] {
        let mut again = mezo(&place, &hub, "data fetch rte");
        let output = ended(again.env("HF_HUB_OFFLINE", offline), 0);
        assert_eq!(said(&place, &hub, &output), "");
    }
    assert!((hub.ranges("cdn"), files(&place.path("data/RTE"))) == before);
    place.exits(
        0,
        "data split --task rte --data data --k 2 --seed 13 --out split",
    );
    let split = fs::read_to_string(place.path("split/RTE/2-13/train.tsv")).unwrap();
    assert_eq!(split.lines().count(), 5);
}

#[test]
fn data_that_cannot_be_had_say_why() {
    let (place, hub) = (Place::new(), rte());
    let fails = |code, words: &str, offline| {
        let mut command = mezo(&place, &hub, words);
        let output = ended(command.env("HF_HUB_OFFLINE", offline), code);
        assert_eq!(text(&output.stdout), "");
        said(&place, &hub, &output)
    };
    assert_snapshot!(fails(3, "data fetch sst-5", ""), @r#"
    error: the data of task "sst-5" are not on the hub as they were published
    hint: they are in LM-BFF's archive, https://nlp.cs.princeton.edu/projects/lm-bff/datasets.tar: unpack it and name its folder `original` as the data folder
    "#);
    assert_snapshot!(fails(3, "data fetch sst-2", ""), @r#"
    error: the data of task "sst-2" are not on the hub as they were published
    hint: LM-BFF's sentences are in its archive, https://nlp.cs.princeton.edu/projects/lm-bff/datasets.tar; GLUE's phrases, which MeZO trained on, are the task glue-sst2
    "#);
    assert_snapshot!(fails(3, "data fetch rt", ""), @r#"
    error: unknown task "rt", expected one of cr, glue-sst2, made-sentiment, mnli, mpqa, mr, rte, snli, sst-2, sst-5, trec
    hint: the nearest known task is "rte"
    "#);
    assert_snapshot!(fails(3, "data fetch rte", "1"), @r"
    error: HF_HUB_OFFLINE is set, and PLACE/huggingface/hub does not hold the commit of datasets/nyu-mll/glue at main
    hint: unset HF_HUB_OFFLINE, or name the cache that has it with HF_HOME or HF_HUB_CACHE
    ");
    assert_snapshot!(fails(3, "data fetch snli", ""), @r"
    error: HUB/datasets/stanfordnlp/snli: the hub gives datasets/stanfordnlp/snli only to those who may read it, if there is such a repository (401, no token was sent)
    hint: check the id; if it is private, set HF_TOKEN to a token that may read it (Settings, Access Tokens)
    ");
    let asked = hub.seen().len();
    place.write("data/RTE/dev.tsv", "as published");
    assert_snapshot!(fails(3, "data fetch rte", ""), @r"
    error: data/RTE/dev.tsv is there already, and not from here
    hint: name another folder with --out, or move that one away
    ");
    assert_eq!(files(&place.path("data/RTE")).len(), 1);
    assert_eq!(hub.seen().len(), asked, "nothing is fetched in vain");
}

const SPEC: &str = r#"name = "from-the-hub"
model.hub = "someone/roberta-imdb-tiny"
task = { name = "made-sentiment", k = 4, test_cap = 8 }
method.name = "mezo"
train = { steps = 2, batch_size = 4, eval_every = 1, lr = 1e-4, eps = 1e-3 }
sweep.seed = [13, 21]
"#;

#[test]
fn a_sweep_fetches_its_model_once_and_pins_it() {
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../weights/assets/roberta-imdb-tiny");
    let names = ["config.json", "model.safetensors", "tokenizer.json"];
    let contents = names.map(|name| fs::read(assets.join(name)).unwrap());
    let listed: Vec<(&str, &[u8])> = names
        .into_iter()
        .zip(contents.iter().map(Vec::as_slice))
        .collect();
    let repo = FakeRepo::new("main", &listed);
    let hub = FakeHub::new(vec![("someone/roberta-imdb-tiny", repo)]);
    let place = Place::new();
    fs::write(place.path("spec.toml"), SPEC).unwrap();

    let plan = ended(&mut mezo(&place, &hub, "sweep plan spec.toml"), 0);
    assert!(text(&plan.stdout).contains("unresolved"), "{plan:?}");
    ended(&mut mezo(&place, &hub, "sweep run spec.toml"), 0);
    let mut pinned = 0;
    for dir in place.runs("from-the-hub") {
        let manifest = json(&dir.join("manifest.json"));
        let model = &manifest["config"]["model"]["hub"];
        assert_eq!(model, &format!("someone/roberta-imdb-tiny@{COMMIT}"));
        assert!(dir.join("result.json").exists());
        pinned += 1;
    }
    // Two seeds, and the zero-shot run beside them.
    assert_eq!(pinned, 3);

    // With the cache full nobody asks the hub again.
    let mut again = mezo(&place, &hub, "sweep run spec.toml");
    ended(again.env("HF_HUB_OFFLINE", "1"), 0);
}

#[test]
fn a_model_that_cannot_be_fetched_starts_nothing() {
    let hub = FakeHub::new(vec![]);
    let place = Place::new();
    fs::write(place.path("spec.toml"), SPEC).unwrap();
    let output = mezo(&place, &hub, "sweep run spec.toml").output().unwrap();
    assert!(!output.status.success());
    let said = said(&place, &hub, &output);
    assert!(
        said.contains("someone/roberta-imdb-tiny") && said.contains("hint: "),
        "{said}"
    );
    assert!(!place.path("runs").exists());
}
