//! What a step is made of.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::Bench;
use super::budget::Share;
use super::part::Case;
use crate::bench::step::{Phases, step};

/// A step whose kernels wait for the device wherever a phase ends: each phase is told truly, but the sum is more than a
/// step takes that nobody interrupts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Instrumented {
    /// Steps timed.
    pub steps: usize,
    /// Seconds of such a step, the mean.
    pub step_s: f64,
    /// What they went to.
    pub phases: Phases,
}

impl Bench {
    pub(super) fn phases(&self, case: Case, share: Share) -> Instrumented {
        let mut subject = self.subject(case);
        let before = subject.batches();
        for number in 0..before {
            step(&mut subject, number);
        }
        let mut sum = Phases::default();
        let (mut steps, mut seconds) = (0, 0.0);
        let [fewest, _] = self.scale.steps;
        while steps < 2 * fewest && (steps == 0 || !share.is_up()) {
            let start = Instant::now();
            let phases = step(&mut subject, before + steps);
            seconds += start.elapsed().as_secs_f64();
            sum = sum.combined(phases, |a, b| a + b);
            steps += 1;
        }
        let mean = |total: f64| total / steps as f64;
        Instrumented {
            steps,
            step_s: mean(seconds),
            phases: sum.combined(sum, |a, _| mean(a)),
        }
    }
}
