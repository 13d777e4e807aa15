//! The folder of runs: whether there is room in it, and whether it does what runs rely on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use super::fact::{Fact, note, ok, wrong};
use super::mounts::{Mount, Reach, nearest, shared};
use crate::output::size;

/// Below this there is no room for the snapshots of a run.
const LEAST_BYTES: u64 = 100 << 20;
/// Below this there is no room for the files of some runs.
const LEAST_FILES: u64 = 1000;
/// How often the time of an fsync is taken.
const SYNCS: usize = 5;

/// What the runs folder is, or will be once it is made. Nothing is left in it.
pub fn facts(runs_dir: &Path) -> Vec<Fact> {
    let folder = match nearest(runs_dir) {
        Ok(folder) => folder,
        Err(error) => return vec![wrong(format!("{}: {error}", runs_dir.display()))],
    };
    if !folder.is_dir() {
        return vec![wrong(format!("{} is not a folder", folder.display()))];
    }
    let mut facts = vec![place(runs_dir, &folder)];
    facts.extend(file_system(&folder));
    facts.extend(room(&folder));
    facts.extend(tried(&folder));
    facts
}

fn place(runs_dir: &Path, folder: &Path) -> Fact {
    let folder = folder.display();
    match runs_dir.exists() {
        true => ok(format!("folder: {folder}")),
        false => note(format!(
            "folder: {} is not there yet; what follows is of {folder}",
            runs_dir.display()
        )),
    }
}

fn file_system(folder: &Path) -> Vec<Fact> {
    let (mount, reach) = match shared(folder) {
        Ok(found) => found,
        Err(error) => return vec![note(format!("file system: unknown ({error})"))],
    };
    let (kind, point, options) = (&mount.kind, mount.point.display(), &mount.options);
    let what = ok(format!("file system: {kind} at {point} ({options})"));
    vec![what, reached(&mount, reach)]
}

/// Whether two hosts could be at one run at once.
fn reached(mount: &Mount, reach: Reach) -> Fact {
    let kind = &mount.kind;
    match (reach, mount.doubt()) {
        (Reach::Local, _) if mount.is_known_local() => note(format!(
            "{kind} is a local file system: no other host sees it"
        )),
        (Reach::Local, _) => note(format!(
            "{kind} is taken for a local file system, which no other host sees"
        )),
        (Reach::Shared, None) => ok(format!(
            "{kind} is shared: other hosts see it, and the locks made here"
        )),
        (Reach::Shared, Some(doubt)) => {
            note(format!("{kind} is shared: other hosts see it, but {doubt}"))
        }
        (Reach::LocksStayHere, _) => wrong(format!(
            "locks here are seen on this host alone: two hosts could carry out one run at once; {}",
            mount.cure()
        )),
    }
}

/// Free disk and free inodes.
fn room(folder: &Path) -> Vec<Fact> {
    match rustix::fs::statvfs(folder) {
        Ok(found) => vec![
            disk(found.f_bavail.saturating_mul(found.f_frsize)),
            inodes(found.f_files, found.f_favail),
        ],
        Err(error) => vec![note(format!("free disk: unknown ({error})"))],
    }
}

fn disk(free: u64) -> Fact {
    match free < LEAST_BYTES {
        true => wrong(format!(
            "free disk: {}, too little for the snapshots of a run",
            size(free)
        )),
        false => ok(format!("free disk: {}", size(free))),
    }
}

fn inodes(all: u64, free: u64) -> Fact {
    match (all, free) {
        // Some file systems make them as they go.
        (0, _) => ok("free inodes: not counted on this file system"),
        (_, free) if free < LEAST_FILES => wrong(format!(
            "free inodes: {free}, too few for the files of some runs"
        )),
        (_, free) => ok(format!("free inodes: {free}")),
    }
}

/// Does what runs do, in a folder of its own that is removed again.
fn tried(folder: &Path) -> Vec<Fact> {
    let scratch = match tempfile::Builder::new()
        .prefix(".mezo-doctor-")
        .tempdir_in(folder)
    {
        Ok(scratch) => scratch,
        Err(error) => return vec![wrong(format!("writing: nothing can be made here: {error}"))],
    };
    let place = scratch.path();
    let mut facts = vec![
        told("writing", written(&place.join("written"))),
        told("locks", locked(&place.join("locked"))),
        told("fsync of a file", synced(&place.join("synced"))),
        told("fsync of the folder", folder_synced(place)),
        told("rename over a file", renamed(place)),
    ];
    if let Err(error) = scratch.close() {
        facts.push(wrong(format!("removing: what was tried stays: {error}")));
    }
    facts
}

fn told(what: &str, found: io::Result<String>) -> Fact {
    match found {
        Ok(text) => ok(format!("{what}: {text}")),
        Err(error) => wrong(format!("{what}: {error}")),
    }
}

fn written(path: &Path) -> io::Result<String> {
    let text = b"written and read";
    fs::write(path, text)?;
    match fs::read(path)? == text {
        true => Ok("works".into()),
        false => Err(io::Error::other("a file does not hold what was written")),
    }
}

/// Takes a lock as a run does, and asks for it once more.
fn locked(path: &Path) -> io::Result<String> {
    let open = || {
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
    };
    let (first, second) = (open()?, open()?);
    match first.try_lock() {
        Ok(()) => {}
        Err(TryLockError::Error(error)) => return Err(error),
        Err(TryLockError::WouldBlock) => {
            return Err(io::Error::other("a new file is locked already"));
        }
    }
    match second.try_lock() {
        Err(TryLockError::WouldBlock) => Ok("work".into()),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => Err(io::Error::other("one lock was given twice")),
    }
}

/// The time that an fsync takes, the middle one of some.
fn synced(path: &Path) -> io::Result<String> {
    let mut file = File::create(path)?;
    let mut times = [Duration::ZERO; SYNCS];
    for time in &mut times {
        file.write_all(&[0; 4096])?;
        let since = Instant::now();
        file.sync_all()?;
        *time = since.elapsed();
    }
    times.sort_unstable();
    Ok(milliseconds(times[SYNCS / 2]))
}

fn folder_synced(folder: &Path) -> io::Result<String> {
    let since = Instant::now();
    File::open(folder)?.sync_all()?;
    Ok(milliseconds(since.elapsed()))
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

fn renamed(place: &Path) -> io::Result<String> {
    let (old, new) = (place.join("old"), place.join("new"));
    fs::write(&old, "old")?;
    fs::write(&new, "new")?;
    fs::rename(&new, &old)?;
    match fs::read(&old)? == b"new" {
        true => Ok("works".into()),
        false => Err(io::Error::other("what was there before is still there")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::fact::Word;
    use super::*;

    #[test]
    fn want_of_room_is_wrong() {
        assert_eq!(disk(LEAST_BYTES - 1).word, Word::Wrong);
        assert_eq!(disk(LEAST_BYTES), ok("free disk: 100 MiB"));
        assert_eq!(inodes(0, 0).word, Word::Ok);
        assert_eq!(inodes(10_000, 999).word, Word::Wrong);
        assert_eq!(inodes(10_000, 1000), ok("free inodes: 1000"));
    }

    #[test]
    fn only_locks_that_stay_here_are_wrong() {
        let word = |kind: &str, options: &str| {
            let mount = Mount {
                point: "/".into(),
                kind: kind.into(),
                options: options.into(),
            };
            let reach = mount.reach();
            reached(&mount, reach).word
        };
        assert_eq!(word("ext4", "rw"), Word::Note);
        assert_eq!(word("unheard-of", "rw"), Word::Note);
        assert_eq!(word("nfs4", "rw"), Word::Ok);
        assert_eq!(word("ceph", "rw"), Word::Ok);
        assert_eq!(word("beegfs", "rw"), Word::Note);
        assert_eq!(word("nfs", "rw,nolock"), Word::Wrong);
        assert_eq!(word("lustre", "rw"), Word::Wrong);
    }

    #[test]
    fn what_is_tried_works_and_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let runs = dir.path().join("a/runs");
        for fact in facts(&runs) {
            assert!(fact.word != Word::Wrong, "{}", fact.text);
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        let texts: Vec<String> = tried(dir.path()).into_iter().map(|it| it.text).collect();
        assert_eq!(texts.len(), 5, "{texts:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_is_no_folder_for_runs() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [file.path().to_owned(), file.path().join("runs")] {
            let found = facts(&path);
            assert_eq!(found.len(), 1);
            assert!(
                found[0].text.ends_with("is not a folder"),
                "{}",
                found[0].text
            );
        }
    }
}
