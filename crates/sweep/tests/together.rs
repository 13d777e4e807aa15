//! Several runs in one process, with workers that are short scripts.
#![allow(clippy::unwrap_used)]

#[path = "fake/bench.rs"]
mod bench;
#[path = "fake/company.rs"]
mod company;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bench::{ALL_SUCCEED, Bench, COUNTS, Log, PATIENT, START, SUCCEEDS, fleet_together};
use company::{carry_out, failure, sorted};
use mezo_sweep::{Class, Event, Patience, State, Watch};

#[test]
fn one_of_a_crew_fails_and_the_others_finish() {
    let line = failure("error", "no such row");
    let script = format!(
        "{COUNTS}; echo \"args $@\" >&2; {START}
         for dir in \"$@\"; do
           start \"$dir\" \"$@\"
           case $dir in
             */1) echo '1: error: no such row' >&2; echo '{line}' >>\"$dir/attempts.jsonl\";;
             *) echo '{{}}' >\"$dir/result.json\";;
           esac
         done
         echo '2: error: a word of another run' >&2; exit 1"
    );
    let bench = Bench::in_company(3, &script);
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(bench.sizes(), [3]);
    assert_eq!(sorted(&outcome.finished), ["0", "2"], "{:?}", log.events);
    let [(id, reason)] = outcome.failed.as_slice() else {
        panic!("{:?}", outcome.failed);
    };
    assert_eq!((id.as_str(), reason.class), ("1", Class::Error));
    assert_eq!(reason.summary(), "failed beside others: no such row");
    // The process said it all in the first run's log, and the others say so.
    let dirs: Vec<String> = bench
        .runs
        .iter()
        .map(|run| run.dir.display().to_string())
        .collect();
    let said = bench.read(0, "log.txt");
    assert!(
        said.contains(&format!("args {}\n", dirs.join(" "))),
        "{said}"
    );
    for run in [1, 2] {
        let expected = "in company: what its process says stands in ../0/log.txt\n";
        assert_eq!(bench.read(run, "log.txt"), expected);
    }
}

#[test]
fn a_killed_crew_is_tried_again_one_by_one() {
    let script = format!("{COUNTS}; [ $# -gt 1 ] && kill -KILL $$; {SUCCEEDS}");
    let bench = Bench::in_company(3, &script);
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
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
fn what_failed_in_company_goes_alone_in_the_next_sweep_too() {
    let bench = Bench::in_company(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    fs::create_dir_all(&bench.runs[1].dir).unwrap();
    let line = failure("killed", "killed by SIGKILL");
    fs::write(bench.runs[1].dir.join("attempts.jsonl"), line + "\n").unwrap();
    let (outcome, _) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished, ["0", "2", "1"]);
    assert_eq!(bench.sizes(), [2, 1]);
}

#[test]
fn a_crew_that_runs_out_of_memory_is_tried_again_one_by_one() {
    // Run 1 is too large for the device alone too.
    let script = format!(
        "{COUNTS}; {START}
         for dir in \"$@\"; do start \"$dir\" \"$@\"; done
         case \"$# $1\" in
           1*/0|1*/2) {SUCCEEDS};;
           *) echo 'panicked: CUDA_ERROR_OUT_OF_MEMORY' >&2; exit 101;;
         esac"
    );
    let bench = Bench::in_company(3, &script);
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(bench.sizes(), [3, 1, 1, 1], "{:?}", log.events);
    assert_eq!(sorted(&outcome.finished), ["0", "2"]);
    assert_eq!(outcome.failed.len(), 1);
    assert_eq!(outcome.failed[0].0, "1");
    assert_eq!(outcome.failed[0].1.class, Class::OutOfMemory);
    // The failure that it had in company and its own.
    assert_eq!(bench.read(1, "attempts.jsonl").lines().count(), 4);
    assert!(matches!(bench.runs[1].state(), Ok(State::Failed(_))));
}

#[test]
fn a_crew_that_loses_its_device_goes_elsewhere_one_by_one() {
    let script = format!(
        "{COUNTS}; [ $DEVICE = 0 ] && {{ echo 'panicked: CUDA_ERROR_UNKNOWN' >&2; exit 101; }}
         {ALL_SUCCEED}"
    );
    let bench = Bench::in_company(4, &script);
    let (outcome, log) = carry_out(&bench, &fleet_together(2, 1, 8), PATIENT);
    assert_eq!(
        sorted(&outcome.finished),
        ["0", "1", "2", "3"],
        "{:?}",
        log.events
    );
    let aside = log
        .events
        .iter()
        .filter(|event| event.starts_with("set aside"));
    assert_eq!(aside.count(), 1);
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 1, 2, 2]);
}

#[test]
fn a_silent_crew_is_ended_and_tried_again_one_by_one() {
    let script = format!("{COUNTS}; [ $# -gt 1 ] && sleep 100; {SUCCEEDS}");
    let bench = Bench::in_company(2, &script);
    let patience = Patience {
        silence: Duration::from_millis(500),
        grace: Duration::from_millis(500),
    };
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), patience);
    assert_eq!(outcome.finished, ["0", "1"]);
    assert_eq!(bench.sizes(), [2, 1, 1]);
    for id in ["0", "1"] {
        let again = format!("again {id}: hang: no line for 1s, so it was ended");
        assert!(log.events.contains(&again), "{:?}", log.events);
    }
}

#[test]
fn a_crew_is_not_silent_while_one_of_it_writes() {
    let script = format!(
        "for step in 1 2 3 4 5 6 7 8; do echo '{{\"step\":'$step'}}' >>\"$2/steps.jsonl\"; sleep 0.2; done
         {ALL_SUCCEED}"
    );
    let bench = Bench::in_company(3, &script);
    let patience = Patience {
        silence: Duration::from_millis(900),
        grace: Duration::from_millis(100),
    };
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), patience);
    assert_eq!(outcome.finished.len(), 3);
    let ended = |event: &String| event.starts_with("again");
    assert!(!log.events.iter().any(ended), "{:?}", log.events);
    assert!(log.events.contains(&"progress 1 8/4 None".to_owned()));
}

/// Lets a worker go on once its first run was told as finished.
struct Early {
    log: Log,
    told: PathBuf,
}

impl Watch for Early {
    fn event(&mut self, event: Event<'_>) {
        if matches!(&event, Event::Finished { run } if run.id == "0") {
            fs::write(&self.told, "").unwrap();
        }
        self.log.event(event);
    }
}

#[test]
fn a_run_that_finishes_early_is_told_early() {
    let script = format!(
        "{SUCCEEDS}; n=0
         while [ ! -e \"$1/told\" ]; do n=$((n + 1)); [ $n -gt 1000 ] && exit 1; sleep 0.02; done
         {ALL_SUCCEED}"
    );
    let bench = Bench::in_company(3, &script);
    let mut watch = Early {
        log: Log::default(),
        told: bench.runs[0].dir.join("told"),
    };
    let outcome = bench::carry_out(
        &bench.runs,
        &bench.command,
        &fleet_together(1, 1, 8),
        PATIENT,
        &AtomicBool::new(false),
        &mut watch,
    );
    assert_eq!(outcome.finished, ["0", "1", "2"], "{:?}", watch.log.events);
    let finished = watch
        .log
        .events
        .iter()
        .filter(|event| event.starts_with("finished"));
    assert_eq!(finished.count(), 3);
}

/// A worker of two or more runs that waits, when the second has failed, until `until` is there.
fn fails_early(line: &str, until: &str) -> String {
    format!(
        "{COUNTS}; {START}
         case \"$# $1\" in
           [23456789]*/0)
             for dir in \"$@\"; do start \"$dir\" \"$@\"; done
             echo '{line}' >>\"$2/attempts.jsonl\"; : >\"$2/lock\"; n=0
             while [ ! -e \"{until}\" ]; do
               n=$((n + 1)); [ $n -gt 1000 ] && exit 1; sleep 0.02
             done
             echo '{{}}' >\"$1/result.json\"; exit 1;;
         esac
         {ALL_SUCCEED}"
    )
}

/// Lets a worker go on once a run was told as failed.
struct Failed {
    log: Log,
    told: PathBuf,
}

impl Watch for Failed {
    fn event(&mut self, event: Event<'_>) {
        if matches!(&event, Event::Failed { .. }) {
            fs::write(&self.told, "").unwrap();
        }
        self.log.event(event);
    }
}

#[test]
fn a_run_that_fails_early_is_told_early_and_once() {
    for (class, next) in [("error", 3), ("disk-full", 2)] {
        let mut bench = Bench::in_company(3, &fails_early(&failure(class, "no"), "$1/told"));
        // One that waits, because it goes with nobody.
        bench.runs[2].company = None;
        let mut watch = Failed {
            log: Log::default(),
            told: bench.runs[0].dir.join("told"),
        };
        let fleet = fleet_together(1, 1, 8);
        let (runs, command) = (&bench.runs, &bench.command);
        let never = AtomicBool::new(false);
        let outcome = bench::carry_out(runs, command, &fleet, PATIENT, &never, &mut watch);
        let events = &watch.log.events;
        let told = format!("failed 1: {class}: failed beside others: no");
        let times = events.iter().filter(|&event| *event == told).count();
        assert_eq!(times, 1, "{events:?}");
        assert_eq!(outcome.failed.len(), 1, "{events:?}");
        // On a full disk nothing new is started.
        assert_eq!(outcome.finished.len() + 1, next, "{events:?}");
        assert_eq!(outcome.waiting.len(), 3 - next);
    }
}

#[test]
fn a_run_with_too_little_memory_is_taken_up_alone_at_once() {
    // The first crew goes on until run 1, which failed in it, has its result.
    let script = fails_early(&failure("out-of-memory", "no"), "$2/result.json");
    let bench = Bench::in_company(4, &script);
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 2, 8), PATIENT);
    assert_eq!(sorted(&outcome.finished), ["0", "1", "2", "3"]);
    let again = "again 1: out-of-memory: failed beside others: no".to_owned();
    let times = log.events.iter().filter(|&event| *event == again).count();
    assert_eq!(times, 1, "{:?}", log.events);
    assert_eq!(outcome.failed.len(), 0, "{:?}", log.events);
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 2, 2]);
}

#[test]
fn a_failure_that_nobody_wrote_down_is_everybodys() {
    let bench = Bench::in_company(2, "echo 'error: no such option' >&2; exit 2");
    let (outcome, _) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    let told: Vec<String> = outcome
        .failed
        .iter()
        .map(|(id, reason)| format!("{id} {}", reason.summary()))
        .collect();
    assert_eq!(
        told,
        [
            "0 exit code 2: no such option",
            "1 exit code 2: no such option"
        ]
    );
}

#[test]
fn a_directory_that_cannot_be_made_fails_alone() {
    let bench = Bench::in_company(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    fs::create_dir(bench.path("runs")).unwrap();
    fs::write(&bench.runs[1].dir, "a file").unwrap();
    let (outcome, _) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished, ["0", "2"]);
    assert_eq!(outcome.failed[0].0, "1");
    assert_eq!(bench.sizes(), [2]);
}

/// Sets the stop once three runs have started.
struct StopAtOnce<'a> {
    log: Log,
    stop: &'a AtomicBool,
}

impl Watch for StopAtOnce<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.log.event(event);
        if self.log.events.len() >= 3 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

#[test]
fn a_stop_stops_all_of_a_crew_but_what_failed() {
    let line = failure("error", "no such row");
    // The exit code is the worst of its runs'.
    let script = format!(
        "cat >/dev/null; {START}
         for dir in \"$@\"; do start \"$dir\" \"$@\"; done
         echo '{line}' >>\"$1/attempts.jsonl\"
         for dir in \"$2\" \"$3\"; do
           echo '{{\"event\":\"end\",\"attempt\":1,\"time\":\"\",\"wall_s\":1.0,\"reason\":\"stopped\",\"steps\":0,\"error\":null}}' \\
             >>\"$dir/attempts.jsonl\"
         done
         exit 1"
    );
    let bench = Bench::in_company(3, &script);
    let stop = AtomicBool::new(false);
    let mut watch = StopAtOnce {
        log: Log::default(),
        stop: &stop,
    };
    let (runs, command) = (&bench.runs, &bench.command);
    let fleet = fleet_together(1, 1, 8);
    let outcome = bench::carry_out(runs, command, &fleet, PATIENT, &stop, &mut watch);
    assert_eq!(outcome.stopped, ["1", "2"], "{:?}", watch.log.events);
    assert_eq!(outcome.failed.len(), 1);
    // Alone they would have exited with the code that says so.
    let bench = Bench::in_company(3, "cat >/dev/null; exit 85");
    stop.store(false, Ordering::Relaxed);
    let mut watch = StopAtOnce {
        log: Log::default(),
        stop: &stop,
    };
    let (runs, command) = (&bench.runs, &bench.command);
    let outcome = bench::carry_out(runs, command, &fleet, PATIENT, &stop, &mut watch);
    assert_eq!(outcome.stopped, ["0", "1", "2"]);
}
