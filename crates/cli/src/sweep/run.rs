//! `mezo sweep run`.

use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use mezo_report::{Format, ReportOptions};
use mezo_run::RunPlan;
use mezo_spec::DeviceKind as Kind;
use mezo_sweep::plan::{Planned, earlier_version};
use mezo_sweep::{
    DeviceKind, Fleet, Outcome, Run, SchedulerConfig, Timeouts, WorkerCommand, open_files,
    together_limit,
};
use mezo_train::cuda_memory;

use super::{slurm, this_program};
use crate::args::{Engine, RunArgs};
use crate::devices::machine;
use crate::downloads::fetch_model;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use crate::plan::{hub_models, planned};
use crate::progress;
use crate::stop;

/// How long a worker that was asked to stop has for the step it is at; it ends by itself a little before.
const GRACE: Duration = Duration::from_secs(90);

/// Device memory that a run adds to its process, at most: the states of both probes between the kernels of a layer, for
/// RoBERTa-large and 64 sentences of 128 tokens. By their sizes; with SST-2's sentences it is a seventh of
/// it (docs/performance.md).
const RUN_BYTES: u64 = 1 << 30;

/// Runs what is not finished, or has Slurm do so.
pub fn run(args: &RunArgs) -> Result<Exit, Failure> {
    if args.on.is_none() {
        // Before anything is read or fetched: the devices must be there. How many runs there are matters later.
        fleet(args, &[])?;
    }
    // Fetched here once, so that workers never race for them.
    for (repo, revision) in hub_models(&args.spec, &args.folders)? {
        fetch_model(&repo, &revision)?;
    }
    let planned = planned(&args.spec, &args.folders, kind(args))?;
    let Some(sweep) = planned
        .first()
        .map(|planned| planned.plan.manifest.sweep.clone())
    else {
        return Ok(Exit::Done);
    };
    if let Some(earlier) = earlier_version(&args.folders.runs_dir.join(&sweep)) {
        say!("note: {earlier}");
    }
    write_manifests(&planned, &args.folders.runs_dir)?;
    let runs: Vec<Run> = planned.into_iter().map(|planned| planned.run).collect();
    match args.on {
        Some(Engine::Slurm) => slurm::submit(args, &sweep, &runs),
        None => here(args, &sweep, &runs),
    }
}

/// The kind of device that the runs go to: on a cluster a GPU if one is asked for.
fn kind(args: &RunArgs) -> Kind {
    match (args.on, &args.slurm.gpus) {
        (Some(Engine::Slurm), Some(_)) => Kind::Gpu,
        (Some(Engine::Slurm), None) => Kind::Cpu,
        (None, _) => args.devices.kind(&machine()),
    }
}

/// Writes the manifests that are not there.
fn write_manifests(planned: &[Planned], runs_dir: &Path) -> Result<(), Failure> {
    let all = planned
        .iter()
        .map(|planned| (&planned.plan, planned.run.dir.as_path()));
    let missing: Vec<_> = all.filter(|(plan, dir)| !plan.is_written(dir)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    // Another process may be about to write the same.
    let _alone = mezo_sweep::alone_in(runs_dir)?;
    Ok(RunPlan::write_all(missing)?)
}

/// Runs the runs on this machine, then makes the report.
fn here(args: &RunArgs, sweep: &str, runs: &[Run]) -> Result<Exit, Failure> {
    let to_train: Vec<&Run> = runs
        .iter()
        .filter(|run| run.steps > 0 && !run.is_finished())
        .collect();
    let fleet = fleet(args, &to_train)?;
    tell_together(runs, &fleet);
    let config = SchedulerConfig {
        runs,
        command: &worker()?,
        fleet: &fleet,
        timeouts: Timeouts {
            silence: args.silence,
            grace: GRACE,
        },
    };
    let stop = stop::on_signals();
    let mut watch = progress::watch(runs, &fleet);
    let outcome = mezo_sweep::run(&config, &stop, watch.as_mut());
    drop(watch);
    tell(&outcome, sweep);
    report(args, sweep)?;
    Ok(exit(&outcome))
}

/// Says how many runs go together where any do.
fn tell_together(runs: &[Run], fleet: &Fleet) {
    let together = fleet.largest_batch(runs);
    if together > 1 {
        say!(
            "up to {together} runs are trained together in one process; `--together off` trains each by itself"
        );
    }
}

/// The devices, each with its share of the cores.
fn fleet(args: &RunArgs, to_train: &[&Run]) -> Result<Fleet, Failure> {
    let machine = machine();
    let per_device = args.per_device.map(NonZeroUsize::get);
    let together = |kind: DeviceKind| {
        let memory = match kind {
            DeviceKind::Cuda { index } => cuda_memory(index),
            DeviceKind::Processor => None,
        };
        // Processes on one device share its memory.
        let share = memory.map(|bytes| bytes / per_device.unwrap_or(1).max(1) as u64);
        let bytes = [share, Some(RUN_BYTES)];
        together_limit(args.together, kind, bytes, open_files())
    };
    let fleet = args
        .devices
        .fleet(&machine, per_device, to_train, &together)?;
    Ok(fleet)
}

/// This same program.
fn worker() -> Result<WorkerCommand, Failure> {
    Ok(WorkerCommand {
        program: this_program()?,
        args: ["train", "--worker"].map(OsString::from).into(),
    })
}

/// What failed, now or before.
fn tell(outcome: &Outcome, sweep: &str) {
    if let Some(reason) = &outcome.cannot_start {
        say!("error: {}", reason.summary());
    }
    for (id, reason) in &outcome.failed {
        say!("error: run {id}: {}: {}", reason.class, reason.summary());
        if let Some(hint) = &reason.hint {
            say!("hint: {hint}");
        }
    }
    for (id, failure) in &outcome.left {
        let class = failure.class;
        say!("error: run {id} failed before: {class}: {}", failure.reason);
    }
    if outcome.failed.len() + outcome.left.len() > 0 {
        say!(
            "hint: `mezo sweep retry {sweep}` lets failed runs be tried again, `--class CLASS` those of one class"
        );
    }
}

fn report(args: &RunArgs, sweep: &str) -> Result<(), Failure> {
    let runs_dir = args.folders.runs_dir.join(sweep);
    let out = args.results_dir.join(sweep);
    let built = mezo_report::build(&runs_dir, &out, &ReportOptions::default())?;
    for fault in &built.faults {
        say!("warning: {fault}");
    }
    put(&built.table.render(Format::Human))?;
    say!("tables, Parquet files and figures: {}", out.display());
    Ok(())
}

fn exit(outcome: &Outcome) -> Exit {
    if outcome.cannot_start.is_some() {
        Exit::Failed
    } else if outcome.failed.len() + outcome.left.len() > 0 {
        Exit::RunsFailed
    } else if outcome.stopped.len() + outcome.held.len() + outcome.waiting.len() > 0 {
        Exit::Outstanding
    } else {
        Exit::Done
    }
}
