//! `mezo sweep`: what is carried out, how far it has come, what is tried again.

mod retry;
mod run;
mod schema;
mod slurm;
mod status;

use std::path::{Path, PathBuf};

use mezo_spec::Spec;

use crate::exit::Exit;
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

/// This program's own file.
fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| Failure {
        message: format!("cannot find this program's own file: {error}"),
        hint: None,
        exit: Exit::Failed,
    })
}
