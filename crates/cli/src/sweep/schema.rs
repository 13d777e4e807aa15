//! `mezo sweep schema`.

use mezo_spec::Names;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Prints the JSON schema of a spec.
pub fn schema() -> Result<Exit, Failure> {
    let names = Names {
        tasks: mezo_tasks::Task::names()
            .into_iter()
            .map(Into::into)
            .collect(),
        models: mezo_weights::Builtin::names().map(Into::into).collect(),
    };
    let schema = mezo_spec::schema(&names);
    put(&format!("{schema:#}\n"))?;
    Ok(Exit::Done)
}
