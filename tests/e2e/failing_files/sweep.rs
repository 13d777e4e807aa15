//! `mezo sweep run` with faults in its own file operations, in those of its workers, and in those of its report.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::{Cause, Fault, Seen, Shim};
use crate::common::{Done, Files, Place, Shared, assert_same, ended, files, name, spec, text};

/// Two runs of two steps.
pub fn pair() -> String {
    let train = "lr = 1e-3\nmomentum = 0.9\nsteps = 2\nbatch_size = 2\neval_every = 2";
    spec("pair", r#"tuning = "lora""#, train, "seed = [13, 21]")
}

pub fn pair_done() -> Arc<Done> {
    static SHARED: Shared<Done> = Shared::new();
    SHARED.get(|| Done::new("pair", &pair(), "2"))
}

const RUN: [&str; 5] = ["sweep", "run", "pair.toml", "--jobs", "2"];

/// Holds that the sweep of a place is that which nobody disturbed; what is half written and left over counts too.
pub fn is_complete(place: &Place, done: &Done, what: &str) {
    assert_same(&place.outcome("pair"), &done.place.outcome("pair"), what);
    let report = |place: &Place| {
        let mut files = files(&place.path("results/pair"));
        // Knows time and host.
        files.remove("runs.parquet").unwrap();
        files
    };
    assert_same(&report(place), &report(&done.place), what);
}

/// Lets every operation of the sweep's processes of a command fail that is so many after the last, until they are past.
fn each_fails(command: &str, mut fault: Fault, stride: usize) {
    let (shim, done) = (Shim::get(), pair_done());
    while survives(&shim, &done, command, fault) {
        fault.at += stride;
    }
    assert!(fault.at > 20, "only {} operations", fault.at);
}

/// Holds all that must be so of a sweep with a fault, then and once it is gone; whether it came to the fault.
fn survives(shim: &Shim, done: &Done, command: &str, fault: Fault) -> bool {
    let place = Place::new();
    place.write("pair.toml", &pair());
    let runs = place.path("runs");
    fs::create_dir(&runs).unwrap();
    let seen = shim.watch(&mut place.mezo(RUN), command, &runs, Some(fault));
    if seen.failed().is_none() {
        assert_eq!(seen.code, Some(0), "{seen}");
        return false;
    }
    failed_well(&place, fault, &seen);
    if !manifests(&place).is_empty() {
        place.exits(0, "sweep retry pair");
    }
    place.exits(0, &RUN.join(" "));
    is_complete(&place, done, &format!("a sweep after a fault ({seen})"));
    true
}

fn failed_well(place: &Place, fault: Fault, seen: &Seen) {
    assert!(matches!(seen.code, Some(0 | 1 | 5 | 10)), "{seen}");
    // A worker that panics ends with 101.
    let calm = |said: &str| !said.contains("panicked") && !said.contains("exit code 101");
    assert!(calm(&seen.said), "{seen}");
    for manifest in manifests(place) {
        let log = fs::read_to_string(manifest.with_file_name("log.txt")).unwrap_or_default();
        assert!(calm(&log), "{seen}\nlog: {log}");
    }
    if seen.code != Some(0) {
        // The folder of all runs and its lock are made first.
        let paths = ["runs/pair", "error: runs: ", "error: runs/.lock: "];
        let named = paths.iter().any(|path| seen.said.contains(path));
        let told = named && seen.said.contains(fault.cause.words());
        assert!(told, "{seen}");
    }
    if seen.code == Some(10) && fault.cause == Cause::NoSpace {
        let told = seen
            .said
            .contains("the disk is full: nothing new is started");
        assert!(told, "{seen}");
    }
}

fn manifests(place: &Place) -> Vec<PathBuf> {
    let Ok(runs) = fs::read_dir(place.path("runs/pair")) else {
        return Vec::new();
    };
    let manifests = runs.map(|run| run.unwrap().path().join("manifest.json"));
    manifests.filter(|path| path.exists()).collect()
}

#[test]
fn a_sweep_with_a_fault_of_its_own() {
    each_fails("sweep", Fault::first(Cause::NoSpace), 3);
    let second = Fault {
        at: 2,
        ..Fault::first(Cause::Io)
    };
    each_fails("sweep", second, 3);
}

#[test]
fn a_sweep_whose_workers_fail() {
    each_fails("train", Fault::first(Cause::NoSpace), 3);
    let second = Fault {
        at: 2,
        short: true,
        ..Fault::first(Cause::Io)
    };
    each_fails("train", second, 3);
}

#[test]
fn a_sweep_on_a_disk_that_stays_full() {
    for (command, short) in [("train", true), ("sweep", false)] {
        let fault = Fault {
            stays: true,
            short,
            ..Fault::first(Cause::NoSpace)
        };
        each_fails(command, fault, 3);
    }
}

#[test]
fn a_report_that_fails_leaves_each_file_old_whole_or_absent() {
    let (shim, done) = (Shim::get(), pair_done());
    let place = finished(&done);
    let run = |fault| shim.watch(&mut place.mezo(RUN), "sweep", place.root(), fault);
    let seen = run(None);
    assert_eq!(seen.code, Some(0), "{seen}");
    let results = place.path("results/pair");
    let whole = files(&results);
    let causes = [Cause::NoSpace, Cause::Io].into_iter().cycle();
    let faults = of_each_file(&seen.operations).into_iter().zip(causes);
    for (round, (at, cause)) in faults.enumerate() {
        let old = match round % 3 {
            0 => leave_old(&results, &whole),
            _ => leave_none(&results),
        };
        let fault = Fault {
            at,
            ..Fault::first(cause)
        };
        let seen = run(Some(fault));
        assert!(!seen.said.contains("panicked"), "{seen}");
        if seen.code == Some(0) {
            assert_same(&files(&results), &whole, "a report in spite of a fault");
            continue;
        }
        assert_eq!(seen.code, Some(1), "{seen}");
        let told = seen.said.contains("error: results/pair") && seen.said.contains(cause.words());
        assert!(told, "{seen}");
        for (name, bytes) in there(&results) {
            let is = |files: &Files| files.get(&name) == Some(&bytes);
            assert!(is(&old) || is(&whole), "{name}: {seen}");
        }
    }
    assert_eq!(run(None).code, Some(0));
    assert_same(&files(&results), &whole, "a report after its faults");
}

/// A place with the finished runs of another, and no report.
fn finished(done: &Done) -> Place {
    let place = Place::new();
    place.write("pair.toml", &pair());
    for run in done.place.runs("pair") {
        let copy = place.path("runs/pair").join(name(&run));
        fs::create_dir_all(&copy).unwrap();
        for (file, bytes) in files(&run) {
            fs::write(copy.join(file), bytes).unwrap();
        }
    }
    place
}

/// Some operations on each file that a report writes: the first two, one in the middle, the last.
fn of_each_file(operations: &[String]) -> Vec<usize> {
    let file = |line: &String| line.split(' ').nth(2).unwrap().to_owned();
    let numbered: Vec<(usize, String)> = (1..).zip(operations.iter().map(file)).collect();
    let mut chosen = Vec::new();
    for group in numbered.chunk_by(|(_, file), (_, next)| file == next) {
        for at in [0, 1, group.len() / 2, group.len() - 1] {
            chosen.extend(group.get(at).map(|(number, _)| *number));
        }
    }
    chosen.dedup();
    chosen
}

/// The files of a folder that may not be there.
fn there(folder: &Path) -> Files {
    match folder.exists() {
        true => files(folder),
        false => Files::new(),
    }
}

/// Puts other files in the place of a report's.
fn leave_old(results: &Path, whole: &Files) -> Files {
    fs::create_dir_all(results).unwrap();
    let old = whole.keys().map(|name| (name.clone(), b"old\n".to_vec()));
    let old: Files = old.collect();
    for (name, bytes) in &old {
        fs::write(results.join(name), bytes).unwrap();
    }
    old
}

fn leave_none(results: &Path) -> Files {
    if results.exists() {
        fs::remove_dir_all(results.parent().unwrap()).unwrap();
    }
    Files::new()
}

#[test]
fn a_screen_that_has_no_room_stops_no_sweep() {
    let done = pair_done();
    let place = Place::new();
    place.write("pair.toml", &pair());
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = ended(place.mezo(RUN).stderr(full), 0);
    assert!(text(&output.stdout).contains("zero-shot"));
    is_complete(&place, &done, "a sweep whose stderr has no room");
}
