//! One run on its directory: taken up where its files say, carried on to its result.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use crate::attempts::{EndReason, OpenAttempt};
use crate::error::TrainError;
use crate::journal::Step;
use crate::manifest::Manifest;
use crate::work::{STEPS, work};

/// How often a lock that is held is asked for again.
const LOCK_TRIES: u32 = 10;

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
}

/// Whether there is a device of this name, so that a sweep need not start every run to learn that there is none.
///
/// # Errors
/// If there is none here.
pub fn check_device(name: &str) -> Result<(), TrainError> {
    mezo_model::device::open(name)?;
    Ok(())
}

/// Carries a run on to its end, or to the next step boundary after [`Control::stop`].
///
/// # Errors
/// If the run is held by another process, its files or what they name cannot be used, or cannot be written. What was
/// done before stays.
pub fn run(dir: &Path, device_name: &str, control: &mut dyn Control) -> Result<Ending, TrainError> {
    let manifest = Manifest::read(dir)?;
    let _lock = lock(dir)?;
    if dir.join("result.json").exists() {
        return Ok(Ending::Finished);
    }
    let attempt = OpenAttempt::start(dir, device_name)?;
    let ended = work(dir, &manifest, device_name, control);
    match &ended {
        Ok((ending, steps)) => {
            let reason = match ending {
                Ending::Finished => EndReason::Finished,
                Ending::Diverged => EndReason::Diverged,
                Ending::Stopped { .. } => EndReason::Stopped,
            };
            attempt.end(reason, *steps, None)?;
        }
        Err(error) => {
            // What went wrong first is what the caller hears of, even where this line cannot be written either.
            let _ = attempt.end(
                EndReason::Failed,
                journal_length(dir),
                Some(error.to_string()),
            );
        }
    }
    ended.map(|(ending, _)| ending)
}

/// Whole lines of the journal, none where it cannot be read.
fn journal_length(dir: &Path) -> u64 {
    let bytes = std::fs::read(dir.join(STEPS)).unwrap_or_default();
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Takes the run's lock; it is let go when the file is dropped, by whatever end of the process.
fn lock(dir: &Path) -> Result<File, TrainError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(TrainError::file(&path, "make"))?;
    let mut tries = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Somebody who only asks whether the run is held holds the lock for a moment.
            Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(TrainError::Held { path }),
            Err(TryLockError::Error(source)) => {
                return Err(TrainError::File {
                    path,
                    doing: "lock",
                    source,
                });
            }
        }
    }
}
