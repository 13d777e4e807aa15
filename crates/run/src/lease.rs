//! Who holds a run: at most one process, and of two that both think so the later one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::LOCK;
use crate::attempts::{host, last_number};
use crate::error::RunError;
use crate::holder::Holder;

/// How often a lock that is held is asked for again.
const TRIES: u32 = 10;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(20);

/// A process's hold on a run; it ends when this is dropped, by whatever end of the process.
///
/// The lock on the file `lock` lets one process in at a time, on every host that the folder is shared with, as far as the
/// file system's locks reach. The number of the attempt in it is for the case that they did not: a holder whose number is no
/// longer there has lost the run ([`Lease::check`]). No clock is asked.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    /// Holds the lock as long as it is open.
    file: File,
    attempt: u64,
}

impl Lease {
    /// Takes the run, as its next attempt.
    ///
    /// # Errors
    /// If another process holds it, or the lock cannot be made or written.
    pub fn take(dir: &Path) -> Result<Self, RunError> {
        let path = dir.join(LOCK);
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(RunError::file(&path, "make"))?;
        lock(&file, &path)?;
        let earlier = read(&mut file).map_err(RunError::file(&path, "read"))?;
        let numbered = earlier.map_or(0, |holder| holder.attempt);
        // A lock that a crash has torn tells no number; the attempts do.
        let last = numbered.max(last_number(dir)?);
        let attempt = last.checked_add(1).ok_or_else(|| RunError::Record {
            path: path.clone(),
            line: 1,
            message: format!("there is no attempt after attempt {last}"),
        })?;
        let holder = Holder {
            attempt,
            host: host(),
            pid: std::process::id(),
        };
        write(&mut file, &holder).map_err(RunError::file(&path, "write"))?;
        Ok(Self {
            path,
            file,
            attempt,
        })
    }

    /// The attempt's number, from 1.
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// Holds that no later attempt has taken the run. To be asked before anything is written.
    ///
    /// # Errors
    /// If one has.
    pub fn check(&self) -> Result<(), RunError> {
        let now = match std::fs::read(&self.path) {
            Ok(bytes) => parse(&bytes),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(RunError::file(&self.path, "read")(error)),
        };
        match now {
            Some(now) if now.attempt == self.attempt => Ok(()),
            now => Err(RunError::Superseded {
                path: self.path.clone(),
                attempt: self.attempt,
                now,
            }),
        }
    }

    /// Whether the run is held, and by whom. Nothing is made or written.
    ///
    /// A lock that names nobody is asked for some time: its holder may be about to write his name, or has let go of it and a
    /// process that was being started at that moment has it for as long as it takes to start.
    ///
    /// # Errors
    /// If the lock is there and cannot be asked.
    pub fn holder(dir: &Path) -> Result<Option<Option<Holder>>, RunError> {
        let path = dir.join(LOCK);
        let mut file = match open_to_ask(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RunError::file(&path, "open")(error)),
        };
        for _ in 0..TRIES {
            // A shared lock fails against a holder's exclusive one, but not against another who asks.
            match file.try_lock_shared() {
                Ok(()) => return Ok(None),
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => {
                    return Err(RunError::file(&path, "lock")(error));
                }
            }
            let holder = read(&mut file).map_err(RunError::file(&path, "read"))?;
            if holder.is_some() {
                return Ok(Some(holder));
            }
            std::thread::sleep(PAUSE);
        }
        Ok(Some(None))
    }
}

/// Leaves an empty lock, as a run has that nobody holds. The number goes on from the attempts'.
impl Drop for Lease {
    fn drop(&mut self) {
        // Of a run that was lost it is another's.
        if self.check().is_ok() {
            let _ = self.file.set_len(0);
        }
    }
}

/// Waits until no other process prepares the same folder, and keeps others waiting until the file is dropped.
///
/// # Errors
/// If the folder or its lock cannot be made.
pub fn alone_in(folder: &Path) -> Result<File, RunError> {
    std::fs::create_dir_all(folder).map_err(RunError::file(folder, "make"))?;
    // Not to be taken for a sweep.
    let path = folder.join(".lock");
    let lock = || -> io::Result<File> {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)?;
        file.lock()?;
        Ok(file)
    };
    lock().map_err(RunError::file(&path, "lock"))
}

/// Takes the exclusive lock. Somebody who only asks whether the run is held holds the lock for a moment.
fn lock(file: &File, path: &Path) -> Result<(), RunError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(RunError::file(path, "lock")(error)),
        }
    }
    let holder = std::fs::read(path).ok().and_then(|bytes| parse(&bytes));
    let path = path.into();
    Err(RunError::Held { path, holder })
}

/// Some network file systems lock only files that are open for writing; a run that belongs to somebody else can only be
/// read.
fn open_to_ask(path: &Path) -> io::Result<File> {
    match OpenOptions::new().read(true).write(true).open(path) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path),
        other => other,
    }
}

fn read(file: &mut File) -> io::Result<Option<Holder>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(parse(&bytes))
}

fn parse(bytes: &[u8]) -> Option<Holder> {
    serde_json::from_slice(bytes).ok()
}

/// In place: a lock that is replaced would be two.
fn write(file: &mut File, holder: &Holder) -> io::Result<()> {
    let mut text = serde_json::to_vec(holder)?;
    text.push(b'\n');
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn one_holds_a_run_at_a_time_and_attempts_are_numbered() {
        let dir = dir();
        assert_eq!(Lease::holder(dir.path()).unwrap(), None);
        let first = Lease::take(dir.path()).unwrap();
        assert_eq!(first.attempt(), 1);
        let held = Lease::take(dir.path()).unwrap_err();
        assert!(
            matches!(&held, RunError::Held { holder: Some(holder), .. } if holder.attempt == 1),
            "{held}"
        );
        let holder = Lease::holder(dir.path()).unwrap().unwrap().unwrap();
        assert_eq!((holder.attempt, holder.pid), (1, std::process::id()));
        drop(first);
        assert_eq!(Lease::holder(dir.path()).unwrap(), None);
        assert_eq!(std::fs::read(dir.path().join(LOCK)).unwrap(), b"");
    }

    #[test]
    fn a_lock_that_names_nobody_is_asked_again() {
        let dir = dir();
        let file = File::create(dir.path().join(LOCK)).unwrap();
        file.lock().unwrap();
        assert_eq!(Lease::holder(dir.path()).unwrap(), Some(None));
        let going = std::thread::spawn(move || {
            std::thread::sleep(2 * PAUSE);
            drop(file);
        });
        assert_eq!(Lease::holder(dir.path()).unwrap(), None);
        going.join().unwrap();
    }

    #[test]
    fn an_old_attempt_learns_that_it_has_lost_the_run() {
        let dir = dir();
        let path = dir.path().join(LOCK);
        let lease = Lease::take(dir.path()).unwrap();
        lease.check().unwrap();
        // As where locks of another host are not seen here.
        std::fs::write(&path, r#"{"attempt":2,"host":"other","pid":7}"#).unwrap();
        let lost = lease.check().unwrap_err().to_string();
        let expected =
            "lock: attempt 1 has lost the run to another process (attempt 2, process 7 on other)";
        assert!(lost.ends_with(expected), "{lost}");
        std::fs::remove_file(&path).unwrap();
        let lost = lease.check().unwrap_err().to_string();
        assert!(
            lost.ends_with("attempt 1 has lost the run: its lock is gone"),
            "{lost}"
        );
    }

    #[test]
    fn no_attempt_follows_the_last_number() {
        let dir = dir();
        let last = format!(r#"{{"attempt":{},"host":"h","pid":7}}"#, u64::MAX);
        std::fs::write(dir.path().join(LOCK), &last).unwrap();
        let error = Lease::take(dir.path()).unwrap_err().to_string();
        let expected = format!("lock:1: there is no attempt after attempt {}", u64::MAX);
        assert!(error.ends_with(&expected), "{error}");
    }

    #[test]
    fn a_torn_lock_takes_its_number_from_the_attempts() {
        let dir = dir();
        let lines = "{\"event\":\"start\",\"attempt\":4,\"time\":\"\",\"host\":\"\",\"device\":\"\",\"threads\":1,\"argv\":[]}\n";
        std::fs::write(dir.path().join("attempts.jsonl"), lines).unwrap();
        std::fs::write(dir.path().join(LOCK), "{\"att").unwrap();
        assert_eq!(Lease::take(dir.path()).unwrap().attempt(), 5);
    }
}
