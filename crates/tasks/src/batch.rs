//! Which examples a step sees, and how they lie in memory.

use crate::prompt::Example;
use crate::rng::SplitMix64;

/// The order in which examples are seen: a seeded shuffle each epoch, cut into batches. The last batch of an epoch may
/// be short; a batch size of the whole set or more makes every batch the whole set.
///
/// Nothing is remembered between batches, so an interrupted run goes on with the batch it would have had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    examples: usize,
    batch_size: usize,
    seed: u64,
}

impl Order {
    /// An order of `examples` in batches of `batch_size`.
    ///
    /// # Panics
    ///
    /// Where either is 0: there is no batch then.
    pub fn new(examples: usize, batch_size: usize, seed: u64) -> Self {
        assert!(examples > 0 && batch_size > 0, "a batch needs examples");
        Self {
            examples,
            batch_size,
            seed,
        }
    }

    /// How many batches an epoch has.
    pub fn batches_per_epoch(&self) -> usize {
        self.examples.div_ceil(self.batch_size)
    }

    /// The examples of a step, counted from 0.
    pub fn batch(&self, step: u64) -> Vec<usize> {
        let per_epoch = self.batches_per_epoch() as u64;
        let order = self.epoch(step / per_epoch);
        let from = (step % per_epoch) as usize * self.batch_size;
        let to = order.len().min(from.saturating_add(self.batch_size));
        order[from..to].to_vec()
    }

    fn epoch(&self, epoch: u64) -> Vec<usize> {
        let run = SplitMix64::new(self.seed).next_u64();
        let mut rng = SplitMix64::new(run ^ SplitMix64::new(epoch).next_u64().rotate_left(32));
        let mut order: Vec<usize> = (0..self.examples).collect();
        for at in (1..order.len()).rev() {
            order.swap(at, rng.below(at + 1));
        }
        order
    }
}

/// Examples end to end, without padding.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedBatch {
    /// The tokens of all examples.
    pub ids: Vec<u32>,
    /// Where in `ids` each example begins, and at the end where the last one ends: one more than there are examples.
    pub starts: Vec<usize>,
    /// Where in `ids` the token of each example stands that is read.
    pub asked: Vec<usize>,
    /// The class of each example.
    pub labels: Vec<usize>,
}

impl PackedBatch {
    /// Lays examples end to end, in the order given.
    pub fn pack<'a>(examples: impl Iterator<Item = &'a Example>) -> Self {
        let mut batch = Self {
            starts: vec![0],
            ..Self::default()
        };
        for example in examples {
            batch.asked.push(batch.ids.len() + example.asked);
            batch.labels.push(example.label);
            batch.ids.extend_from_slice(&example.ids);
            batch.starts.push(batch.ids.len());
        }
        batch
    }

    /// How many examples there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, PackedBatch};
    use crate::prompt::Example;
    use proptest::prelude::*;

    #[test]
    fn short_last_batches_are_kept() {
        // SST-5 and TREC at k = 16: 80 and 96 examples in batches of 64.
        for (examples, sizes) in [(80, [64, 16, 64, 16]), (96, [64, 32, 64, 32])] {
            let order = Order::new(examples, 64, 13);
            assert_eq!([0, 1, 2, 3].map(|step| order.batch(step).len()), sizes);
        }
        let whole = Order::new(32, 64, 13);
        assert_eq!(whole.batch(0).len(), 32);
        assert_eq!(whole.batch(99_999).len(), 32);
    }

    #[test]
    fn epochs_and_seeds_differ() {
        let order = Order::new(32, 64, 13);
        assert_ne!(order.batch(0), order.batch(1));
        assert_ne!(order.batch(0), Order::new(32, 64, 21).batch(0));
        assert_eq!(order.batch(5), Order::new(32, 64, 13).batch(5));
    }

    #[test]
    fn the_order_stays_what_it_was() {
        // Journals are replayed with it.
        assert_eq!(Order::new(8, 8, 13).batch(0), [7, 0, 3, 2, 4, 5, 1, 6]);
    }

    proptest! {
        #[test]
        fn an_epoch_sees_every_example_once(
            examples in 1usize..200,
            batch_size in 1usize..100,
            seed: u64,
            epoch in 0u64..1_000_000,
        ) {
            let order = Order::new(examples, batch_size, seed);
            let per_epoch = order.batches_per_epoch() as u64;
            let mut seen: Vec<usize> = (0..per_epoch)
                .flat_map(|at| order.batch(epoch * per_epoch + at))
                .collect();
            seen.sort_unstable();
            prop_assert_eq!(seen, (0..examples).collect::<Vec<_>>());
        }

        #[test]
        fn packing_keeps_every_example(
            prompts in prop::collection::vec((prop::collection::vec(0u32..100, 1..9), 0usize..9), 0..9),
        ) {
            let examples: Vec<Example> = prompts
                .into_iter()
                .map(|(ids, asked)| Example { asked: asked % ids.len(), label: asked % 3, ids })
                .collect();
            let batch = PackedBatch::pack(examples.iter());
            prop_assert_eq!(batch.len(), examples.len());
            prop_assert_eq!(batch.is_empty(), examples.is_empty());
            for (at, example) in examples.iter().enumerate() {
                let span = batch.starts[at]..batch.starts[at + 1];
                prop_assert_eq!(&batch.ids[span], &example.ids[..]);
                prop_assert_eq!(batch.asked[at], batch.starts[at] + example.asked);
                prop_assert_eq!(batch.labels[at], example.label);
            }
        }
    }
}
