//! `mezo sweep run --on slurm`.

use std::num::NonZeroUsize;
use std::path::Path;

use mezo_sweep::slurm::{self, Job, Submitted};
use mezo_sweep::{DeviceKind, Run, open_files, together_limit};

use super::this_program;
use crate::args::{RunArgs, SlurmArgs};
use crate::doctor;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Submits what is to be carried out, and returns.
pub fn submit(args: &RunArgs, sweep: &str, runs: &[Run]) -> Result<Exit, Failure> {
    let folder = args.folders.runs_dir.join(sweep);
    check_folder(&folder)?;
    let job = job(&args.slurm, together(args));
    let submitted = slurm::submit(&folder, sweep, runs, &job, &this_program()?)?;
    tell(&submitted, sweep)?;
    Ok(match submitted.failed {
        0 => Exit::Done,
        _ => Exit::RunsFailed,
    })
}

/// Holds that runs can be carried out in the folder, before anything is submitted.
fn check_folder(folder: &Path) -> Result<(), Failure> {
    let faults = doctor::folder(folder);
    for note in &faults.notes {
        say!("note: {note}");
    }
    match faults.wrong.first() {
        None => Ok(()),
        Some(wrong) => Err(Failure {
            message: format!("nothing was submitted: {wrong}"),
            hint: Some("`mezo doctor` says more; --runs-dir DIR takes another folder".into()),
            exit: Exit::Failed,
        }),
    }
}

/// How many runs a task may have. The device that it will get is not seen from here, nor its memory; how many files it may
/// have open it takes from here, unless the cluster is set up otherwise.
fn together(args: &RunArgs) -> usize {
    let kind = match args.slurm.gpus {
        Some(_) => DeviceKind::Cuda { index: 0 },
        None => DeviceKind::Processor,
    };
    together_limit(args.together, kind, [None, None], open_files())
}

fn job(args: &SlurmArgs, together: usize) -> Job {
    Job {
        together,
        partition: args.partition.clone(),
        gpus: args.gpus.clone(),
        cpus: args.cpus.map(NonZeroUsize::get),
        mem: args.mem.clone(),
        time: args.time.clone(),
        warn: args.warn,
        array_limit: args.array_limit.map(NonZeroUsize::get),
        options: args.options.clone(),
    }
}

/// The jobs on stdout, the rest beside it.
fn tell(submitted: &Submitted, sweep: &str) -> Result<(), Failure> {
    for (submission, folder) in &submitted.arrays {
        let job = submission.job.as_deref().unwrap_or("unknown");
        put(&format!("{job}\n"))?;
        let (runs, tasks) = (submission.runs.len(), submission.task_count());
        let in_tasks = match tasks == runs {
            true => String::new(),
            false => format!(" in {tasks} tasks"),
        };
        say!(
            "job {job} ({}): {runs} runs{in_tasks}, script and logs in {}",
            submission.name,
            folder.display()
        );
    }
    let counts = [
        (submitted.queued, "in the queue already"),
        (submitted.held, "held by another process"),
        (submitted.finished, "finished"),
        (
            submitted.failed,
            "failed and waiting for `mezo sweep retry`",
        ),
    ];
    for (count, words) in counts.into_iter().filter(|(count, _)| *count > 0) {
        say!("{count} runs are {words}");
    }
    if submitted.arrays.is_empty() {
        say!("nothing was submitted");
    }
    say!(
        "`mezo sweep status {sweep}` says how far they are, `mezo report {sweep}` makes the tables"
    );
    Ok(())
}
