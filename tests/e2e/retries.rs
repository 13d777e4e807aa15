//! Failed runs: how they are told, that they wait, and how they are tried again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::{Done, Place, assert_same, json_lines, name, spec, text};
use serde_json::Value;

const TRAIN: &str = "lr = 1e-4\nsteps = 6\nbatch_size = 4\neval_every = 3";

fn small() -> String {
    spec("small", r#"tuning = "lora""#, TRAIN, "seed = [13, 21]")
}

/// A sweep of two runs, the first of which cannot read its journal.
fn with_a_failure() -> (Place, PathBuf) {
    let place = Place::new();
    place.write("small.toml", &small());
    let done = Done::new("small", &small(), "2");
    let id = name(&done.place.trained("small")[0]);
    let broken = place.path(format!("runs/small/{id}"));
    place.write(format!("runs/small/{id}/steps.jsonl"), "no journal\n");
    place.exits(10, "sweep run small.toml -j 2");
    (place, broken)
}

#[test]
fn a_failed_run_waits_until_somebody_says_otherwise() {
    let (place, broken) = with_a_failure();
    let id = name(&broken);
    let attempts = json_lines(&broken.join("attempts.jsonl"));
    let end = attempts.last().unwrap();
    assert_eq!(
        (&end["reason"], &end["class"]),
        (&"failed".into(), &"error".into())
    );

    // Left alone, said again, and the exit code says so.
    let said = text(&place.exits(10, "sweep run small.toml").stderr);
    assert!(
        said.contains(&format!("error: run {id} failed before: error: ")),
        "{said}"
    );
    assert!(said.contains("hint: `mezo sweep retry small`"), "{said}");
    assert_eq!(
        json_lines(&broken.join("attempts.jsonl")).len(),
        attempts.len()
    );

    let plan = text(&place.exits(0, "sweep plan small.toml").stdout);
    let line = plan.lines().find(|line| line.starts_with(&id)).unwrap();
    assert!(
        line.contains("failed") && line.contains("(error: "),
        "{line}"
    );

    let nothing = place.exits(0, "sweep retry small --class out-of-memory");
    assert_eq!(text(&nothing.stdout), "");
    assert!(text(&nothing.stderr).contains("no run has failed that way"));
    let retried = text(
        &place
            .exits(0, "sweep retry small.toml --class error")
            .stdout,
    );
    assert!(retried.starts_with(&id), "{retried}");
    fs::remove_file(broken.join("steps.jsonl")).unwrap();
    place.exits(0, "sweep run small.toml");
    let done = Done::new("small", &small(), "1");
    assert_same(
        &place.outcome("small"),
        &done.place.outcome("small"),
        "after the retry",
    );
}

#[test]
fn status_tells_of_every_run() {
    let (place, broken) = with_a_failure();
    let output = place.exits(10, "sweep status small");
    let said = text(&output.stdout);
    assert!(said.contains("3 runs: 2 finished, 1 failed\n"), "{said}");
    let line = said
        .lines()
        .find(|line| line.starts_with(&name(&broken)))
        .unwrap();
    assert!(
        line.contains("failed") && line.contains("seed 13 ") || line.contains("seed 21 "),
        "{line}"
    );
    let status: Value = serde_json::from_slice(
        &place
            .exits(10, "sweep status small.toml --format json")
            .stdout,
    )
    .unwrap();
    assert_eq!(
        (&status["finished"], &status["failed"]),
        (&2.into(), &1.into())
    );
    let run = status["runs"]
        .as_array()
        .unwrap()
        .iter()
        .find(|run| run["state"] == "failed")
        .unwrap();
    assert_eq!(run["class"], "error");
    assert!(
        run["reason"].as_str().unwrap().contains("steps.jsonl"),
        "{run}"
    );

    let said = text(&place.exits(1, "sweep status nothing").stderr);
    assert!(
        said.contains("runs/nothing: there is no such sweep"),
        "{said}"
    );
    let said = text(&place.exits(2, "sweep retry small --class tired").stderr);
    assert!(
        said.contains("expected one of out-of-memory, device-fault"),
        "{said}"
    );
}

/// The built-in model as a folder of its own.
fn model(place: &Place) -> PathBuf {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights/assets/roberta-imdb-tiny");
    let model = place.path("model");
    fs::create_dir(&model).unwrap();
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(assets.join(file), model.join(file)).unwrap();
    }
    model
}

#[test]
fn weights_that_were_changed_are_bad_data() {
    let place = Place::new();
    let weights = model(&place).join("model.safetensors");
    let own = small().replace(r#"builtin = "roberta-imdb-tiny""#, r#"path = "model""#);
    place.write("small.toml", &own);
    place.exits(0, "sweep run small.toml");
    let dir = place.trained("small").remove(0);
    fs::remove_file(dir.join("result.json")).unwrap();
    let mut bytes = fs::read(&weights).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&weights, bytes).unwrap();
    let run = format!("train runs/small/{}", name(&dir));
    let said = text(&place.exits(3, &run).stderr);
    assert!(
        said.contains("the weights changed since this run was planned"),
        "{said}"
    );
    let attempts = json_lines(&dir.join("attempts.jsonl"));
    assert_eq!(attempts.last().unwrap()["class"], "bad-data");
    // Planned again, changed weights are other runs.
    let plan = text(&place.exits(0, "sweep plan small.toml").stderr);
    assert!(
        plan.contains("3 earlier runs are not among these: weights_sha256 was "),
        "{plan}"
    );
}

#[test]
fn a_run_that_diverges_is_told() {
    let place = Place::new();
    let diverging = small()
        .replace("lr = 1e-4", "lr = 1e18\nmomentum = 0.9")
        .replace("steps = 6", "steps = 60");
    place.write("small.toml", &diverging);
    let said = text(&place.exits(0, "sweep run small.toml").stderr);
    assert!(said.contains("finished, diverged: seed 13 ("), "{said}");
    let said = text(&place.exits(0, "sweep status small").stdout);
    assert!(said.contains("seed 13  (diverged)\n"), "{said}");
}

#[test]
fn broken_files_of_one_run_hide_no_other() {
    let (place, broken) = with_a_failure();
    let others: Vec<PathBuf> = place
        .runs("small")
        .into_iter()
        .filter(|dir| *dir != broken)
        .collect();
    fs::write(others[0].join("manifest.json"), "{").unwrap();
    let output = place.exits(10, "sweep status small");
    assert!(
        text(&output.stdout).contains("2 runs: 1 finished, 1 failed"),
        "{}",
        text(&output.stdout)
    );
    assert!(
        text(&output.stderr).contains("manifest.json:1: "),
        "{}",
        text(&output.stderr)
    );
    let said = text(&place.exits(0, "sweep retry small").stdout);
    assert!(said.starts_with(&name(&broken)), "{said}");
}

#[test]
fn two_sweeps_begin_at_once() {
    let many = small().replace("seed = [13, 21]", "seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]");
    let place = Place::new();
    place.write("small.toml", &many);
    let start = || {
        let mut command = place.mezo("sweep run small.toml -j 1".split_whitespace());
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    for child in [start(), start(), start()] {
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    for dir in place.runs("small") {
        let starts = json_lines(&dir.join("attempts.jsonl"));
        assert_eq!(
            starts
                .iter()
                .filter(|line| line["event"] == "start")
                .count(),
            1,
            "{}",
            name(&dir)
        );
    }
}

#[test]
fn a_value_more_runs_only_what_is_new() {
    let place = Place::new();
    place.write("small.toml", &small());
    place.exits(0, "sweep run small.toml");
    let before = place.outcome("small");
    place.write(
        "small.toml",
        &small().replace("seed = [13, 21]", "seed = [13, 21, 42]"),
    );
    let plan = place.exits(0, "sweep plan small.toml");
    assert!(text(&plan.stderr).starts_with("4 runs, 3 finished, 1 outstanding"));
    place.exits(0, "sweep run small.toml");
    let mut after = place.outcome("small");
    after.retain(|name, _| before.contains_key(name));
    assert_same(&after, &before, "the runs there were");
}

#[test]
fn a_plan_says_which_key_made_other_runs() {
    let place = Place::new();
    place.write("small.toml", &small());
    place.exits(0, "sweep run small.toml");
    place.write(
        "small.toml",
        &small().replace("batch_size = 4", "batch_size = 8"),
    );
    let plan = place.exits(0, "sweep plan small.toml");
    let said = text(&plan.stderr);
    assert!(
        said.contains("2 earlier runs are not among these: train.batch_size was 4, is 8"),
        "{said}"
    );
    let plan: Value =
        serde_json::from_slice(&place.exits(0, "sweep plan small.toml --format json").stdout)
            .unwrap();
    let fewer = small().replace("seed = [13, 21]", "seed = [13]");
    place.write("small.toml", &fewer);
    let said = text(&place.exits(0, "sweep plan small.toml").stderr);
    assert!(
        said.contains("1 earlier run is not among these: train.seed no longer lists 21"),
        "{said}"
    );
    let changed = &plan["sweeps"][0]["changed"][0];
    assert_eq!(
        (&changed["runs"], &changed["keys"][0]["key"]),
        (&2.into(), &"train.batch_size".into())
    );
}

#[test]
fn a_plan_says_what_disk_it_takes() {
    let place = Place::new();
    place.write("small.toml", &small());
    let said = text(&place.exits(0, "sweep plan small.toml").stderr);
    assert!(said.lines().any(|line| line.starts_with("disk ")), "{said}");
    let plan: Value =
        serde_json::from_slice(&place.exits(0, "sweep plan small.toml --format json").stdout)
            .unwrap();
    let planned = plan["sweeps"][0]["summary"]["disk_bytes"].as_u64().unwrap();
    place.exits(0, "sweep run small.toml");
    let real: u64 = place
        .runs("small")
        .iter()
        .flat_map(|dir| fs::read_dir(dir).unwrap())
        .map(|entry| entry.unwrap().metadata().unwrap().len())
        .sum();
    let ratio = planned as f64 / real as f64;
    assert!(
        (0.7..1.5).contains(&ratio),
        "planned {planned}, found {real}"
    );
}
