//! Runs and the processes that compute them.
//!
//! The data walks one way: a [`mezo_spec::Spec`] is read from TOML and expands to points, the caller
//! turns each point into a [`Run`] (an id and a directory), a [`Plan`] says from the files alone what state each run is in, and [`run`] starts
//! processes, each for a run or for several of one company, and watches the runs' journals.
//!
//! This crate knows a run by its files and a worker by its exit code, never by their code.

mod crew;
mod device;
pub mod estimate;
mod event;
pub mod exit;
mod folder;
mod hands;
mod member;
mod plan;
mod policy;
mod pool;
mod reason;
mod retry;
pub mod slurm;
mod tail;
mod together;
mod worker;

pub use device::{BadSelection, Device, Fleet, Machine, NoDevice, Selection};
pub use estimate::{Pace, human_time, sweep_time_left};
pub use event::{Event, Outcome, Watch};
pub use folder::{Folder, FolderError, runs_in};
pub use mezo_run::{Class, Holder, RunError, alone_in};
pub use plan::{Counts, Plan, PlanError, Run, State};
pub use policy::Failure;
pub use pool::{Orders, run};
pub use reason::{Cause, Reason};
pub use retry::retry;
pub use tail::Progress;
pub use together::{BadTogether, DeviceKind, Together, largest_crew, open_files, together_limit};
pub use worker::{Patience, WorkerCommand};
