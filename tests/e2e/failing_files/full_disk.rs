//! A sweep on a real file system that is too small for it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sweep::{is_complete, pair, pair_done};
use crate::common::{Done, Place, text};

const FULL: &str = "the disk is full: nothing new is started";

/// A file system in memory; it goes away with this.
struct Disk(PathBuf);

impl Disk {
    /// One of so many bytes; none where this user may not mount any.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        fs::create_dir(at).unwrap();
        let options = format!("size={size}");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(at);
        let mounted = command.output().is_ok_and(|output| output.status.success());
        mounted.then(|| Self(at.to_owned()))
    }

    fn grow(&self, size: &str) {
        let options = format!("remount,size={size}");
        let mut command = Command::new("mount");
        let status = command.args(["-o", &options]).arg(&self.0).status();
        assert!(status.unwrap().success(), "cannot mount it again, larger");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: after a panic a worker may still be at it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// A sweep on a disk of this size, which is then made larger. Its first exit code; none where nothing can be mounted.
fn sweep_on(size: &str, done: &Done) -> Option<i32> {
    let place = Place::new();
    let disk = Disk::mount(&place.path("runs"), size)?;
    place.write("pair.toml", &pair());
    let mut command = place.mezo(["sweep", "run", "pair.toml", "--jobs", "1"]);
    let output = command.output().unwrap();
    let (code, said) = (output.status.code().unwrap(), text(&output.stderr));
    let what = format!("a disk of {size}: code {code}, {said}");
    if code != 0 {
        assert!(code == 1 || code == 10, "{what}");
        let errors = said.lines().filter(|line| line.starts_with("error: "));
        let errors: Vec<&str> = errors.collect();
        assert_eq!(errors.len(), 1, "{what}");
        let told =
            errors[0].contains("runs/pair/") && errors[0].contains("No space left on device");
        assert!(told, "{what}");
    }
    if code == 10 {
        let (_, after) = said.split_once(FULL).expect(&what);
        assert!(!after.contains("\nfinished "), "{what}");
        assert_eq!(after.matches("\nfailed ").count(), 1, "{what}");
    }
    disk.grow("64m");
    place.exits(0, "sweep retry pair");
    place.exits(0, "sweep run pair.toml --jobs 2");
    is_complete(&place, done, &what);
    Some(code)
}

#[test]
fn a_sweep_goes_on_when_there_is_room() {
    let sizes = [
        "8k", "16k", "20k", "28k", "32k", "40k", "140k", "156k", "180k", "16m",
    ];
    let done = pair_done();
    let codes = sizes.into_iter().map(|size| sweep_on(size, &done));
    let codes: Option<Vec<i32>> = codes.collect();
    let Some(codes) = codes else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: a sweep on a full disk (this user cannot mount a tmpfs)"
        );
        return;
    };
    assert!(codes.ends_with(&[0]) && codes.contains(&10), "{codes:?}");
}
