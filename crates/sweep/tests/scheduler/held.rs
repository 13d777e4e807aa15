//! Runs that another process holds.

use std::fs::{self, File};
use std::thread::{scope, sleep};
use std::time::Duration;

use super::bench::{
    ALL_SUCCEED, Bench, COUNTS, IMPATIENT, PATIENT, SUCCEEDS, fleet_together, run_to_end, sorted,
};

#[test]
fn a_held_run_is_left_out_of_a_batch_and_started_when_it_is_free() {
    let bench = Bench::batched(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    fs::create_dir_all(&bench.runs[1].dir).unwrap();
    let lock = File::create(bench.runs[1].dir.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let (outcome, _) = scope(|scope| {
        scope.spawn(|| {
            sleep(Duration::from_millis(700));
            lock.unlock().unwrap();
        });
        run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT)
    });
    assert_eq!(outcome.finished, ["0", "2", "1"]);
    assert_eq!(bench.sizes(), [2, 1]);
}

#[test]
fn a_run_that_the_worker_finds_held_is_waited_for() {
    // The exit code is that of run 0, which failed; run 1 was never begun.
    for run_0 in ["finish 0 \"$1\"", "fail 0 \"$1\" error 'no such row'"] {
        let script = format!(
            "{COUNTS}; [ $# -gt 1 ] || {{ {SUCCEEDS}; exit; }}
             start 0 \"$1\" 3; held 1; start 2 \"$3\" 3; {run_0}; finish 2 \"$3\"; exit 75"
        );
        let bench = Bench::batched(3, &script);
        let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
        let events = &log.events;
        assert!(events.contains(&"held 1".to_owned()), "{events:?}");
        assert_eq!(
            outcome.finished.len() + outcome.failed.len(),
            3,
            "{events:?}"
        );
        assert_eq!(outcome.finished.last().unwrap(), "1");
        assert!(!bench.runs[1].dir.join("attempts.jsonl").exists());
    }
}

/// What another process writes about its own attempt is no word of this one's worker.
#[test]
fn a_run_that_another_process_took_is_left_to_it() {
    for end in [
        "write_failure \"$2\" error no",
        "stop 1 \"$2\" >/dev/null",
        "write_failure \"$2\" out-of-memory no",
    ] {
        // The other process's attempt ends, and later this worker is killed at run 0.
        let script = format!(
            "{COUNTS}; [ $# -gt 1 ] || {{ {SUCCEEDS}; exit; }}
             start 0 \"$1\" 2; held 1; start 1 \"$2\" 1 >/dev/null; {end}; kill -KILL $$"
        );
        let bench = Bench::batched(2, &script);
        let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
        let events = &log.events;
        assert!(events.contains(&"held 1".to_owned()), "{events:?}");
        let killed = "again 0: killed: killed by SIGKILL".to_owned();
        assert!(events.contains(&killed), "{events:?}");
        // Nothing is added to what the other one has written.
        assert_eq!(bench.read(1, "attempts.jsonl").lines().count(), 2);
        let failed = end.starts_with("write");
        assert_eq!(outcome.finished.len(), if failed { 1 } else { 2 });
        assert_eq!(outcome.left.len(), usize::from(failed), "{events:?}");
        assert!(outcome.failed.is_empty() && outcome.stopped.is_empty());
    }
}

/// The scheduler cannot write the failure down where another process has taken the run at that moment.
#[test]
fn a_run_that_is_held_when_its_worker_dies_is_waited_for() {
    let bench = Bench::batched(1, "wait_for \"$1/taken\"; kill -KILL $$");
    let dir = bench.runs[0].dir.clone();
    let (outcome, log) = scope(|scope| {
        scope.spawn(|| {
            while !dir.join("log.txt").exists() {
                sleep(Duration::from_millis(10));
            }
            let lock = File::create(dir.join("lock")).unwrap();
            lock.lock().unwrap();
            fs::write(dir.join("taken"), "").unwrap();
            sleep(Duration::from_millis(1500));
            fs::write(dir.join("result.json"), "{}").unwrap();
        });
        run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT)
    });
    assert_eq!(outcome.finished, ["0"], "{:?}", log.events);
    assert!(
        log.events.contains(&"held 0".to_owned()),
        "{:?}",
        log.events
    );
    assert!(!dir.join("attempts.jsonl").exists());
}

#[test]
fn what_another_process_does_keeps_no_worker_alive() {
    let script = format!(
        "{COUNTS}; [ $# -gt 1 ] || {{ {SUCCEEDS}; exit; }}
         start 0 \"$1\" 2; held 1; n=0
         while [ $n -lt 150 ]; do n=$((n + 1)); step 1 \"$2\" $n >/dev/null; sleep 0.1; done"
    );
    let bench = Bench::batched(2, &script);
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), IMPATIENT);
    let hung = "again 0: hang: no event for 1s, so it was ended".to_owned();
    assert!(log.events.contains(&hung), "{:?}", log.events);
    assert_eq!(sorted(&outcome.finished), ["0", "1"], "{:?}", log.events);
}
