//! Run directories for tests, from the text of a spec.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::path::Path;

use mezo_train::{Control, Ending, Manifest, Resolver, RunSpec, Step, TrainError, run};

/// A spec from its text.
pub fn spec(text: &str) -> RunSpec {
    toml::from_str(text).unwrap()
}

pub fn try_resolve(spec: &RunSpec) -> Result<Manifest, TrainError> {
    Resolver::new("a-sweep", Path::new(".")).resolve(spec, Vec::new())
}

pub fn resolve(spec: &RunSpec) -> Manifest {
    try_resolve(spec).unwrap()
}

/// The lines of a run's journal.
pub fn journal(dir: &Path) -> Vec<Step> {
    let text = std::fs::read_to_string(dir.join("steps.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Stops after some steps, or never.
struct StopAfter {
    left: Option<u64>,
}

impl Control for StopAfter {
    fn stop(&self) -> bool {
        self.left == Some(0)
    }

    fn step(&mut self, _: &Step, _: u64) {
        self.left = self.left.map(|left| left - 1);
    }

    fn warn(&mut self, _: &str) {}
}

/// Carries a run on for some steps, or to its end.
pub fn carry_on(dir: &Path, steps: Option<u64>) -> Ending {
    run(dir, "cpu", &mut StopAfter { left: steps }).unwrap()
}
