//! How many estimates each step makes, and which batches they see.

use mezo_spec::{Estimates, EstimatesSchedule};

/// How many estimates each step makes, and which batches they see.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    spec: Estimates,
    steps: u64,
    /// How many estimates were made before each step, where every estimate sees a batch of its own and their number
    /// changes.
    before: Vec<u64>,
    own_batches: bool,
}

impl Counts {
    /// For a run of `steps`. With `own_batches` each estimate sees a new batch (algorithm 2), else all of a step see one
    /// (trainer.py:595-660).
    pub(crate) fn new(estimates: Option<&Estimates>, steps: u64, own_batches: bool) -> Self {
        let one = Estimates {
            count: 1,
            schedule: EstimatesSchedule::Constant,
            scale_lr: false,
        };
        let mut counts = Self {
            spec: estimates.cloned().unwrap_or(one),
            steps,
            before: Vec::new(),
            own_batches,
        };
        if own_batches && counts.spec.schedule == EstimatesSchedule::Linear {
            let mut sum = 0;
            for step in 1..=steps {
                counts.before.push(sum);
                sum += u64::from(counts.at(step));
            }
        }
        counts
    }

    /// The estimates of a step, counted from 1; linear as in trainer.py:387-398.
    pub(crate) fn at(&self, step: u64) -> u32 {
        let count = self.spec.count;
        match self.spec.schedule {
            EstimatesSchedule::Constant => count,
            EstimatesSchedule::Linear => {
                let share = u128::from(step - 1) * u128::from(count) / u128::from(self.steps);
                // Less than `count`, which is a u32.
                (share as u32).max(1)
            }
        }
    }

    /// The number of the batch that an estimate of a step sees, counted from 0.
    pub(crate) fn batch(&self, step: u64, estimate: u32) -> u64 {
        if !self.own_batches {
            return step - 1;
        }
        let before = match self.before.get(step as usize - 1) {
            Some(&before) => before,
            None => (step - 1) * u64::from(self.spec.count),
        };
        before + u64::from(estimate)
    }

    /// What the learning rate of a step is multiplied by: the number of its estimates, where the spec says so (Table 6).
    pub(crate) fn lr_factor(&self, step: u64) -> f64 {
        match self.spec.scale_lr {
            true => f64::from(self.at(step)),
            false => 1.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(schedule: EstimatesSchedule, own_batches: bool) -> Counts {
        let estimates = Estimates {
            count: 4,
            schedule,
            scale_lr: false,
        };
        Counts::new(Some(&estimates), 8, own_batches)
    }

    #[test]
    fn estimates_grow_as_the_reference_has_it() {
        let linear = counts(EstimatesSchedule::Linear, true);
        let at: Vec<u32> = (1..=8).map(|step| linear.at(step)).collect();
        assert_eq!(at, [1, 1, 1, 1, 2, 2, 3, 3]);
        let constant = counts(EstimatesSchedule::Constant, true);
        assert!((1..=8).all(|step| constant.at(step) == 4));
    }

    #[test]
    fn no_batch_is_left_out_or_seen_twice() {
        for schedule in [EstimatesSchedule::Linear, EstimatesSchedule::Constant] {
            let own = counts(schedule, true);
            let seen: Vec<u64> = (1..=8)
                .flat_map(|step| (0..own.at(step)).map(move |estimate| (step, estimate)))
                .map(|(step, estimate)| own.batch(step, estimate))
                .collect();
            assert!(seen.iter().copied().eq(0..seen.len() as u64), "{seen:?}");
            let shared = counts(schedule, false);
            assert_eq!([shared.batch(5, 0), shared.batch(5, 1)], [4, 4]);
        }
    }
}
