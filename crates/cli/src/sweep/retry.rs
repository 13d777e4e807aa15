//! `mezo sweep retry`.

use mezo_sweep::{State, retry as let_be_tried, runs_in};

use super::folder;
use crate::args::RetryArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Lets failed runs be tried again; nothing is started.
pub fn retry(args: &RetryArgs) -> Result<Exit, Failure> {
    let runs = runs_in(&folder(&args.sweep, &args.runs_dir)?)?;
    let mut count = 0;
    for run in &runs {
        let State::Failed(failure) = run.state()? else {
            continue;
        };
        let class = failure.class;
        if !args.classes.is_empty() && !args.classes.contains(&class) {
            continue;
        }
        let_be_tried(run)?;
        put(&format!("{}  {class:<14}  {}\n", run.id, run.label))?;
        count += 1;
    }
    match count {
        0 => say!("no run has failed that way"),
        1 => say!("1 run is tried again by the next `mezo sweep run`"),
        _ => say!("{count} runs are tried again by the next `mezo sweep run`"),
    }
    Ok(Exit::Done)
}
