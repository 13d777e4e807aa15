//! Means over seeds.

use serde::Serialize;

/// A mean over seeds and its standard deviation with ddof 0, as the paper's tables have it
/// (`medium_models/tools/gather_result.py` prints numpy's default).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// How many seeds.
    pub n: usize,
    /// Their mean.
    pub mean: f64,
    /// Their population standard deviation.
    pub std: f64,
}

impl Spread {
    /// Over the values; none for no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let mean = mean(values)?;
        Some(Self {
            n: values.len(),
            mean,
            std: (squares(values, mean) / values.len() as f64).sqrt(),
        })
    }
}

/// A mean difference over seeds and how sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gain {
    /// How many seeds.
    pub n: usize,
    /// Their mean difference.
    pub mean: f64,
    /// The mean's standard error, from the standard deviation with ddof 1; none for one seed.
    pub standard_error: Option<f64>,
    /// The mean in standard errors; none where there is none or it is zero.
    pub ratio: Option<f64>,
}

impl Gain {
    /// Over the differences; none for no difference.
    pub fn of(differences: &[f64]) -> Option<Self> {
        let n = differences.len();
        let mean = mean(differences)?;
        let standard_error =
            (n > 1).then(|| (squares(differences, mean) / (n - 1) as f64 / n as f64).sqrt());
        let ratio = standard_error
            .filter(|error| *error > 0.0)
            .map(|error| mean / error);
        Some(Self {
            n,
            mean,
            standard_error,
            ratio,
        })
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn squares(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_spread_divides_by_n_and_the_error_by_n_minus_one() {
        let spread = Spread::of(&[1.0, 3.0]).unwrap();
        assert_eq!((spread.n, spread.mean, spread.std), (2, 2.0, 1.0));
        let gain = Gain::of(&[1.0, 3.0]).unwrap();
        assert_eq!(
            (gain.mean, gain.standard_error, gain.ratio),
            (2.0, Some(1.0), Some(2.0))
        );
    }

    #[test]
    fn one_seed_has_no_standard_error() {
        let gain = Gain::of(&[0.5]).unwrap();
        assert_eq!((gain.standard_error, gain.ratio), (None, None));
        assert_eq!(Gain::of(&[0.5, 0.5]).unwrap().ratio, None);
        assert!(Spread::of(&[]).is_none());
    }
}
