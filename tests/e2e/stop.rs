//! A sweep or a run that is asked to stop, or whose sweep has died, stops between two steps and goes on later.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use crate::common::{
    Done, Place, Shared, assert_same, json_lines, line_count, name, outcome, spec, text, wait_until,
};

/// Two runs that take long enough to be stopped on the way.
fn long() -> String {
    let train = "lr = 1e-4\nsteps = 1500\nbatch_size = 4\neval_every = 500";
    spec("long", r#"tuning = "lora""#, train, "seed = [13, 21]")
}

fn long_done() -> Arc<Done> {
    static SHARED: Shared<Done> = Shared::new();
    SHARED.get(|| Done::new("long", &long(), "2"))
}

/// Starts the long sweep in a place and waits until both runs are well under way.
fn under_way(place: &Place) -> (Child, Vec<PathBuf>) {
    place.write("long.toml", &long());
    let mut command = place.mezo(["sweep", "run", "long.toml", "--jobs", "2"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("all manifests are there", Duration::from_secs(60), || {
        place.path("runs/long").exists()
            && place
                .runs("long")
                .iter()
                .filter(|dir| dir.join("manifest.json").exists())
                .count()
                == 3
    });
    let trained = place.trained("long");
    wait_until("the runs are under way", Duration::from_secs(60), || {
        trained
            .iter()
            .all(|dir| line_count(&dir.join("steps.jsonl")) > 10)
    });
    (child, trained)
}

/// Holds that a run stopped between two steps, before its end, and said so; the steps it has.
fn stopped(dir: &Path) -> usize {
    assert!(!dir.join("result.json").exists(), "it was stopped too late");
    let steps = json_lines(&dir.join("steps.jsonl")).len();
    let attempts = json_lines(&dir.join("attempts.jsonl"));
    let last = attempts.last().unwrap();
    assert_eq!(
        (&last["event"], &last["reason"]),
        (&"end".into(), &"stopped".into())
    );
    assert_eq!(last["steps"], steps);
    steps
}

/// Goes on with the long sweep; then all is as if it had never been stopped.
fn goes_on(place: &Place) {
    place.exits(0, "sweep run long.toml --jobs 2");
    assert_same(
        &place.outcome("long"),
        &long_done().place.outcome("long"),
        "a stopped sweep, gone on with",
    );
}

fn interrupt(pid: u32) {
    assert!(
        Command::new("kill")
            .args(["-INT", &pid.to_string()])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
fn ctrl_c_stops_between_two_steps() {
    let place = Place::new();
    let (child, trained) = under_way(&place);
    interrupt(child.id());
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{said}");
    assert!(
        said.contains("stopping at the next step of each run"),
        "{said}"
    );
    let plan = text(&place.exits(0, "sweep plan long.toml").stdout);
    for dir in &trained {
        let (id, steps) = (name(dir), stopped(dir));
        assert!(said.contains(&format!("({id})")), "{said}");
        let line = plan.lines().find(|line| line.starts_with(&id)).unwrap();
        assert!(line.contains(&format!("at step {steps} ")), "{plan}");
    }
    goes_on(&place);
}

#[test]
fn ctrl_c_stops_a_run_that_a_person_started() {
    let done = long_done();
    let dir = &done.place.trained("long")[0];
    let place = Place::new();
    place.write(
        "run/manifest.json",
        &text(&fs::read(dir.join("manifest.json")).unwrap()),
    );
    let child = place
        .mezo(["train", "run"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let journal = place.path("run/steps.jsonl");
    wait_until("the run is under way", Duration::from_secs(60), || {
        line_count(&journal) > 10
    });
    // Two at once is one too many.
    let said = text(&place.exits(75, "train run").stderr);
    assert!(said.contains("run/lock: held by another process"), "{said}");
    interrupt(child.id());
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(85));
    stopped(&place.path("run"));
    place.exits(0, "train run");
    assert_same(
        &outcome(&place.path("run")),
        &outcome(dir),
        "a stopped run, gone on with",
    );
}

/// The processes whose working folder is this one.
#[cfg(target_os = "linux")]
fn processes_in(folder: &Path) -> Vec<String> {
    let folder = folder.canonicalize().unwrap();
    let entries = fs::read_dir("/proc")
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let here =
        entries.filter(|process| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == folder));
    here.map(|process| name(&process)).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn workers_stop_when_their_sweep_is_killed() {
    let place = Place::new();
    let (mut child, trained) = under_way(&place);
    assert!(
        processes_in(place.root()).len() >= 3,
        "a sweep and two workers"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until("the workers have stopped", Duration::from_secs(5), || {
        processes_in(place.root()).is_empty()
    });
    for dir in &trained {
        stopped(dir);
    }
    goes_on(&place);
}
