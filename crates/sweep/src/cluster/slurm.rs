//! Slurm as the engine of a sweep: a script for an array of jobs, one a run or a few that are batched, and what its queue says of
//! them.
//!
//! Nothing has to stay alive here. A task is `mezo train` on its runs' directories, as anybody might call it, and the directories
//! say what came of it. Submitting twice is harmless: runs whose task is still in the queue are left out, and a run that is
//! carried out twice anyway is held by one of the two.

mod command;
mod queue;
mod script;
mod submission;

pub use command::SlurmError;
pub use queue::{Place, Queue};
pub use script::Job;
pub use submission::{Submission, Submitted, submissions, submit};
