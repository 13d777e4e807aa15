//! The runs of a sweep, and the processes that run them.
//!
//! [`plan`] goes from a spec to its runs, each checked whole by the files that it names. A [`Run`] is an id and a directory; its [`State`] follows from the directory's files alone. [`run`] starts workers on this
//! machine's devices, each with one run or with several that are batched, and acts on the [`WorkerEvent`]s that they send.
//! [`slurm`] hands the same directories to a cluster.

mod cluster;
mod folder;
pub mod plan;
mod retry;
mod scheduler;
mod state;

pub use cluster::slurm;
pub use folder::{Folder, FolderError, runs_in};
pub use mezo_run::{Class, Holder, RunError, alone_in};
pub use retry::retry;
pub use scheduler::estimate::{Pace, human_time, sweep_time_left};
pub use scheduler::exit;
pub use scheduler::{
    BadSelection, BadTogether, Cause, Device, DeviceKind, Event, EventWriter, Failure, Fleet,
    Machine, NoDevice, Outcome, Reason, RunEnd, SchedulerConfig, Selection, Timeouts, Together,
    Watch, WorkerCommand, WorkerEvent, open_files, run, together_limit,
};
pub use state::{Counts, Plan, Run, State, StateError};
