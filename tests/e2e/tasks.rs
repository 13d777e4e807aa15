//! Every task on its real data, from the spec to the result, on the model in the binary.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::common::{Place, ended, json, text};

/// The shared data, or a line that says what was skipped.
fn data() -> Option<PathBuf> {
    let root = std::env::var("MEZO_SHARED").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let data = root.join("data").canonicalize().ok();
    if data.is_none() {
        let root = root.display();
        let _ = writeln!(
            std::io::stderr(),
            "skipped: the tasks' real data (no shared folder at {root})"
        );
    }
    data
}

/// Two steps at k = 16 for each of the tasks in one folder. The small model has 128 positions, and " Entity" is two tokens
/// of its.
fn spec(data: &Path, grids: &str) -> String {
    let data = data.display();
    format!(
        r#"name = "tasks"
model.builtin = "roberta-imdb-tiny"
task = {{ data = "{data}", k = 16, test_cap = 100, max_length = 128, cut = "sentences" }}
method.name = "mezo"
train = {{ seed = 13, steps = 2, batch_size = 8, eval_every = 1, lr = 1e-5, eps = 1e-3 }}
{grids}"#
    )
}

/// How many rows each run's results come from: dev, and test where there is one.
fn run(spec: &str) -> BTreeMap<String, [u64; 2]> {
    let place = Place::new();
    place.write("tasks.toml", spec);
    let ended = ended(&mut place.mezo(["sweep", "run", "tasks.toml"]), 0);
    let runs = std::fs::read_dir(place.path("runs/tasks")).unwrap();
    let mut found = BTreeMap::new();
    for dir in runs.map(|entry| entry.unwrap().path()) {
        let (manifest, result) = (
            json(&dir.join("manifest.json")),
            json(&dir.join("result.json")),
        );
        if manifest["config"]["method"]["name"] == "zero-shot" {
            continue;
        }
        let rows = ["dev_examples", "test_examples"].map(|key| manifest[key].as_u64().unwrap());
        let best = &result["best"];
        assert!(best["dev_accuracy"].is_f64());
        assert_eq!(best["test_accuracy"].is_f64(), rows[1] > 0);
        let task = manifest["config"]["task"]["name"].as_str().unwrap();
        found.insert(task.to_owned(), rows);
    }
    if found.contains_key("mnli") {
        // What cannot be reported is said, not left out.
        assert!(
            text(&ended.stdout).contains("no test rows in the data of mnli (k 16)"),
            "{}",
            text(&ended.stdout)
        );
    }
    found
}

#[test]
fn tasks_of_one_and_two_sentences() {
    let Some(data) = data() else { return };
    let grids = "[[sweep]]\n\"task.name\" = [\"sst-2\", \"sst-5\", \"rte\", \"mr\"]\n[[sweep]]\n\"task.name\" = [\"trec\"]\n\
                 \"task.label_words.1\" = [\"thing\"]\n";
    let found = run(&spec(&data.join("lmbff"), grids));
    let expected = [
        ("mr", [32, 100]),
        ("rte", [32, 100]),
        ("sst-2", [32, 100]),
        ("sst-5", [80, 100]),
        ("trec", [96, 100]),
    ];
    assert_eq!(
        found,
        expected.map(|(task, rows)| (task.into(), rows)).into()
    );
}

#[test]
fn inference_tasks_from_written_splits() {
    let Some(data) = data() else { return };
    let grids = "[sweep]\n\"task.name\" = [\"snli\", \"mnli\"]\n";
    let found = run(&spec(&data.join("kshot16"), grids));
    // SNLI's test rows lie beside the folder of the splits; nobody has MNLI's.
    let expected = [("mnli", [48, 0]), ("snli", [48, 100])];
    assert_eq!(
        found,
        expected.map(|(task, rows)| (task.into(), rows)).into()
    );
}
