//! A torn or broken file spoils its own run and nothing else.

use std::fs;
use std::path::Path;

use mezo_report::{Format, ReportError, Status, SweepRuns, table};

use crate::fixture::{falling, quickstart};

fn read(runs_dir: &Path) -> SweepRuns {
    SweepRuns::read(runs_dir).unwrap()
}

/// The statuses and faults of the runs that are not as they were.
fn spoilt(runs_dir: &Path) -> Vec<(Status, String)> {
    let runs = read(runs_dir);
    // Whatever is broken, everything can still be made.
    for format in Format::ALL {
        assert!(!table(&runs).render(format).is_empty());
    }
    let out = tempfile::tempdir().unwrap();
    mezo_report::build(runs_dir, out.path(), &mezo_report::ReportOptions::default()).unwrap();
    let faults = |run: &mezo_report::RunRecord| {
        run.faults
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    runs.runs
        .iter()
        .filter(|run| run.status != Status::Finished || !run.faults.is_empty())
        .map(|run| (run.status, faults(run)))
        .collect()
}

/// A quickstart of which one run's file is replaced, or removed.
fn with_file(file: &str, content: Option<&[u8]>) -> Vec<(Status, String)> {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let path = dir.path().join(runs[3].id()).join(file);
    match content {
        Some(content) => fs::write(path, content).unwrap(),
        None => fs::remove_file(path).unwrap(),
    }
    spoilt(dir.path())
}

#[test]
fn a_whole_sweep_has_nothing_to_say() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    assert_eq!(spoilt(dir.path()), []);
    assert_eq!(read(dir.path()).runs.len(), 9);
}

#[test]
fn a_broken_manifest() {
    let found = with_file("manifest.json", Some(b"{\n  \"id\": tru"));
    assert_eq!(
        found,
        [(
            Status::Broken,
            "manifest.json:2:11: expected a run's manifest: EOF while parsing a value".to_owned()
        )]
    );
    let found = with_file("manifest.json", None);
    assert_eq!(
        found,
        [(
            Status::Broken,
            "manifest.json: expected this file, found none".to_owned()
        )]
    );
    let found = with_file("manifest.json", Some(b"{\"id\": 7}"));
    let message = "manifest.json:1:8: expected a run's manifest: invalid type: integer `7`, expected a string";
    assert_eq!(found, [(Status::Broken, message.to_owned())]);
}

#[test]
fn a_broken_result() {
    let found = with_file("result.json", Some(b""));
    let message = "result.json:1:1: expected a run's result: EOF while parsing a value";
    assert_eq!(found, [(Status::Broken, message.to_owned())]);
}

#[test]
fn a_result_that_is_not_there_yet() {
    assert_eq!(
        with_file("result.json", None),
        [(Status::Started, String::new())]
    );
}

#[test]
fn a_torn_journal() {
    let whole = "{\"step\":1,\"lr\":1e-4,\"estimates\":[{\"seed\":1,\"loss_plus\":0.7,\"loss_minus\":0.7,\"projected_grad\":0}]}\n";
    let found = with_file(
        "steps.jsonl",
        Some(format!("{whole}{{\"step\":2,\"l").as_bytes()),
    );
    let message = "steps.jsonl:2:1: expected a whole last line, found a torn one";
    assert_eq!(found, [(Status::Finished, message.to_owned())]);

    let found = with_file(
        "steps.jsonl",
        Some(format!("{whole}rubbish\n{whole}").as_bytes()),
    );
    let message = "steps.jsonl:2:1: expected a step's line: expected value";
    assert_eq!(found, [(Status::Finished, message.to_owned())]);

    let found = with_file("steps.jsonl", Some(format!("{whole}{whole}").as_bytes()));
    let message = "steps.jsonl:2:1: expected step 2, found step 1";
    assert_eq!(found, [(Status::Finished, message.to_owned())]);

    let found = with_file("steps.jsonl", Some(&[0xff, 0xfe, b'\n']));
    assert_eq!(found[0].0, Status::Finished);
}

#[test]
fn a_torn_last_line_of_an_interrupted_run_is_no_fault() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let run_dir = dir.path().join(runs[0].id());
    fs::remove_file(run_dir.join("result.json")).unwrap();
    let mut steps = fs::read(run_dir.join("steps.jsonl")).unwrap();
    steps.truncate(steps.len() - 9);
    fs::write(run_dir.join("steps.jsonl"), steps).unwrap();
    assert_eq!(spoilt(dir.path()), [(Status::Started, String::new())]);
    let read = read(dir.path());
    assert_eq!(
        read.runs
            .iter()
            .find(|run| run.id == runs[0].id())
            .unwrap()
            .losses
            .len(),
        999
    );
}

#[test]
fn a_run_copied_under_another_name_does_not_count_twice() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let copy = dir.path().join("0123456789abcdef");
    fs::create_dir(&copy).unwrap();
    for file in ["manifest.json", "steps.jsonl", "result.json"] {
        fs::copy(dir.path().join(runs[0].id()).join(file), copy.join(file)).unwrap();
    }
    let found = spoilt(dir.path());
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, Status::Broken);
    assert!(
        found[0]
            .1
            .contains("expected the id of its directory, 0123456789abcdef, found")
    );
}

#[test]
fn removing_one_runs_files_leaves_the_others_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let slopes = |runs: &SweepRuns| {
        runs.runs
            .iter()
            .map(|run| (run.id.clone(), run.slope.clone()))
            .collect::<Vec<_>>()
    };
    let before = slopes(&read(dir.path()));
    let gone = runs[5].id();
    for file in fs::read_dir(dir.path().join(&gone)).unwrap() {
        fs::remove_file(file.unwrap().path()).unwrap();
    }
    let after = slopes(&read(dir.path()));
    let others: Vec<_> = before.into_iter().filter(|(id, _)| *id != gone).collect();
    assert_eq!(
        after
            .iter()
            .filter(|(id, _)| *id != gone)
            .cloned()
            .collect::<Vec<_>>(),
        others
    );
    assert_eq!(spoilt(dir.path()).len(), 1);
}

#[test]
fn planned_and_diverged_runs_have_their_status() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let planned = dir.path().join(runs[0].id());
    for file in [
        "steps.jsonl",
        "evals.jsonl",
        "attempts.jsonl",
        "result.json",
    ] {
        fs::remove_file(planned.join(file)).unwrap();
    }
    let mut diverged = runs[1].clone();
    diverged.losses = falling(1, 300, 0.6, 100.0);
    diverged.status = "diverged";
    diverged.last = None;
    diverged.write(dir.path());
    let mut statuses: Vec<Status> = spoilt(dir.path())
        .into_iter()
        .map(|(status, _)| status)
        .collect();
    statuses.sort();
    assert_eq!(statuses, [Status::Diverged, Status::Planned]);
    let read = read(dir.path());
    let run = read
        .runs
        .iter()
        .find(|run| run.status == Status::Diverged)
        .unwrap();
    assert_eq!(run.losses.len(), 300);
}

#[test]
fn a_folder_without_runs_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("notes")).unwrap();
    let error = SweepRuns::read(dir.path()).unwrap_err();
    assert!(matches!(error, ReportError::NoRuns { .. }));
    assert!(error.hint().unwrap().contains("mezo sweep run"));
    let error = SweepRuns::read(&dir.path().join("nowhere")).unwrap_err();
    assert!(error.to_string().starts_with(&format!(
        "{}: expected",
        dir.path().join("nowhere").display()
    )));
}
