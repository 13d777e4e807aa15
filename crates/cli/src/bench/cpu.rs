//! `mezo bench cpu`: all that is measured of this machine's processor, against what is to be reached.

mod goals;
mod machine;
mod measured;
mod report;
mod runs;
mod spread;
#[cfg(test)]
mod tests;

use crate::args::CpuArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use measured::Measured;

/// Measures, which takes minutes, and prints Markdown.
pub fn cpu(args: &CpuArgs) -> Result<Exit, Failure> {
    let measured = Measured::now(args.python.as_deref())?;
    put(&report::markdown(&measured))?;
    Ok(Exit::Done)
}
