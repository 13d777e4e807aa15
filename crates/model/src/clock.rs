//! Where the time of forward passes goes.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// A kind of work within a forward pass; what is none of these is the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Making perturbed weights.
    Noise,
    /// Products with weights.
    Linear,
    /// Attention within the sentences.
    Attention,
}

/// Sums up the time of each phase over the passes that carry it ([`crate::Probes::timed`]).
#[derive(Debug, Default)]
pub struct Clock {
    spent: [Cell<Duration>; 3],
}

impl Clock {
    /// The time spent in a phase so far.
    pub fn spent(&self, phase: Phase) -> Duration {
        self.spent[phase as usize].get()
    }

    /// Carries out a piece of work and adds its time to a phase.
    pub(crate) fn time<T>(&self, phase: Phase, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let made = work();
        let spent = &self.spent[phase as usize];
        spent.set(spent.get() + start.elapsed());
        made
    }
}
