//! What tests of several runs in one process share.
#![allow(dead_code)] // each test file uses its part

use std::sync::atomic::AtomicBool;

use mezo_sweep::{Fleet, Outcome, Patience};

use crate::bench::{self, Bench, Log};

pub fn carry_out(bench: &Bench, fleet: &Fleet, patience: Patience) -> (Outcome, Log) {
    let mut log = Log::default();
    let never = AtomicBool::new(false);
    let (runs, command) = (&bench.runs, &bench.command);
    let outcome = bench::carry_out(runs, command, fleet, patience, &never, &mut log);
    (outcome, log)
}

pub fn sorted(ids: &[String]) -> Vec<&str> {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids
}

/// The line that a worker writes of a run that failed.
pub fn failure(class: &str, error: &str) -> String {
    format!(
        r#"{{"event":"end","attempt":1,"time":"","wall_s":1.0,"reason":"failed","class":"{class}","steps":0,"error":"{error}"}}"#
    )
}
