//! `mezo train` with a fault at each of its file operations.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::fault::{Cause, Fault, Seen, Shim};
use crate::common::{Files, Place, Shared, assert_same, ended, files, outcome, spec};

/// A run that nobody disturbed.
struct Undisturbed {
    shim: Arc<Shim>,
    /// Its manifest alone.
    fresh: Files,
    /// What it leaves.
    outcome: Files,
    /// What it does, as [`Seen::operations`].
    operations: Vec<String>,
}

/// Seven steps, evaluated after every second and the last: a snapshot is dropped on the way, and at the end the
/// optimiser's averages go out of those that are kept.
fn adam() -> Arc<Undisturbed> {
    static SHARED: Shared<Undisturbed> = Shared::new();
    let train = "lr = 1e-3\noptimizer = \"adam\"\nsteps = 7\nbatch_size = 2\neval_every = 2";
    SHARED.get(|| Undisturbed::new("adam", train))
}

/// Four steps, and a fifth whose loss is not finite.
fn diverging() -> Arc<Undisturbed> {
    static SHARED: Shared<Undisturbed> = Shared::new();
    let train = "lr = 1e18\nmomentum = 0.9\nsteps = 6\nbatch_size = 2\neval_every = 1";
    SHARED.get(|| Undisturbed::new("diverging", train))
}

impl Undisturbed {
    fn new(name: &str, train: &str) -> Self {
        let place = Place::new();
        let lora = r#"tuning = "lora""#;
        let text = spec(name, lora, train, "seed = [13]");
        place.write(format!("{name}.toml"), &text);
        place.exits(0, &format!("sweep run {name}.toml"));
        let outcome = outcome(&place.trained(name)[0]);
        let manifest = "manifest.json".to_owned();
        let mut run = Self {
            shim: Shim::get(),
            fresh: Files::from([(manifest.clone(), outcome[&manifest].clone())]),
            outcome,
            operations: Vec::new(),
        };
        run.operations = run.watched();
        run
    }

    /// Its operations, counted and none of them failing.
    fn watched(&self) -> Vec<String> {
        let trial = Trial::new(self, &self.fresh);
        let seen = trial.train(None);
        trial.is_complete("a run that is watched", &seen);
        seen.operations
    }

    /// The run as it is when the disk is full in the middle of the line of its fourth step.
    fn torn_at_step_4(&self) -> Files {
        let at = self.number_of(4, "write", "steps.jsonl");
        let fault = Fault {
            at,
            short: true,
            ..Fault::first(Cause::NoSpace)
        };
        let trial = Trial::new(self, &self.fresh);
        let seen = trial.train(Some(fault));
        assert_eq!(seen.code, Some(1), "{seen}");
        let files = files(&trial.dir());
        let journal = &files["steps.jsonl"];
        let lines = journal.iter().filter(|&&byte| byte == b'\n').count();
        assert!(lines == 3 && !journal.ends_with(b"\n"), "{seen}");
        files
    }

    /// The number of the n-th operation of this name on a file.
    fn number_of(&self, n: usize, name: &str, file: &str) -> usize {
        let is_one = |line: &&String| line.contains(&format!(" {name} ")) && line.ends_with(file);
        let line = self.operations.iter().filter(is_one).nth(n - 1).unwrap();
        line.split(' ').next().unwrap().parse().unwrap()
    }

    /// The numbers of all writes.
    fn writes(&self) -> Vec<usize> {
        let numbered = (1..).zip(&self.operations);
        let writes = numbered.filter(|(_, line)| line.contains(" write "));
        writes.map(|(number, _)| number).collect()
    }
}

/// One of its kind, in a place of its own.
struct Trial<'a> {
    run: &'a Undisturbed,
    place: Place,
    /// Lines of its attempts before it was started.
    lines: usize,
}

impl<'a> Trial<'a> {
    fn new(run: &'a Undisturbed, start: &Files) -> Self {
        let place = Place::new();
        let dir = place.path("run");
        fs::create_dir(&dir).unwrap();
        for (name, bytes) in start {
            fs::write(dir.join(name), bytes).unwrap();
        }
        let lines = attempts(&dir).len();
        Self { run, place, lines }
    }

    fn dir(&self) -> PathBuf {
        self.place.path("run")
    }

    fn train(&self, fault: Option<Fault>) -> Seen {
        let mut command = self.place.mezo(["train", "--threads", "1", "run"]);
        self.run
            .shim
            .watch(&mut command, "train", &self.dir(), fault)
    }

    /// Holds all that must be so of a run with a fault, then and once it is gone; whether it came to the fault.
    fn survives(&self, fault: Fault) -> bool {
        let seen = self.train(Some(fault));
        let Some(operation) = seen.failed() else {
            self.is_complete("a run without its fault", &seen);
            return false;
        };
        assert!(!seen.said.contains("panicked"), "{seen}");
        match seen.code {
            // It could do without.
            Some(0) => self.is_complete("a run in spite of its fault", &seen),
            Some(1) => self.failed_well(fault, operation, &seen),
            _ => panic!("{seen}"),
        }
        let again = self.train(None);
        self.is_complete(&format!("a run after a fault ({seen})"), &again);
        true
    }

    fn failed_well(&self, fault: Fault, operation: &str, seen: &Seen) {
        let errors = seen.said.lines().filter(|line| line.starts_with("error: "));
        let errors: Vec<&str> = errors.collect();
        assert_eq!(errors.len(), 1, "{seen}");
        let told = errors[0].starts_with("error: run/") && errors[0].contains(fault.cause.words());
        assert!(told, "{seen}");

        // A result is the result, or there is none.
        if let Ok(result) = fs::read(self.dir().join("result.json")) {
            assert!(result == self.run.outcome["result.json"], "{seen}");
        }

        let attempts = attempts(&self.dir());
        let own = attempts.get(self.lines..).unwrap_or_default();
        let end = own.iter().find(|line| line["reason"] == "failed");
        if let Some(end) = end {
            assert_eq!(end["class"], fault.cause.class(), "{seen}");
        }
        let silent = ["/lock ", "/attempts.jsonl "];
        let silent = silent.iter().any(|file| operation.contains(file));
        assert!(end.is_some() || silent || fault.stays, "{seen}");
    }

    fn is_complete(&self, what: &str, seen: &Seen) {
        assert_eq!(seen.code, Some(0), "{what}: {seen}");
        assert_same(&outcome(&self.dir()), &self.run.outcome, what);
    }
}

/// The whole lines of a run's attempts.
fn attempts(dir: &Path) -> Vec<Value> {
    let text = fs::read_to_string(dir.join("attempts.jsonl")).unwrap_or_default();
    let whole = text
        .split_inclusive('\n')
        .filter(|line| line.ends_with('\n'));
    whole
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Lets every operation fail that is so many after the last, until they are past.
fn each_fails(run: &Undisturbed, start: &Files, mut fault: Fault, stride: usize) {
    while Trial::new(run, start).survives(fault) {
        fault.at += stride;
    }
    assert!(fault.at > 50, "only {} operations", fault.at);
}

#[test]
fn a_disk_without_room_at_any_operation() {
    let run = adam();
    each_fails(&run, &run.fresh, Fault::first(Cause::NoSpace), 1);
}

#[test]
fn a_broken_disk_at_any_operation() {
    let run = adam();
    each_fails(&run, &run.fresh, Fault::first(Cause::Io), 1);
}

#[test]
fn a_disk_that_stays_full() {
    let run = adam();
    for (at, short) in [(1, false), (2, true)] {
        let fault = Fault {
            at,
            short,
            stays: true,
            ..Fault::first(Cause::NoSpace)
        };
        each_fails(&run, &run.fresh, fault, 3);
    }
}

#[test]
fn half_of_any_write() {
    let run = adam();
    for (cause, at) in [Cause::NoSpace, Cause::Io]
        .into_iter()
        .cycle()
        .zip(run.writes())
    {
        let fault = Fault {
            at,
            short: true,
            ..Fault::first(cause)
        };
        assert!(Trial::new(&run, &run.fresh).survives(fault), "{fault:?}");
    }
}

#[test]
fn a_run_that_is_taken_up_fails_again() {
    let run = adam();
    let torn = run.torn_at_step_4();
    for (at, cause, short) in [(1, Cause::Io, false), (2, Cause::NoSpace, true)] {
        let fault = Fault {
            at,
            short,
            ..Fault::first(cause)
        };
        each_fails(&run, &torn, fault, 3);
    }
}

#[test]
fn a_run_that_diverges() {
    let run = diverging();
    each_fails(&run, &run.fresh, Fault::first(Cause::NoSpace), 2);
}

#[test]
fn a_log_that_has_no_room_stops_no_run() {
    let run = adam();
    let trial = Trial::new(&run, &run.fresh);
    let full = File::options().write(true).open("/dev/full").unwrap();
    ended(trial.place.mezo(["train", "run"]).stderr(full), 0);
    assert_same(
        &outcome(&trial.dir()),
        &run.outcome,
        "a run with a log on a full disk",
    );
}
