//! MeZO runs on their directories.
//!
//! [`run`] takes a directory with a manifest to its result: each
//! step's seed and projected gradient go into the journal before the parameters move, so a run that was stopped at any
//! instant goes on as if nothing had happened. [`run_together`] does the same for several runs that share their frozen weights,
//! as those of one [`mezo_run::batch_key`] do: their passes are made as one.

mod batch;
mod begin;
mod bench;
mod control;
mod counts;
mod error;
mod estimators;
mod evaluate;
mod export;
mod forward;
mod initial;
mod linear_probe;
mod logistic;
mod materials;
mod objective;
mod open_run;
mod panics;
mod pass;
mod recover;
mod refusal;
mod replay;
mod run;
mod scale;
mod snapshot;
mod together;
mod train_state;
mod training;
mod training_run;
mod work;

pub use batch::NotTogether;
pub use bench::{
    BenchError, NoiseTimes, Pass, Phases, Shape, StepTimes, Subject, Tuned, WORDS, gpu, peak_of,
    prompts, time_bare_steps, time_noise, time_steps,
};
pub use control::{Control, Ending};
pub use error::TrainError;
pub use estimators::terms;
pub use export::export;
pub use forward::{Measure, step_seed};
pub use mezo_model::device::{cuda_devices, cuda_memory, cuda_name, why_no_cuda};
pub use run::{BatchedRun, run, run_together};
