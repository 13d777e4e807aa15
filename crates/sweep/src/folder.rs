//! The runs of a sweep as its folder has them, without its spec.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mezo_run::{RunError, read_json};
use serde::Deserialize;

use crate::expand::{Swept, label};
use crate::plan::Run;

/// What of a manifest says what its run is called and how long it is.
#[derive(Deserialize)]
struct Manifest {
    id: String,
    sweep: String,
    swept: Vec<Swept>,
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    method: Method,
    train: Option<Train>,
}

#[derive(Deserialize)]
struct Method {
    name: String,
}

#[derive(Deserialize)]
struct Train {
    steps: Option<u64>,
}

/// The folder of a sweep that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// It is not there, or cannot be listed.
    #[error("{}: there is no such sweep: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// No run lies in it.
    #[error("{}: holds no run", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
}

impl FolderError {
    /// The way out, where there is one to tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Folder { .. } | Self::Empty { .. } => {
                Some("`mezo sweep run SPEC` makes it; --runs-dir says where".into())
            }
        }
    }
}

/// What lies in a sweep's folder.
#[derive(Debug)]
pub struct Folder {
    /// Its runs, by their labels.
    pub runs: Vec<Run>,
    /// Manifests that are none; `mezo sweep run` writes them again.
    pub broken: Vec<RunError>,
}

/// The runs that lie in a sweep's folder, `runs/<sweep>`.
///
/// # Errors
/// If the folder cannot be read or holds none.
pub fn runs_in(folder: &Path) -> Result<Folder, FolderError> {
    let failed = |source| FolderError::Folder {
        path: folder.into(),
        source,
    };
    let (mut runs, mut broken) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let dir = entry.map_err(failed)?.path();
        let path = dir.join("manifest.json");
        match read_json::<Manifest>(&path) {
            Ok(manifest) => runs.push(manifest.run(dir)),
            // A folder of something else, or a plain file.
            Err(RunError::File { source, .. })
                if matches!(
                    source.kind(),
                    ErrorKind::NotFound | ErrorKind::NotADirectory
                ) => {}
            Err(error) => broken.push(error),
        }
    }
    if runs.is_empty() && broken.is_empty() {
        return Err(FolderError::Empty {
            path: folder.into(),
        });
    }
    runs.sort_by(|a, b| a.label.cmp(&b.label).then_with(|| a.id.cmp(&b.id)));
    Ok(Folder { runs, broken })
}

impl Manifest {
    fn run(self, dir: PathBuf) -> Run {
        let label = match label(&self.swept, |_| true) {
            empty if empty.is_empty() && self.config.method.name == "zero-shot" => {
                "zero-shot".into()
            }
            empty if empty.is_empty() => self.sweep,
            label => label,
        };
        Run {
            id: self.id,
            dir,
            label,
            steps: self.config.train.and_then(|train| train.steps).unwrap_or(0),
            // Only who plans a sweep knows what goes together.
            company: None,
        }
    }
}
