//! `mezo data`.

use mezo_tasks::{Task, write_k_shot};

use crate::args::DataCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Draws and writes a k-shot split.
pub fn data(command: &DataCommand) -> Result<Exit, Failure> {
    let DataCommand::Split(args) = command;
    let task = Task::by_name(&args.task)?;
    let cap = (args.test_cap > 0).then_some(args.test_cap);
    let files = write_k_shot(
        &task,
        args.data.as_deref(),
        args.k,
        args.seed,
        &args.out,
        cap,
    )?;
    for file in files {
        put(&format!("{}\n", file.display()))?;
    }
    Ok(Exit::Done)
}
