//! From a spec to runs, and the processes that carry them out.
//!
//! The data walks one way: a [`Spec`] is read from TOML and expands to [`Point`]s, the caller
//! turns each point into its own configuration and from that into a [`Run`] (an id and a
//! directory), a [`Plan`] says from the files alone what state each run is in, and [`run`] starts
//! one process a run and watches their journals.
//!
//! This crate knows a run by its files and a worker by its exit code, never by their code.

mod axis;
mod error;
pub mod estimate;
mod excerpt;
mod expand;
mod grid;
mod hint;
mod plan;
mod pool;
mod problem;
mod spec;
mod tail;
mod translate;
mod worker;

pub use error::SpecError;
pub use estimate::{Pace, grouped, human_time, sweep_time_left};
pub use excerpt::Excerpt;
pub use expand::{MAX_RUNS, Point, Swept};
pub use plan::{Counts, Plan, PlanError, Run, State};
pub use pool::{Event, Outcome, Watch, run};
pub use problem::Problem;
pub use spec::Spec;
pub use worker::{Cause, Reason, WorkerCommand, exit};
