//! `name = "ft"`: what fine-tuning by backpropagation reads.

use crate::key::{Default, Range, Role, keys};
use crate::reader::Reader;
use crate::tables::{Protocol, Training, Tuning};

keys! {
    /// Fine-tuning by backpropagation.
    pub struct FineTune {
        /// Dropout; 0.1 is RoBERTa's own.
        DROPOUT = "train.dropout" => dropout: f64 {
            range: Range::Share, default: Default::Number(0.1), role: Role::Course,
        };
        /// The largest norm of a gradient; 1 is the public code's (`max_grad_norm` of transformers).
        CLIP = "train.clip" => clip: f64 {
            range: Range::Positive, default: Default::Number(1.0), role: Role::Course,
            others: &["max_grad_norm", "grad_clip"],
        };
    }
    parts {
        /// Which parameters are trained.
        tuning: Tuning,
        /// What every training by steps reads.
        train: Training,
    }
}

impl FineTune {
    pub(crate) fn check(&mut self, reader: &mut Reader<'_>, protocol: Protocol) {
        self.train.settle(reader, protocol, true);
    }
}
