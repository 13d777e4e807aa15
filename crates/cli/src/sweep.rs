//! `mezo sweep`: what is carried out, how far it has come, what is tried again.

mod retry;
mod run;
mod schema;
mod slurm;
mod status;

use std::path::{Path, PathBuf};

use mezo_sweep::Spec;

use crate::failure::Failure;

pub use retry::retry;
pub use run::run;
pub use schema::schema;
pub use status::status;

/// The folder of a sweep that is given by its name or its spec.
fn folder(sweep: &str, runs_dir: &Path) -> Result<PathBuf, Failure> {
    let path = Path::new(sweep);
    if path
        .extension()
        .is_some_and(|extension| extension == "toml")
    {
        return Ok(runs_dir.join(Spec::read(path)?.name()));
    }
    Ok(runs_dir.join(sweep))
}
