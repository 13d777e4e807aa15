//! Runs on the built-in model that are trained together, and what becomes of each of them alone.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use mezo_run::Step;
use mezo_sweep::plan::Resolver;
use mezo_train::{BatchedRun, Control, Ending, NotTogether, TrainError, run_together};
use tempfile::TempDir;

use crate::common::{carry_on, spec};

pub const LORA: &str = "tuning = \"lora\"\nlora = { r = 2, alpha = 4 }";
pub const PREFIX: &str = "tuning = \"prefix\"\nprefix = { tokens = 2 }";

/// A spec of MeZO on the built-in model and the made task; the rest of `[method]` and of `[train]` is the caller's.
pub fn text(method: &str, train: &str) -> String {
    format!(
        r#"
model.builtin = "roberta-imdb-tiny"
[task]
name = "made-sentiment"
k = 6
test_cap = 16
[method]
name = "mezo"
{method}
[train]
eval_every = 4
{train}
"#
    )
}

/// `[train]` of a run of twelve steps.
pub fn train(seed: u64, lr: f64, eps: f64, batch_size: usize) -> String {
    format!("steps = 12\nseed = {seed}\nlr = {lr:?}\neps = {eps:?}\nbatch_size = {batch_size}")
}

/// All of a run's files that are a function of its spec.
pub fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "attempts.jsonl" && name != "lock")
        .map(|name| {
            let bytes = fs::read(dir.join(&name)).unwrap();
            (name, bytes)
        })
        .collect()
}

/// Runs that are to go together, and a copy of each that goes alone.
pub struct Runs {
    root: TempDir,
    count: usize,
}

impl Runs {
    pub fn of(texts: &[String]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let runs = Self {
            root,
            count: texts.len(),
        };
        let mut resolver = Resolver::new("a-sweep", Path::new("."), mezo_spec::DeviceKind::Cpu);
        for (number, text) in texts.iter().enumerate() {
            let manifest = resolver.resolve(&spec(text), Vec::new()).unwrap();
            manifest.write(&runs.dir(number)).unwrap();
            manifest.write(&runs.alone(number)).unwrap();
        }
        runs
    }

    pub fn dir(&self, number: usize) -> PathBuf {
        self.root.path().join(format!("together-{number}"))
    }

    pub fn alone(&self, number: usize) -> PathBuf {
        self.root.path().join(format!("alone-{number}"))
    }

    /// All of them together, none of them stopped.
    pub fn train(&self) -> Vec<Result<Ending, TrainError>> {
        let mut seen: Vec<Seen> = (0..self.count).map(|_| Seen::default()).collect();
        self.train_seen(&mut seen)
    }

    pub fn train_seen(&self, seen: &mut [Seen]) -> Vec<Result<Ending, TrainError>> {
        let dirs: Vec<PathBuf> = (0..self.count).map(|number| self.dir(number)).collect();
        train_dirs(&dirs, seen).unwrap()
    }

    /// Holds that a run's files are those that it has alone.
    #[track_caller]
    pub fn is_as_alone(&self, number: usize) {
        carry_on(&self.alone(number), None);
        let (found, expected) = (files(&self.dir(number)), files(&self.alone(number)));
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&expected), "run {number}");
        assert!(expected.contains_key("result.json"), "run {number}");
        for (name, bytes) in &expected {
            assert!(
                &found[name] == bytes,
                "run {number}: {name} is not as it is alone"
            );
        }
    }

    #[track_caller]
    pub fn are_as_alone(&self) {
        (0..self.count).for_each(|number| self.is_as_alone(number));
    }

    /// The last line of a run's attempts.
    pub fn last_attempt(&self, number: usize) -> serde_json::Value {
        let text = fs::read_to_string(self.dir(number).join("attempts.jsonl")).unwrap();
        serde_json::from_str(text.lines().last().unwrap()).unwrap()
    }
}

pub fn train_dirs(
    dirs: &[PathBuf],
    seen: &[Seen],
) -> Result<Vec<Result<Ending, TrainError>>, NotTogether> {
    let batch = dirs.iter().zip(seen);
    let batch = batch.map(|(dir, control)| BatchedRun { dir, control });
    run_together(&batch.collect::<Vec<_>>(), "cpu")
}

/// What is heard of a run, and when it is disturbed.
#[derive(Default)]
pub struct Seen {
    pub stop_after: Option<u64>,
    pub break_down_at: Option<u64>,
    pub steps: RefCell<Vec<u64>>,
    pub ended: RefCell<Option<String>>,
}

impl Control for Seen {
    fn stop(&self) -> bool {
        self.stop_after == Some(self.steps.borrow().len() as u64)
    }

    fn step(&self, step: &Step, _: u64) {
        self.steps.borrow_mut().push(step.step);
        assert_ne!(self.break_down_at, Some(step.step), "breaks down");
    }

    fn warn(&self, _: &str) {}

    fn ended(&self, how: Result<Ending, &TrainError>) {
        let before = self.ended.replace(Some(format!("{how:?}")));
        assert!(before.is_none(), "a run ends once");
    }
}
