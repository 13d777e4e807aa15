//! How far two orders agree.

use std::cmp::Ordering;

use serde::Serialize;

/// Kendall's rank correlation of our numbers and the paper's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Agreement {
    /// Kendall's tau-b: 1 for the same order, -1 for the opposite one. None where all our numbers, or all of
    /// the paper's, are the same.
    pub tau: Option<f64>,
    /// Over how many pairs of numbers.
    pub n: usize,
}

impl Agreement {
    /// Of pairs of our number and the paper's; none with fewer than two, which have no order.
    ///
    /// `tau = (C - D) / sqrt((P - X) (P - Y))` with `P` pairs of rows of which `C` stand in the same order and
    /// `D` in opposite ones, `X` are ties among ours and `Y` among the paper's (Kendall 1945).
    pub(super) fn of(numbers: &[(f64, f64)]) -> Option<Self> {
        let n = numbers.len();
        if n < 2 {
            return None;
        }
        let (mut sum, mut ours, mut papers) = (0_i64, 0_u64, 0_u64);
        for (place, first) in numbers.iter().enumerate() {
            for second in &numbers[..place] {
                let (x, y) = (order(first.0, second.0), order(first.1, second.1));
                sum += x * y;
                ours += x.unsigned_abs();
                papers += y.unsigned_abs();
            }
        }
        let scale = (ours as f64 * papers as f64).sqrt();
        let tau = (scale > 0.0).then(|| sum as f64 / scale);
        Some(Self { tau, n })
    }
}

fn order(a: f64, b: f64) -> i64 {
    match a.total_cmp(&b) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tau_counts_pairs_in_the_same_order() {
        let tau = |numbers: &[(f64, f64)]| Agreement::of(numbers).unwrap().tau;
        assert_eq!(tau(&[(1.0, 10.0), (2.0, 20.0), (3.0, 30.0)]), Some(1.0));
        assert_eq!(tau(&[(1.0, 30.0), (2.0, 20.0), (3.0, 10.0)]), Some(-1.0));
        // Two of three pairs in order: (2 - 1) / 3.
        assert_eq!(
            tau(&[(1.0, 10.0), (3.0, 20.0), (2.0, 30.0)]),
            Some(1.0 / 3.0)
        );
        // scipy.stats.kendalltau([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) is -0.4714045207910316.
        let tied = [(12.0, 1.0), (2.0, 4.0), (1.0, 7.0), (12.0, 1.0), (2.0, 0.0)];
        assert!((tau(&tied).unwrap() + 0.471_404_520_791_031_6).abs() < 1e-15);
    }

    #[test]
    fn one_number_has_no_order() {
        assert_eq!(Agreement::of(&[(1.0, 2.0)]), None);
        let same = Agreement::of(&[(1.0, 2.0), (1.0, 3.0)]).unwrap();
        assert_eq!((same.tau, same.n), (None, 2));
    }
}
