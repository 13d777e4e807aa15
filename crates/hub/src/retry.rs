//! Which failures pass, and how long they are waited for.

use std::time::Duration;

use crate::error::HubError;
use crate::progress::{Event, Progress};

/// Failures in a row after which no further attempt is made.
const ATTEMPTS: u32 = 6;
/// The longest wait that a hub may ask for and get.
const LONGEST: Duration = Duration::from_secs(300);

/// A failure, and whether it is worth another attempt.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Box<HubError>,
    pub(crate) again: Again,
}

#[derive(Debug)]
pub(crate) enum Again {
    Never,
    Soon,
    /// After the time that the hub asks for.
    After(Duration),
}

impl Failed {
    pub(crate) fn passing(error: HubError) -> Self {
        Self::new(error, Again::Soon)
    }

    pub(crate) fn new(error: HubError, again: Again) -> Self {
        let error = Box::new(error);
        Self { error, again }
    }
}

impl From<HubError> for Failed {
    fn from(error: HubError) -> Self {
        Self::new(error, Again::Never)
    }
}

/// The failures in a row so far. Each is waited for twice as long as the one before.
#[derive(Debug)]
pub(crate) struct Patience {
    failures: u32,
    first_pause: Duration,
}

impl Patience {
    pub(crate) fn new(first_pause: Duration) -> Self {
        Self {
            failures: 0,
            first_pause,
        }
    }

    /// Something came through: the next failure is the first in a row again.
    pub(crate) fn renew(&mut self) {
        self.failures = 0;
    }

    /// Waits until the next attempt, or gives up.
    pub(crate) fn bear(
        &mut self,
        failed: Failed,
        progress: &mut dyn Progress,
    ) -> Result<(), HubError> {
        self.failures += 1;
        let pause = match failed.again {
            Again::Never => return Err(*failed.error),
            Again::Soon => self.first_pause * (1 << (self.failures - 1).min(8)),
            Again::After(pause) if pause > LONGEST => return Err(*failed.error),
            Again::After(pause) => pause,
        };
        if self.failures >= ATTEMPTS {
            return Err(HubError::GaveUp {
                attempts: self.failures,
                source: failed.error,
            });
        }
        let error = &failed.error;
        progress.event(Event::Again { error, pause });
        std::thread::sleep(pause);
        Ok(())
    }

    /// Attempts something until it succeeds, fails for good, or has failed often enough.
    pub(crate) fn attempt<T>(
        mut self,
        progress: &mut dyn Progress,
        mut something: impl FnMut() -> Result<T, Failed>,
    ) -> Result<T, HubError> {
        loop {
            match something() {
                Ok(done) => return Ok(done),
                Err(failed) => self.bear(failed, progress)?,
            }
        }
    }
}
