//! The forward pass against numbers recorded from the reference implementation.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Packed, close, golden_folders, model};
use mezo_model::Probes;
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
        let width = loaded.config.hidden_size;
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
