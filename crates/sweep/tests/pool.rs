//! The pool carries out runs, with workers that are short scripts.
#![allow(clippy::unwrap_used)]

#[path = "fake/bench.rs"]
mod bench;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use bench::{Bench, Log, PATIENT, SUCCEEDS, fleet};
use mezo_sweep::{Cause, Event, Outcome, Watch, exit};

fn carry_out(bench: &Bench, jobs: usize) -> (Outcome, Log) {
    let mut log = Log::default();
    let outcome = bench::carry_out(
        &bench.runs,
        &bench.command,
        &fleet(1, jobs),
        PATIENT,
        &AtomicBool::new(false),
        &mut log,
    );
    (outcome, log)
}

#[test]
fn every_run_is_carried_out_in_its_own_directory() {
    let bench = Bench::new(5, &format!("echo \"$0 $@\" >&2; {SUCCEEDS}"));
    let (outcome, log) = carry_out(&bench, 2);
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
    let (outcome, log) = carry_out(&bench, 3);
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
    assert_eq!(carry_out(&Bench::new(2, SUCCEEDS), 0).0.finished.len(), 2);
}

#[test]
fn a_finished_run_is_left_alone() {
    let bench = Bench::new(3, &format!("echo worked >&2; {SUCCEEDS}"));
    fs::create_dir_all(&bench.runs[1].dir).unwrap();
    fs::write(bench.runs[1].dir.join("result.json"), "{}").unwrap();
    let (outcome, log) = carry_out(&bench, 1);
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
    let (outcome, log) = carry_out(&bench, 2);
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
    assert_eq!(carry_out(&bench, 1).0.failed[0].1.log, "first");
    mezo_sweep::retry(&bench.runs[0]).unwrap();
    assert_eq!(carry_out(&bench, 1).0.failed[0].1.log, "");
    assert_eq!(bench.read(0, "log.txt"), "first\n");
}

#[test]
fn a_long_log_is_told_by_its_end() {
    let bench = Bench::new(1, "seq 1 100000 >&2; exit 1");
    let log = carry_out(&bench, 1).0.failed.remove(0).1.log;
    assert_eq!(log.lines().count(), 12);
    assert!(log.ends_with("99999\n100000"));
}

#[test]
fn a_program_that_is_not_there_fails_no_run() {
    let mut bench = Bench::new(2, "");
    bench.command.program = "/nowhere/mezo".into();
    let (outcome, _) = carry_out(&bench, 1);
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
    let (outcome, _) = carry_out(&bench, 1);
    assert_eq!(outcome.finished, ["1"]);
    assert!(matches!(outcome.failed[0].1.cause, Cause::NoFolder { .. }));
}

/// Lets the worker of the next test go on: once its first step was told, and again when its torn
/// line has been looked at for some time.
struct Handshake {
    log: Log,
    dir: PathBuf,
    ticks_with_torn: u32,
}

impl Watch for Handshake {
    fn event(&mut self, event: Event<'_>) {
        if matches!(event, Event::Progress { step: 2, .. }) {
            fs::write(self.dir.join("first-seen"), "").unwrap();
        }
        if matches!(event, Event::Tick) && self.dir.join("torn").exists() {
            self.ticks_with_torn += 1;
        }
        if self.ticks_with_torn == 3 {
            fs::write(self.dir.join("torn-seen"), "").unwrap();
        }
        self.log.event(event);
    }
}

#[test]
fn progress_is_read_from_the_journal() {
    let line = |step: u32| {
        let loss = f64::from(step) / 8.0;
        format!(r#"{{"step":{step},"estimates":[{{"loss_plus":{loss},"loss_minus":{loss}}}]}}"#)
    };
    let script = format!(
        "cd \"$1\"; wait_for() {{ while [ ! -e $1 ]; do sleep 0.02; done; }}
         echo '{}' >>steps.jsonl; wait_for first-seen
         printf '%s' '{}' >>steps.jsonl; : >torn; wait_for torn-seen
         printf '\\n%s\\n' '{}' >>steps.jsonl; {SUCCEEDS}",
        line(2),
        line(3),
        line(4)
    );
    let bench = Bench::new(1, &script);
    let dir = bench.runs[0].dir.clone();
    fs::create_dir_all(&dir).unwrap();
    fs::write(dir.join("steps.jsonl"), format!("{}\n", line(1))).unwrap();
    let mut watch = Handshake {
        log: Log::default(),
        dir,
        ticks_with_torn: 0,
    };
    bench::carry_out(
        &bench.runs,
        &bench.command,
        &fleet(1, 1),
        PATIENT,
        &AtomicBool::new(false),
        &mut watch,
    );
    // The line without its end is not told; of two lines at once the newer one is.
    let expected = [
        "started 0 at 1 on fake:0",
        "progress 0 2/4 Some(0.25)",
        "progress 0 4/4 Some(0.5)",
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
