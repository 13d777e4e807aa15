//! Failed runs: how they are told, that they wait, and how they are tried again.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Done, Place, assert_same, json, json_lines, name, spec, text};
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

#[test]
fn bad_data_are_a_class() {
    let place = Place::new();
    place.write("small.toml", &small());
    let done = Done::new("small", &small(), "2");
    let dir = &done.place.trained("small")[0];
    let id = name(dir);
    // A manifest that says another hash than its data have cannot be planned; a run with it cannot be started.
    let mut manifest = json(&dir.join("manifest.json"));
    manifest["data_sha256"] = "0".repeat(64).into();
    place.write(format!("run/{id}/manifest.json"), &manifest.to_string());
    let said = text(&place.exits(1, &format!("train run/{id}")).stderr);
    assert!(said.contains("makes another id than it has"), "{said}");
    assert!(!place.path(format!("run/{id}/attempts.jsonl")).exists());
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
