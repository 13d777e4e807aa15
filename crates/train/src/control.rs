//! What a caller is told of a run, and how a run ends.

use mezo_run::{EvalSplit, Step};

use crate::error::TrainError;

/// How a call of [`run`](crate::run) ended.
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

/// What a caller is told, and may ask for, while a run is under way.
pub trait Control {
    /// Whether to stop at the next step boundary.
    fn stop(&self) -> bool;
    /// The run is held, and the start of this attempt is written.
    fn started(&self, _attempt: u64) {}
    /// A step's line is written.
    fn step(&self, step: &Step, of: u64);
    /// The lines of an evaluation are written; the accuracy is none where the scores were not finite.
    fn evaluated(&self, _step: u64, _split: EvalSplit, _accuracy: Option<f64>) {}
    /// The process is at something that writes no line: it replays steps or evaluates. Called often.
    fn alive(&self) {}
    /// Files of the run are damaged, and this is what is done about it.
    fn warn(&self, what: &str);
    /// The run has come to its end, or could not begin; runs beside it may go on. It is let go of.
    fn ended(&self, _how: Result<Ending, &TrainError>) {}
}

/// What a run's end is told by.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) ending: Ending,
    /// Lines of its journal.
    pub(crate) steps: u64,
}
