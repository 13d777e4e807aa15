//! Weights and data from where researchers keep them: repositories of the Hugging Face hub, and the cache of them that
//! Python's `huggingface_hub` fills and finds too.
//!
//! A [`Repo`] at a revision has a commit, and a commit's files lie in one folder, a [`Snapshot`]. [`Hub::locate`] looks
//! for it in the cache alone.
//!
//! ```no_run
//! use mezo_hub::{Hub, Repo};
//!
//! let hub = Hub::from_env()?;
//! let repo = Repo::model("roberta-large")?;
//! if let Some(snapshot) = hub.locate(&repo, "main") {
//!     println!("{} at {}", snapshot.folder.display(), snapshot.commit);
//! }
//! # Ok::<(), mezo_hub::HubError>(())
//! ```

mod cache;
pub mod environment;
mod error;
mod hub;
mod repo;
mod wanted;

pub use environment::Settings;
pub use error::HubError;
pub use hub::{Hub, Snapshot};
pub use repo::{Repo, RepoKind};
