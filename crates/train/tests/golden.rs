//! One step of MeZO against numbers recorded from the reference implementation, with its noise given.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "../../model/tests/common/mod.rs"]
mod common;

use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::Path;

use common::{Cases, Recorded, Spsa, close, golden_folders, model};
use mezo_model::{
    Decay, DecayOn, Estimates, LoraConfig, Model, NamedTensor, Optimizer, PrefixConfig, PrefixInit,
    Rule, Tuning, read_tensors,
};
use mezo_run::{Estimate, Step};
use mezo_spec::Objective;
use mezo_tasks::{Example, PackedBatch};
use mezo_train::{Measure, terms};

#[test]
fn golden_step_full() {
    for (folder, cases) in golden_folders("golden step, full") {
        let Some(spsa) = cases.spsa_full_tied.clone() else {
            let _ = writeln!(
                std::io::stderr(),
                "  skipped: no full step recorded in {}",
                folder.display()
            );
            continue;
        };
        let mut roberta = model(&folder).model;
        roberta.train_only(Tuning::Full, false);
        step(&folder, "full", &cases, &spsa, roberta);
    }
}

#[test]
fn golden_step_lora() {
    for (folder, cases) in golden_folders("golden step, lora") {
        let Some(spsa) = cases.spsa_lora.clone() else {
            let _ = writeln!(
                std::io::stderr(),
                "  skipped: no LoRA step recorded in {}",
                folder.display()
            );
            continue;
        };
        let mut roberta = model(&folder).model;
        let config = LoraConfig {
            rank: spsa.r.unwrap(),
            alpha: spsa.alpha.unwrap(),
        };
        roberta.attach_lora(config, 0);
        roberta.train_only(Tuning::Lora, false);
        step(&folder, "lora", &cases, &spsa, roberta);
    }
}

#[test]
fn golden_step_prefix() {
    for (folder, cases) in golden_folders("golden step, prefix") {
        let Some(spsa) = cases.spsa_prefix.clone() else {
            let _ = writeln!(
                std::io::stderr(),
                "  skipped: no prefix step recorded in {}",
                folder.display()
            );
            continue;
        };
        let mut roberta = model(&folder).model;
        let config = PrefixConfig {
            tokens: spsa.num_prefix.unwrap(),
            init: PrefixInit::Activations,
        };
        roberta.attach_prefix(config, 0);
        roberta.train_only(Tuning::Prefix, false);
        step(&folder, "prefix", &cases, &spsa, roberta);
    }
}

/// From the recorded start: the losses, the projected gradient, and the tensors after the update.
fn step(folder: &Path, mode: &str, cases: &Cases, spsa: &Spsa, mut roberta: Model) {
    let file = |part: &str| folder.join(format!("spsa_{mode}_{part}.safetensors"));
    let start = file("theta0");
    if !start.exists() {
        let _ = writeln!(
            std::io::stderr(),
            "  skipped: {} is absent",
            start.display()
        );
        return;
    }
    roberta
        .set_trainable(read_tensors(&start).unwrap(), &start)
        .unwrap();
    let noise = Recorded::new(&roberta, &file("z"));
    let batch = packed(cases);
    let measure = |eps| Measure {
        noise: &noise,
        eps,
        objective: Objective::CrossEntropy,
        factors: None,
    };
    let at_eps =
        |roberta: &Model, eps| measure(eps).two_sided(roberta, &batch, &cases.label_words, 0);
    let measured = at_eps(&roberta, spsa.eps);
    close(
        "loss plus",
        measured.loss_plus.unwrap(),
        spsa.loss_plus,
        2e-6,
    );
    close(
        "loss minus",
        measured.loss_minus.unwrap(),
        spsa.loss_minus,
        2e-6,
    );
    close(
        "projected gradient",
        measured.projected_grad.unwrap(),
        spsa.projected_grad,
        1e-3,
    );

    let expected = read_tensors(&file("theta1")).unwrap();
    let given = Estimate {
        projected_grad: Some(spsa.projected_grad),
        ..measured
    };
    for (what, estimate, tolerance) in [("given", given, 2e-6), ("end to end", measured, 5e-5)] {
        roberta
            .set_trainable(read_tensors(&start).unwrap(), &start)
            .unwrap();
        let line = Step::new(1, spsa.lr, vec![estimate]);
        let gradient = Estimates {
            noise: &noise,
            terms: terms(&line),
            factors: None,
        };
        let decay = Decay {
            rate: spsa.weight_decay,
            on: DecayOn::All,
        };
        Optimizer::new(Rule::Sgd { momentum: 0.0 }, decay).update(&mut roberta, &gradient, line.lr);
        let worst = worst(roberta.trainable_tensors(), &expected);
        close(
            &format!("updated tensors, worst, projected gradient {what}"),
            worst,
            0.0,
            tolerance,
        );
    }
    // With no distance between the probes both losses are the loss itself.
    let after = at_eps(&roberta, 0.0).loss_plus.unwrap();
    close("loss after", after, spsa.loss_after, 2e-6);
}

fn packed(cases: &Cases) -> PackedBatch {
    let rows = cases
        .input_ids
        .iter()
        .zip(&cases.mask_pos)
        .zip(&cases.labels);
    let examples: Vec<Example> = rows
        .map(|((ids, &mask), &label)| Example {
            ids: ids.clone(),
            asked: mask,
            label,
        })
        .collect();
    PackedBatch::pack(examples.iter())
}

/// The largest difference between tensors of the same names.
fn worst(mut ours: Vec<NamedTensor>, expected: &[NamedTensor]) -> f64 {
    ours.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(ours.len(), expected.len());
    let mut worst = 0.0f64;
    for (ours, expected) in ours.iter().zip(expected) {
        assert_eq!((&ours.name, &ours.shape), (&expected.name, &expected.shape));
        for (a, b) in ours.values.iter().zip(&expected.values) {
            worst = worst.max(f64::from((a - b).abs()));
        }
    }
    worst
}
