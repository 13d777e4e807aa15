//! One two-sided step against numbers recorded from the reference implementation, with its noise given.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use common::{Cases, Packed, Recorded, Spsa, close, golden_folders, model};
use mezo_model::{LoraConfig, NamedTensor, Probes, Roberta, Tuning, read_tensors};

#[test]
fn golden_step_full() {
    for (folder, cases) in golden_folders("golden step, full") {
        let Some(spsa) = cases.spsa_full_tied.clone() else {
            println!("  skipped: no full step recorded in {}", folder.display());
            continue;
        };
        let mut roberta = model(&folder).model;
        roberta.train_only(Tuning::Full);
        step(&folder, "full", &cases, &spsa, cases.loss, roberta);
    }
}

#[test]
fn golden_step_lora() {
    for (folder, cases) in golden_folders("golden step, lora") {
        let (Some(spsa), Some(before)) = (cases.spsa_lora.clone(), cases.lora_loss) else {
            println!("  skipped: no LoRA step recorded in {}", folder.display());
            continue;
        };
        let mut roberta = model(&folder).model;
        let config = LoraConfig { rank: spsa.r.unwrap(), alpha: spsa.alpha.unwrap() };
        roberta.attach_lora(config, 0);
        roberta.train_only(Tuning::Lora);
        step(&folder, "lora", &cases, &spsa, before, roberta);
    }
}

/// From the recorded start: the losses, the projected gradient, and the tensors after the update.
fn step(folder: &Path, mode: &str, cases: &Cases, spsa: &Spsa, before: f64, mut roberta: Roberta) {
    let file = |part: &str| folder.join(format!("spsa_{mode}_{part}.safetensors"));
    let start = file("theta0");
    roberta.set_trainable(read_tensors(&start).unwrap(), &start).unwrap();
    let noise = Recorded::new(&roberta, &file("z"));
    let packed = Packed::new(&cases.input_ids, &cases.mask_pos);
    let loss = |roberta: &Roberta, probes: &Probes<'_>| {
        roberta.scores(packed.batch(), &cases.label_words, probes).losses(&cases.labels)
    };
    close("loss before", loss(&roberta, &Probes::unperturbed())[0], before, 2e-6);
    let both = loss(&roberta, &Probes::two_sided(&noise, 0, spsa.eps as f32));
    close("loss plus", both[0], spsa.loss_plus, 2e-6);
    close("loss minus", both[1], spsa.loss_minus, 2e-6);
    let projected = (both[0] - both[1]) / (2.0 * spsa.eps);
    close("projected gradient", projected, spsa.projected_grad, 1e-3);

    let expected = read_tensors(&file("theta1")).unwrap();
    for (what, projected, tolerance) in
        [("given", spsa.projected_grad, 2e-6), ("end to end", projected, 5e-5)]
    {
        roberta.set_trainable(read_tensors(&start).unwrap(), &start).unwrap();
        let term = (0, (spsa.lr * projected) as f32);
        roberta.descend(&noise, &[term], (spsa.lr * spsa.weight_decay) as f32);
        let worst = worst(roberta.trainable_tensors(), &expected);
        close(&format!("updated tensors, worst, projected gradient {what}"), worst, 0.0, tolerance);
    }
    close("loss after", loss(&roberta, &Probes::unperturbed())[0], spsa.loss_after, 2e-6);
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
