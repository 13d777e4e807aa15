//! What the exit code says.

use std::process::ExitCode;

/// The exit codes of `mezo`. Usage errors exit with 2, by the argument parser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A file, a device or the machine failed.
    Failed = 1,
    /// The spec, the model or the data is wrong; nothing was started.
    BadInput = 3,
    /// Finished with runs outstanding: the sweep was stopped, others hold some of them, or a comparison shows a number whose
    /// runs are not all done.
    Outstanding = 5,
    /// Some runs failed; the others are done.
    RunsFailed = 10,
    /// Another process holds the run.
    Held = 75,
    /// Stopped at a step boundary; the same command goes on from there.
    Stopped = 85,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
