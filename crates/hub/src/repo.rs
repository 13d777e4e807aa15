//! Repositories of the hub and their names.

use std::fmt;

/// What a repository holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepoKind {
    /// A model.
    Model,
    /// A data set.
    Dataset,
}

/// A repository of the hub: its kind and its id, such as `roberta-large` or `nyu-mll/glue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repo {
    kind: RepoKind,
    id: String,
}

/// An id that no repository of the hub has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the id of a repository on the hub")]
pub struct BadRepoId(String);

impl Repo {
    /// The model repository of an id.
    ///
    /// # Errors
    /// When the hub has no repositories of such a name.
    pub fn model(id: &str) -> Result<Self, BadRepoId> {
        Self::new(RepoKind::Model, id)
    }

    /// The data set repository of an id.
    ///
    /// # Errors
    /// When the hub has no repositories of such a name.
    pub fn dataset(id: &str) -> Result<Self, BadRepoId> {
        Self::new(RepoKind::Dataset, id)
    }

    fn new(kind: RepoKind, id: &str) -> Result<Self, BadRepoId> {
        let parts: Vec<&str> = id.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) {
            return Err(BadRepoId(id.to_owned()));
        }
        let id = id.to_owned();
        Ok(Self { kind, id })
    }

    /// What it holds.
    pub fn kind(&self) -> RepoKind {
        self.kind
    }

    /// Its id, with its owner's name where it has one.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What the hub calls repositories of its kind.
    pub(crate) fn plural(&self) -> &'static str {
        match self.kind {
            RepoKind::Model => "models",
            RepoKind::Dataset => "datasets",
        }
    }

    /// Its folder in the cache, such as `models--FacebookAI--roberta-large`.
    pub(crate) fn folder_name(&self) -> String {
        format!("{}--{}", self.plural(), self.id.replace('/', "--"))
    }
}

/// Its path under the hub's address.
impl fmt::Display for Repo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RepoKind::Model => f.write_str(&self.id),
            RepoKind::Dataset => write!(f, "datasets/{}", self.id),
        }
    }
}

/// The hub's rule for one part of an id. `--` stands for the slash in folder names, so that no name may hold it.
fn is_name(part: &str) -> bool {
    let ends = |mark: char| part.starts_with(mark) || part.ends_with(mark);
    !part.is_empty()
        && part.len() <= 96
        && part
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        && !ends('-')
        && !ends('.')
        && !part.contains("--")
        && !part.contains("..")
}

/// Whether a revision is a full commit hash, which names the same files for ever.
pub(crate) fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A path inside a folder: not empty, relative, and never out of it.
pub(crate) fn is_inside(path: &str) -> bool {
    !path.contains('\\')
        && !path.contains('\0')
        && path
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != "..")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Repo, is_inside};

    #[test]
    fn folders_are_named_as_python_names_them() {
        let folder = |repo: Repo| repo.folder_name();
        assert_eq!(
            folder(Repo::model("roberta-large").unwrap()),
            "models--roberta-large"
        );
        assert_eq!(
            folder(Repo::model("FacebookAI/roberta-large").unwrap()),
            "models--FacebookAI--roberta-large"
        );
        assert_eq!(
            folder(Repo::dataset("nyu-mll/glue").unwrap()),
            "datasets--nyu-mll--glue"
        );
    }

    #[test]
    fn names_that_leave_the_cache_are_none() {
        for id in [
            "",
            "/",
            "a/",
            "/a",
            "a/b/c",
            "..",
            "../a",
            "a--b",
            "-a",
            "a.",
            "a b",
            "https://huggingface.co/a",
            "a\\b",
        ] {
            assert!(Repo::model(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn paths_stay_inside() {
        assert!(is_inside("a/b.parquet") && is_inside("..a"));
        for path in ["", "/a", "a//b", "../a", "a/..", "a/./b", "a\\b"] {
            assert!(!is_inside(path), "{path:?}");
        }
    }
}
