//! The cache on disk, as Python's `huggingface_hub` lays it out:
//!
//! ```text
//! models--roberta-large/
//!   blobs/<etag>                       the bytes, named by their hash: sha256 (LFS) or git's sha1
//!   refs/main                          the commit that a branch or tag stood for when it was last asked
//!   snapshots/<commit>/config.json     a link ../../blobs/<etag>
//! .locks/models--roberta-large/<etag>.lock
//! ```

use std::path::{Path, PathBuf};

use crate::repo::{Repo, is_commit, is_inside};

/// One repository's part of the cache.
#[derive(Clone, Debug)]
pub(crate) struct RepoCache {
    folder: PathBuf,
}

impl RepoCache {
    pub(crate) fn new(cache: &Path, repo: &Repo) -> Self {
        let folder = cache.join(repo.folder_name());
        Self { folder }
    }

    /// The commit that a revision is, or was when it was last asked for.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_ascii_lowercase());
        }
        if !is_inside(revision) {
            return None;
        }
        let text = std::fs::read_to_string(self.folder.join("refs").join(revision)).ok()?;
        let commit = text.trim();
        is_commit(commit).then(|| commit.to_owned())
    }

    /// The folder of a commit's files, whether it is there or not.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }
}
