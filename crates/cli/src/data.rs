//! `mezo data`.

use std::path::PathBuf;

use mezo_hub::Hub;
use mezo_tasks::{Task, write_k_shot};

use crate::args::{DataCommand, FetchArgs, SplitArgs};
use crate::downloads::downloads;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Fetches data, or splits them.
pub fn data(command: &DataCommand) -> Result<Exit, Failure> {
    let files = match command {
        DataCommand::Fetch(args) => fetch(args)?,
        DataCommand::Split(args) => split(args)?,
    };
    for file in files {
        put(&format!("{}\n", file.display()))?;
    }
    Ok(Exit::Done)
}

/// Fetches a task's data from the hub.
fn fetch(args: &FetchArgs) -> Result<Vec<PathBuf>, Failure> {
    let task = Task::by_name(&args.task)?;
    let hub = Hub::from_env()?;
    Ok(mezo_data::fetch(&hub, &task, &args.out, &mut *downloads())?)
}

/// Draws and writes a k-shot split.
fn split(args: &SplitArgs) -> Result<Vec<PathBuf>, Failure> {
    let task = Task::by_name(&args.task)?;
    let cap = (args.test_cap > 0).then_some(args.test_cap);
    Ok(write_k_shot(
        &task,
        args.data.as_deref(),
        args.k,
        args.seed,
        &args.out,
        cap,
    )?)
}
