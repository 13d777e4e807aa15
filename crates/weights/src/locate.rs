//! From what a spec says of a model to its files.

use std::path::Path;

use mezo_hub::{BadRepoId, Hub, HubError, Repo};
use mezo_spec::{HubModel, ModelSource, ModelSpec};

use crate::error::ModelError;
use crate::files::{Builtin, ModelFiles};

impl ModelFiles {
    /// The files of a configured model; relative paths start at `base`.
    ///
    /// # Errors
    /// If the hub's cache has not the commit, or there is no such built-in model.
    pub fn of(model: &ModelSource, base: &Path) -> Result<Self, ModelError> {
        match model {
            ModelSource::Path(path) => Ok(Self::Folder(base.join(path))),
            ModelSource::Hub(HubModel { repo, commit }) => {
                let hub = Hub::from_env()?;
                let snapshot = hub.snapshot(&Repo::model(repo)?, commit);
                let folder = snapshot.ok_or_else(|| not_fetched(&hub, repo, commit))?;
                Ok(Self::Folder(folder))
            }
            ModelSource::Builtin(name) => {
                Self::builtin(name).ok_or_else(|| ModelError::NoBuiltin {
                    name: name.clone(),
                    known: Builtin::names().collect::<Vec<_>>().join(", "),
                })
            }
        }
    }
}

/// Which model a spec names; of the hub's, the commit that the cache has. None where it names none.
///
/// # Errors
/// If the hub's cache has not the revision.
pub fn source(model: &ModelSpec) -> Result<Option<ModelSource>, ModelError> {
    Ok(match (&model.builtin, &model.path, model.on_hub()) {
        (Some(name), ..) => Some(ModelSource::Builtin(name.clone())),
        (_, Some(path), _) => Some(ModelSource::Path(path.clone())),
        (.., Some((repo, revision))) => {
            let hub = Hub::from_env()?;
            let snapshot = hub.locate(&Repo::model(repo)?, revision);
            let snapshot = snapshot.ok_or_else(|| not_fetched(&hub, repo, revision))?;
            Some(ModelSource::Hub(HubModel {
                repo: repo.into(),
                commit: snapshot.commit,
            }))
        }
        (None, None, None) => None,
    })
}

fn not_fetched(hub: &Hub, repo: &str, revision: &str) -> ModelError {
    ModelError::NotFetched {
        repo: repo.into(),
        revision: revision.into(),
        cache: hub.settings().cache.clone(),
    }
}

impl From<HubError> for ModelError {
    fn from(error: HubError) -> Self {
        Self::Hub(error)
    }
}

impl From<BadRepoId> for ModelError {
    fn from(error: BadRepoId) -> Self {
        Self::Hub(error.into())
    }
}
