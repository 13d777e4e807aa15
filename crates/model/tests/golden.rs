//! The forward pass against numbers recorded from the reference implementation.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Packed, close, golden_folders, model};
use mezo_model::{LoraConfig, Model, PrefixConfig, PrefixInit, Probes, Tuning, read_tensors};
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown

#[test]
fn golden_forward() {
    for (folder, cases) in golden_folders("golden forward") {
        let loaded = model(&folder);
        let packed = Packed::new(&cases.input_ids, &cases.mask_pos);
        let probes = Probes::unperturbed();
        let scores = loaded
            .model
            .scores(packed.batch(), &cases.label_words, &probes);
        close("loss", scores.losses(&cases.labels)[0], cases.loss, 2e-6);
        for (row, recorded) in cases.label_logits.iter().enumerate() {
            for (ours, recorded) in scores.row(0, row).iter().zip(recorded) {
                close("label logit", *ours, *recorded, 2e-5);
            }
        }

        let words: Vec<usize> = (0..loaded.model.vocabulary()).collect();
        let all = loaded.model.scores(packed.batch(), &words, &probes);
        let Some(recorded) = &cases.mask_logits else {
            let _ = writeln!(
                std::io::stderr(),
                "  skipped: no logits of the whole vocabulary recorded"
            );
            continue;
        };
        let worst = worst_of(recorded, |row| all.row(0, row).to_vec());
        close("all logits at the mask, worst", worst, 0.0, 2e-5);
    }
}

#[test]
fn golden_forward_beside_what_was_put_there() {
    for (folder, cases) in golden_folders("golden forward, lora and prefix") {
        let lora = |model: &mut Model, rank, alpha| {
            model.attach_lora(LoraConfig { rank, alpha }, 0);
            model.train_only(Tuning::Lora, false);
        };
        let prefix = |model: &mut Model, tokens| {
            let init = PrefixInit::Random;
            model.attach_prefix(PrefixConfig { tokens, init }, 0);
            model.train_only(Tuning::Prefix, false);
        };
        for (mode, recorded, spsa) in [
            ("lora", cases.lora_loss, &cases.spsa_lora),
            ("prefix", cases.prefix_loss, &cases.spsa_prefix),
        ] {
            let start = folder.join(format!("spsa_{mode}_theta0.safetensors"));
            let (Some(recorded), Some(spsa), true) = (recorded, spsa, start.exists()) else {
                let _ = writeln!(std::io::stderr(), "  skipped: no {mode} recorded");
                continue;
            };
            let mut model = model(&folder).model;
            match (spsa.r, spsa.alpha, spsa.num_prefix) {
                (Some(rank), Some(alpha), _) => lora(&mut model, rank, alpha),
                (_, _, tokens) => prefix(&mut model, tokens.unwrap()),
            }
            model
                .set_trainable(read_tensors(&start).unwrap(), &start)
                .unwrap();
            let packed = Packed::new(&cases.input_ids, &cases.mask_pos);
            let scores = model.scores(packed.batch(), &cases.label_words, &Probes::unperturbed());
            close(
                &format!("{mode} loss"),
                scores.losses(&cases.labels)[0],
                recorded,
                2e-6,
            );
        }
    }
}

#[test]
fn golden_hidden_states() {
    for (folder, cases) in golden_folders("golden hidden states") {
        let (Some(sums), Some(case0)) = (&cases.hidden_layer_sums, &cases.hidden_case0_last) else {
            let _ = writeln!(std::io::stderr(), "  skipped: no hidden states recorded");
            continue;
        };
        let loaded = model(&folder);
        let packed = Packed::new(&cases.input_ids, &cases.mask_pos);
        let states = loaded
            .model
            .hidden_states(packed.batch(), &Probes::unperturbed());
        assert_eq!(states.len(), sums.len());
        for (state, recorded) in states.iter().zip(sums) {
            let sum: f64 = state.clone().into_data().iter::<f32>().map(f64::from).sum();
            // A millionth for each element.
            let count: usize = state.dims().iter().product();
            close("sum of a hidden state", sum, *recorded, 1e-6 * count as f64);
        }
        let last: Vec<f32> = states
            .last()
            .unwrap()
            .clone()
            .into_data()
            .iter::<f32>()
            .collect();
        let width = loaded.config.hidden_size();
        let worst = worst_of(case0, |token| {
            let first = token * width;
            last[first..first + 8]
                .iter()
                .copied()
                .map(f64::from)
                .collect()
        });
        close("last hidden state of case 0, worst", worst, 0.0, 2e-5);
    }
}

/// The largest difference between recorded rows and ours, in units of the recorded number where that is above one.
fn worst_of(recorded: &[Vec<f64>], ours: impl Fn(usize) -> Vec<f64>) -> f64 {
    let mut worst = 0.0f64;
    for (row, recorded) in recorded.iter().enumerate() {
        let ours = ours(row);
        assert_eq!(ours.len(), recorded.len());
        for (a, b) in ours.iter().zip(recorded) {
            worst = worst.max((a - b).abs() / b.abs().max(1.0));
        }
    }
    worst
}
