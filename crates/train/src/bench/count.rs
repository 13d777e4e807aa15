//! The multiply-adds of a step: those that its losses need, and those of the formula that knows nothing of what can be left
//! out.

use std::collections::BTreeMap;

use mezo_model::RobertaConfig;
use mezo_tasks::PackedBatch;

use super::Tuned;
use super::prompts::WORDS;

/// Probes of a step.
const PROBES: usize = 2;
/// Layers' linear maps with a LoRA term: query and value.
const ADAPTED: usize = 2;

/// A product of matrices by its sizes: `[rows, input] x [input, output]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Product {
    pub(super) rows: usize,
    pub(super) input: usize,
    pub(super) output: usize,
}

impl Product {
    pub(super) fn multiply_adds(self) -> u64 {
        self.rows as u64 * self.input as u64 * self.output as u64
    }
}

/// What a step's two forward passes multiply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Count {
    /// The products with the model's matrices, and how many there are of each.
    pub(super) products: BTreeMap<Product, u64>,
    /// The multiply-adds of all else: attention, LoRA's narrow products, the label words.
    pub(super) others: u64,
}

impl Count {
    pub(super) fn multiply_adds(&self) -> u64 {
        let products = self.products.iter();
        self.others
            + products
                .map(|(product, times)| product.multiply_adds() * times)
                .sum::<u64>()
    }

    /// Of several runs whose frozen weights take the rows of all in one product.
    pub(super) fn together(&self, runs: usize) -> Self {
        let products = self.products.iter().map(|(product, times)| {
            let rows = runs * product.rows;
            (Product { rows, ..*product }, *times)
        });
        Self {
            products: products.collect(),
            others: runs as u64 * self.others,
        }
    }

    fn add(&mut self, times: usize, rows: usize, [input, output]: [usize; 2]) {
        let product = Product {
            rows,
            input,
            output,
        };
        *self.products.entry(product).or_default() += times as u64;
    }
}

/// The sizes a count is made from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    layers: usize,
    hidden: usize,
    inner: usize,
    /// Of LoRA's terms; without them all weights are trained.
    rank: Option<usize>,
}

impl Sizes {
    pub(super) fn new(config: &RobertaConfig, tuned: Tuned, rank: usize) -> Self {
        Self {
            layers: config.num_hidden_layers,
            hidden: config.hidden_size,
            inner: config.intermediate_size,
            rank: (tuned == Tuned::Lora).then_some(rank),
        }
    }

    /// What no step can do without.
    ///
    /// Of the last layer only the asked tokens' rows are wanted, behind the keys and values of all. Frozen weights take the
    /// rows of both probes in one product, and what stands before the first trained weight is made once for both.
    pub(super) fn needed(self, batch: &PackedBatch) -> Count {
        let mut count = Count {
            products: BTreeMap::new(),
            others: 0,
        };
        for layer in 0..self.layers {
            self.layer(&mut count, batch, layer);
        }
        // The head's dense layer, then the rows of the label words.
        let (times, planes) = self.planes(false);
        let sentences = batch.len();
        count.add(times, planes * sentences, [self.hidden, self.hidden]);
        count.others += product([PROBES, sentences, self.hidden, WORDS.len()]);
        count
    }

    fn layer(self, count: &mut Count, batch: &PackedBatch, layer: usize) {
        let (hidden, inner) = (self.hidden, self.inner);
        let tokens = batch.ids.len();
        let last = layer + 1 == self.layers;
        let asking = if last { batch.len() } else { tokens };
        let square = [hidden, hidden];
        // Query, key and value read what the layer before left, which under LoRA the first one shares.
        let (times, planes) = self.planes(layer == 0);
        count.add(times, planes * asking, square);
        count.add(2 * times, planes * tokens, square);
        let (times, planes) = self.planes(false);
        count.add(times, planes * asking, square);
        count.add(times, planes * asking, [hidden, inner]);
        count.add(times, planes * asking, [inner, hidden]);
        if let Some(rank) = self.rank {
            count.others += product([PROBES, asking + tokens, 2, hidden, rank]);
        }
        // Each asking token meets every token of its sentence, once for the weight and once for the mixture.
        let pairs: u64 = lengths(batch)
            .map(|length| length * if last { 1 } else { length })
            .sum();
        count.others += product([PROBES, 2, hidden]) * pairs;
    }

    /// How often a weight is multiplied, and with the rows of how many probes: trained ones differ by probe.
    fn planes(self, shared: bool) -> (usize, usize) {
        match (self.rank, shared) {
            (None, _) => (PROBES, 1),
            (Some(_), true) => (1, 1),
            (Some(_), false) => (1, PROBES),
        }
    }

    /// The formula: two probes, every layer on every token, the head on the asked ones.
    pub(super) fn naive(self, batch: &PackedBatch) -> u64 {
        let (hidden, tokens) = (self.hidden, batch.ids.len());
        let pairs: u64 = lengths(batch).map(|length| length * length).sum();
        let linear = product([tokens, hidden, 4 * hidden + 2 * self.inner]);
        let low_rank = product([tokens, ADAPTED, 2, hidden, self.rank.unwrap_or(0)]);
        let attention = product([2, hidden]) * pairs;
        let head = product([batch.len(), hidden, hidden + WORDS.len()]);
        PROBES as u64 * (self.layers as u64 * (linear + low_rank + attention) + head)
    }
}

fn lengths(batch: &PackedBatch) -> impl Iterator<Item = u64> {
    batch
        .starts
        .windows(2)
        .map(|pair| (pair[1] - pair[0]) as u64)
}

fn product<const N: usize>(factors: [usize; N]) -> u64 {
    factors.into_iter().map(|factor| factor as u64).product()
}

#[cfg(test)]
mod tests {
    use super::*;
    use mezo_tasks::Example;

    /// Two sentences, of two and of three tokens.
    fn batch() -> PackedBatch {
        let sentence = |length| Example {
            ids: vec![0; length],
            asked: 0,
            label: 0,
        };
        PackedBatch::pack([sentence(2), sentence(3)].iter())
    }

    /// Two layers, four wide, six within.
    fn sizes(rank: Option<usize>) -> Sizes {
        Sizes {
            layers: 2,
            hidden: 4,
            inner: 6,
            rank,
        }
    }

    fn products(found: &Count) -> Vec<(usize, usize, usize, u64)> {
        let products = found.products.iter();
        products
            .map(|(it, &times)| (it.rows, it.input, it.output, times))
            .collect()
    }

    #[test]
    fn all_weights_by_hand() {
        let count = sizes(None).needed(&batch());
        assert_eq!(
            products(&count),
            [
                // Last layer: query and what closes attention; the head.
                (2, 4, 4, 2 * 3),
                (2, 4, 6, 2),
                (2, 6, 4, 2),
                // First layer: four; last: key and value.
                (5, 4, 4, 2 * 6),
                (5, 4, 6, 2),
                (5, 6, 4, 2),
            ]
        );
        // Pairs: 4 + 9 in the first layer, 2 + 3 in the last; two sentences' label words.
        assert_eq!(count.others, 2 * 2 * 4 * (13 + 5) + 2 * 2 * 4 * 2);
    }

    #[test]
    fn low_rank_by_hand() {
        let count = sizes(Some(1)).needed(&batch());
        assert_eq!(
            products(&count),
            [
                (4, 4, 4, 3),
                (4, 4, 6, 1),
                (4, 6, 4, 1),
                // Query, key and value of the first layer, for both probes at once.
                (5, 4, 4, 3),
                // What closes its attention; key and value of the last.
                (10, 4, 4, 3),
                (10, 4, 6, 1),
                (10, 6, 4, 1),
            ]
        );
        let low_rank = 2 * ((5 + 5) + (2 + 5)) * 2 * 4;
        assert_eq!(count.others, low_rank + 2 * 2 * 4 * 18 + 2 * 2 * 4 * 2);
    }

    #[test]
    fn several_runs_in_one_product() {
        let alone = sizes(Some(1)).needed(&batch());
        let together = alone.together(3);
        let rows = |count: &Count| count.products.keys().map(|it| it.rows).sum::<usize>();
        assert_eq!(rows(&together), 3 * rows(&alone));
        assert_eq!(together.multiply_adds(), 3 * alone.multiply_adds());
    }

    #[test]
    fn the_formula_and_what_is_left_out() {
        for rank in [None, Some(3)] {
            let (sizes, batch) = (sizes(rank), batch());
            let low = rank.unwrap_or(0) as u64;
            // 4 H^2 + 2 H F a token, 2 H a pair, 2 x 2 H r a token.
            let layer = 5 * (4 * 16 + 2 * 24) + 2 * 4 * 13 + 5 * 2 * 2 * 4 * low;
            let naive = 2 * (2 * layer + 2 * (16 + 4 * 2));
            assert_eq!(sizes.naive(&batch), naive);
            // Three tokens more in the last layer's query, closing product and inner layers, LoRA's query, 13 - 5 pairs.
            let mut left_out = 2 * (3 * (2 * 16 + 2 * 24) + 2 * 4 * 8 + 3 * 2 * 4 * low);
            if rank.is_some() {
                // Query, key and value of the first layer.
                left_out += 5 * 3 * 16;
            }
            assert_eq!(sizes.needed(&batch).multiply_adds(), naive - left_out);
        }
    }
}
