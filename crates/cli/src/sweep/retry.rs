//! `mezo sweep retry`.

use mezo_sweep::{Run, State, retry as let_be_tried, runs_in};

use super::folder;
use crate::args::RetryArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Lets failed runs be tried again; nothing is started.
pub fn retry(args: &RetryArgs) -> Result<Exit, Failure> {
    let found = runs_in(&folder(&args.sweep, &args.runs_dir)?)?;
    let (mut count, mut exit) = (0, Exit::Done);
    for run in &found.runs {
        match tried(run, args) {
            Ok(true) => count += 1,
            Ok(false) => {}
            // The others may be tried again all the same.
            Err(failure) => {
                say!("error: run {}: {}", run.id, failure.message);
                exit = Exit::Failed;
            }
        }
    }
    match count {
        0 if args.classes.is_empty() => say!("no run has failed"),
        0 => say!("no run has failed that way"),
        1 => say!("1 run is tried again by the next `mezo sweep run`"),
        _ => say!("{count} runs are tried again by the next `mezo sweep run`"),
    }
    Ok(exit)
}

/// Lets a run be tried again if it has failed in a way that was asked for; whether it had.
fn tried(run: &Run, args: &RetryArgs) -> Result<bool, Failure> {
    let State::Failed(failure) = run.state()? else {
        return Ok(false);
    };
    let class = failure.class;
    if !args.classes.is_empty() && !args.classes.contains(&class) {
        return Ok(false);
    }
    let_be_tried(run)?;
    put(&format!("{}  {class:<14}  {}\n", run.id, run.label))?;
    Ok(true)
}
