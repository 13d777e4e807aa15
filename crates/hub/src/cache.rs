//! The cache on disk, as Python's `huggingface_hub` lays it out:
//!
//! ```text
//! models--roberta-large/
//!   blobs/<etag>                       the bytes, named by their hash: sha256 (LFS) or git's sha1
//!   blobs/<etag>.incomplete            their beginning, while they are fetched
//!   refs/main                          the commit that a branch or tag stood for when it was last asked
//!   snapshots/<commit>/config.json     a link ../../blobs/<etag>
//! .locks/models--roberta-large/<etag>.lock
//! ```

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::checksum::Checksum;
use crate::download::create_parent;
use crate::error::HubError;
use crate::repo::{Repo, is_commit, is_inside};

/// One repository's part of the cache.
#[derive(Clone, Debug)]
pub(crate) struct RepoCache {
    folder: PathBuf,
    locks: PathBuf,
}

impl RepoCache {
    pub(crate) fn new(cache: &Path, repo: &Repo) -> Self {
        let name = repo.folder_name();
        Self {
            folder: cache.join(&name),
            locks: cache.join(".locks").join(name),
        }
    }

    /// The commit that a revision is, or was when it was last asked for.
    pub(crate) fn commit(&self, revision: &str) -> Option<String> {
        if is_commit(revision) {
            return Some(revision.to_ascii_lowercase());
        }
        if !is_inside(revision) {
            return None;
        }
        let text = fs::read_to_string(self.reference(revision)).ok()?;
        let commit = text.trim();
        is_commit(commit).then(|| commit.to_owned())
    }

    /// Notes the commit that a branch or tag stands for.
    pub(crate) fn note(&self, revision: &str, commit: &str) -> Result<(), HubError> {
        if is_commit(revision) || self.commit(revision).as_deref() == Some(commit) {
            return Ok(());
        }
        let path = self.reference(revision);
        create_parent(&path)?;
        fs::write(&path, commit).map_err(HubError::writing(&path))
    }

    fn reference(&self, revision: &str) -> PathBuf {
        self.folder.join("refs").join(revision)
    }

    /// The folder of a commit's files, whether it is there or not.
    pub(crate) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder.join("snapshots").join(commit)
    }

    pub(crate) fn blob(&self, checksum: &Checksum) -> PathBuf {
        self.folder.join("blobs").join(checksum.text())
    }

    pub(crate) fn lock(&self, checksum: &Checksum) -> PathBuf {
        self.locks.join(format!("{}.lock", checksum.text()))
    }

    /// Gives a blob its name among a commit's files.
    pub(crate) fn link(
        &self,
        commit: &str,
        name: &str,
        checksum: &Checksum,
    ) -> Result<(), HubError> {
        let path = self.snapshot(commit).join(name);
        create_parent(&path)?;
        let up = "../".repeat(2 + name.matches('/').count());
        let target = format!("{up}blobs/{}", checksum.text());
        // A link may be left whose blob somebody has deleted, or that another process makes at this moment.
        if fs::symlink_metadata(&path).is_ok() && !path.exists() {
            fs::remove_file(&path).map_err(HubError::writing(&path))?;
        }
        match symlink(&target, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(HubError::writing(&path)),
        }
    }
}

#[cfg(unix)]
fn symlink(target: &str, path: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

/// Where links need privileges Python copies the bytes too.
#[cfg(not(unix))]
fn symlink(target: &str, path: &Path) -> io::Result<()> {
    let blob = path.parent().unwrap_or(path).join(target);
    fs::copy(blob, path).map(|_| ())
}
