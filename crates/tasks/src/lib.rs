//! What MeZO trains on: tasks, prompts, k-shot splits and packed batches.
//!
//! A [`Task`] is a data set as MeZO publishes it: where its files lie, its classes in their order, the
//! template that turns a row into a prompt with one mask, and the label word of each class. Rows come from
//! files ([`k_shot`], [`Task::read_file`]) or, for the built-in `made-sentiment`, from a small grammar: made, not
//! found. A [`Tokenizer`] turns rows into [`Example`]s, and [`Order`] and [`PackedBatch`] turn those into batches.
//!
//! ```
//! use mezo_tasks::{Task, k_shot};
//!
//! let task = Task::by_name("made-sentiment")?;
//! let split = k_shot(&task, None, 16, 13, None)?;
//! assert_eq!(split.train.len(), 32);
//! # Ok::<(), mezo_tasks::TaskError>(())
//! ```
//!
//! Everything here is a function of its arguments: no clock, no process-wide seed, no order of a hash map.

mod batch;
mod cut;
mod draw;
mod error;
mod examples;
mod folds;
mod hash;
mod locate;
mod made;
mod numpy;
mod prompt;
mod published;
mod read;
mod rng;
mod shared;
mod split;
mod stated;
mod task;
mod template;
mod template_error;
mod tokenizer;
mod write;

pub use batch::{Order, PackedBatch};
pub use cut::Cut;
pub use error::{Place, TaskError};
pub use examples::Examples;
pub use folds::{Folds, FoldsError};
pub use hash::rows_sha256;
pub use prompt::Example;
pub use read::Row;
pub use shared::Shared;
pub use split::{Split, k_shot, zero_shot};
pub use task::Task;
pub use template::{Case, Part, SentencePart, Template};
pub use template_error::{TemplateError, TemplateProblem};
pub use tokenizer::{SpecialIds, Tokenizer};
pub use write::write_k_shot;
