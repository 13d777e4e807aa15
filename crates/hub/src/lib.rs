//! Weights and data from where researchers keep them: repositories of the Hugging Face hub, and the cache of them that
//! Python's `huggingface_hub` fills and finds too.
//!
//! A [`Repo`] at a revision has a commit, and a commit's files lie in one folder, a [`Snapshot`]. [`Hub::locate`] looks
//! for it in the cache alone, [`Hub::fetch`] downloads what is not there.
//!
//! ```no_run
//! use mezo_hub::{Hub, Repo, Wanted};
//!
//! let hub = Hub::from_env()?;
//! let repo = Repo::model("roberta-large")?;
//! let snapshot = match hub.locate(&repo, "main") {
//!     Some(snapshot) => snapshot,
//!     None => hub.fetch(&repo, "main", Wanted::Model, &mut ())?,
//! };
//! println!("{} at {}", snapshot.folder.display(), snapshot.commit);
//! # Ok::<(), mezo_hub::HubError>(())
//! ```

mod address;
mod cache;
mod checksum;
mod client;
mod download;
pub mod environment;
mod error;
mod hub;
mod progress;
mod repo;
mod retry;
mod source;
mod wanted;

pub use environment::Settings;
pub use error::HubError;
pub use hub::{Hub, Snapshot};
pub use progress::{Event, Progress};
pub use repo::{BadRepoId, Repo, RepoKind};
pub use source::{Source, Sourced};
pub use wanted::Wanted;
