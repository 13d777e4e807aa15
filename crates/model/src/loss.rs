//! Cross-entropy over the label words, in f64.

use crate::ops::score::Scores;

/// `-log softmax(scores)[label]` of one sentence (paper section 2; medium_models/src/models.py).
pub fn cross_entropy(scores: &[f64], label: usize) -> f64 {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = scores.iter().map(|score| (score - largest).exp()).sum();
    total.ln() + largest - scores[label]
}

/// The class with the highest score, the first of equals; None when a score is no number.
pub fn prediction(scores: &[f64]) -> Option<usize> {
    if scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let mut best = 0;
    for (class, &score) in scores.iter().enumerate() {
        if score > scores[best] {
            best = class;
        }
    }
    Some(best)
}

impl Scores {
    /// Mean cross-entropy of the batch for each probe.
    pub fn losses(&self, labels: &[usize]) -> Vec<f64> {
        (0..self.probes)
            .map(|probe| {
                let sum: f64 = labels
                    .iter()
                    .enumerate()
                    .map(|(row, &label)| cross_entropy(self.row(probe, row), label))
                    .sum();
                sum / labels.len() as f64
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cross_entropy_by_hand() {
        assert!((cross_entropy(&[0.0, 0.0], 1) - 2f64.ln()).abs() < 1e-15);
        assert!((cross_entropy(&[1000.0, 0.0], 1) - 1000.0).abs() < 1e-12);
        assert!(cross_entropy(&[f64::NAN, 0.0], 1).is_nan());
    }

    #[test]
    fn the_first_of_equal_scores_wins() {
        assert_eq!(prediction(&[1.0, 2.0, 2.0]), Some(1));
        assert_eq!(prediction(&[f64::NAN, 2.0]), None);
    }
}
