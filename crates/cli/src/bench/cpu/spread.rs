//! A figure that was measured several times.

/// Its median and its range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
}

impl Spread {
    /// Of what was measured; nothing was, nothing is said.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = (values[(values.len() - 1) / 2] + values[middle]) / 2.0;
        Some(Self { median, low, high })
    }

    /// Of the quotients of what was measured side by side.
    pub fn of_quotients(
        above: impl IntoIterator<Item = f64>,
        below: impl IntoIterator<Item = f64>,
    ) -> Option<Self> {
        Self::of(above.into_iter().zip(below).map(|(a, b)| a / b))
    }

    /// `1.20 (1.10 to 1.30)`
    pub fn text(&self, places: usize) -> String {
        let Self { median, low, high } = self;
        format!("{median:.places$} ({low:.places$} to {high:.places$})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ranges() {
        assert_eq!(Spread::of([]), None);
        let spread = Spread::of([3.0, 1.0, 2.5]).expect("three values");
        assert_eq!(spread.text(1), "2.5 (1.0 to 3.0)");
        let even = Spread::of([4.0, 1.0, 2.0, 3.0]).expect("four values");
        assert_eq!(even.median, 2.5);
        let quotients = Spread::of_quotients([2.0, 6.0], [1.0, 2.0]).expect("two values");
        assert_eq!(quotients.text(2), "2.50 (2.00 to 3.00)");
    }
}
