//! What coarser numbers in products do to projected gradients, on real batches: the CPU rounds as a GPU's products would.
//!
//! The batches are SST-2's where `../shared` has them, and the made task's. With `-- --nocapture` it prints what it finds.
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::Write;
use std::path::{Path, PathBuf};

use mezo_model::{LoraConfig, Model, ModelFiles, Philox, Precision, Tuning};
use mezo_spec::Objective;
use mezo_tasks::{Example, Order, PackedBatch, Task, Tokenizer, k_shot};
use mezo_train::{Measure, step_seed};

const BATCHES: u64 = 24;
const SEED: u64 = 87;

/// What a precision does to projected gradients.
struct Effect {
    /// With f32's.
    correlation: f64,
    /// The root-mean-square difference over the root-mean-square of f32's.
    difference: f64,
}

fn effect(exact: &[f64], coarse: &[f64]) -> Effect {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let apart: Vec<f64> = exact.iter().zip(coarse).map(|(a, b)| a - b).collect();
    Effect {
        correlation: dot(exact, coarse) / (dot(exact, exact) * dot(coarse, coarse)).sqrt(),
        difference: (dot(&apart, &apart) / dot(exact, exact)).sqrt(),
    }
}

/// Projected gradients of the first batches of a run.
fn projected(model: &Model, batches: &[PackedBatch], words: &[usize], eps: f64) -> Vec<f64> {
    let measure = Measure {
        noise: &Philox,
        eps,
        objective: Objective::CrossEntropy,
        factors: None,
    };
    let estimate = |(step, batch)| measure.two_sided(model, batch, words, step_seed(SEED, step, 0));
    (1..)
        .zip(batches)
        .map(|pair| estimate(pair).projected_grad.unwrap())
        .collect()
}

/// Real batches and the label words.
fn batches(task: &Task, data: Option<&Path>, k: usize) -> (Vec<PackedBatch>, Vec<usize>) {
    let ModelFiles::Builtin(builtin) = ModelFiles::builtin("roberta-imdb-tiny").unwrap() else {
        panic!("the built-in model is in the binary");
    };
    let tokenizer =
        Tokenizer::from_json(builtin.tokenizer_json(), Path::new("tokenizer.json")).unwrap();
    let split = k_shot(task, data, k, 13, Some(100)).unwrap();
    let rows: Vec<Example> = task.encode(&tokenizer, &split.train).unwrap();
    let order = Order::new(rows.len(), 64, SEED);
    let batch = |number| PackedBatch::pack(order.batch(number).into_iter().map(|row| &rows[row]));
    let words = task.label_word_ids(&tokenizer).unwrap();
    let words = words.into_iter().map(|word| word as usize).collect();
    ((0..BATCHES).map(batch).collect(), words)
}

fn model(tuning: Tuning) -> Model {
    let files = ModelFiles::builtin("roberta-imdb-tiny").unwrap();
    let device = mezo_model::device::open("cpu").unwrap();
    let mut model = mezo_model::load(&files, &device).unwrap().model;
    if tuning == Tuning::Lora {
        let config = LoraConfig {
            rank: 8,
            alpha: 16.0,
        };
        model.attach_lora(config, SEED);
    }
    model.train_only(tuning, false);
    model
}

/// The effects of all coarser ones.
fn effects(
    tuning: Tuning,
    eps: f64,
    (batches, words): &(Vec<PackedBatch>, Vec<usize>),
) -> [Effect; 3] {
    let mut model = model(tuning);
    let exact = projected(&model, batches, words, eps);
    [Precision::Tf32, Precision::F16, Precision::Bf16].map(|precision| {
        model.round_to(precision);
        effect(&exact, &projected(&model, batches, words, eps))
    })
}

/// Under tf32 and f16, which keep as many bits, an estimate of the gradient is what it is under f32, but for a part that is lost
/// in its own noise; under bf16 not where the probes are as close together as LoRA's are before its first steps. Products of
/// two-byte numbers are the faster ones, so f16 is the default.
fn check(name: &str, all: &(Vec<PackedBatch>, Vec<usize>)) {
    for (tuning, eps) in [
        (Tuning::Full, 1e-3),
        (Tuning::Lora, 1e-3),
        (Tuning::Lora, 1e-2),
    ] {
        let [tf32, f16, bf16] = effects(tuning, eps, all);
        let _ = writeln!(
            std::io::stderr(),
            "{name}, {tuning:?}, eps {eps}: tf32 correlation {:.6}, difference {:.4}; f16 {:.6}, {:.4}; bf16 {:.6}, {:.4}",
            tf32.correlation,
            tf32.difference,
            f16.correlation,
            f16.difference,
            bf16.correlation,
            bf16.difference
        );
        for fine in [&tf32, &f16] {
            assert!(fine.correlation > 0.99 && fine.difference < 0.2);
        }
        assert!(f16.difference < 1.1 * tf32.difference);
        assert!(bf16.difference > 3.0 * f16.difference);
        let near = bf16.correlation > 0.98;
        let close_probes = tuning == Tuning::Lora && eps < 1e-2;
        assert_eq!(near, !close_probes);
    }
}

fn sst2() -> Option<PathBuf> {
    let shared = match std::env::var_os("MEZO_SHARED") {
        Some(path) => PathBuf::from(path),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    let data = shared.join("data/lmbff");
    data.join("SST-2/train.tsv").exists().then_some(data)
}

#[test]
fn projected_gradients_on_the_made_task() {
    check(
        "made-sentiment",
        &batches(&Task::by_name("made-sentiment").unwrap(), None, 64),
    );
}

#[test]
fn projected_gradients_on_sst2() {
    let Some(data) = sst2() else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: projected gradients by precision on SST-2 (no data)"
        );
        return;
    };
    check(
        "SST-2",
        &batches(&Task::by_name("sst-2").unwrap(), Some(&data), 512),
    );
}
