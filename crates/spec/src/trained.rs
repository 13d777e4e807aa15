//! What a run trains under its protocol (docs/protocols.md).

use crate::run::RunConfig;
use crate::tables::{MethodName, Protocol, TuningName};

/// What of a model is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trained {
    /// Which weights.
    pub tuning: TuningName,
    /// Whether the head is trained beside LoRA, the prefixes or the biases.
    pub with_head: bool,
    /// The head there is.
    pub head: HeadKind,
    /// r, read for [`TuningName::Lora`].
    pub lora_rank: usize,
    /// m, read for [`TuningName::Prefix`].
    pub prefix_tokens: usize,
}

/// What turns hidden states into scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadKind {
    /// The head for words, its decoder the word table.
    Tied,
    /// The head for words with a decoder of its own.
    Untied,
    /// A classifier.
    Classifier {
        /// C
        classes: usize,
    },
}

impl Trained {
    /// What a run's method trains; nothing where it goes by no steps. `own_decoder` says that the weights bring a decoder that
    /// is not the word table.
    pub fn of(config: &RunConfig, classes: usize, own_decoder: bool) -> Option<Self> {
        let method = &config.method;
        let own = method.tuning()?;
        let reference = config.protocol == Protocol::ReferenceCode;
        let prompt = config.task.prompt;
        let untied = own_decoder || reference || method.name() == MethodName::LpMezo;
        let head = match (prompt, untied) {
            (false, _) => HeadKind::Classifier { classes },
            (true, true) => HeadKind::Untied,
            (true, false) => HeadKind::Tied,
        };
        let with_head = match (reference, own.name()) {
            // run.py:939-942 freezes what is RoBERTa's own, and the head is not.
            (true, TuningName::Lora) => true,
            // prefix.py:115-117 freezes all else, a random head included.
            (true, _) => false,
            // A random head that stays as it is would have nothing to say.
            (false, _) => !prompt,
        };
        Some(Self {
            tuning: own.name(),
            with_head,
            head,
            lora_rank: own.lora().map_or(0, |lora| lora.r),
            prefix_tokens: own.prefix().map_or(0, |prefix| prefix.tokens),
        })
    }

    /// Whether a seed draws a classifier that stays as it is: it is frozen, and yet each run's own.
    pub fn freezes_a_random_head(&self) -> bool {
        matches!(self.head, HeadKind::Classifier { .. }) && !self.with_head
    }
}
