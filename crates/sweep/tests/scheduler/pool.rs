//! Runs, their events and their failures.

use std::fs;
use std::sync::atomic::AtomicBool;

use mezo_sweep::{Cause, Event, Outcome, exit};

use super::bench::{Acting, Bench, Log, PATIENT, SUCCEEDS, fleet, run_all, run_to_end};

fn run_jobs(bench: &Bench, jobs: usize) -> (Outcome, Log) {
    run_to_end(bench, &fleet(1, jobs), PATIENT)
}

#[test]
fn every_run_has_its_own_directory() {
    let bench = Bench::new(5, &format!("echo \"$0 $@\" >&2; {SUCCEEDS}"));
    let (outcome, log) = run_jobs(&bench, 2);
    let mut finished = outcome.finished.clone();
    finished.sort();
    assert_eq!(finished, ["0", "1", "2", "3", "4"]);
    assert!(outcome.failed.is_empty() && outcome.stopped.is_empty() && outcome.held.is_empty());
    assert_eq!(log.events.len(), 10);
    let args = format!(
        "{} {}\n",
        bench.path("worker.sh").display(),
        bench.runs[3].dir.display()
    );
    assert_eq!(bench.read(3, "log.txt"), args);
}

#[test]
fn no_more_than_so_many_run_at_once() {
    // Each worker counts those that are at work beside it; the first three wait for each other.
    let script = format!(
        "cd \"$1/..\"; : >busy.$$; ls | grep -c busy >>../counts
         while [ $(wc -l <../counts) -lt 3 ]; do sleep 0.02; done
         sleep 0.1; rm busy.$$; {SUCCEEDS}"
    );
    let bench = Bench::new(9, &script);
    let (outcome, log) = run_jobs(&bench, 3);
    assert_eq!(outcome.finished.len(), 9);
    assert!(log.most_running <= 3);
    let counts = fs::read_to_string(bench.path("counts")).unwrap();
    let most = counts
        .lines()
        .map(|count| count.trim().parse::<u32>().unwrap())
        .max();
    assert_eq!((counts.lines().count(), most), (9, Some(3)));
}

#[test]
fn no_jobs_means_one() {
    assert_eq!(run_jobs(&Bench::new(2, SUCCEEDS), 0).0.finished.len(), 2);
}

#[test]
fn a_finished_run_is_left_alone() {
    let bench = Bench::new(3, &format!("echo worked >&2; {SUCCEEDS}"));
    fs::create_dir_all(&bench.runs[1].dir).unwrap();
    fs::write(bench.runs[1].dir.join("result.json"), "{}").unwrap();
    let (outcome, log) = run_jobs(&bench, 1);
    assert_eq!(outcome.finished, ["0", "1", "2"]);
    assert!(log.events.contains(&"skipped 1".to_owned()));
    assert!(!bench.runs[1].dir.join("log.txt").exists());
}

#[test]
fn a_failure_has_a_reason_and_stops_no_other_run() {
    let script = format!(
        "case \"$1\" in
         */0) echo 'error: spec.toml:3:1: unknown key' >&2; exit 3;;
         */1) echo 'thread panicked' >&2; exit 101;;
         */2) echo 'about to go' >&2; kill -KILL $$;;
         */3) exit 0;;
         */4) kill -KILL $$;;
         */5) {SUCCEEDS}; exit 1;;
         *) {SUCCEEDS};;
         esac"
    );
    let bench = Bench::new(8, &script);
    let (outcome, log) = run_jobs(&bench, 2);
    let mut failed: Vec<_> = outcome
        .failed
        .iter()
        .map(|(id, reason)| (id.as_str(), reason.to_string()))
        .collect();
    failed.sort();
    let expected = [
        (
            "0",
            "bad-data: bad input (exit code 3)\n  error: spec.toml:3:1: unknown key",
        ),
        ("1", "error: exit code 101\n  thread panicked"),
        ("2", "killed: killed by SIGKILL\n  about to go"),
        ("3", "error: exit code 0, but there is no result.json"),
        ("4", "killed: killed by SIGKILL"),
    ];
    assert_eq!(failed, expected.map(|(id, reason)| (id, reason.to_owned())));
    let mut finished = outcome.finished.clone();
    finished.sort();
    // With a result in its directory a run is finished, however its process ended.
    assert_eq!(finished, ["5", "6", "7"]);
    assert!(
        log.events
            .contains(&"failed 1: error: exit code 101: thread panicked".to_owned())
    );
}

#[test]
fn a_reason_is_of_its_own_attempt() {
    let bench = Bench::new(
        1,
        "if [ -e \"$1/again\" ]; then exit 1; fi; : >\"$1/again\"; echo first >&2; exit 1",
    );
    assert_eq!(run_jobs(&bench, 1).0.failed[0].1.log, "first");
    mezo_sweep::retry(&bench.runs[0]).unwrap();
    assert_eq!(run_jobs(&bench, 1).0.failed[0].1.log, "");
    assert_eq!(bench.read(0, "log.txt"), "first\n");
}

#[test]
fn a_long_log_is_told_by_its_end() {
    let bench = Bench::new(1, "seq 1 100000 >&2; exit 1");
    let log = run_jobs(&bench, 1).0.failed.remove(0).1.log;
    assert_eq!(log.lines().count(), 12);
    assert!(log.ends_with("99999\n100000"));
}

#[test]
fn a_program_that_is_not_there_fails_no_run() {
    let mut bench = Bench::new(2, "");
    bench.command.program = "/nowhere/mezo".into();
    let (outcome, _) = run_jobs(&bench, 1);
    assert_eq!(outcome.waiting, ["0", "1"]);
    let reason = outcome.cannot_start.unwrap();
    assert!(matches!(reason.cause, Cause::NotStarted { .. }));
    assert!(!bench.runs[0].dir.join("attempts.jsonl").exists());
}

#[test]
fn a_directory_that_cannot_be_made_is_a_failure() {
    let bench = Bench::new(2, SUCCEEDS);
    fs::create_dir(bench.path("runs")).unwrap();
    fs::write(&bench.runs[0].dir, "a file").unwrap();
    let (outcome, _) = run_jobs(&bench, 1);
    assert_eq!(outcome.finished, ["1"]);
    assert!(matches!(outcome.failed[0].1.cause, Cause::NoFolder { .. }));
}

#[test]
fn progress_is_what_the_worker_says() {
    let script = "start 0 \"$1\" 1
         step 0 \"$1\" 2 | sed 's/null/0.25/'; wait_for \"$1/seen\"
         printf '{\"event\":\"step\",\"run\":0,'; sleep 0.3; printf '\"step\":3,\"loss\":0.5}\n'
         step 1 \"$1\" 4; finish 0 \"$1\"; step 0 \"$1\" 5";
    let bench = Bench::new(1, script);
    let dir = bench.runs[0].dir.clone();
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("steps.jsonl"), "{\"step\":1,\"lr\":0.1}\n").unwrap();
    let mut watch = Acting::new(|event: &Event<'_>, _: &Log| {
        if matches!(event, Event::Progress { step: 2, .. }) {
            fs::write(dir.join("seen"), "").unwrap();
        }
    });
    let never = AtomicBool::new(false);
    run_all(&bench, &fleet(1, 1), PATIENT, &never, &mut watch);
    // Nothing is told of a run that the worker has not, or that has ended.
    let expected = [
        "started 0 at 1 on fake:0",
        "progress 0 2/4 Some(0.25)",
        "progress 0 3/4 Some(0.5)",
        "finished 0",
    ];
    assert_eq!(watch.log.events, expected);
}

#[test]
fn the_exit_codes_are_those_that_are_documented() {
    assert_eq!(
        [exit::DONE, exit::BAD_INPUT, exit::HELD, exit::STOPPED],
        [0, 3, 75, 85]
    );
}
