//! The penalised loss, its gradient, and variables in which it is easy to minimise.

/// The loss over some examples. Weights lie one class after the other, each with its bias last: `[K, H + 1]`.
pub(super) struct Objective<'a> {
    pub(super) features: &'a [f32],
    pub(super) width: usize,
    pub(super) labels: &'a [usize],
    pub(super) classes: usize,
    pub(super) rows: &'a [usize],
    pub(super) c: f64,
}

impl Objective<'_> {
    /// How many weights there are.
    pub(super) fn len(&self) -> usize {
        self.classes * (self.width + 1)
    }

    /// The value, and the gradient written over what was in `gradient`.
    pub(super) fn evaluate(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let mut value = self.penalty(weights, gradient);
        let mut scores = vec![0.0; self.classes];
        for &row in self.rows {
            let features = self.features_of(row);
            self.scores(weights, features, &mut scores);
            let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let label = self.labels[row];
            let above = largest - scores[label];
            let mut total = 0.0;
            for score in &mut scores {
                *score = (*score - largest).exp();
                total += *score;
            }
            value += above + total.ln();
            let classes = gradient.chunks_exact_mut(self.width + 1);
            for (class, (own, score)) in classes.zip(&scores).enumerate() {
                let error = score / total - f64::from(u8::from(class == label));
                let (weights, bias) = own.split_at_mut(self.width);
                for (weight, &feature) in weights.iter_mut().zip(features) {
                    *weight += error * f64::from(feature);
                }
                bias[0] += error;
            }
        }
        value
    }

    fn penalty(&self, weights: &[f64], gradient: &mut [f64]) -> f64 {
        let mut squares = 0.0;
        let classes = weights.chunks_exact(self.width + 1);
        for (own, slope) in classes.zip(gradient.chunks_exact_mut(self.width + 1)) {
            for (slope, &weight) in slope.iter_mut().zip(&own[..self.width]) {
                *slope = weight / self.c;
                squares += weight * weight;
            }
            slope[self.width] = 0.0;
        }
        squares / (2.0 * self.c)
    }

    /// The class with the highest score, the first of equals.
    pub(super) fn prediction(&self, weights: &[f64], row: usize) -> usize {
        let mut scores = vec![0.0; self.classes];
        self.scores(weights, self.features_of(row), &mut scores);
        let better = |best, class| {
            if scores[class] > scores[best] {
                class
            } else {
                best
            }
        };
        (0..self.classes).fold(0, better)
    }

    fn features_of(&self, row: usize) -> &[f32] {
        &self.features[row * self.width..][..self.width]
    }

    fn scores(&self, weights: &[f64], features: &[f32], scores: &mut [f64]) {
        for (score, own) in scores.iter_mut().zip(weights.chunks_exact(self.width + 1)) {
            *score = dot(&own[..self.width], features) + own[self.width];
        }
    }
}

/// A product in eight sums side by side, which the compiler can keep in vector registers.
fn dot(weights: &[f64], features: &[f32]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (weights, weights_left) = weights.as_chunks::<LANES>();
    let (features, features_left) = features.as_chunks::<LANES>();
    for (weights, features) in weights.iter().zip(features) {
        for lane in 0..LANES {
            sums[lane] += weights[lane] * f64::from(features[lane]);
        }
    }
    let left = weights_left.iter().zip(features_left);
    let left: f64 = left
        .map(|(weight, &feature)| weight * f64::from(feature))
        .sum();
    sums.iter().sum::<f64>() + left
}

/// A change of variables that leaves the optimum where it is and makes the loss round.
///
/// A model's features have means far from 0 and spreads far apart, and a quasi-Newton method then needs thousands of
/// steps. In the variables `u`, `w_j = s_j u_j` and `b = s u - sum_j w_j m_j`, features count from their means `m` and
/// are as steep as the penalty lets them be; the penalty is still that of `w`.
pub(super) struct Precondition {
    mean: Vec<f64>,
    scale: Vec<f64>,
    bias_scale: f64,
}

/// A guess at `p (1 - p)`, the curvature of an example's loss. It only has to be of the right size.
const CURVATURE: f64 = 0.1;

impl Precondition {
    pub(super) fn of(objective: &Objective<'_>) -> Self {
        let n = objective.rows.len() as f64;
        let mut mean = vec![0.0; objective.width];
        for &row in objective.rows {
            for (mean, &feature) in mean.iter_mut().zip(objective.features_of(row)) {
                *mean += f64::from(feature) / n;
            }
        }
        let mut spread = vec![0.0; objective.width];
        for &row in objective.rows {
            let features = objective.features_of(row).iter().zip(&mean);
            for (spread, (&feature, mean)) in spread.iter_mut().zip(features) {
                *spread += (f64::from(feature) - mean).powi(2);
            }
        }
        let steep = |spread: &f64| (CURVATURE * spread + 1.0 / objective.c).sqrt().recip();
        Self {
            mean,
            scale: spread.iter().map(steep).collect(),
            bias_scale: (CURVATURE * n).sqrt().recip(),
        }
    }

    fn width(&self) -> usize {
        self.mean.len()
    }

    /// `u` to weights.
    pub(super) fn weights(&self, point: &[f64], weights: &mut [f64]) {
        let classes = point.chunks_exact(self.width() + 1);
        for (point, own) in classes.zip(weights.chunks_exact_mut(self.width() + 1)) {
            let mut shift = 0.0;
            for at in 0..self.width() {
                own[at] = self.scale[at] * point[at];
                shift += own[at] * self.mean[at];
            }
            own[self.width()] = self.bias_scale * point[self.width()] - shift;
        }
    }

    /// Weights to `u`.
    pub(super) fn inverse(&self, weights: &[f64]) -> Vec<f64> {
        let mut point = weights.to_vec();
        for own in point.chunks_exact_mut(self.width() + 1) {
            let shift: f64 = own
                .iter()
                .zip(&self.mean)
                .map(|(own, mean)| own * mean)
                .sum();
            own[self.width()] = (own[self.width()] + shift) / self.bias_scale;
            for (own, scale) in own.iter_mut().zip(&self.scale) {
                *own /= scale;
            }
        }
        point
    }

    /// The gradient by weights to that by `u`.
    pub(super) fn slope(&self, gradient: &[f64], slope: &mut [f64]) {
        let classes = gradient.chunks_exact(self.width() + 1);
        for (gradient, slope) in classes.zip(slope.chunks_exact_mut(self.width() + 1)) {
            let bias = gradient[self.width()];
            for at in 0..self.width() {
                slope[at] = self.scale[at] * (gradient[at] - self.mean[at] * bias);
            }
            slope[self.width()] = self.bias_scale * bias;
        }
    }
}
