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
use crate::scheduler::batching::groups;
use crate::state::{Run, State};

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
    /// How many of them each task has; nothing where it is one each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<usize>,
}

impl Submission {
    /// The runs, each with the number of its task.
    pub fn tasks(&self) -> impl Iterator<Item = (&str, usize)> {
        let grouped = self.sizes.iter().enumerate();
        let grouped = grouped.flat_map(|(task, &size)| std::iter::repeat_n(task, size));
        // Runs that no group is written for have a task each.
        let next = self.sizes.len();
        let grouped = grouped.chain(next..);
        self.runs.iter().map(String::as_str).zip(grouped)
    }

    /// How many tasks there are.
    pub fn task_count(&self) -> usize {
        self.tasks().last().map_or(0, |(_, task)| task + 1)
    }
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
/// are left out. Runs of one batch key share a task, as many as the job has together.
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
    let tasks = groups(&outstanding, job.together);
    for (number, tasks) in (next_number(&folder)?..).zip(tasks.chunks(TASKS)) {
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
            tasks: tasks.len(),
        };
        let submission = hand_over(&job, &array, tasks)?;
        before = submission.job.clone();
        submitted.arrays.push((submission, own));
    }
    Ok(submitted)
}

/// Writes what a submission is made of, submits it and writes its number down.
fn hand_over(job: &Job, array: &Array<'_>, tasks: &[Vec<&Run>]) -> Result<Submission, SlurmError> {
    let script = job.script(array)?;
    let mut list = String::new();
    for runs in tasks {
        for (at, run) in runs.iter().enumerate() {
            let dir = run
                .dir
                .canonicalize()
                .map_err(RunError::file(&run.dir, "find"))?;
            if at > 0 {
                list.push('\t');
            }
            list.push_str(one_line(&dir)?);
        }
        list.push('\n');
    }
    fs::create_dir_all(array.folder).map_err(RunError::file(array.folder, "make"))?;
    let path = array.folder.join(SCRIPT);
    write_whole(&array.folder.join(RUNS), list.as_bytes())?;
    write_whole(&path, script.as_bytes())?;
    let mut submission = Submission {
        name: array.name.to_owned(),
        job: None,
        runs: tasks.iter().flatten().map(|run| run.id.clone()).collect(),
        sizes: match tasks.iter().all(|runs| runs.len() == 1) {
            true => Vec::new(),
            false => tasks.iter().map(Vec::len).collect(),
        },
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
        let there = |task: usize| queue.place(&submission.name, task).is_some();
        let runs = submission.tasks().filter(|(_, task)| there(*task));
        runs.map(|(run, _)| run.to_owned()).collect::<Vec<_>>()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(sizes: &[usize]) -> Submission {
        Submission {
            name: "mezo-a-1".into(),
            job: None,
            runs: ["a", "b", "c", "d"].map(Into::into).into(),
            sizes: sizes.into(),
        }
    }

    #[test]
    fn each_run_has_its_task() {
        let numbers = |sizes: &[usize]| {
            let submission = submission(sizes);
            let tasks = submission.tasks().map(|(_, task)| task);
            (tasks.collect::<Vec<_>>(), submission.task_count())
        };
        assert_eq!(numbers(&[]), (vec![0, 1, 2, 3], 4));
        assert_eq!(numbers(&[1, 3]), (vec![0, 1, 1, 1], 2));
        assert_eq!(numbers(&[2, 2]), (vec![0, 0, 1, 1], 2));
        // A record that was cut by hand.
        assert_eq!(numbers(&[2]), (vec![0, 0, 1, 2], 3));
    }

    #[test]
    fn a_record_of_one_run_a_task_is_as_it_always_was() {
        let text = serde_json::to_string(&submission(&[])).unwrap_or_default();
        assert_eq!(
            text,
            r#"{"name":"mezo-a-1","job":null,"runs":["a","b","c","d"]}"#
        );
        let read: Option<Submission> = serde_json::from_str(&text).ok();
        assert_eq!(read, Some(submission(&[])));
    }
}
