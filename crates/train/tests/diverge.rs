//! A loss that is no longer finite is a result, and the same one after a crash.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use common::{carry_on, resolve, spec};
use mezo_run::{RunResult, Status};
use mezo_train::Ending;

/// A run directory whose learning rate throws the parameters out of f32.
fn prepared(dir: &Path, lr: f64) {
    let text = format!(
        r#"
model.builtin = "roberta-imdb-tiny"
task = {{ name = "made-sentiment", k = 4, test_cap = 20 }}
method.name = "mezo"
train = {{ seed = 13, steps = 20, batch_size = 4, eval_every = 1, lr = {lr:?}, eps = 1e-3 }}
"#
    );
    resolve(&spec(&text)).write(dir).unwrap();
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
