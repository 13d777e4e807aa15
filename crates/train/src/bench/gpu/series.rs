//! Many steps in a row.

use std::time::Instant;

use super::Bench;
use super::budget::Share;
use crate::bench::step::median;

/// Seconds of a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    /// How many there were.
    pub(super) steps: usize,
    /// The median of whole steps.
    pub(super) median_s: f64,
    /// All of them and the waiting at the end, over their number.
    pub(super) mean_s: f64,
}

impl Bench {
    /// Makes steps, numbered from 0, until there are enough of them or the time is up; the device is waited for once, at the
    /// end.
    ///
    /// A step reads its losses back, and so waits for its own passes and for the update of the step before.
    pub(super) fn series(&self, share: Share, mut step: impl FnMut(usize)) -> Series {
        let [fewest, most] = self.scale.steps;
        let mut seconds = Vec::new();
        self.wait();
        let start = Instant::now();
        while seconds.len() < most {
            let begun = Instant::now();
            step(seconds.len());
            seconds.push(begun.elapsed().as_secs_f64());
            let enough = seconds.len() >= fewest && start.elapsed() >= self.scale.series;
            if enough || share.is_up() {
                break;
            }
        }
        self.wait();
        let steps = seconds.len();
        Series {
            steps,
            mean_s: start.elapsed().as_secs_f64() / steps as f64,
            median_s: median(seconds.into_iter()),
        }
    }

    /// The seconds of something done once and waited for.
    pub(super) fn once(&self, work: impl FnOnce()) -> f64 {
        self.wait();
        let start = Instant::now();
        work();
        self.wait();
        start.elapsed().as_secs_f64()
    }
}
