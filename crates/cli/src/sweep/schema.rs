//! `mezo sweep schema`.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Prints the JSON schema of a spec.
pub fn schema() -> Result<Exit, Failure> {
    let schema = mezo_sweep::schema(mezo_train::spec_schema());
    put(&format!("{schema:#}\n"))?;
    Ok(Exit::Done)
}
