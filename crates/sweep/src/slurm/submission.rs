//! Handing runs to Slurm, and the record of it.
//!
//! `runs/<sweep>/slurm/<n>/` holds a submission: the script, the runs of its tasks, and their logs. The job's name is in it
//! before it is submitted, so that the queue tells whether it was, whatever happens in between.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use mezo_run::{RunError, read_json, write_json, write_whole};
use serde::{Deserialize, Serialize};

use super::command::{SlurmError, output};
use super::queue::Queue;
use super::script::{Array, Job, one_line};
use crate::plan::{Run, State};

/// The most tasks of an array: one less than what a cluster allows if nobody has changed it.
const TASKS: usize = 1000;

const FOLDER: &str = "slurm";
const RECORD: &str = "submission.json";
const SCRIPT: &str = "array.sbatch";
const RUNS: &str = "runs.txt";

/// Runs that were handed to Slurm as one array.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Submission {
    /// The job's name, which no other has.
    pub name: String,
    /// The job's number; none if it is not known whether it was submitted.
    pub job: Option<String>,
    /// The ids of its tasks' runs, in their order.
    pub runs: Vec<String>,
}

/// What came of handing runs to Slurm.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Submitted {
    /// The arrays, each with its folder.
    pub arrays: Vec<(Submission, PathBuf)>,
    /// Runs that are in the queue already.
    pub queued: usize,
    /// Runs that another process is at.
    pub held: usize,
    /// Runs that are finished.
    pub finished: usize,
    /// Runs that failed and wait for a retry.
    pub failed: usize,
}

/// The submissions of a sweep's folder, the oldest first, each with its own folder.
///
/// # Errors
/// If they cannot be read.
pub fn submissions(sweep: &Path) -> Result<Vec<(Submission, PathBuf)>, RunError> {
    let folder = sweep.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RunError::file(&folder, "read")(error)),
    };
    let mut numbers: Vec<u64> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(RunError::file(&folder, "read"))?;
        numbers.extend(
            entry
                .file_name()
                .to_str()
                .and_then(|name| name.parse::<u64>().ok()),
        );
    }
    numbers.sort_unstable();
    let mut found = Vec::new();
    for number in numbers {
        let own = folder.join(number.to_string());
        // One that was cut off before its record was never submitted.
        if own.join(RECORD).exists() {
            found.push((read_json(&own.join(RECORD))?, own));
        }
    }
    Ok(found)
}

/// Hands the runs of a sweep's folder that are to be carried out to Slurm, and returns. Those whose task is still in the queue
/// are left out.
///
/// # Errors
/// If Slurm's programs fail, or a file cannot be read or written. What was submitted before that stands.
pub fn submit(
    sweep: &Path,
    name: &str,
    runs: &[Run],
    job: &Job,
    program: &Path,
) -> Result<Submitted, SlurmError> {
    let folder = sweep.join(FOLDER);
    fs::create_dir_all(&folder).map_err(RunError::file(&folder, "make"))?;
    let folder = folder
        .canonicalize()
        .map_err(RunError::file(&folder, "find"))?;
    let _lock = lock(&folder)?;
    let earlier = submissions(sweep)?;
    let queued = in_queue(&earlier)?;
    let mut submitted = Submitted::default();
    let mut outstanding = Vec::new();
    for run in runs {
        match run.state().map_err(|error| error.into_inner())? {
            State::Finished => submitted.finished += 1,
            State::Held { .. } => submitted.held += 1,
            State::Failed(_) => submitted.failed += 1,
            State::ToRun | State::ToResume { .. } if queued.contains(&run.id) => {
                submitted.queued += 1;
            }
            State::ToRun | State::ToResume { .. } => outstanding.push(run),
        }
    }
    let mut before: Option<String> = None;
    for (number, runs) in (next_number(&folder)?..).zip(outstanding.chunks(TASKS)) {
        let own = folder.join(number.to_string());
        let name = format!("mezo-{name}-{number}-{:04x}", mark(&own));
        let mut job = job.clone();
        // A limit holds for an array; several go one after the other.
        if let Some(before) = before.filter(|_| job.array_limit.is_some()) {
            job.options.push(format!("--dependency=afterany:{before}"));
        }
        let array = Array {
            name: &name,
            folder: &own,
            program,
            tasks: runs.len(),
        };
        let submission = hand_over(&job, &array, runs)?;
        before = submission.job.clone();
        submitted.arrays.push((submission, own));
    }
    Ok(submitted)
}

/// Writes what a submission is made of, submits it and writes its number down.
fn hand_over(job: &Job, array: &Array<'_>, runs: &[&Run]) -> Result<Submission, SlurmError> {
    let script = job.script(array)?;
    let mut list = String::new();
    for run in runs {
        let dir = run
            .dir
            .canonicalize()
            .map_err(RunError::file(&run.dir, "find"))?;
        list.push_str(one_line(&dir)?);
        list.push('\n');
    }
    fs::create_dir_all(array.folder).map_err(RunError::file(array.folder, "make"))?;
    let path = array.folder.join(SCRIPT);
    write_whole(&array.folder.join(RUNS), list.as_bytes())?;
    write_whole(&path, script.as_bytes())?;
    let mut submission = Submission {
        name: array.name.to_owned(),
        job: None,
        runs: runs.iter().map(|run| run.id.clone()).collect(),
    };
    write_json(&array.folder.join(RECORD), &submission)?;
    let mut command = Command::new("sbatch");
    command.arg("--parsable").arg(&path);
    // These would win over the script's own lines, and the queue is asked by the name.
    for name in [
        "JOB_NAME",
        "ARRAY_INX",
        "SIGNAL",
        "OUTPUT",
        "OPEN_MODE",
        "NO_REQUEUE",
    ] {
        command.env_remove(format!("SBATCH_{name}"));
    }
    let said = output(command)?;
    // `42`, or `42;cluster`.
    let job = said.trim().split(';').next().unwrap_or_default();
    submission.job = Some(job.to_owned());
    write_json(&array.folder.join(RECORD), &submission)?;
    Ok(submission)
}

/// The ids of the runs whose tasks are in the queue.
fn in_queue(earlier: &[(Submission, PathBuf)]) -> Result<BTreeSet<String>, SlurmError> {
    let queue = Queue::ask(
        earlier
            .iter()
            .map(|(submission, _)| submission.name.as_str()),
    )?;
    let queued = earlier.iter().flat_map(|(submission, _)| {
        let there = |number: &usize| queue.place(&submission.name, *number).is_some();
        let numbers = (0..submission.runs.len()).filter(there);
        numbers
            .map(|number| submission.runs[number].clone())
            .collect::<Vec<_>>()
    });
    Ok(queued.collect())
}

/// One process submits at a time.
fn lock(folder: &Path) -> Result<File, SlurmError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    let file = options.open(&path).map_err(RunError::file(&path, "make"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(SlurmError::Busy { path }),
        Err(TryLockError::Error(error)) => Err(RunError::file(&path, "lock")(error).into()),
    }
}

/// The number after the last folder's.
fn next_number(folder: &Path) -> Result<u64, RunError> {
    let entries = fs::read_dir(folder).map_err(RunError::file(folder, "read"))?;
    let mut last = 0;
    for entry in entries {
        let entry = entry.map_err(RunError::file(folder, "read"))?;
        let number = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        last = last.max(number.unwrap_or(0));
    }
    Ok(last + 1)
}

/// Tells sweeps of one name in several folders apart.
fn mark(folder: &Path) -> u16 {
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    hasher.finish() as u16
}
