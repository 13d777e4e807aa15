//! The least time that a step could take on this machine: its multiply-adds at the rate of products of its own sizes.

use std::collections::BTreeMap;

use mezo_model::product_seconds;

use super::count::{Count, Product};

/// Multiply-adds that one measurement of a product does: some 10 ms of two cores' time.
const MULTIPLY_ADDS: u64 = 2_000_000_000;
/// Products of one measurement, the fewest and the most.
const TIMES: [u64; 2] = [3, 51];

/// How long the products of a step take, measured on this machine.
#[derive(Debug, Clone)]
pub(super) struct Rates {
    /// Seconds of one product of each kind.
    seconds: BTreeMap<Product, f64>,
}

impl Rates {
    /// Measures every kind of product that the count has, with all threads of the current pool.
    pub(super) fn measure(count: &Count) -> Self {
        let seconds = |product: &Product| {
            let times = (MULTIPLY_ADDS / product.multiply_adds().max(1)).clamp(TIMES[0], TIMES[1]);
            let Product {
                rows,
                input,
                output,
            } = *product;
            product_seconds(rows, input, output, times as usize)
        };
        Self::by(count, |product| seconds(&product))
    }

    /// As something measures every kind of product that the count has.
    pub(super) fn by(count: &Count, seconds: impl Fn(Product) -> f64) -> Self {
        let kinds = count.products.keys();
        Self {
            seconds: kinds.map(|kind| (*kind, seconds(*kind))).collect(),
        }
    }

    /// Seconds of one product of each kind, in the count's order.
    pub(super) fn seconds(&self) -> impl Iterator<Item = (Product, f64)> {
        self.seconds.iter().map(|(kind, seconds)| (*kind, *seconds))
    }

    /// As if each product took other seconds.
    pub(super) fn with(&self, change: impl Fn(f64) -> f64) -> Self {
        let changed = self.seconds();
        Self {
            seconds: changed
                .map(|(kind, seconds)| (kind, change(seconds)))
                .collect(),
        }
    }

    /// Seconds of all the count's products, each at its own rate.
    fn products(&self, count: &Count) -> f64 {
        let products = count.products.iter();
        products
            .map(|(product, &times)| self.seconds[product] * times as f64)
            .sum()
    }

    /// Multiply-adds a second over all the count's products together.
    pub(super) fn mean(&self, count: &Count) -> f64 {
        (count.multiply_adds() - count.others) as f64 / self.products(count)
    }

    /// The least time for a count: its products at their own rates, all else at the products' mean rate.
    pub(super) fn floor(&self, count: &Count) -> f64 {
        self.products(count) + count.others as f64 / self.mean(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_product_at_its_own_rate_and_the_rest_at_their_mean() {
        let product = |rows| Product {
            rows,
            input: 10,
            output: 10,
        };
        let count = Count {
            products: [(product(1), 2), (product(4), 1)].into(),
            others: 300,
        };
        let rates = Rates {
            seconds: [(product(1), 0.5), (product(4), 1.0)].into(),
        };
        // 200 + 400 multiply-adds in 2 x 0.5 + 1 seconds.
        assert_eq!(rates.mean(&count), 300.0);
        assert_eq!(rates.floor(&count), 3.0);
        let halved = rates.with(|seconds| seconds / 2.0);
        assert_eq!(halved.floor(&count), 1.5);
        let seconds: Vec<f64> = halved.seconds().map(|(_, seconds)| seconds).collect();
        assert_eq!(seconds, [0.25, 0.5]);
    }
}
