//! The hub as the rest of the program sees it.

use std::path::{Path, PathBuf};

use crate::cache::RepoCache;
use crate::client::{Asked, Client, Revision};
use crate::download::download;
use crate::environment::Settings;
use crate::error::HubError;
use crate::progress::Progress;
use crate::repo::{Repo, RepoKind, is_commit, is_inside};
use crate::retry::Patience;
use crate::wanted::{INDEX, Wanted, shards};

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
        let cache = self.cache(repo);
        let commit = cache.commit(revision)?;
        let folder = cache.snapshot(&commit);
        let whole = match repo.kind() {
            RepoKind::Model => Wanted::Model.missing(&folder).is_empty(),
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

    /// Makes sure that the wanted files of a revision are in the cache, whole and checked against the hub's hashes.
    ///
    /// `revision` is a branch, a tag or a commit; the commit it stands for is in what comes back. The hub is asked
    /// what a branch or tag stands for now; a commit whose files are all in the cache needs no network. An interrupted
    /// download goes on where it stopped, and processes that want the same file wait for the one that fetches it.
    ///
    /// # Errors
    /// [`HubError`], whose hint names the way out. What has been downloaded so far stays and is taken up by the next
    /// attempt.
    pub fn fetch(
        &self,
        repo: &Repo,
        revision: &str,
        files: Wanted<'_>,
        progress: &mut dyn Progress,
    ) -> Result<Snapshot, HubError> {
        if self.settings.offline {
            return self.fetch_offline(repo, revision, files);
        }
        let cache = self.cache(repo);
        if is_commit(revision) {
            let commit = revision.to_ascii_lowercase();
            let folder = cache.snapshot(&commit);
            if files.missing(&folder).is_empty() {
                return Ok(Snapshot { commit, folder });
            }
        }
        let client = Client::new(&self.settings)?;
        let asked = Asked {
            repo,
            revision,
            file: None,
        };
        let there = self
            .patience()
            .attempt(progress, || client.revision(asked))?;
        Fetch {
            hub: self,
            client: &client,
            cache: &cache,
            repo,
            commit: &there.commit,
        }
        .run(files.names(repo, revision, &there)?, &there, progress)?;
        cache.note(revision, &there.commit)?;
        let folder = cache.snapshot(&there.commit);
        Ok(Snapshot {
            commit: there.commit,
            folder,
        })
    }

    fn fetch_offline(
        &self,
        repo: &Repo,
        revision: &str,
        files: Wanted<'_>,
    ) -> Result<Snapshot, HubError> {
        let cache = self.cache(repo);
        let missing = match cache.commit(revision) {
            None => vec!["the commit".to_owned()],
            Some(commit) => {
                let folder = cache.snapshot(&commit);
                let missing = files.missing(&folder);
                if missing.is_empty() {
                    return Ok(Snapshot { commit, folder });
                }
                missing
            }
        };
        Err(HubError::Offline {
            repo: repo.clone(),
            revision: revision.to_owned(),
            missing,
            cache: self.settings.cache.clone(),
        })
    }

    fn cache(&self, repo: &Repo) -> RepoCache {
        RepoCache::new(&self.settings.cache, repo)
    }

    fn patience(&self) -> Patience {
        Patience::new(self.settings.first_pause)
    }
}

/// The files of one commit on their way into the cache.
struct Fetch<'a> {
    hub: &'a Hub,
    client: &'a Client<'a>,
    cache: &'a RepoCache,
    repo: &'a Repo,
    commit: &'a str,
}

impl Fetch<'_> {
    /// Makes sure that these files are there, and those that an index among them names.
    fn run(
        &self,
        mut names: Vec<String>,
        there: &Revision,
        progress: &mut dyn Progress,
    ) -> Result<(), HubError> {
        let mut at = 0;
        while let Some(name) = names.get(at) {
            let path = self.file(name, progress)?;
            if name == INDEX {
                names.extend(self.parts(&path, there)?);
            }
            at += 1;
        }
        Ok(())
    }

    /// Makes sure that one file is there, and says where.
    fn file(&self, name: &str, progress: &mut dyn Progress) -> Result<PathBuf, HubError> {
        let path = self.cache.snapshot(self.commit).join(name);
        if path.is_file() {
            return Ok(path);
        }
        let asked = Asked {
            repo: self.repo,
            revision: self.commit,
            file: Some(name),
        };
        let patience = || self.hub.patience();
        let remote = patience().attempt(progress, || self.client.remote(asked, name))?;
        let (blob, lock) = (
            self.cache.blob(&remote.checksum),
            self.cache.lock(&remote.checksum),
        );
        download(
            self.client,
            asked,
            &remote,
            &blob,
            &lock,
            patience(),
            progress,
        )?;
        self.cache.link(self.commit, name, &remote.checksum)?;
        Ok(path)
    }

    /// The weight files that an index names.
    fn parts(&self, index: &Path, there: &Revision) -> Result<Vec<String>, HubError> {
        let wrong = |what: String| HubError::Answer {
            url: index.display().to_string(),
            what,
        };
        let text = std::fs::read(index).map_err(HubError::reading(index))?;
        let parts = shards(&text).map_err(|error| wrong(error.to_string()))?;
        match parts
            .iter()
            .find(|part| !is_inside(part) || !there.has(part))
        {
            Some(part) => Err(wrong(format!(
                "it names {part:?}, which {} does not have",
                self.repo
            ))),
            None => Ok(parts),
        }
    }
}
