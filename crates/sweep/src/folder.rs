//! The runs of a sweep as its folder has them, without its spec.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use mezo_run::{Manifest, RunError};
use mezo_spec::{METHOD_NAME, MethodName, label};

use crate::state::Run;

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
        match Manifest::read(&dir) {
            Ok(manifest) => runs.push(run(manifest, dir)),
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

fn run(manifest: Manifest, dir: PathBuf) -> Run {
    let steps = manifest.steps().unwrap_or(0);
    let method: Option<MethodName> = manifest.config.typed(&METHOD_NAME);
    let label = match label(&manifest.swept, |_| true) {
        empty if empty.is_empty() && method == Some(MethodName::ZeroShot) => "zero-shot".into(),
        empty if empty.is_empty() => manifest.sweep,
        label => label,
    };
    Run {
        id: manifest.id,
        dir,
        label,
        steps,
        // Only who plans a sweep knows what can be batched.
        batch_key: None,
    }
}
