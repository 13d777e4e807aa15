//! From a spec to runs, and the processes that carry them out.
//!
//! The data walks one way: a [`Spec`] is read from TOML and expands to [`Point`]s, the caller
//! turns each point into its own configuration and from that into a [`Run`] (an id and a
//! directory), a [`Plan`] says from the files alone what state each run is in, and [`run`] starts
//! processes, each for a run or for several of one company, and watches the runs' journals.
//!
//! This crate knows a run by its files and a worker by its exit code, never by their code.

mod axis;
mod crew;
mod device;
mod dimension;
mod entry;
mod error;
pub mod estimate;
mod event;
mod excerpt;
mod exclude;
pub mod exit;
mod expand;
mod folder;
mod grid;
mod hands;
mod hint;
mod list;
mod member;
mod plan;
mod policy;
mod pool;
mod problem;
mod reason;
mod retry;
mod schema;
pub mod slurm;
mod spec;
mod tail;
mod together;
mod translate;
mod worker;
mod zip;

pub use device::{BadSelection, Device, Fleet, Machine, NoDevice, Selection};
pub use error::SpecError;
pub use estimate::{Pace, grouped, human_time, sweep_time_left};
pub use event::{Event, Outcome, Watch};
pub use excerpt::Excerpt;
pub use expand::{MAX_RUNS, Point, Swept};
pub use folder::{Folder, FolderError, runs_in};
pub use mezo_run::{Class, Holder, RunError, alone_in};
pub use plan::{Counts, Plan, PlanError, Run, State};
pub use policy::Failure;
pub use pool::{Orders, run};
pub use problem::Problem;
pub use reason::{Cause, Reason};
pub use retry::retry;
pub use schema::schema;
pub use spec::Spec;
pub use tail::Progress;
pub use together::{BadTogether, DeviceKind, Together, largest_crew, open_files, together_limit};
pub use worker::{Patience, WorkerCommand};
