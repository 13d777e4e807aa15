//! The forward pass against numbers recorded from the reference implementation.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use common::{Packed, close, golden_folders, model};
use mezo_model::Probes;

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
        let worst = worst_of(&cases.label_logits, |row| scores.row(0, row).to_vec());
        close("label logits, worst", worst, 0.0, 2e-5);

        let words: Vec<usize> = (0..loaded.model.vocabulary()).collect();
        let all = loaded.model.scores(packed.batch(), &words, &probes);
        let worst = worst_of(&cases.mask_logits, |row| all.row(0, row).to_vec());
        close("all logits at the mask, worst", worst, 0.0, 2e-5);
    }
}

#[test]
fn golden_hidden_states() {
    for (folder, cases) in golden_folders("golden hidden states") {
        let loaded = model(&folder);
        let packed = Packed::new(&cases.input_ids, &cases.mask_pos);
        let states = loaded
            .model
            .hidden_states(packed.batch(), &Probes::unperturbed());
        assert_eq!(states.len(), cases.hidden_layer_sums.len());
        for (state, recorded) in states.iter().zip(&cases.hidden_layer_sums) {
            let sum: f64 = state.clone().into_data().iter::<f32>().map(f64::from).sum();
            close("sum of a hidden state", sum, *recorded, 1e-2);
        }
        let last: Vec<f32> = states
            .last()
            .unwrap()
            .clone()
            .into_data()
            .iter::<f32>()
            .collect();
        let width = loaded.config.hidden_size;
        let worst = worst_of(&cases.hidden_case0_last, |token| {
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

/// The largest difference between recorded rows and ours.
fn worst_of(recorded: &[Vec<f64>], ours: impl Fn(usize) -> Vec<f64>) -> f64 {
    let mut worst = 0.0f64;
    for (row, recorded) in recorded.iter().enumerate() {
        let ours = ours(row);
        assert_eq!(ours.len(), recorded.len());
        for (a, b) in ours.iter().zip(recorded) {
            worst = worst.max((a - b).abs());
        }
    }
    worst
}
