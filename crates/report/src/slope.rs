//! Whether a loss went down: the slope of a run's loss with an interval that can be believed.
//!
//! The model is `y_t = a + b t + u_t` for steps `t = 1..n`, where `u_t` is the minibatches' noise and
//! whatever else moves the loss from step to step; it may be autocorrelated. `b` is fitted by least
//! squares. Its variance is `s^2 / Sxx`, where `Sxx = sum (t - mean t)^2 = n (n^2 - 1) / 12` and `s^2` is
//! the long-run variance of `u` (for a straight line in time the two are tied in this way whatever the
//! autocorrelation is: Grenander and Rosenblatt 1957).
//!
//! `s^2` is estimated as in Newey and West (1987), with the Bartlett kernel
//!
//! ```text
//! s^2 = (1 / (n kappa)) sum over |j| < S of (1 - |j| / S) sum_t û_t û_(t-j)
//! ```
//!
//! and the automatic lag `S = max(1.1447 (alpha n)^(1/3), 2.6 sqrt n)`, at most `n / 3`:
//!
//! - The first is the AR(1) plug-in rule of Andrews (1991), `alpha = 4 rho^2 / ((1 - rho)^2 (1 + rho)^2)`,
//!   where `rho` is the first autocorrelation of the residuals.
//! - It is blind to a slow drift under much minibatch noise, which leaves `rho` near zero. The second, twice
//!   the lag that Lazarus, Lewis, Stock and Watson (2018) recommend, is long enough to see most of such
//!   drifts, and widens the interval of pure noise by about 6 % at 1,000 steps.
//! - `kappa` makes the estimate unbiased for white noise, for which residuals of a fitted line are
//!   too small: it is the generalisation of `(n - 2) / n`, which it equals at `S = 1`.
//!
//! The interval is `b ± q s / sqrt Sxx`, with `q` from Student's t at `1.5 n / S` degrees of freedom, the
//! equivalent number for the Bartlett kernel (Lazarus et al. 2018, section 2).
//!
//! Where the interval holds zero, the same equation is solved for the number of steps at which it
//! would just cease to, were the slope and the noise to stay as they are:
//!
//! ```text
//! |b| = q(n) s sqrt(12 / n^3)
//! ```
//!
//! A series exactly so long shows the slope every second time, since the fitted slope falls on either
//! side of the true one; 1.3 times as many steps show it about four times in five.
//!
//! - Andrews, "Heteroskedasticity and autocorrelation consistent covariance matrix estimation",
//!   Econometrica 59, 1991.
//! - Grenander and Rosenblatt, "Statistical analysis of stationary time series", 1957.
//! - Lazarus, Lewis, Stock and Watson, "HAR inference: recommendations for practice", Journal of
//!   Business and Economic Statistics 36, 2018.
//! - Newey and West, "A simple, positive semi-definite, heteroskedasticity and autocorrelation
//!   consistent covariance matrix", Econometrica 55, 1987.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// With fewer steps than this no slope is given.
pub const FEWEST_STEPS: usize = 20;

/// The normal distribution's quantile at 97.5 %.
const NORMAL: f64 = 1.959_963_984_540_054;

/// Degrees of freedom from which on Student's t is nearly normal.
const MANY: f64 = 1e4;

/// A first autocorrelation nearer to one than this is taken as this (Andrews and Monahan 1992).
const LARGEST_RHO: f64 = 0.97;

/// The slope of one run's loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Slope {
    /// Steps it was fitted on.
    pub steps: usize,
    /// Change of the loss per 1,000 steps.
    pub per_1000: f64,
    /// Lower end of the 95 % interval, per 1,000 steps.
    pub low: f64,
    /// Upper end of the 95 % interval, per 1,000 steps.
    pub high: f64,
    /// The noise's long-run standard deviation `s`.
    pub long_run_sd: f64,
    /// The kernel's lag `S`.
    pub lag: f64,
    /// The number of steps that would show a slope of this size; only where the interval holds zero, and
    /// none for a slope of exactly zero, which no number would show.
    pub steps_needed: Option<u64>,
}

/// What a slope's interval says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The whole interval is below zero.
    Falls,
    /// The whole interval is above zero.
    Rises,
    /// The interval holds zero.
    NotSeen,
}

impl Verdict {
    /// The word for it in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Falls => "falls",
            Self::Rises => "rises",
            Self::NotSeen => "no slope seen",
        }
    }
}

impl Slope {
    /// What the interval says.
    pub fn verdict(&self) -> Verdict {
        if self.high < 0.0 {
            Verdict::Falls
        } else if self.low > 0.0 {
            Verdict::Rises
        } else {
            Verdict::NotSeen
        }
    }
}

/// The slope of a loss series, one value a step; none with fewer than [`FEWEST_STEPS`].
pub fn slope(losses: &[f64]) -> Option<Slope> {
    let n = losses.len();
    if n < FEWEST_STEPS {
        return None;
    }
    let line = fit(losses);
    let alpha = autocorrelation_alpha(&line.residuals);
    let lag = lag(alpha, n as f64);
    let long_run_sd = long_run_variance(&line.residuals, lag).max(0.0).sqrt();
    let half_width = quantile(n as f64, lag) * long_run_sd / line.sxx.sqrt();
    let mut slope = Slope {
        steps: n,
        per_1000: 1000.0 * line.slope,
        low: 1000.0 * (line.slope - half_width),
        high: 1000.0 * (line.slope + half_width),
        long_run_sd,
        lag,
        steps_needed: None,
    };
    if slope.verdict() == Verdict::NotSeen {
        slope.steps_needed = steps_needed(line.slope, long_run_sd, alpha);
    }
    Some(slope)
}

struct Line {
    slope: f64,
    sxx: f64,
    residuals: Vec<f64>,
}

fn fit(losses: &[f64]) -> Line {
    let n = losses.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let sum = losses.iter().sum::<f64>();
    // A loss that never moves has no slope, and must not get one from the rounding of its mean.
    let still = losses.iter().all(|loss| loss == &losses[0]);
    let mean = if still { losses[0] } else { sum / n };
    let centred = || {
        losses
            .iter()
            .enumerate()
            .map(|(t, y)| (t as f64 - middle, y - mean))
    };
    let sxx = n * (n * n - 1.0) / 12.0;
    let slope = centred().map(|(t, y)| t * y).sum::<f64>() / sxx;
    Line {
        slope,
        sxx,
        residuals: centred().map(|(t, y)| y - slope * t).collect(),
    }
}

/// Andrews' (1991, equation 6.4) alpha(1) for an AR(1) process with the residuals' autocorrelation.
fn autocorrelation_alpha(residuals: &[f64]) -> f64 {
    let variance = autocovariance(residuals, 0);
    if variance <= 0.0 {
        return 0.0;
    }
    let rho = (autocovariance(residuals, 1) / variance).clamp(-LARGEST_RHO, LARGEST_RHO);
    4.0 * rho * rho / ((1.0 - rho).powi(2) * (1.0 + rho).powi(2))
}

fn lag(alpha: f64, n: f64) -> f64 {
    (1.1447 * (alpha * n).cbrt())
        .max(2.6 * n.sqrt())
        .min(n / 3.0)
}

fn long_run_variance(residuals: &[f64], lag: f64) -> f64 {
    let n = residuals.len() as f64;
    let mut sum = 0.0;
    let mut of_the_line = 0.0;
    for j in (0..residuals.len()).take_while(|j| (*j as f64) < lag) {
        let weight = (1.0 - j as f64 / lag) * if j == 0 { 1.0 } else { 2.0 };
        sum += weight * autocovariance(residuals, j);
        of_the_line += weight * hat_trace(n, j as f64);
    }
    let kappa = 1.0 - of_the_line / n;
    sum / (n * kappa)
}

/// The sum of the products of values `j` steps apart.
fn autocovariance(values: &[f64], j: usize) -> f64 {
    values[j..]
        .iter()
        .zip(values)
        .map(|(later, earlier)| later * earlier)
        .sum()
}

/// The sum of the entries `j` off the diagonal of the hat matrix of a line on `n` equal steps,
/// `H[t, t-j] = 1/n + (t - c)(t - j - c) / Sxx`: what the fit takes from the autocovariance of white noise.
fn hat_trace(n: f64, j: f64) -> f64 {
    let terms = n - j;
    let sxx = n * (n * n - 1.0) / 12.0;
    terms / n + (terms * (terms * terms - 1.0) / 12.0 - terms * j * j / 4.0) / sxx
}

/// Student's t at 97.5 %, with the Bartlett kernel's equivalent degrees of freedom.
fn quantile(n: f64, lag: f64) -> f64 {
    let freedom = 1.5 * n / lag;
    // The library's quantile loses digits where these are many, and does not return at all from ten million on. The first
    // two terms of its expansion (Abramowitz and Stegun 26.7.5) have seven digits there.
    if freedom > MANY {
        return NORMAL + (NORMAL.powi(3) + NORMAL) / (4.0 * freedom);
    }
    // The parameters are in the distribution's domain whenever there is a step at all.
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.975))
}

/// Solves `|b| = q(n) s sqrt(12 / n^3)` for n. The quantile hardly changes with n, so that putting it
/// in again and again settles at once.
fn steps_needed(slope: f64, long_run_sd: f64, alpha: f64) -> Option<u64> {
    if slope == 0.0 || long_run_sd == 0.0 {
        return None;
    }
    let mut q = 1.96;
    let mut n = 0.0;
    for _ in 0..50 {
        n = (q * long_run_sd * 12f64.sqrt() / slope.abs()).powf(2.0 / 3.0);
        q = quantile(n, lag(alpha, n));
    }
    n.is_finite().then_some(n.ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_many_degrees_of_freedom_go_on_from_those_of_few() {
        // 1.5 n / lag is just below 1e4, and just above.
        let (few, many) = (quantile(1e4, 1.5001), quantile(1e4, 1.4999));
        assert!((few - many).abs() < 1e-6, "{few} {many}");
        assert_eq!(quantile(1e300, 1.0), NORMAL);
        assert_eq!(quantile(0.0, 0.0), f64::INFINITY);
    }

    #[test]
    fn a_slope_of_next_to_nothing_needs_next_to_endless_steps() {
        // What goes up goes down again, but for the last loss: the slope is about 1e-302 under a noise of 0.25.
        let mut losses = vec![0.0; FEWEST_STEPS];
        let last = losses.len() - 1;
        (losses[1], losses[2], losses[last - 1], losses[last - 2]) = (1.0, -1.0, 1.0, -1.0);
        losses[last] = 1e-300;
        let slope = slope(&losses).expect("there are steps enough");
        assert_eq!(slope.verdict(), Verdict::NotSeen);
        assert_eq!(slope.steps_needed, Some(u64::MAX));
    }
}
