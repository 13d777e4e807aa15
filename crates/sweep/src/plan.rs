//! The runs of a sweep, each with its state as its files tell it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::tail;

/// One training: its id, its directory, and what to call it on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The hash of everything that changes its numbers.
    pub id: String,
    /// Its directory, whether or not it is there yet.
    pub dir: PathBuf,
    /// What sets it apart in its sweep: `seed 13 lr 1e-4 eps 1e-3`.
    pub label: String,
    /// How many steps it takes; 0 for one that only evaluates.
    pub steps: u64,
}

impl Run {
    /// Whether its result is there, which alone means that it is finished.
    pub fn is_finished(&self) -> bool {
        self.dir.join("result.json").is_file()
    }

    /// The run's state, from its files alone.
    pub fn state(&self) -> Result<State, PlanError> {
        if self.is_finished() {
            return Ok(State::Finished);
        }
        let within = |name: &str| self.dir.join(name);
        let read = |name: &str, error| PlanError {
            path: within(name),
            error,
        };
        if is_held(&within("lock")).map_err(|error| read("lock", error))? {
            return Ok(State::Held);
        }
        if let Some(reason) =
            failure(&within("attempts.jsonl")).map_err(|error| read("attempts.jsonl", error))?
        {
            return Ok(State::Failed { reason });
        }
        let last =
            tail::last_step(&within("steps.jsonl")).map_err(|error| read("steps.jsonl", error))?;
        Ok(last.map_or(State::ToRun, |last| State::ToResume { step: last.step }))
    }
}

/// What is to be done with a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Its result is there.
    Finished,
    /// Nothing of it is there.
    ToRun,
    /// Its journal stands at a step, from which it goes on.
    ToResume {
        /// The last step in the journal.
        step: u64,
    },
    /// Its last attempt failed; it is tried again.
    Failed {
        /// What that attempt said.
        reason: String,
    },
    /// Another process is at it.
    Held,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::ToRun => f.write_str("to run"),
            Self::ToResume { step } => write!(f, "to resume from step {step}"),
            Self::Failed { reason } => write!(f, "failed: {reason}"),
            Self::Held => f.write_str("held by another process"),
        }
    }
}

/// A file of a run that is there but cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot tell the state of the run: {error}", .path.display())]
pub struct PlanError {
    path: PathBuf,
    #[source]
    error: io::Error,
}

impl PlanError {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        (self.error.kind() == ErrorKind::PermissionDenied)
            .then(|| "check who owns the runs folder, or choose another one".to_owned())
    }
}

/// The runs of a sweep in their order, each with its state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The runs.
    pub runs: Vec<(Run, State)>,
}

/// How many runs are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs with a result.
    pub finished: usize,
    /// Runs of which nothing is there.
    pub to_run: usize,
    /// Runs that go on from a step.
    pub to_resume: usize,
    /// Runs whose last attempt failed.
    pub failed: usize,
    /// Runs that another process is at.
    pub held: usize,
}

impl Counts {
    /// All runs.
    pub fn total(&self) -> usize {
        self.finished + self.outstanding()
    }

    /// The runs without a result.
    pub fn outstanding(&self) -> usize {
        self.to_run + self.to_resume + self.failed + self.held
    }
}

impl Plan {
    /// Looks at the files of `runs`. Nothing is written.
    pub fn of(runs: impl IntoIterator<Item = Run>) -> Result<Self, PlanError> {
        let with_state = |run: Run| run.state().map(|state| (run, state));
        Ok(Self {
            runs: runs.into_iter().map(with_state).collect::<Result<_, _>>()?,
        })
    }

    /// How many runs are in each state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, state) in &self.runs {
            *match state {
                State::Finished => &mut counts.finished,
                State::ToRun => &mut counts.to_run,
                State::ToResume { .. } => &mut counts.to_resume,
                State::Failed { .. } => &mut counts.failed,
                State::Held => &mut counts.held,
            } += 1;
        }
        counts
    }
}

/// Whether another process holds the lock. The file is never made here: a plan writes nothing.
fn is_held(path: &Path) -> io::Result<bool> {
    let file = match open_lock(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    // A shared lock fails against a worker's exclusive one, but not against another plan's.
    match file.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Some network file systems lock only files that are open for writing; a run that belongs to
/// somebody else can only be read.
fn open_lock(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path),
        other => other,
    }
}

#[derive(Deserialize)]
struct AttemptLine {
    event: String,
    reason: Option<String>,
    error: Option<String>,
}

/// What the last attempt said, if it failed.
fn failure(path: &Path) -> io::Result<Option<String>> {
    let Some((line, _)) = tail::last_line(path)? else {
        return Ok(None);
    };
    // A line that is not understood tells nothing; the run is then simply tried again.
    let Ok(line) = serde_json::from_slice::<AttemptLine>(&line) else {
        return Ok(None);
    };
    let failed = line.event == "end" && line.reason.as_deref() == Some("failed");
    Ok(failed.then(|| {
        line.error
            .unwrap_or_else(|| "no reason was written".to_owned())
    }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    const START: &str = r#"{"event":"start","attempt":1,"time":"2026-11-22T17:00:00Z","host":"h","device":"cpu","threads":1,"argv":["mezo"]}"#;
    const FAILED: &str = r#"{"event":"end","attempt":1,"time":"2026-11-22T17:00:01Z","wall_s":1.0,"reason":"failed","steps":2,"error":"no memory left"}"#;
    const STOPPED: &str = r#"{"event":"end","attempt":1,"time":"2026-11-22T17:00:01Z","wall_s":1.0,"reason":"stopped","steps":2,"error":null}"#;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new(files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            for (name, text) in files {
                fs::write(folder.path().join(name), text).unwrap();
            }
            Self(folder)
        }

        fn run(&self) -> Run {
            Run {
                id: "0".into(),
                dir: self.0.path().to_owned(),
                label: String::new(),
                steps: 3,
            }
        }

        fn state(&self) -> State {
            self.run().state().unwrap()
        }
    }

    #[test]
    fn a_run_without_files_is_to_run() {
        assert_eq!(Folder::new(&[]).state(), State::ToRun);
        let nowhere = Run {
            dir: "/nowhere/at/all".into(),
            ..Folder::new(&[]).run()
        };
        assert_eq!(nowhere.state().unwrap(), State::ToRun);
        assert_eq!(
            Folder::new(&[("manifest.json", "{}"), ("steps.jsonl", "")]).state(),
            State::ToRun
        );
    }

    #[test]
    fn a_journal_is_resumed_from_its_last_complete_line() {
        let steps = "{\"step\":1,\"estimates\":[]}\n{\"step\":2,\"estimates\":[]}\n";
        assert_eq!(
            Folder::new(&[("steps.jsonl", steps)]).state(),
            State::ToResume { step: 2 }
        );
        let torn = format!("{steps}{{\"step\":3,\"esti");
        assert_eq!(
            Folder::new(&[("steps.jsonl", &torn)]).state(),
            State::ToResume { step: 2 }
        );
        assert_eq!(
            Folder::new(&[("steps.jsonl", "{\"step\":1")]).state(),
            State::ToRun
        );
    }

    #[test]
    fn a_failed_attempt_is_told_and_a_later_start_forgets_it() {
        let attempts = format!("{START}\n{FAILED}\n");
        let steps = "{\"step\":1}\n";
        let failed = State::Failed {
            reason: "no memory left".into(),
        };
        assert_eq!(
            Folder::new(&[("attempts.jsonl", &attempts), ("steps.jsonl", steps)]).state(),
            failed
        );
        let again = format!("{attempts}{START}\n");
        let killed = Folder::new(&[("attempts.jsonl", &again), ("steps.jsonl", steps)]);
        assert_eq!(killed.state(), State::ToResume { step: 1 });
        let stopped = format!("{START}\n{STOPPED}\n");
        assert_eq!(
            Folder::new(&[("attempts.jsonl", &stopped)]).state(),
            State::ToRun
        );
    }

    #[test]
    fn a_result_alone_means_finished() {
        let attempts = format!("{START}\n{FAILED}\n");
        let folder = Folder::new(&[("result.json", "{}"), ("attempts.jsonl", &attempts)]);
        assert_eq!(folder.state(), State::Finished);
    }

    #[test]
    fn a_locked_run_is_held_and_the_lock_file_is_never_made() {
        let folder = Folder::new(&[("steps.jsonl", "{\"step\":1}\n")]);
        assert_eq!(folder.state(), State::ToResume { step: 1 });
        let path = folder.0.path().join("lock");
        assert!(!path.exists());
        // A lock belongs to the open file, so this one holds as another process's would.
        let lock = File::create(&path).unwrap();
        assert_eq!(folder.state(), State::ToResume { step: 1 });
        lock.try_lock().unwrap();
        assert_eq!(folder.state(), State::Held);
        lock.unlock().unwrap();
        assert_eq!(folder.state(), State::ToResume { step: 1 });
    }

    #[test]
    fn a_plan_counts_its_states() {
        let folders = [
            Folder::new(&[("result.json", "{}")]),
            Folder::new(&[]),
            Folder::new(&[("steps.jsonl", "{\"step\":1}\n")]),
            Folder::new(&[("attempts.jsonl", &format!("{FAILED}\n"))]),
        ];
        let plan = Plan::of(folders.iter().map(Folder::run)).unwrap();
        let counts = plan.counts();
        assert_eq!(
            counts,
            Counts {
                finished: 1,
                to_run: 1,
                to_resume: 1,
                failed: 1,
                held: 0
            }
        );
        assert_eq!((counts.total(), counts.outstanding()), (4, 3));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = Folder::new(&[]);
        fs::create_dir(folder.0.path().join("steps.jsonl")).unwrap();
        let error = folder.run().state().unwrap_err();
        assert!(
            error.to_string().contains("steps.jsonl: cannot tell"),
            "{error}"
        );
    }
}
