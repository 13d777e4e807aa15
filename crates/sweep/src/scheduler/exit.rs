//! The exit codes of a worker that mean something to a sweep.

/// The run is finished.
pub const DONE: i32 = 0;
/// The spec, the model or the data is wrong.
pub const BAD_INPUT: i32 = 3;
/// Another process is at this run.
pub const HELD: i32 = 75;
/// Stopped at a step boundary; the run goes on from there when it is started again.
pub const STOPPED: i32 = 85;
