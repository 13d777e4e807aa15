//! How much is measured, and on which sizes.

use std::time::Duration;

use mezo_model::RobertaConfig;

use crate::bench::Shape;

/// How much is measured, and on which sizes.
#[derive(Debug, Clone)]
pub struct Scale {
    pub(super) base: RobertaConfig,
    pub(super) large: RobertaConfig,
    /// Of a batch.
    pub(super) sentences: usize,
    /// Compared with the CPU's.
    pub(super) normals: usize,
    /// Steps whose losses are compared with the CPU's.
    pub(super) compared_steps: usize,
    /// Runs together that are compared with each alone.
    pub(super) compared_runs: usize,
    /// Batches whose projected gradients are compared: the built-in model's, and RoBERTa-base's.
    pub(super) compared_batches: [usize; 2],
    /// Examples of an evaluation.
    pub(super) evaluated: usize,
    /// Steps of a series, the fewest and the most, where its time is not up before.
    pub(super) steps: [usize; 2],
    /// What a series takes at least, unless it has the most steps before.
    pub(super) series: Duration,
}

impl Scale {
    /// All that is to be known of a device.
    pub fn full() -> Self {
        Self {
            base: RobertaConfig::base(),
            large: RobertaConfig::large(),
            sentences: 64,
            normals: 1_000_003,
            compared_steps: 50,
            compared_runs: 8,
            compared_batches: [64, 16],
            evaluated: 1024,
            steps: [10, 400],
            series: Duration::from_secs(4),
        }
    }

    /// Every part once, on models of toy sizes: to see that all of it works.
    pub fn quick() -> Self {
        let sizes = |num_hidden_layers, hidden_size| RobertaConfig {
            vocab_size: 10_000,
            hidden_size,
            num_hidden_layers,
            num_attention_heads: 4,
            intermediate_size: 4 * hidden_size,
            ..RobertaConfig::base()
        };
        Self {
            base: sizes(2, 128),
            large: sizes(3, 128),
            normals: 100_003,
            compared_steps: 10,
            compared_batches: [8, 4],
            evaluated: 128,
            steps: [2, 10],
            series: Duration::from_millis(200),
            ..Self::full()
        }
    }

    pub(super) fn config(&self, shape: Shape) -> &RobertaConfig {
        match shape {
            Shape::Base => &self.base,
            Shape::Large => &self.large,
        }
    }
}
