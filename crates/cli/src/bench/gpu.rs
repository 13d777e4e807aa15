//! `mezo bench gpu`: a GPU's numbers against the CPU's, and its steps against its ceilings and what is to be reached.

mod found;
mod measured;
mod page;
mod peer;
mod rows;
mod sections;
#[cfg(test)]
mod tests;
mod words;

use super::json_text;
use crate::args::{GpuArgs, GpuFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use measured::Measured;

/// Measures, which takes minutes, and prints Markdown or JSON.
pub fn gpu(args: &GpuArgs) -> Result<Exit, Failure> {
    let (measured, ended) = Measured::now(args)?;
    let printed = print(args, &measured);
    if !ended {
        // A part is still at work, perhaps for ever: the handlers of the libraries below might wait for it.
        let exit = match &printed {
            Ok(exit) => *exit,
            Err(failure) => {
                say!("error: {}", failure.message);
                failure.exit
            }
        };
        signal_hook::low_level::exit(i32::from(exit as u8));
    }
    printed
}

fn print(args: &GpuArgs, measured: &Measured) -> Result<Exit, Failure> {
    let json = json_text(measured)?;
    match args.format {
        GpuFormat::Md => put(&page::markdown(measured))?,
        GpuFormat::Json => put(&json)?,
    }
    if let Some(path) = &args.json {
        std::fs::write(path, json).map_err(|error| Failure {
            message: format!("{}: {error}", path.display()),
            hint: None,
            exit: Exit::Failed,
        })?;
    }
    Ok(match measured.is_bad() {
        true => Exit::Failed,
        false => Exit::Done,
    })
}
