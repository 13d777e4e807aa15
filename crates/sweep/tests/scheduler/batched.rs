//! Several runs in one worker.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use mezo_sweep::{Class, Event, State, Timeouts};

use super::bench::{
    ALL_SUCCEED, Acting, Bench, COUNTS, IMPATIENT, Log, PATIENT, SUCCEEDS, fleet_together, run_all,
    run_to_end, sorted,
};

#[test]
fn one_of_a_batch_fails_and_the_others_finish() {
    let script = format!(
        "{COUNTS}; echo \"args $@\" >&2; start 0 \"$1\" 3; start 1 \"$2\" 3; start 2 \"$3\" 3
         echo '1: error: no such row' >&2; fail 1 \"$2\" error 'no such row'
         finish 2 \"$3\"; finish 0 \"$1\"; exit 1"
    );
    let bench = Bench::batched(3, &script);
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(bench.sizes(), [3]);
    assert_eq!(sorted(&outcome.finished), ["0", "2"], "{:?}", log.events);
    let [(id, reason)] = outcome.failed.as_slice() else {
        panic!("{:?}", outcome.failed);
    };
    assert_eq!((id.as_str(), reason.class), ("1", Class::Error));
    assert_eq!(reason.summary(), "no such row");
    assert_eq!(bench.read(1, "attempts.jsonl").lines().count(), 2);
    // The worker prints to the first run's log, and the others say so.
    let dirs: Vec<String> = bench
        .runs
        .iter()
        .map(|run| run.dir.display().to_string())
        .collect();
    let printed = bench.read(0, "log.txt");
    let args = format!("args {}\n", dirs.join(" "));
    assert!(printed.contains(&args), "{printed}");
    for run in [1, 2] {
        let expected = "batched: its worker prints to ../0/log.txt\n";
        assert_eq!(bench.read(run, "log.txt"), expected);
    }
}

#[test]
fn a_killed_batch_is_tried_again_one_by_one() {
    let script = format!("{COUNTS}; [ $# -gt 1 ] && kill -KILL $$; {SUCCEEDS}");
    let bench = Bench::batched(3, &script);
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(bench.sizes(), [3, 1, 1, 1]);
    assert_eq!(outcome.finished, ["0", "1", "2"], "{:?}", log.events);
    let again = log.events.iter().filter(|event| event.starts_with("again"));
    let expected = ["0", "1", "2"].map(|id| format!("again {id}: killed: killed by SIGKILL"));
    assert!(again.eq(expected.iter()), "{:?}", log.events);
    for run in 0..3 {
        let attempts = bench.read(run, "attempts.jsonl");
        assert_eq!(attempts.lines().count(), 1);
        assert!(attempts.contains(r#""class":"killed""#), "{attempts}");
    }
}

#[test]
fn what_failed_in_a_batch_goes_alone_in_the_next_sweep_too() {
    let bench = Bench::batched(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    fs::create_dir_all(&bench.runs[1].dir).unwrap();
    let line = r#"{"event":"end","attempt":1,"wall_s":1.0,"reason":"failed","class":"killed","steps":0,"error":"killed by SIGKILL"}"#;
    fs::write(
        bench.runs[1].dir.join("attempts.jsonl"),
        format!("{line}\n"),
    )
    .unwrap();
    let (outcome, _) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished, ["0", "2", "1"]);
    assert_eq!(bench.sizes(), [2, 1]);
}

#[test]
fn a_batch_that_runs_out_of_memory_is_tried_again_one_by_one() {
    // Run 1 is too large for the device alone too.
    let script = format!(
        "{COUNTS}; place=0; for dir in \"$@\"; do start $place \"$dir\" $#; place=$((place + 1)); done
         case \"$# $1\" in
           1*/0|1*/2) {SUCCEEDS};;
           *) echo 'panicked: CUDA_ERROR_OUT_OF_MEMORY' >&2; exit 101;;
         esac"
    );
    let bench = Bench::batched(3, &script);
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(bench.sizes(), [3, 1, 1, 1], "{:?}", log.events);
    assert_eq!(sorted(&outcome.finished), ["0", "2"]);
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(outcome.failed[0].0, "1");
    assert_eq!(outcome.failed[0].1.class, Class::OutOfMemory);
    // The failure that it had in the batch and its own.
    assert_eq!(bench.read(1, "attempts.jsonl").lines().count(), 4);
    assert!(matches!(bench.runs[1].state(), Ok(State::Failed(_))));
}

#[test]
fn a_batch_that_loses_its_device_goes_elsewhere_one_by_one() {
    let script = format!(
        "{COUNTS}; [ $DEVICE = 0 ] && {{ echo 'panicked: CUDA_ERROR_UNKNOWN' >&2; exit 101; }}
         {ALL_SUCCEED}"
    );
    let bench = Bench::batched(4, &script);
    let (outcome, log) = run_to_end(&bench, &fleet_together(2, 1, 8), PATIENT);
    let events = &log.events;
    assert_eq!(
        sorted(&outcome.finished),
        ["0", "1", "2", "3"],
        "{events:?}"
    );
    let aside = events.iter().filter(|event| event.starts_with("set aside"));
    assert_eq!(aside.count(), 1);
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 2, 2]);
}

#[test]
fn a_silent_batch_is_ended_and_tried_again_one_by_one() {
    let script = format!("{COUNTS}; [ $# -gt 1 ] && sleep 100; {SUCCEEDS}");
    let bench = Bench::batched(2, &script);
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), IMPATIENT);
    assert_eq!(outcome.finished, ["0", "1"]);
    assert_eq!(bench.sizes(), [2, 1, 1]);
    for id in ["0", "1"] {
        let again = format!("again {id}: hang: no event for 1s, so it was ended");
        assert!(log.events.contains(&again), "{:?}", log.events);
    }
}

#[test]
fn a_batch_is_not_silent_while_one_of_it_makes_steps() {
    let script =
        format!("for n in 1 2 3 4 5 6 7 8; do step 1 \"$2\" $n; sleep 0.2; done; {ALL_SUCCEED}");
    let bench = Bench::batched(3, &script);
    let timeouts = Timeouts {
        silence: Duration::from_millis(900),
        grace: Duration::from_millis(100),
    };
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 1, 8), timeouts);
    assert_eq!(outcome.finished.len(), 3);
    let ended = |event: &String| event.starts_with("again");
    assert!(!log.events.iter().any(ended), "{:?}", log.events);
    assert!(log.events.contains(&"progress 1 8/4 None".to_owned()));
}

#[test]
fn a_run_that_finishes_early_is_told_early_and_once() {
    let script = "finish 0 \"$1\"; wait_for \"$1/told\"; finish 1 \"$2\"; finish 2 \"$3\"";
    let bench = Bench::batched(3, script);
    let told = bench.runs[0].dir.join("told");
    let mut watch = Acting::new(|event: &Event<'_>, _: &Log| {
        if matches!(event, Event::Finished { run } if run.id == "0") {
            fs::write(&told, "").unwrap();
        }
    });
    let never = AtomicBool::new(false);
    let outcome = run_all(
        &bench,
        &fleet_together(1, 1, 8),
        PATIENT,
        &never,
        &mut watch,
    );
    let events = &watch.log.events;
    assert_eq!(outcome.finished, ["0", "1", "2"], "{events:?}");
    let finished = events.iter().filter(|event| event.starts_with("finished"));
    assert_eq!(finished.count(), 3);
}

/// A worker of two or more runs that goes on, when the second has failed, until `until` is there.
fn fails_early(class: &str, until: &str) -> String {
    format!(
        "{COUNTS}
         case \"$# $1\" in
           [23456789]*/0)
             start 0 \"$1\" $#; start 1 \"$2\" $#; fail 1 \"$2\" {class} no; wait_for \"{until}\"
             finish 0 \"$1\"; exit 1;;
         esac
         {ALL_SUCCEED}"
    )
}

#[test]
fn a_run_that_fails_early_is_told_early_and_once() {
    for (class, next) in [("error", 3), ("disk-full", 2)] {
        let mut bench = Bench::batched(3, &fails_early(class, "$1/told"));
        // One that waits, because it goes with nobody.
        bench.runs[2].batch_key = None;
        let failed = bench.runs[0].dir.join("told");
        let mut watch = Acting::new(|event: &Event<'_>, _: &Log| {
            if matches!(event, Event::Failed { .. }) {
                fs::write(&failed, "").unwrap();
            }
        });
        let never = AtomicBool::new(false);
        let outcome = run_all(
            &bench,
            &fleet_together(1, 1, 8),
            PATIENT,
            &never,
            &mut watch,
        );
        let events = &watch.log.events;
        let told = format!("failed 1: {class}: no");
        let times = events.iter().filter(|&event| *event == told).count();
        assert_eq!(times, 1, "{events:?}");
        assert_eq!(outcome.failed.len(), 1, "{events:?}");
        // On a full disk nothing new is started.
        assert_eq!(outcome.finished.len() + 1, next, "{events:?}");
        assert_eq!(outcome.waiting.len(), 3 - next);
    }
}

#[test]
fn a_run_with_too_little_memory_runs_alone_at_once() {
    // The first worker goes on until run 1, which failed in it, has its result.
    let bench = Bench::batched(4, &fails_early("out-of-memory", "$2/result.json"));
    let (outcome, log) = run_to_end(&bench, &fleet_together(1, 2, 8), PATIENT);
    assert_eq!(sorted(&outcome.finished), ["0", "1", "2", "3"]);
    let again = "again 1: out-of-memory: no".to_owned();
    let times = log.events.iter().filter(|&event| *event == again).count();
    assert_eq!(times, 1, "{:?}", log.events);
    assert_eq!(outcome.failed.len(), 0, "{:?}", log.events);
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2, 2]);
}

#[test]
fn a_failure_that_was_not_told_is_everybodys() {
    let bench = Bench::batched(2, "echo 'error: no such option' >&2; exit 2");
    let (outcome, _) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    let told: Vec<String> = outcome
        .failed
        .iter()
        .map(|(id, reason)| format!("{id} {}", reason.summary()))
        .collect();
    let expected = [
        "0 exit code 2: no such option",
        "1 exit code 2: no such option",
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_directory_that_cannot_be_made_fails_alone() {
    let bench = Bench::batched(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    fs::create_dir(bench.path("runs")).unwrap();
    fs::write(&bench.runs[1].dir, "a file").unwrap();
    let (outcome, _) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished, ["0", "2"]);
    assert_eq!(outcome.failed[0].0, "1");
    assert_eq!(bench.sizes(), [2]);
}

#[test]
fn a_stop_stops_all_of_a_batch_but_what_failed() {
    // The exit code is the worst of its runs'.
    let told =
        "cat >/dev/null; fail 0 \"$1\" error 'no such row'; stop 1 \"$2\"; stop 2 \"$3\"; exit 1";
    // A worker that is ended in the middle of a step tells nothing; its exit code says that it stopped.
    let not_told = "cat >/dev/null; exit 85";
    for (script, stopped, failed) in [
        (told, ["1", "2"].as_slice(), 1),
        (not_told, ["0", "1", "2"].as_slice(), 0),
    ] {
        let bench = Bench::batched(3, script);
        let stop = AtomicBool::new(false);
        let mut watch = Acting::new(|event: &Event<'_>, _: &Log| {
            if matches!(event, Event::Started { .. }) {
                stop.store(true, Ordering::Relaxed);
            }
        });
        let outcome = run_all(&bench, &fleet_together(1, 1, 8), PATIENT, &stop, &mut watch);
        assert_eq!(outcome.stopped, stopped, "{:?}", watch.log.events);
        assert_eq!(outcome.failed.len(), failed);
    }
}
