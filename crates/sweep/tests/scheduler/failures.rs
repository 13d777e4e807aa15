//! What a failure means for its run, its device and the sweep, with workers that are short scripts.

use std::time::Duration;

use super::bench::{Bench, IMPATIENT, PATIENT, SUCCEEDS, fleet, run_to_end};
use mezo_sweep::{Class, Outcome, State, Timeouts};

fn classes(outcome: &Outcome) -> Vec<(&str, Class)> {
    let failed = outcome.failed.iter();
    failed
        .map(|(id, reason)| (id.as_str(), reason.class))
        .collect()
}

#[test]
fn a_killed_run_goes_on_while_it_gets_on() {
    // Killed after each of its first five steps.
    let script = format!(
        "made=$(cat \"$1/steps.jsonl\" 2>/dev/null | wc -l); step 0 \"$1\" $((made + 1))
         [ $made -lt 5 ] && kill -KILL $$; {SUCCEEDS}"
    );
    let bench = Bench::new(1, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(outcome.finished, ["0"]);
    let again = log
        .events
        .iter()
        .filter(|event| event.starts_with("again 0: killed"));
    assert_eq!(again.count(), 5);
    assert_eq!(bench.read(0, "attempts.jsonl").lines().count(), 5);
}

#[test]
fn a_run_that_is_killed_without_a_step_fails_at_the_third_time_and_waits() {
    let bench = Bench::new(
        2,
        &format!("case $1 in */0) kill -TERM $$;; *) {SUCCEEDS};; esac"),
    );
    let (outcome, _) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(classes(&outcome), [("0", Class::Killed)]);
    assert_eq!(outcome.finished, ["1"]);
    let attempts = bench.read(0, "attempts.jsonl");
    assert_eq!(attempts.lines().count(), 3);
    assert!(attempts.contains(r#""class":"killed","steps":0,"error":"killed by SIGTERM""#));
    let State::Failed(failure) = bench.runs[0].state().unwrap() else {
        panic!("{:?}", bench.runs[0].state());
    };
    assert_eq!((failure.class, failure.attempts), (Class::Killed, 3));

    // Nobody tries it again until somebody says so.
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(outcome.left.len(), 1);
    assert_eq!(log.events, ["left 0: killed", "skipped 1"]);
    mezo_sweep::retry(&bench.runs[0]).unwrap();
    assert_eq!(bench.runs[0].state().unwrap(), State::ToRun);
    let (outcome, _) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(classes(&outcome), [("0", Class::Killed)]);
    assert_eq!(bench.read(0, "attempts.jsonl").lines().count(), 7);
}

#[test]
fn what_would_happen_again_is_not_tried_again() {
    let bench = Bench::new(
        2,
        "case $1 in
         */0) echo 'panicked: CUDA_ERROR_OUT_OF_MEMORY' >&2; exit 101;;
         *) echo 'memory allocation of 8 bytes failed' >&2; kill -ABRT $$;;
         esac",
    );
    let (outcome, _) = run_to_end(&bench, &fleet(1, 2), PATIENT);
    let mut failed = classes(&outcome);
    failed.sort();
    assert_eq!(
        failed,
        [("0", Class::OutOfMemory), ("1", Class::OutOfMemory)]
    );
    assert_eq!(bench.read(0, "attempts.jsonl").lines().count(), 1);
}

#[test]
fn a_class_that_the_worker_tells_is_believed() {
    let bench = Bench::new(
        1,
        "start 0 \"$1\" 1; [ $DEVICE = 1 ] && { finish 0 \"$1\"; exit; }
         fail 0 \"$1\" device-fault lost; exit 1",
    );
    let (outcome, log) = run_to_end(&bench, &fleet(2, 1), PATIENT);
    assert_eq!(outcome.finished, ["0"]);
    let events = &log.events;
    assert!(
        events.contains(&"set aside fake:0".to_owned()),
        "{events:?}"
    );
    let again = "again 0: device-fault: lost".to_owned();
    assert!(events.contains(&again), "{events:?}");
    // Two starts, and the failure as the worker wrote it.
    assert_eq!(bench.read(0, "attempts.jsonl").lines().count(), 3);
}

/// It was killed after it had written its failure, and before it told it.
#[test]
fn a_failure_that_the_worker_wrote_and_did_not_tell_is_believed() {
    for start in ["start 0 \"$1\" 1", "start 0 \"$1\" 1 >/dev/null"] {
        let failure = "write_failure \"$1\" bad-data 'no such row'";
        let bench = Bench::new(1, &format!("{start}; {failure}; kill -KILL $$"));
        let (outcome, _) = run_to_end(&bench, &fleet(1, 1), PATIENT);
        assert_eq!(classes(&outcome), [("0", Class::BadData)]);
        assert_eq!(outcome.failed[0].1.summary(), "no such row");
        assert_eq!(bench.read(0, "attempts.jsonl").lines().count(), 2);
    }
}

/// It was killed after it had written the start of its attempt, and before it told that.
#[test]
fn an_attempt_that_was_begun_and_not_told_has_its_end() {
    let script = "start 0 \"$1\" 1 >/dev/null; kill -KILL $$";
    let bench = Bench::new(1, script);
    let (_, log) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert!(
        log.events[1].starts_with("again 0: killed"),
        "{:?}",
        log.events
    );
    let attempts = bench.read(0, "attempts.jsonl");
    let ends = attempts.lines().skip(1).step_by(2);
    let own = |line: &str| line.starts_with(r#"{"event":"end","attempt":1,"#);
    assert!(ends.clone().all(own) && ends.count() == 3, "{attempts}");
}

/// Its result is written, and something after it failed.
#[test]
fn a_run_with_a_result_is_finished_whatever_is_told() {
    let script = format!("start 0 \"$1\" 1; {SUCCEEDS}; fail 0 \"$1\" disk-full 'no room'; exit 1");
    let bench = Bench::new(2, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(outcome.finished, ["0", "1"], "{:?}", log.events);
    assert!(outcome.failed.is_empty());
}

/// What it told cannot be true: its directory is the truth.
#[test]
fn a_finished_run_has_a_result() {
    let bench = Bench::new(1, "start 0 \"$1\" 1; tell 0 ended '\"how\":\"finished\"'");
    let (outcome, _) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    let failed = &outcome.failed[0].1;
    let expected = "error: exit code 0, but there is no result.json";
    assert_eq!(failed.to_string(), expected);
}

#[test]
fn a_device_that_fails_is_set_aside_and_its_run_goes_elsewhere() {
    let script = format!(
        "[ $DEVICE = 1 ] && {{ echo 'panicked: CUDA_ERROR_ECC_UNCORRECTABLE' >&2; exit 101; }}
         echo $DEVICE >\"$1/device\"; sleep 0.05; {SUCCEEDS}"
    );
    let bench = Bench::new(12, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(3, 2), PATIENT);
    assert_eq!(outcome.finished.len(), 12, "{:?}", log.events);
    let on: Vec<String> = (0..12).map(|run| bench.read(run, "device")).collect();
    assert!(on.iter().all(|device| device != "1\n"), "{on:?}");
    // Two runs were on it when it failed.
    let started = log
        .events
        .iter()
        .filter(|event| event.ends_with("on fake:1"));
    assert!((1..=2).contains(&started.count()), "{:?}", log.events);
}

#[test]
fn a_run_that_fails_on_every_device_is_at_fault_itself() {
    let script = format!(
        "case $1 in
         */0) echo 'panicked: CUDA_ERROR_ILLEGAL_ADDRESS' >&2; exit 101;;
         *) {SUCCEEDS};;
         esac"
    );
    let bench = Bench::new(6, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(2, 1), PATIENT);
    assert_eq!(classes(&outcome), [("0", Class::DeviceFault)]);
    assert_eq!(outcome.finished.len(), 5, "{:?}", log.events);
}

#[test]
fn devices_that_all_fail_take_few_runs_with_them() {
    let bench = Bench::new(20, "echo 'panicked: CUDA_ERROR_UNKNOWN' >&2; exit 101");
    let (outcome, log) = run_to_end(&bench, &fleet(2, 1), PATIENT);
    assert!(outcome.failed.len() <= 3, "{:?}", log.events);
    assert!(outcome.waiting.len() >= 17);
}

#[test]
fn without_a_device_a_sweep_ends_with_runs_outstanding() {
    let bench = Bench::new(2, "echo 'panicked: CUDA_ERROR_UNKNOWN' >&2; exit 101");
    let (outcome, _) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(outcome.waiting, ["0", "1"]);
    assert_eq!(bench.runs[0].state().unwrap(), State::ToRun);
}

#[test]
fn a_full_disk_starts_nothing_more() {
    let script = "start 0 \"$1\" 1; fail 0 \"$1\" disk-full full; exit 1";
    let bench = Bench::new(3, script);
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(classes(&outcome), [("0", Class::DiskFull)]);
    assert_eq!(outcome.waiting, ["1", "2"]);
    assert!(log.events.contains(&"disk full".to_owned()));
}

#[test]
fn a_silent_run_is_asked_then_killed_and_taken_up_again() {
    // Deaf to SIGTERM, as a process that waits for a device is; the second time it works.
    let script = format!(
        "if [ -e \"$1/again\" ]; then {SUCCEEDS}; exit 0; fi
         : >\"$1/again\"; trap '' TERM; sleep 100 & echo $! >\"$1/child\"; while :; do sleep 0.05; done"
    );
    let bench = Bench::new(1, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), IMPATIENT);
    assert_eq!(outcome.finished, ["0"]);
    let again = "again 0: hang: no event for 1s, so it was ended";
    assert!(log.events.contains(&again.to_owned()), "{:?}", log.events);
    // Its whole group was killed.
    let child = bench.read(0, "child");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.trim())).unwrap_or_default();
    assert!(stat.is_empty() || stat.contains(") Z"), "{stat}");
}

#[test]
fn a_worker_that_says_anything_is_not_silent() {
    for event in [
        "step 0 \"$1\" $n",
        "echo '{\"event\":\"alive\"}'",
        "tell 0 evaluated '\"step\":1,\"split\":\"dev\",\"accuracy\":0.5'",
    ] {
        let script = format!("for n in 1 2 3 4 5 6 7 8; do {event}; sleep 0.2; done; {SUCCEEDS}");
        let timeouts = Timeouts {
            silence: Duration::from_millis(900),
            grace: Duration::from_millis(100),
        };
        let (outcome, log) = run_to_end(&Bench::new(1, &script), &fleet(1, 1), timeouts);
        assert_eq!(outcome.finished, ["0"]);
        let hang = log.events.iter().any(|event| event.contains("hang"));
        assert!(!hang, "{:?}", log.events);
    }
}

#[test]
fn files_that_grow_are_no_word_of_a_worker() {
    let script = format!(
        "[ -e \"$1/steps.jsonl\" ] && {{ {SUCCEEDS}; exit; }}
         for n in 1 2 3 4 5 6 7 8 9; do step 0 \"$1\" $n >/dev/null; sleep 0.2; done"
    );
    let bench = Bench::new(1, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), IMPATIENT);
    let again = "again 0: hang: no event for 1s, so it was ended";
    assert!(log.events.contains(&again.to_owned()), "{:?}", log.events);
    assert_eq!(outcome.finished, ["0"]);
}

#[test]
fn a_silent_run_that_stops_when_asked_has_hung() {
    let script = format!(
        "[ -e \"$1/attempts.jsonl\" ] && {{ {SUCCEEDS}; exit; }}
         start 0 \"$1\" 1; trap 'stop 0 \"$1\"; exit 85' TERM; while :; do sleep 0.05; done"
    );
    let bench = Bench::new(1, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(1, 1), IMPATIENT);
    let again = "again 0: hang: no event for 1s, so it was ended";
    assert!(log.events.contains(&again.to_owned()), "{:?}", log.events);
    assert_eq!(outcome.finished, ["0"]);
}

#[test]
fn a_run_that_another_process_holds_is_waited_for_and_then_taken_up() {
    let bench = Bench::new(2, SUCCEEDS);
    std::fs::create_dir_all(&bench.runs[0].dir).unwrap();
    let lock = std::fs::File::create(bench.runs[0].dir.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let (outcome, log) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            lock.unlock().unwrap();
        });
        run_to_end(&bench, &fleet(1, 1), PATIENT)
    });
    let expected = [
        "held 0",
        "started 1 at 0 on fake:0",
        "finished 1",
        "started 0 at 0 on fake:0",
        "finished 0",
    ];
    let told = log.events.iter().filter(|event| !event.ends_with("still"));
    assert!(told.eq(expected.iter()), "{:?}", log.events);
    assert_eq!(outcome.finished, ["1", "0"]);
}

#[test]
fn runs_are_spread_over_devices() {
    let script = format!("echo $DEVICE >\"$1/device\"; sleep 0.3; {SUCCEEDS}");
    let bench = Bench::new(4, &script);
    let (outcome, log) = run_to_end(&bench, &fleet(4, 1), PATIENT);
    assert_eq!(outcome.finished.len(), 4);
    let mut on: Vec<String> = (0..4).map(|run| bench.read(run, "device")).collect();
    on.sort();
    assert_eq!(on, ["0\n", "1\n", "2\n", "3\n"]);
    assert_eq!(log.most_running, 4);
}
