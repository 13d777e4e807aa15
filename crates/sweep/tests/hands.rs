//! Runs of a process that others hold meanwhile: what is whose.
#![allow(clippy::unwrap_used)]

#[path = "fake/bench.rs"]
mod bench;
#[path = "fake/company.rs"]
mod company;

use std::fs::{self, File};
use std::time::Duration;

use bench::{ALL_SUCCEED, Bench, COUNTS, PATIENT, START, SUCCEEDS, fleet_together};
use company::{carry_out, failure};
use mezo_sweep::Patience;

#[test]
fn a_held_run_is_left_out_and_taken_up_when_it_is_free() {
    let bench = Bench::in_company(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    fs::create_dir_all(&bench.runs[1].dir).unwrap();
    let lock = File::create(bench.runs[1].dir.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let (outcome, _) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(700));
            lock.unlock().unwrap();
        });
        carry_out(&bench, &fleet_together(1, 1, 8), PATIENT)
    });
    assert_eq!(outcome.finished, ["0", "2", "1"]);
    assert_eq!(bench.sizes(), [2, 1]);
}

/// As a worker that finds run 1 in other hands, the first time; what is said of the others is `others`.
fn finds_it_held(others: &str, code: u32) -> Bench {
    let script = format!(
        "{COUNTS}; code=0
         {START}
         for dir in \"$@\"; do
           case $dir in
             */1) if [ -e \"$dir/met\" ]; then echo '{{}}' >\"$dir/result.json\"
                  else : >\"$dir/met\"; code={code}; fi;;
             */0) {others};;
             *) echo '{{}}' >\"$dir/result.json\";;
           esac
         done
         exit $code"
    );
    Bench::in_company(3, &script)
}

#[test]
fn a_run_that_the_worker_finds_held_is_waited_for() {
    let bench = finds_it_held("echo '{}' >\"$dir/result.json\"", 75);
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished, ["0", "2", "1"]);
    assert!(
        log.events.contains(&"held 1".to_owned()),
        "{:?}",
        log.events
    );
    assert!(!bench.runs[1].dir.join("attempts.jsonl").exists());
}

#[test]
fn a_run_is_not_at_fault_for_the_failure_of_another() {
    // The exit code is that of run 0, which has failed; run 1 was never begun.
    let line = failure("error", "no such row");
    let bench = finds_it_held(
        &format!("start \"$dir\" \"$@\"; echo '{line}' >>\"$dir/attempts.jsonl\""),
        1,
    );
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished, ["2", "1"], "{:?}", log.events);
    assert_eq!(outcome.failed.len(), 1);
    assert!(!bench.runs[1].dir.join("attempts.jsonl").exists());
}

/// A run of another process's, that ends while this one goes on with others.
const ELSEWHERE: &str = r#"{"event":"start","attempt":7,"time":"","host":"","device":"","threads":1,"argv":["mezo","train"]}"#;

#[test]
fn what_another_process_writes_is_not_this_ones_end() {
    for reason in [
        r#""failed","class":"error""#,
        r#""stopped""#,
        r#""failed","class":"out-of-memory""#,
    ] {
        let end = format!(
            r#"{{"event":"end","attempt":7,"time":"","wall_s":1.0,"reason":{reason},"steps":0,"error":null}}"#
        );
        // The other one's attempt ends, and later this process is killed at run 0.
        let script = format!(
            "{COUNTS}; {START}
             [ $# -gt 1 ] || {{ {SUCCEEDS}; exit; }}
             start \"$1\" \"$@\"; echo '{ELSEWHERE}' >>\"$2/attempts.jsonl\"
             echo '{end}' >>\"$2/attempts.jsonl\"; kill -KILL $$"
        );
        let bench = Bench::in_company(2, &script);
        let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), PATIENT);
        let events = &log.events;
        assert!(events.contains(&"held 1".to_owned()), "{events:?}");
        let killed = "again 0: killed: killed by SIGKILL".to_owned();
        assert!(events.contains(&killed), "{events:?}");
        // Nothing is added to what the other one has written.
        assert_eq!(bench.read(1, "attempts.jsonl").lines().count(), 2);
        let failed = reason.starts_with(r#""failed""#);
        assert_eq!(outcome.finished.len(), if failed { 1 } else { 2 });
        assert_eq!(outcome.left.len(), usize::from(failed), "{events:?}");
        assert!(outcome.failed.is_empty() && outcome.stopped.is_empty());
    }
}

#[test]
fn a_crew_is_silent_while_another_process_writes() {
    // Run 1 is another process's, and goes on there.
    let script = format!(
        "{COUNTS}; {START}
         [ $# -gt 1 ] || {{ {SUCCEEDS}; exit; }}
         start \"$1\" \"$@\"; n=0
         while [ $n -lt 150 ]; do
           n=$((n + 1)); echo '{{\"attempt\":7,\"host\":\"other\",\"pid\":7}}' >\"$2/lock\"
           echo '{{\"step\":'$n'}}' >>\"$2/steps.jsonl\"; sleep 0.1
         done
         {ALL_SUCCEED}"
    );
    let bench = Bench::in_company(2, &script);
    let patience = Patience {
        silence: Duration::from_millis(600),
        grace: Duration::from_millis(500),
    };
    let (outcome, log) = carry_out(&bench, &fleet_together(1, 1, 8), patience);
    let hung = "again 0: hang: no line for 1s, so it was ended".to_owned();
    assert!(log.events.contains(&hung), "{:?}", log.events);
    assert!(
        log.events.contains(&"held 1".to_owned()),
        "{:?}",
        log.events
    );
    assert_eq!(outcome.finished, ["0", "1"]);
    assert_eq!(bench.sizes(), [2, 1, 1]);
}
