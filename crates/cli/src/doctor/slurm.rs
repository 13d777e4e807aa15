//! Whether runs can be handed to Slurm from here.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use super::fact::{Fact, note, ok, wrong};

/// How long sbatch may take to say its version.
const LIMIT: Duration = Duration::from_secs(5);
/// The longest line that is heard.
const LINE_BYTES: u64 = 4096;

/// Slurm's programs, the version, and whether this is a job.
pub fn facts() -> Vec<Fact> {
    let path = std::env::var_os("PATH");
    let mut facts = Vec::new();
    for name in ["sbatch", "squeue", "scontrol"] {
        let found = path.as_deref().and_then(|path| on_path(path, name));
        facts.push(match &found {
            Some(program) => ok(format!("{name}: {}", program.display())),
            None => note(format!("{name}: not on PATH")),
        });
        facts.extend(found.filter(|_| name == "sbatch").map(version));
    }
    facts.push(match std::env::var_os("SLURM_JOB_ID") {
        Some(id) => ok(format!("inside job {}", id.to_string_lossy())),
        None => note("not inside a job"),
    });
    facts
}

fn version(sbatch: PathBuf) -> Fact {
    let what = "sbatch --version";
    match first_line(&sbatch, "--version", LIMIT) {
        Ok(line) => ok(format!("{what}: {line}")),
        Err(why) => wrong(format!("{what}: {why}")),
    }
}

/// The program of this name that a shell would start.
fn on_path(path: &OsStr, name: &str) -> Option<PathBuf> {
    std::env::split_paths(path)
        .map(|folder| match folder.as_os_str().is_empty() {
            // To a shell an empty entry is the folder it is in.
            true => Path::new(".").join(name),
            false => folder.join(name),
        })
        .find(|program| is_executable(program))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

/// What a program says first. It is ended then, or when the limit has passed.
fn first_line(program: &Path, argument: &str, limit: Duration) -> Result<String, String> {
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A group of its own, so that what it has started ends with it.
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot be started: {error}"))?;
    let (sender, heard) = mpsc::channel();
    let stdout = child.stdout.take();
    // Reading may last for as long as somebody holds the pipe, waiting for as long as the process hangs in the system:
    // neither is waited for here.
    std::thread::spawn(move || {
        // Nobody listens any more once the limit has passed.
        let _ = sender.send(stdout.map(read_line).unwrap_or_default());
    });
    let line = heard.recv_timeout(limit);
    end(child);
    match line.as_deref().map(str::trim) {
        Ok("") => Err("it said nothing".to_owned()),
        Ok(line) => Ok(line.to_owned()),
        Err(_) => Err(format!("no answer in {} s", limit.as_secs_f64())),
    }
}

fn read_line(stdout: impl Read) -> String {
    let mut line = Vec::new();
    // What was read before an error is all there is.
    let _ = BufReader::new(stdout.take(LINE_BYTES)).read_until(b'\n', &mut line);
    String::from_utf8_lossy(&line).into_owned()
}

/// Ends a process and those that it has started.
fn end(mut child: Child) {
    // It has not been waited for, so that no other process can have its number.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    std::thread::spawn(move || child.wait());
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    /// A program of this text.
    fn program(folder: &Path, name: &str, script: &str) -> PathBuf {
        let path = folder.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let path = std::env::join_paths([first.path(), second.path()]).unwrap();
        assert_eq!(on_path(&path, "sbatch"), None);
        fs::create_dir(first.path().join("sbatch")).unwrap();
        fs::write(first.path().join("squeue"), "").unwrap();
        let sbatch = program(second.path(), "sbatch", "");
        let squeue = program(second.path(), "squeue", "");
        assert_eq!(on_path(&path, "sbatch"), Some(sbatch));
        assert_eq!(on_path(&path, "squeue"), Some(squeue));
        assert_eq!(on_path(OsStr::new(""), "sbatch"), None);
    }

    #[test]
    fn the_first_line_is_heard_and_nothing_is_waited_for() {
        let long = Duration::from_secs(60);
        // One that never ends by itself.
        let endless = first_line(Path::new("yes"), "slurm 23.02.6", long);
        assert_eq!(endless.unwrap(), "slurm 23.02.6");
        let mute = first_line(Path::new("true"), "", long);
        assert_eq!(mute.unwrap_err(), "it said nothing");
        let silent = first_line(Path::new("sleep"), "60", Duration::from_millis(50));
        assert_eq!(silent.unwrap_err(), "no answer in 0.05 s");
        let missing = first_line(Path::new("/nowhere/sbatch"), "--version", long);
        assert!(missing.unwrap_err().starts_with("cannot be started"));
    }
}
