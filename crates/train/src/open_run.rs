//! Runs whose attempt has begun, and their ends.

use std::path::Path;
use std::rc::Rc;

use mezo_run::{EndReason, Lease, OpenAttempt, journal_length};

use crate::control::{Control, Done, Ending};
use crate::error::TrainError;

/// A run whose attempt has begun.
pub(crate) struct Open<'a> {
    /// Among the runs of the batch.
    pub(crate) place: usize,
    pub(crate) dir: &'a Path,
    pub(crate) control: &'a dyn Control,
    pub(crate) attempt: OpenAttempt,
    /// Held until the attempt's end is written.
    pub(crate) lease: Rc<Lease>,
}

impl Open<'_> {
    /// Writes the end of the attempt, and lets go of the run.
    pub(crate) fn end(self, ended: Result<Done, TrainError>, ends: &mut Ends) {
        let Self {
            place,
            dir,
            control,
            attempt,
            lease,
        } = self;
        let ended = close(attempt, dir, ended);
        drop(lease);
        ends.add(place, control, ended);
    }
}

/// Writes the end of an attempt.
fn close(
    attempt: OpenAttempt,
    dir: &Path,
    ended: Result<Done, TrainError>,
) -> Result<Ending, TrainError> {
    match &ended {
        Ok(done) => {
            let reason = match done.ending {
                Ending::Finished => EndReason::Finished,
                Ending::Diverged => EndReason::Diverged,
                Ending::Stopped { .. } => EndReason::Stopped,
            };
            attempt.end(reason, done.steps, None)?;
        }
        // The run is another's now, and so are its files.
        Err(error) if error.is_held() => {}
        Err(error) => {
            let failure = Some((error.class(), error.to_string()));
            // What went wrong first is what the caller hears of, even where this line cannot be written either.
            let _ = attempt.end(EndReason::Failed, journal_length(dir), failure);
        }
    }
    ended.map(|done| done.ending)
}

/// How runs ended, each with its place among them.
#[derive(Debug, Default)]
pub(crate) struct Ends(Vec<(usize, Result<Ending, TrainError>)>);

impl Ends {
    pub(crate) fn add(
        &mut self,
        place: usize,
        control: &dyn Control,
        ended: Result<Ending, TrainError>,
    ) {
        control.ended(ended.as_ref().copied());
        self.0.push((place, ended));
    }

    pub(crate) fn in_order(mut self) -> Vec<Result<Ending, TrainError>> {
        self.0.sort_by_key(|(place, _)| *place);
        self.0.into_iter().map(|(_, ended)| ended).collect()
    }
}
