//! A run's directory: for each of its files one type.
//!
//! A [`Manifest`] says what decides a run's numbers, a [`Step`] is a line of its journal, an [`Eval`] one of its evaluations, a
//! [`RunResult`] its end. A [`Lease`] says who holds the run, [`Attempt`]s what became of those who did. Whole files appear by
//! [`write_whole`] or not at all, and [`Lines`] grow by whole lines. Nothing here knows what a run computes.

mod attempts;
mod batch;
mod class;
mod error;
mod evaluations;
mod fault;
mod holder;
mod journal;
mod lease;
mod lines;
mod log;
mod manifest;
mod relocate;
mod result;
mod snapshot;
mod tail;
mod whole;

pub use attempts::{
    Attempt, End, EndReason, OpenAttempt, Start, add_end, add_retry, attempts, each_attempt,
};
pub use batch::{batch_key, shared_in_a_pass};
pub use class::Class;
pub use error::RunError;
pub use evaluations::{
    Eval, EvalSplit, METRICS, Metric, best_step, each_evaluation, find, take_evaluations,
};
pub use fault::FileFault;
pub use holder::Holder;
pub use journal::{
    Estimate, Step, StepStatus, check_steps, each_step, journal, journal_length, journal_path,
    last_step, take_journal,
};
pub use lease::{Lease, alone_in};
pub use lines::{Lines, read_lines};
pub use log::{log_since, open_log};
pub use manifest::{ALGORITHM, Inputs, LAYOUT, Manifest, NotOurs, RunPlan};
pub use result::{ProbeFit, Reported, RunResult, Status};
pub use snapshot::{CHECKSUM, NO_CHECKSUM, Snapshots};
pub use whole::{read_json, write_json, write_whole};

/// The journal of a run's steps.
pub const STEPS: &str = "steps.jsonl";
/// A run's evaluations.
pub const EVALS: &str = "evals.jsonl";
/// What became of each attempt at a run: the only file that knows time, host, device and arguments.
pub const ATTEMPTS: &str = "attempts.jsonl";
/// Held by the process that works on the run.
pub const LOCK: &str = "lock";
/// What a run's processes said.
pub const LOG: &str = "log.txt";
/// The last file of a run, whose presence alone means that it is finished.
pub const RESULT: &str = "result.json";
