//! `mezo sweep run`.

use std::ffi::OsString;

use mezo_report::{Format, ReportOptions};
use mezo_sweep::{Outcome, Run, WorkerCommand};

use crate::args::RunArgs;
use crate::downloads::fetch_model;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use crate::plan::{Planned, hub_models, planned};
use crate::progress;
use crate::stop;

/// Carries out what is not finished, then makes the report.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    mezo_train::check_device(&args.device)?;
    // Fetched here once, so that workers never race for them.
    for (repo, revision) in hub_models(&args.spec, &args.folders)? {
        fetch_model(&repo, &revision)?;
    }
    let planned = planned(&args.spec, &args.folders)?;
    let Some(sweep) = planned
        .first()
        .map(|planned| planned.manifest.sweep.clone())
    else {
        return Ok(Exit::Done);
    };
    for Planned { run, manifest } in &planned {
        manifest.write(&run.dir)?;
    }
    let runs: Vec<Run> = planned.into_iter().map(|planned| planned.run).collect();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = match args.jobs {
        Some(jobs) => jobs.get(),
        None => default_jobs(&runs, &args.device, cores),
    };
    let stop = stop::on_signals();
    let mut watch = progress::watch(&runs, jobs);
    let command = worker(args, (cores / jobs).max(1))?;
    let outcome = mezo_sweep::run(&runs, &command, jobs, &stop, watch.as_mut());
    drop(watch);
    for (id, reason) in &outcome.failed {
        eprintln!("error: run {id}: {}", reason.summary());
    }
    let runs_dir = args.folders.runs_dir.join(&sweep);
    let out = args.results_dir.join(&sweep);
    let built = mezo_report::build(&runs_dir, &out, &ReportOptions::default())?;
    for fault in &built.faults {
        eprintln!("warning: {fault}");
    }
    put(&built.table.render(Format::Human))?;
    eprintln!("tables, Parquet files and figures: {}", out.display());
    Ok(exit(&outcome))
}

/// As many runs at once as there are cores to share, but no more than there are to train: then each gets several cores.
/// Another device than the processor gets one run.
fn default_jobs(runs: &[Run], device: &str, cores: usize) -> usize {
    if device != "cpu" {
        return 1;
    }
    let to_train = runs
        .iter()
        .filter(|run| run.steps > 0 && !run.is_finished());
    to_train.count().clamp(1, cores)
}

/// This same program, on one run's directory.
fn worker(args: &RunArgs, threads: usize) -> Result<WorkerCommand, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure {
        message: format!("cannot find this program's own file: {error}"),
        hint: None,
        exit: Exit::Failed,
    })?;
    let threads = threads.to_string();
    let args = [
        "train",
        "--stop-with-stdin",
        "--threads",
        &threads,
        "--device",
        &args.device,
    ];
    Ok(WorkerCommand {
        program,
        args: args.into_iter().map(OsString::from).collect(),
    })
}

fn exit(outcome: &Outcome) -> Exit {
    if !outcome.failed.is_empty() {
        Exit::RunsFailed
    } else if outcome.stopped.len() + outcome.held.len() + outcome.waiting.len() > 0 {
        Exit::Outstanding
    } else {
        Exit::Done
    }
}
