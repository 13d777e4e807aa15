//! Where the time of forward passes goes.

use std::sync::atomic::{AtomicU64, Ordering};
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
    nanoseconds: [AtomicU64; 3],
}

impl Clock {
    /// The time spent in a phase so far. What threads do side by side counts as the mean over all threads of the pool, the
    /// idle ones with nothing.
    pub fn spent(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.nanoseconds[phase as usize].load(Ordering::Relaxed))
    }

    fn add(&self, phase: Phase, time: Duration) {
        self.nanoseconds[phase as usize].fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }
}

/// A look at the clock, where there is one.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Watch<'a>(pub(crate) Option<&'a Clock>);

impl Watch<'_> {
    /// Carries out work of the whole pool and adds its time to a phase.
    pub(crate) fn together<T>(self, phase: Phase, work: impl FnOnce() -> T) -> T {
        self.timed(phase, 1, work)
    }

    /// Hands work to a device; where there is a clock, what the device did before is waited for first, and then this.
    pub(crate) fn there<T>(self, phase: Phase, wait: impl Fn(), work: impl FnOnce() -> T) -> T {
        if self.0.is_none() {
            return work();
        }
        wait();
        self.together(phase, || {
            let made = work();
            wait();
            made
        })
    }

    /// Carries out a thread's piece of work and adds its share of the time to a phase.
    pub(crate) fn piece<T>(self, phase: Phase, work: impl FnOnce() -> T) -> T {
        self.timed(phase, rayon::current_num_threads() as u32, work)
    }

    fn timed<T>(self, phase: Phase, threads: u32, work: impl FnOnce() -> T) -> T {
        let Some(clock) = self.0 else {
            return work();
        };
        let start = Instant::now();
        let made = work();
        clock.add(phase, start.elapsed() / threads);
        made
    }
}
