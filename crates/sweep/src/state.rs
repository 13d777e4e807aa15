//! The runs of a sweep, each with its state as its files tell it.

use std::fmt;
use std::path::PathBuf;

use mezo_run::{Holder, Lease, RunError, RunResult, Status, Step, attempts, last_step};

use crate::scheduler::policy::{self, Failure};

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
    /// Runs of one batch key may be batched in one worker; a run without a key runs alone.
    pub batch_key: Option<String>,
}

impl Run {
    /// Whether its result is there, which alone means that it is finished.
    pub fn is_finished(&self) -> bool {
        RunResult::is_in(&self.dir)
    }

    /// Whether its result says that its loss was no longer finite.
    pub fn is_diverged(&self) -> bool {
        // A result that cannot be read says nothing; the report tells of it.
        RunResult::read(&self.dir).is_ok_and(|result| result.status == Status::Diverged)
    }

    /// What the last attempt at an unfinished run leaves to be said; nothing of a new one.
    pub fn last_word(&self) -> Option<String> {
        policy::last_word(&attempts(&self.dir).ok()?)
    }

    /// Whether it is to go alone whatever its batch key, if nobody holds it: its last failure was as if the run had been too much
    /// for its process, and it must not take others down a second time.
    pub(crate) fn goes_alone(&self) -> bool {
        // Attempts that cannot be read are the worker's to tell of, and that alone.
        attempts(&self.dir).map_or(true, |attempts| policy::goes_alone(&attempts))
    }

    /// The last step in its journal; none where there is none, or it cannot be read just now.
    pub fn progress(&self) -> Option<Step> {
        last_step(&self.dir).ok().flatten()
    }

    /// The run's state, from its files alone.
    pub fn state(&self) -> Result<State, StateError> {
        if self.is_finished() {
            return Ok(State::Finished);
        }
        if let Some(holder) = Lease::holder(&self.dir)? {
            return Ok(State::Held { holder });
        }
        match attempts(&self.dir) {
            Ok(attempts) => {
                if let Some(failure) = policy::failure(&attempts) {
                    return Ok(State::Failed(failure));
                }
            }
            // A broken record is this run's own trouble.
            Err(error @ RunError::Record { .. }) => {
                return Ok(State::Failed(Failure {
                    class: error.class(),
                    reason: error.to_string(),
                    attempts: 0,
                }));
            }
            Err(error) => return Err(error.into()),
        }
        let last = last_step(&self.dir)?;
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
    /// It failed, and is not tried again until somebody says so.
    Failed(Failure),
    /// Another process is at it.
    Held {
        /// Which one, as far as its lock says.
        holder: Option<Holder>,
    },
}

impl State {
    /// Its name in machine-readable output.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::ToRun => "to-run",
            Self::ToResume { .. } => "to-resume",
            Self::Failed(_) => "failed",
            Self::Held { .. } => "held",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::ToRun => f.write_str("to run"),
            Self::ToResume { step } => write!(f, "to resume from step {step}"),
            Self::Failed(Failure { class, reason, .. }) => write!(f, "failed, {class}: {reason}"),
            Self::Held { holder: None } => f.write_str("held by another process"),
            Self::Held {
                holder: Some(holder),
            } => write!(f, "held by {holder}"),
        }
    }
}

/// A file of a run that is there but cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot tell the state of a run: {0}")]
pub struct StateError(#[from] RunError);

impl StateError {
    /// The file's own error.
    pub(crate) fn into_inner(self) -> RunError {
        self.0
    }

    /// The way out.
    pub fn hint(&self) -> Option<String> {
        self.0.hint()
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
    /// Looks at the files of `runs`. Nothing is written. A run whose files cannot be read counts as failed: it hides no other.
    pub fn of(runs: impl IntoIterator<Item = Run>) -> Self {
        let with_state = |run: Run| {
            let state = run.state().unwrap_or_else(|StateError(error)| {
                State::Failed(Failure {
                    class: error.class(),
                    reason: error.to_string(),
                    attempts: 0,
                })
            });
            (run, state)
        };
        Self {
            runs: runs.into_iter().map(with_state).collect(),
        }
    }

    /// How many runs are in each state.
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for (_, state) in &self.runs {
            *match state {
                State::Finished => &mut counts.finished,
                State::ToRun => &mut counts.to_run,
                State::ToResume { .. } => &mut counts.to_resume,
                State::Failed(_) => &mut counts.failed,
                State::Held { .. } => &mut counts.held,
            } += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs::{self, File};

    use mezo_run::Class;

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
                batch_key: None,
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
        let steps = "{\"step\":1,\"lr\":0.1}\n{\"step\":2,\"lr\":0.1}\n";
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
        let steps = "{\"step\":1,\"lr\":0.1}\n";
        let failed = State::Failed(Failure {
            class: Class::Error,
            reason: "no memory left".into(),
            attempts: 1,
        });
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
        let folder = Folder::new(&[("steps.jsonl", "{\"step\":1,\"lr\":0.1}\n")]);
        assert_eq!(folder.state(), State::ToResume { step: 1 });
        let path = folder.0.path().join("lock");
        assert!(!path.exists());
        // A lock belongs to the open file, so this one holds as another process's would.
        let lock = File::create(&path).unwrap();
        assert_eq!(folder.state(), State::ToResume { step: 1 });
        lock.try_lock().unwrap();
        assert_eq!(folder.state(), State::Held { holder: None });
        lock.unlock().unwrap();
        assert_eq!(folder.state(), State::ToResume { step: 1 });
    }

    #[test]
    fn a_plan_counts_its_states() {
        let folders = [
            Folder::new(&[("result.json", "{}")]),
            Folder::new(&[]),
            Folder::new(&[("steps.jsonl", "{\"step\":1,\"lr\":0.1}\n")]),
            Folder::new(&[("attempts.jsonl", &format!("{FAILED}\n"))]),
        ];
        let plan = Plan::of(folders.iter().map(Folder::run));
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
            error.to_string().contains("steps.jsonl: cannot read"),
            "{error}"
        );
    }
}
