//! Run directories for tests, from the text of a spec.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::cell::Cell;
use std::path::Path;

use mezo_run::RunPlan;
use mezo_run::Step;
use mezo_spec::{DeviceKind, Overrides, RunSpec, Spec};
use mezo_sweep::plan::{ResolveError, Resolver};
use mezo_train::{Control, Ending, TrainError, run};

/// The run of a spec's text.
pub fn spec(text: &str) -> RunSpec {
    try_spec(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The same, or what is wrong with it.
pub fn try_spec(text: &str) -> Result<RunSpec, mezo_spec::SpecErrors> {
    let spec = Spec::parse("a-sweep.toml", format!("name = \"a-sweep\"\n{text}"))?;
    let mut runs = spec.runs(&Overrides::default())?;
    assert_eq!(runs.len(), 1);
    Ok(runs.remove(0).1)
}

/// A resolver of runs on the processor.
pub fn resolver() -> Resolver {
    Resolver::new("a-sweep", Path::new("."), DeviceKind::Cpu)
}

pub fn try_resolve(spec: &RunSpec) -> Result<RunPlan, ResolveError> {
    resolver().resolve(spec, Vec::new())
}

pub fn resolve(spec: &RunSpec) -> RunPlan {
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
    left: Cell<Option<u64>>,
}

impl Control for StopAfter {
    fn stop(&self) -> bool {
        self.left.get() == Some(0)
    }

    fn step(&self, _: &Step, _: u64) {
        self.left.set(self.left.get().map(|left| left - 1));
    }

    fn warn(&self, _: &str) {}
}

/// Carries a run on for some steps, or to its end.
pub fn carry_on(dir: &Path, steps: Option<u64>) -> Ending {
    let left = Cell::new(steps);
    run(dir, "cpu", &StopAfter { left }).unwrap()
}

/// The same to its end, or why it cannot be.
pub fn try_carry_on(dir: &Path) -> Result<Ending, TrainError> {
    let left = Cell::new(None);
    run(dir, "cpu", &StopAfter { left })
}
