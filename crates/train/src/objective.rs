//! What a step makes small: a loss of each probe from its scores.

use mezo_model::{Scores, prediction};
use mezo_spec::Objective;

/// The loss of the batch as each probe sees it; not a number where a score is none.
pub(crate) fn losses(objective: Objective, scores: &Scores, labels: &[usize]) -> Vec<f64> {
    let of_predictions = |measure: fn(&[usize], &[usize], usize) -> f64| {
        (0..scores.probes)
            .map(|probe| {
                let predicted: Option<Vec<usize>> = (0..scores.rows)
                    .map(|row| prediction(scores.row(probe, row)))
                    .collect();
                predicted.map_or(f64::NAN, |predicted| {
                    1.0 - measure(&predicted, labels, scores.classes)
                })
            })
            .collect()
    };
    match objective {
        Objective::CrossEntropy => scores.losses(labels),
        Objective::Accuracy => of_predictions(accuracy),
        Objective::F1 => of_predictions(macro_f1),
    }
}

fn accuracy(predicted: &[usize], labels: &[usize], _classes: usize) -> f64 {
    let right = predicted
        .iter()
        .zip(labels)
        .filter(|(predicted, label)| predicted == label);
    right.count() as f64 / labels.len() as f64
}

/// The mean over classes of `2 TP / (2 TP + FP + FN)`, over the classes that are among the labels or the predictions
/// (scikit-learn's `f1_score(average="macro")`).
fn macro_f1(predicted: &[usize], labels: &[usize], classes: usize) -> f64 {
    let pairs = || predicted.iter().zip(labels);
    let scores: Vec<f64> = (0..classes)
        .filter_map(|class| {
            let hits = pairs()
                .filter(|(p, l)| **p == class && **l == class)
                .count();
            let named = predicted.iter().filter(|&&p| p == class).count();
            let there = labels.iter().filter(|&&l| l == class).count();
            (named + there > 0).then(|| 2.0 * hits as f64 / (named + there) as f64)
        })
        .collect();
    scores.iter().sum::<f64>() / scores.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_is_scikit_learns() {
        // sklearn.metrics.f1_score([0, 1, 2, 0, 1, 2], [0, 2, 1, 0, 0, 1], average="macro")
        let f1 = macro_f1(&[0, 2, 1, 0, 0, 1], &[0, 1, 2, 0, 1, 2], 4);
        assert!((f1 - 0.266_666_666_666_666_6).abs() < 1e-15, "{f1}");
        assert_eq!(macro_f1(&[1, 1], &[1, 1], 2), 1.0);
    }

    #[test]
    fn accuracy_is_the_share_that_is_right() {
        assert_eq!(accuracy(&[0, 1, 1, 0], &[0, 1, 0, 0], 2), 0.75);
    }
}
