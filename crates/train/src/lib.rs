//! MeZO runs on their directories.
//!
//! [`Resolver`] reads and checks everything that a [`mezo_spec::RunSpec`] names and makes a [`mezo_run::RunPlan`] of it, whose
//! id is a hash of all that changes the numbers. [`run`] takes a directory with a manifest to its result: each
//! step's seed and projected gradient go into the journal before the parameters move, so a run that was stopped at any
//! instant goes on as if nothing had happened. [`run_together`] does the same for several runs that share their frozen weights,
//! as those of one [`batch_key`] do: their passes are made as one.

mod batch;
mod bench;
mod cost;
mod disk;
mod error;
mod evaluate;
mod export;
mod initial;
mod learner;
mod linear_probe;
mod logistic;
mod materials;
mod mezo;
mod objective;
mod panics;
mod pass;
mod recover;
mod refusal;
mod replay;
mod resolve;
mod run;
mod scale;
mod seal;
mod sizes;
mod snapshot;
mod together;
mod training;
mod training_run;
mod work;

pub use batch::{NotTogether, batch_key};
pub use bench::{
    BenchError, NoiseTimes, Pass, Phases, Shape, StepTimes, Subject, Tuned, WORDS, builtin_run,
    gpu, peak_of, prompts, time_bare_steps, time_noise, time_steps,
};
pub use cost::{Cost, Work};
pub use disk::disk_bytes;
pub use error::TrainError;
pub use export::export;
pub use mezo::{Measure, step_seed, terms};
pub use mezo_model::device::{cuda_devices, cuda_memory, cuda_name, why_no_cuda};
pub use mezo_model::{Builtin, ModelError};
pub use mezo_run::{Attempt, Class, End, EndReason, RunError, Start};
pub use resolve::Resolver;
pub use run::{BatchedRun, Control, Ending, run, run_together};
pub use sizes::{Part, Sizes};
