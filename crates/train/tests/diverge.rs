//! A loss that is no longer finite is a result, and the same one after a crash.
#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;

use mezo_train::{
    Control, CutName, Ending, Estimator, MethodName, MethodSpec, ModelSpec, Objective,
    ProtocolName, Resolver, RunResult, RunSpec, Status, Step, TaskSpec, TrainSpec, TuningName, run,
};

/// Stops before a step, or never.
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
}

/// A run directory whose learning rate throws the parameters out of f32.
fn prepared(dir: &Path, lr: f64) {
    let spec = RunSpec {
        protocol: ProtocolName::Paper,
        model: ModelSpec {
            builtin: Some("roberta-imdb-tiny".into()),
            path: None,
            hub: None,
            revision: None,
        },
        task: TaskSpec {
            name: "made-sentiment".into(),
            data: None,
            k: 4,
            test_cap: 20,
            template: None,
            label_words: None,
            max_length: None,
            prompt: true,
            cut: CutName::Tail,
        },
        method: MethodSpec {
            name: MethodName::Mezo,
            tuning: TuningName::Full,
            lora: None,
            prefix: None,
            objective: Objective::CrossEntropy,
            estimator: Estimator::TwoSided,
            estimates: None,
            scale: None,
        },
        train: TrainSpec {
            seed: Some(13),
            steps: Some(20),
            batch_size: Some(4),
            eval_every: Some(1),
            lr: Some(lr),
            eps: Some(1e-3),
            weight_decay: Some(0.0),
            ..TrainSpec::default()
        },
    };
    let mut resolver = Resolver::new("diverging", Path::new("."));
    let manifest = resolver.resolve(&spec, Vec::new()).unwrap();
    manifest.write(dir).unwrap();
}

fn carry_on(dir: &Path, steps: Option<u64>) -> Ending {
    run(dir, "cpu", &mut StopAfter { left: steps }).unwrap()
}

fn outcome(dir: &Path) -> Vec<Vec<u8>> {
    ["steps.jsonl", "evals.jsonl", "result.json"]
        .map(|file| std::fs::read(dir.join(file)).unwrap())
        .into()
}

#[test]
fn parameters_that_are_no_numbers_end_the_run_as_diverged() {
    for lr in [1e300, 1e35] {
        let whole = tempfile::tempdir().unwrap();
        prepared(whole.path(), lr);
        assert_eq!(carry_on(whole.path(), None), Ending::Diverged);
        let result = std::fs::read(whole.path().join("result.json")).unwrap();
        let result: RunResult = serde_json::from_slice(&result).unwrap();
        assert_eq!(result.status, Status::Diverged);
        assert_eq!(result.last, None);
        assert!(
            result.best.is_none(),
            "nothing that was no number is the best"
        );

        // Stopped when the parameters are lost already, with a snapshot of them.
        let stopped = tempfile::tempdir().unwrap();
        prepared(stopped.path(), lr);
        assert_eq!(
            carry_on(stopped.path(), Some(1)),
            Ending::Stopped { step: 1 }
        );
        assert_eq!(carry_on(stopped.path(), None), Ending::Diverged);
        assert_eq!(outcome(stopped.path()), outcome(whole.path()));
    }
}

#[test]
fn what_was_good_before_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    prepared(dir.path(), 3e3);
    let ending = carry_on(dir.path(), None);
    let result = std::fs::read(dir.path().join("result.json")).unwrap();
    let result: RunResult = serde_json::from_slice(&result).unwrap();
    // Whether this one leaves f32 or only goes wild, its best step is one that was measured.
    let best = result.best.unwrap();
    assert!(best.test_accuracy.is_some() && best.dev_accuracy.is_some());
    assert_eq!(ending == Ending::Diverged, result.last.is_none());
}
