//! How a sweep ends before its time: asked to, or killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mezo_sweep::{Event, SchedulerConfig, run};

use super::bench::{
    Acting, Bench, Log, PATIENT, SUCCEEDS, fleet, make_runs, run_all, write_script,
};

/// Waits like a real worker between two steps: until its stdin closes.
const WAITS: &str = "echo $$ >\"$1/pid\"; cat >/dev/null; echo eof >\"$1/eof\"; exit 85";

/// Whether there is a process of that number that has not ended. One that has ended but was never
/// waited for, as orphans are where nobody adopts them, does not live.
fn lives(pid: &str) -> bool {
    let pid = pid.trim();
    if Path::new("/proc/self/stat").exists() {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let state = stat
            .rsplit_once(") ")
            .and_then(|(_, rest)| rest.chars().next());
        return state.is_some_and(|state| !matches!(state, 'Z' | 'X'));
    }
    let mut signal = Command::new("/bin/sh");
    signal.args(["-c", "kill -0 $0", pid]).stderr(Stdio::null());
    signal.status().unwrap().success()
}

fn wait_for(what: &str, condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(
            start.elapsed() < Duration::from_secs(30),
            "waited too long for {what}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_stop_ends_all_workers_and_starts_no_more() {
    let bench = Bench::new(5, WAITS);
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            wait_for("two workers", || {
                (0..2).all(|run| bench.runs[run].dir.join("pid").exists())
            });
            stop.store(true, Ordering::Relaxed);
        });
        let mut log = Log::default();
        let outcome = run_all(&bench, &fleet(1, 2), PATIENT, &stop, &mut log);
        let mut stopped = outcome.stopped.clone();
        stopped.sort();
        assert_eq!(stopped, ["0", "1"]);
        assert_eq!(outcome.waiting, ["2", "3", "4"]);
        assert_eq!(
            log.events
                .iter()
                .filter(|event| *event == "stopping")
                .count(),
            1
        );
    });
    for run in 0..2 {
        assert_eq!(bench.read(run, "eof"), "eof\n");
        assert!(!lives(&bench.read(run, "pid")));
    }
    assert!(!bench.runs[2].dir.exists());
}

#[test]
fn a_worker_that_ends_well_during_a_stop_is_finished() {
    let bench = Bench::new(2, &format!("cat >/dev/null; {SUCCEEDS}"));
    let stop = AtomicBool::new(false);
    let mut watch = Acting::new(|event: &Event<'_>, _: &Log| {
        if matches!(event, Event::Started { .. }) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    let outcome = run_all(&bench, &fleet(1, 1), PATIENT, &stop, &mut watch);
    assert_eq!(
        watch.log.events,
        ["started 0 at 0 on fake:0", "stopping", "finished 0"]
    );
    assert_eq!(
        (outcome.finished, outcome.waiting),
        (vec!["0".to_owned()], vec!["1".to_owned()])
    );
}

#[test]
fn a_stop_from_the_start_starts_nothing() {
    let bench = Bench::new(2, SUCCEEDS);
    let at_once = AtomicBool::new(true);
    let outcome = run_all(&bench, &fleet(1, 2), PATIENT, &at_once, &mut Log::default());
    assert_eq!(outcome.waiting, ["0", "1"]);
    assert!(!bench.path("runs").exists());
}

const SWEEP_FOLDER: &str = "MEZO_SWEEP_TEST_FOLDER";

/// Not a test of its own: the sweep of the next one, when that starts it as a process.
#[test]
fn a_sweep_to_be_killed() {
    let Some(folder) = std::env::var_os(SWEEP_FOLDER).map(PathBuf::from) else {
        return;
    };
    let config = SchedulerConfig {
        runs: &make_runs(&folder, 3),
        command: &write_script(&folder, WAITS),
        fleet: &fleet(1, 3),
        timeouts: PATIENT,
    };
    run(&config, &AtomicBool::new(false), &mut Log::default());
}

#[test]
fn workers_end_when_their_sweep_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let mut sweep = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "scheduler::stopping::a_sweep_to_be_killed"])
        .env(SWEEP_FOLDER, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let runs = make_runs(folder.path(), 3);
    let written = |name: &str| {
        runs.iter()
            .all(|run| fs::read(run.dir.join(name)).is_ok_and(|text| !text.is_empty()))
    };
    wait_for("the workers", || written("pid"));
    sweep.kill().unwrap();
    sweep.wait().unwrap();
    wait_for("the end of stdin", || written("eof"));
    let pids: Vec<String> = runs
        .iter()
        .map(|run| fs::read_to_string(run.dir.join("pid")).unwrap())
        .collect();
    wait_for("the end of the workers", || {
        !pids.iter().any(|pid| lives(pid))
    });
}
