//! The update of each option against its equation, made again from the journal and the noise.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{carry_on, journal, resolve, spec};
use mezo_model::{ModelFiles, Noise, Philox, Tuning, read_tensors};
use mezo_run::Step;
use mezo_train::Ending;

/// A run of four steps that trains the biases, whose numbers lie in files as they lie in memory.
struct Run {
    dir: tempfile::TempDir,
    lines: Vec<Step>,
    /// The trained tensors in the order of their numbers.
    names: Vec<String>,
}

impl Run {
    fn new(head: &str, method: &str, train: &str) -> Self {
        let text = format!(
            r#"{head}
model.builtin = "roberta-imdb-tiny"
task = {{ name = "made-sentiment", k = 6, test_cap = 8 }}
[method]
name = "mezo"
tuning = "bias"
{method}
[train]
seed = 13
steps = 4
batch_size = 8
eval_every = 1
lr = 1e-3
eps = 1e-3
{train}
"#
        );
        let dir = tempfile::tempdir().unwrap();
        resolve(&spec(&text)).write(dir.path()).unwrap();
        // Stopped after three steps, it still has the snapshots of two.
        assert_eq!(carry_on(dir.path(), Some(3)), Ending::Stopped { step: 3 });
        let files = ModelFiles::builtin("roberta-imdb-tiny").unwrap();
        let device = mezo_model::device::open("cpu").unwrap();
        let mut model = mezo_model::load(&files, &device).unwrap().model;
        model.train_only(Tuning::Bias, false);
        Self {
            lines: journal(dir.path()),
            names: model.trainable_names(),
            dir,
        }
    }

    fn snapshot(&self, step: u64) -> BTreeMap<String, Vec<f32>> {
        let path = self.dir.path().join(format!("snapshot-{step}.safetensors"));
        let tensors = read_tensors(Path::new(&path)).unwrap();
        tensors
            .into_iter()
            .map(|tensor| (tensor.name, tensor.values))
            .collect()
    }

    /// The mean of a step's estimates for one element of a trained tensor.
    fn estimate(&self, step: usize, number: usize, element: usize) -> f64 {
        let estimates = &self.lines[step - 1].estimates;
        let of = |estimate: &mezo_run::Estimate| {
            let mut z = [0.0];
            Philox.fill(estimate.seed, number, element, &mut z);
            estimate.projected_grad.unwrap() * f64::from(z[0])
        };
        estimates.iter().map(of).sum::<f64>() / estimates.len() as f64
    }

    /// Holds the third step's change of every element against what an equation says of it: tensor's number, name and
    /// element, and the value before.
    #[track_caller]
    fn changes_by(&self, change: impl Fn(usize, &str, usize, f64) -> f64) {
        let (before, after) = (self.snapshot(2), self.snapshot(3));
        let mut largest = 0.0f64;
        for (number, name) in self.names.iter().enumerate() {
            for (element, (old, new)) in before[name].iter().zip(&after[name]).enumerate() {
                let expected = change(number, name, element, f64::from(*old));
                let found = f64::from(*new) - f64::from(*old);
                // The sum is rounded to an f32 of the value's size.
                let tolerance = 1e-4 * expected.abs() + 2e-7 * (1.0 + f64::from(old.abs()));
                assert!(
                    (found - expected).abs() <= tolerance,
                    "{name}[{element}]: {found}, expected {expected}"
                );
                largest = largest.max(expected.abs());
            }
        }
        assert!(largest > 1e-5, "nothing moved: {largest}");
    }
}

#[test]
fn sgd_is_the_mean_of_the_estimates() {
    for method in ["", "estimates = { count = 3 }"] {
        let run = Run::new("", method, "");
        run.changes_by(|number, _, element, _| -1e-3 * run.estimate(3, number, element));
    }
}

#[test]
fn a_scaled_learning_rate_grows_with_the_estimates() {
    let run = Run::new("", "estimates = { count = 3, scale_lr = true }", "");
    assert!((run.lines[2].lr - 3e-3).abs() < 1e-12);
    run.changes_by(|number, _, element, _| -3e-3 * run.estimate(3, number, element));
}

#[test]
fn definition_6_multiplies_by_the_scale_and_definition_7_does_not() {
    for (modifies, power) in [("variance", 1), ("expectation", 0)] {
        let method = format!("scale = {{ by = \"parameter-norm\", modifies = \"{modifies}\" }}");
        let run = Run::new("", &method, "");
        let scales = &run.snapshot(2)["scale"];
        assert_eq!(scales.len(), run.names.len());
        assert!(scales.iter().any(|scale| (scale - 1.0).abs() > 0.1));
        run.changes_by(|number, _, element, _| {
            -1e-3 * f64::from(scales[number]).powi(power) * run.estimate(3, number, element)
        });
    }
}

#[test]
fn scales_are_measured_once_or_in_each_epoch() {
    // Twelve rows in batches of eight: the third step begins the second epoch.
    let scales = |measured| {
        let method = format!("scale = {{ by = \"parameter-norm\", measured = \"{measured}\" }}");
        let run = Run::new("", &method, "");
        [2, 3].map(|step| run.snapshot(step)["scale"].clone())
    };
    let [before, after] = scales("once");
    assert_eq!(before, after);
    let [before, after] = scales("each-epoch");
    assert_ne!(before, after);
}

#[test]
fn momentum_adds_what_came_before() {
    let run = Run::new("", "", "momentum = 0.9");
    run.changes_by(|number, _, element, _| {
        let grad = |step| run.estimate(step, number, element);
        -1e-3 * (0.81 * grad(1) + 0.9 * grad(2) + grad(3))
    });
}

#[test]
fn adam_divides_by_its_second_moment() {
    let run = Run::new("", "", "optimizer = \"adam\"");
    run.changes_by(|number, _, element, _| {
        let (mut first, mut second) = (0.0, 0.0);
        for step in 1..=3 {
            let grad = run.estimate(step, number, element);
            first = 0.9 * first + 0.1 * grad;
            second = 0.999 * second + 0.001 * grad * grad;
        }
        let correction = (1.0 - 0.999f64.powi(3)).sqrt() / (1.0 - 0.9f64.powi(3));
        -1e-3 * correction * first / (second.sqrt() + 1e-8)
    });
}

#[test]
fn decay_is_for_all_or_for_none_of_the_biases() {
    let on = |decay_on: &str| Run::new("", "", &format!("weight_decay = 10.0\n{decay_on}"));
    let all = on("decay_on = \"all\"");
    all.changes_by(|number, _, element, before| {
        -1e-3 * (all.estimate(3, number, element) + 10.0 * before)
    });
    let none = on("");
    none.changes_by(|number, _, element, _| -1e-3 * none.estimate(3, number, element));
}

#[test]
fn estimates_see_batches_of_their_own_or_one() {
    // With so small a step aside, two losses of one batch differ by nothing.
    let apart = |protocol: &str| {
        let text = format!(
            r#"protocol = "{protocol}"
model.builtin = "roberta-imdb-tiny"
task = {{ name = "made-sentiment", k = 6, test_cap = 8 }}
method = {{ name = "mezo", estimates = {{ count = 2 }} }}
train = {{ seed = 13, steps = 4, batch_size = 4, eval_every = 4, lr = 1e-9, eps = 1e-7 }}
"#
        );
        let dir = tempfile::tempdir().unwrap();
        resolve(&spec(&text)).write(dir.path()).unwrap();
        carry_on(dir.path(), None);
        let losses = |line: &Step| [0, 1].map(|at| line.estimates[at].loss_plus.unwrap());
        journal(dir.path())
            .iter()
            .map(losses)
            .map(|[a, b]| (a - b).abs())
            .fold(0.0, f64::max)
    };
    assert!(apart("reference-code") < 1e-3);
    assert!(apart("paper") > 1e-2);
}
