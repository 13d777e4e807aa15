//! Whose hands a run is in while a process is at it, as far as the run's files tell.

use std::ffi::OsStr;
use std::path::Path;

use mezo_run::{Attempt, Holder, read_json};

/// What a process is known by in the files of its runs.
pub(crate) struct Marks {
    pid: u32,
    /// Its arguments, without its name.
    words: Vec<String>,
}

/// Who has held a run since a process was started for it.
#[derive(Default)]
pub(crate) struct Hands {
    /// The number of the process's attempt, once the lock has told it.
    own: Option<u64>,
    /// The numbers of other processes' attempts.
    others: Vec<u64>,
    now: Now,
}

/// Who held a run when its lock was last looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Now {
    #[default]
    Nobody,
    TheProcess,
    Another,
}

impl Marks {
    pub(crate) fn new<'w>(pid: u32, words: impl Iterator<Item = &'w OsStr>) -> Self {
        Self {
            pid,
            words: words
                .map(|word| word.to_string_lossy().into_owned())
                .collect(),
        }
    }
}

impl Hands {
    /// Looks at a run's lock, which has changed.
    pub(crate) fn look(&mut self, lock: &Path, marks: &Marks) -> Now {
        // The lock of a run that nobody holds is empty.
        self.now = match read_json::<Holder>(lock) {
            // A process takes a run up once.
            Ok(holder)
                if holder.is_here(marks.pid)
                    && *self.own.get_or_insert(holder.attempt) == holder.attempt =>
            {
                Now::TheProcess
            }
            Ok(holder) => {
                if !self.others.contains(&holder.attempt) {
                    self.others.push(holder.attempt);
                }
                Now::Another
            }
            Err(_) => Now::Nobody,
        };
        self.now
    }

    pub(crate) fn now(&self) -> Now {
        self.now
    }

    /// The number of the process's attempt, if its start is among these. A process that was too quick to be seen in the lock is
    /// known by its arguments, its runs among them.
    pub(crate) fn own_start(&self, attempts: &[Attempt], marks: &Marks) -> Option<u64> {
        attempts.iter().find_map(|attempt| {
            let Attempt::Start(start) = attempt else {
                return None;
            };
            let own = match self.own {
                Some(number) => start.attempt == number,
                None => start.argv.ends_with(&marks.words) && !self.others.contains(&start.attempt),
            };
            own.then_some(start.attempt)
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use mezo_run::{Lease, Start};

    fn marks(pid: u32, words: &[&str]) -> Marks {
        Marks::new(pid, words.iter().map(OsStr::new))
    }

    fn start(attempt: u64, argv: &[&str]) -> Attempt {
        Attempt::Start(Start {
            attempt,
            time: String::new(),
            host: String::new(),
            device: String::new(),
            threads: 1,
            together: 2,
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
        })
    }

    #[test]
    fn a_lock_tells_whose_a_run_is() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join("lock");
        let (own, other) = (marks(std::process::id(), &[]), marks(1, &[]));
        let (mut hands, mut others) = (Hands::default(), Hands::default());
        assert_eq!(hands.look(&lock, &own), Now::Nobody);
        let lease = Lease::take(dir.path()).unwrap();
        assert_eq!(hands.look(&lock, &own), Now::TheProcess);
        assert_eq!(others.look(&lock, &other), Now::Another);
        drop(lease);
        assert_eq!(hands.look(&lock, &own), Now::Nobody);
        // Of this attempt alone, whatever the arguments are.
        let lines = [start(7, &["mezo"]), start(1, &["mezo"])];
        assert_eq!(hands.own_start(&lines, &own), Some(1));
        assert_eq!(hands.own_start(&lines[..1], &own), None);
        assert_eq!(others.own_start(&lines[1..], &other), None);
    }

    #[test]
    fn a_process_of_the_same_number_elsewhere_is_another() {
        let dir = tempfile::tempdir().unwrap();
        let lock = dir.path().join("lock");
        std::fs::write(&lock, r#"{"attempt":3,"host":"not here","pid":7}"#).unwrap();
        assert_eq!(Hands::default().look(&lock, &marks(7, &[])), Now::Another);
    }

    #[test]
    fn a_quick_process_is_known_by_its_arguments() {
        let own = marks(7, &["train", "a", "b"]);
        let hands = Hands::default();
        let others = start(1, &["mezo", "train", "b"]);
        let lines = [others, start(2, &["mezo", "train", "a", "b"])];
        assert_eq!(hands.own_start(&lines, &own), Some(2));
        assert_eq!(hands.own_start(&lines[..1], &own), None);
    }
}
