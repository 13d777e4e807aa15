//! The hub as the rest of the program sees it.

use std::path::PathBuf;

use crate::cache::RepoCache;
use crate::environment::Settings;
use crate::error::HubError;
use crate::repo::{Repo, RepoKind, is_commit};
use crate::wanted::is_whole_model;

/// The hub and its cache on this machine.
#[derive(Clone, Debug)]
pub struct Hub {
    settings: Settings,
}

/// The files of one commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit, 40 hexadecimal digits: the same for ever, where a branch is not.
    pub commit: String,
    /// The folder in the cache that holds the files by their names.
    pub folder: PathBuf,
}

impl Hub {
    /// The hub that the environment names.
    ///
    /// # Errors
    /// As [`Settings::from`].
    pub fn from_env() -> Result<Self, HubError> {
        Ok(Self::new(Settings::from_env()?))
    }

    /// The hub of these settings.
    pub fn new(settings: Settings) -> Self {
        Self { settings }
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A revision's files as far as the cache knows it; the network is never asked.
    ///
    /// A branch or tag is what it was when it was last fetched. A model is there only when it is complete:
    /// configuration, tokenizer, and weights with every part. Of a data set nobody knows what complete would be; there
    /// it is enough that the commit has a folder.
    pub fn locate(&self, repo: &Repo, revision: &str) -> Option<Snapshot> {
        let cache = RepoCache::new(&self.settings.cache, repo);
        let commit = cache.commit(revision)?;
        let folder = cache.snapshot(&commit);
        let whole = match repo.kind() {
            RepoKind::Model => is_whole_model(&folder),
            RepoKind::Dataset => folder.is_dir(),
        };
        whole.then_some(Snapshot { commit, folder })
    }

    /// The folder of a commit's files, when [`Hub::locate`] finds them.
    pub fn snapshot(&self, repo: &Repo, commit: &str) -> Option<PathBuf> {
        if !is_commit(commit) {
            return None;
        }
        Some(self.locate(repo, commit)?.folder)
    }
}
