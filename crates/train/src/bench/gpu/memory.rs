//! What steps take of the device's memory, beside what reading the weights takes.

use mezo_model::{Model, Probes, device};
use mezo_tasks::PackedBatch;
use serde::{Deserialize, Serialize};

use super::Bench;
use crate::bench::subject::Subject;
use crate::forward::batch;

/// What the device's memory pools hold, in bytes: what is in use, and what they keep for the next that asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// After forward passes of the model as it is.
    pub inference_bytes: u64,
    /// After steps.
    pub step_bytes: u64,
}

impl Memory {
    /// Steps over inference.
    pub fn ratio(self) -> f64 {
        self.step_bytes as f64 / self.inference_bytes as f64
    }
}

impl Bench {
    /// What the pools hold after forward passes over every batch at the parameters as they are; nothing where the device does
    /// not tell.
    ///
    /// The passes are made twice: choosing kernels takes memory too, which is given back in between.
    pub(super) fn inference_bytes(&self, subject: &Subject) -> Option<u64> {
        let all = || {
            for examples in &subject.batches {
                let packed = PackedBatch::pack(examples.iter());
                still_pass(&subject.model, &packed, &subject.words);
            }
        };
        all();
        self.give_back();
        all();
        self.reserved_bytes()
    }

    /// What the pools hold now.
    pub(super) fn reserved_bytes(&self) -> Option<u64> {
        self.wait();
        device::reserved_bytes(&self.device)
    }

    /// Has the pools give back what nobody uses.
    pub(super) fn give_back(&self) {
        self.wait();
        self.device.memory_cleanup();
        self.wait();
    }
}

fn still_pass(model: &Model, packed: &PackedBatch, words: &[usize]) {
    model.scores(batch(packed), words, &Probes::unperturbed());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_over_inference() {
        let memory = Memory {
            inference_bytes: 1000,
            step_bytes: 1100,
        };
        assert_eq!(memory.ratio(), 1.1);
    }
}
