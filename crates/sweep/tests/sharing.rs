//! How runs of a company are spread over devices, with workers that are short scripts.
#![allow(clippy::unwrap_used)]

#[path = "fake/bench.rs"]
mod bench;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use bench::{ALL_SUCCEED, Bench, COUNTS, Log, PATIENT, fleet, fleet_together};
use mezo_sweep::{Fleet, Outcome};

fn carry_out(bench: &Bench, fleet: &Fleet) -> (Outcome, Log) {
    let mut log = Log::default();
    let never = AtomicBool::new(false);
    let (runs, command) = (&bench.runs, &bench.command);
    let outcome = bench::carry_out(runs, command, fleet, PATIENT, &never, &mut log);
    (outcome, log)
}

#[test]
fn companies_do_not_mix() {
    let script = format!("{COUNTS}; echo \"$@\" >>\"$1/../../crews\"; {ALL_SUCCEED}");
    let mut bench = Bench::new(7, &script);
    let companies = [
        None,
        Some("a"),
        Some("b"),
        Some("a"),
        None,
        Some("b"),
        Some("a"),
    ];
    for (run, company) in bench.runs.iter_mut().zip(companies) {
        run.company = company.map(Into::into);
    }
    let (outcome, _) = carry_out(&bench, &fleet_together(1, 1, 8));
    assert_eq!(outcome.finished.len(), 7);
    let crews = fs::read_to_string(bench.path("crews")).unwrap();
    let ids = |line: &str| -> Vec<String> {
        let dirs = line.split(' ').map(PathBuf::from);
        dirs.map(|dir| dir.file_name().unwrap().to_str().unwrap().to_owned())
            .collect()
    };
    let crews: Vec<Vec<String>> = crews.lines().map(ids).collect();
    assert_eq!(
        crews,
        [vec!["0"], vec!["1", "3", "6"], vec!["2", "5"], vec!["4"]]
    );
}

#[test]
fn a_limit_of_one_is_a_process_each() {
    let bench = Bench::in_company(3, &format!("{COUNTS}; {ALL_SUCCEED}"));
    carry_out(&bench, &fleet(1, 1));
    assert_eq!(bench.sizes(), [1, 1, 1]);
    let bench = Bench::in_company(7, &format!("{COUNTS}; {ALL_SUCCEED}"));
    carry_out(&bench, &fleet_together(1, 1, 3));
    assert_eq!(bench.sizes(), [3, 3, 1]);
}

#[test]
fn devices_share_a_company_evenly() {
    let bench = Bench::in_company(8, &format!("{COUNTS}; sleep 0.2; {ALL_SUCCEED}"));
    let (outcome, log) = carry_out(&bench, &fleet_together(2, 1, 8));
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
    let mut bench = Bench::in_company(9, &script);
    bench.runs[0].steps = 0;
    bench.runs[0].company = None;
    let (outcome, _) = carry_out(&bench, &fleet_together(2, 1, 8));
    assert_eq!(outcome.finished.len(), 9);
    let mut sizes = bench.sizes();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 4, 4]);
}

#[test]
fn finished_runs_are_not_counted_in_a_share() {
    let bench = Bench::in_company(8, &format!("{COUNTS}; sleep 0.2; {ALL_SUCCEED}"));
    for run in &bench.runs[..4] {
        fs::create_dir_all(&run.dir).unwrap();
        fs::write(run.dir.join("result.json"), "{}").unwrap();
    }
    let (outcome, _) = carry_out(&bench, &fleet_together(2, 1, 8));
    assert_eq!(outcome.finished.len(), 8);
    assert_eq!(bench.sizes(), [2, 2]);
}
