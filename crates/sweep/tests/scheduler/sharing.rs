//! How batched runs are spread over devices.

use std::fs;
use std::path::PathBuf;

use super::bench::{ALL_SUCCEED, Bench, COUNTS, PATIENT, fleet, fleet_together, run_to_end};

#[test]
fn batch_keys_do_not_mix() {
    let script = format!("{COUNTS}; echo \"$@\" >>\"$1/../../batches\"; {ALL_SUCCEED}");
    let mut bench = Bench::new(7, &script);
    let keys = [
        None,
        Some("a"),
        Some("b"),
        Some("a"),
        None,
        Some("b"),
        Some("a"),
    ];
    for (run, key) in bench.runs.iter_mut().zip(keys) {
        run.batch_key = key.map(Into::into);
    }
    let (outcome, _) = run_to_end(&bench, &fleet_together(1, 1, 8), PATIENT);
    assert_eq!(outcome.finished.len(), 7);
    let batches = fs::read_to_string(bench.path("batches")).unwrap();
    let ids = |line: &str| -> Vec<String> {
        let dirs = line.split(' ').map(PathBuf::from);
        dirs.map(|dir| dir.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    let batches: Vec<Vec<String>> = batches.lines().map(ids).collect();
    assert_eq!(
        batches,
        [vec!["0"], vec!["1", "3", "6"], vec!["2", "5"], vec!["4"]]
    );
}

#[test]
fn a_limit_of_one_is_a_process_each() {
    let bench = Bench::batched(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    run_to_end(&bench, &fleet(1, 1), PATIENT);
    assert_eq!(bench.sizes(), [1, 1, 1]);
    let bench = Bench::batched(7, &format!("{COUNTS}; {ALL_SUCCEED}"));
    run_to_end(&bench, &fleet_together(1, 1, 3), PATIENT);
    assert_eq!(bench.sizes(), [3, 3, 1]);
}

#[test]
fn devices_share_batched_runs_evenly() {
    let bench = Bench::batched(8, &format!("{COUNTS}; sleep 0.2; {ALL_SUCCEED}"));
    let (outcome, log) = run_to_end(&bench, &fleet_together(2, 1, 8), PATIENT);
    assert_eq!(outcome.finished.len(), 8);
    assert_eq!(bench.sizes(), [4, 4]);
    for device in ["fake:0", "fake:1"] {
        let on = log.events.iter().filter(|event| event.ends_with(device));
        assert_eq!(on.count(), 4, "{:?}", log.events);
    }
}

#[test]
fn a_place_that_only_evaluates_is_kept_in_mind() {
    // The first of nine only evaluates: the others do not all go to the other device.
    let script =
        format!("{COUNTS}; case $1 in */0) sleep 0.1;; *) sleep 0.8;; esac; {ALL_SUCCEED}");
    let mut bench = Bench::batched(9, &script);
    bench.runs[0].steps = 0;
    bench.runs[0].batch_key = None;
    let (outcome, _) = run_to_end(&bench, &fleet_together(2, 1, 8), PATIENT);
    assert_eq!(outcome.finished.len(), 9);
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 4, 4]);
}

#[test]
fn finished_runs_are_not_counted_in_a_share() {
    let bench = Bench::batched(8, &format!("{COUNTS}; sleep 0.2; {ALL_SUCCEED}"));
    for run in &bench.runs[..4] {
        fs::create_dir_all(&run.dir).unwrap();
        fs::write(run.dir.join("result.json"), "{}").unwrap();
    }
    let (outcome, _) = run_to_end(&bench, &fleet_together(2, 1, 8), PATIENT);
    assert_eq!(outcome.finished.len(), 8);
    assert_eq!(bench.sizes(), [2, 2]);
}
