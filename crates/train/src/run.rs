//! One run on its directory: taken up where its files say, carried on to its result.

use std::path::Path;

use mezo_run::{EndReason, Lease, OpenAttempt, RESULT, STEPS};

use crate::error::TrainError;
use crate::journal::Step;
use crate::manifest::Manifest;
use crate::panics::guarded;
use crate::work::work;

/// How a call of [`run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The result is written.
    Finished,
    /// The result is written: the loss was no longer finite.
    Diverged,
    /// Asked to stop; the journal holds everything up to this step.
    Stopped {
        /// Steps done.
        step: u64,
    },
}

/// What a caller sees and says while a run is under way.
pub trait Control {
    /// Whether to stop at the next step boundary.
    fn stop(&self) -> bool;
    /// A step is done.
    fn step(&mut self, step: &Step, of: u64);
    /// Files of the run are damaged, and this is what is done about it.
    fn warn(&mut self, what: &str);
}

/// Carries a run on to its end, or to the next step boundary after [`Control::stop`].
///
/// # Errors
/// If the run is held by another process, its files or what they name cannot be used, or cannot be written. What was
/// done before stays.
pub fn run(dir: &Path, device_name: &str, control: &mut dyn Control) -> Result<Ending, TrainError> {
    let manifest = Manifest::read(dir)?;
    if dir.join(RESULT).exists() {
        return Ok(Ending::Finished);
    }
    let lease = Lease::take(dir)?;
    // Who held the run just before may have finished it.
    if dir.join(RESULT).exists() {
        return Ok(Ending::Finished);
    }
    let threads = rayon::current_num_threads();
    let attempt = OpenAttempt::start(dir, lease.attempt(), device_name, threads)?;
    let ended = guarded(|| work(dir, &lease, &manifest, device_name, control))
        .unwrap_or_else(|message| Err(TrainError::Panicked { message }));
    match &ended {
        Ok((ending, steps)) => {
            let reason = match ending {
                Ending::Finished => EndReason::Finished,
                Ending::Diverged => EndReason::Diverged,
                Ending::Stopped { .. } => EndReason::Stopped,
            };
            attempt.end(reason, *steps, None)?;
        }
        // The run is another's now, and so are its files.
        Err(error) if error.is_held() => {}
        Err(error) => {
            let failure = Some((error.class(), error.to_string()));
            // What went wrong first is what the caller hears of, even where this line cannot be written either.
            let _ = attempt.end(EndReason::Failed, journal_length(dir), failure);
        }
    }
    ended.map(|(ending, _)| ending)
}

/// Whole lines of the journal, none where it cannot be read.
fn journal_length(dir: &Path) -> u64 {
    let bytes = std::fs::read(dir.join(STEPS)).unwrap_or_default();
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}
