//! What the end-to-end tests share: a folder of their own to work in, the built command, the files of runs.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The files of a run that know time, host and arguments; every other is a function of the spec.
pub const OF_THE_DAY: [&str; 3] = ["attempts.jsonl", "lock", "log.txt"];

/// The bytes of files by their names.
pub type Files = BTreeMap<String, Vec<u8>>;

/// An empty folder in which the command runs, as in a checkout of its own.
pub struct Place(TempDir);

impl Place {
    pub fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.root().join(relative)
    }

    pub fn write(&self, relative: impl AsRef<Path>, text: &str) {
        let path = self.path(relative);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The command with these arguments, in this folder and with nothing of the caller's environment.
    pub fn mezo<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mezo"));
        command
            .current_dir(self.root())
            .env_clear()
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C");
        command.args(args);
        command
    }

    /// Runs the command with these arguments, given by words, to this exit code.
    pub fn exits(&self, code: i32, words: &str) -> Output {
        ended(&mut self.mezo(words.split_whitespace()), code)
    }

    /// The run directories of a sweep, in the order of their names.
    pub fn runs(&self, sweep: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path("runs").join(sweep)).unwrap();
        let mut dirs: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
        dirs.retain(|dir| dir.join("manifest.json").exists());
        dirs.sort();
        dirs
    }

    /// The run directories of a sweep that train.
    pub fn trained(&self, sweep: &str) -> Vec<PathBuf> {
        let mut dirs = self.runs(sweep);
        dirs.retain(|dir| !manifest(dir)["config"]["train"].is_null());
        dirs
    }

    /// What every run of a sweep leaves that is a function of the spec, as `<id>/<file>`.
    pub fn outcome(&self, sweep: &str) -> Files {
        let mut all = Files::new();
        for dir in self.runs(sweep) {
            let id = name(&dir);
            all.extend(
                outcome(&dir)
                    .into_iter()
                    .map(|(file, bytes)| (format!("{id}/{file}"), bytes)),
            );
        }
        all
    }
}

/// A spec on the built-in model and task, small enough for a moment's work.
pub fn spec(name: &str, method: &str, train: &str, sweep: &str) -> String {
    format!(
        r#"name = "{name}"
[model]
builtin = "roberta-imdb-tiny"
[task]
name = "made-sentiment"
k = 16
test_cap = 40
template = "*cls**sent_0*_this_movie_is*mask*.*sep+*"
[method]
name = "mezo"
{method}
[train]
eps = 1e-3
{train}
[sweep]
{sweep}
"#
    )
}

/// A sweep that was carried out once: where, and what it said.
pub struct Done {
    pub place: Place,
    pub out: String,
    pub err: String,
}

impl Done {
    pub fn new(name: &str, spec: &str, jobs: &str) -> Self {
        let place = Place::new();
        place.write(format!("{name}.toml"), spec);
        let mut command = place.mezo(["sweep", "run", &format!("{name}.toml"), "--jobs", jobs]);
        // As in a colourful terminal, but for the pipe that the output goes to.
        let output = ended(
            command.env_remove("NO_COLOR").env("TERM", "xterm-256color"),
            0,
        );
        Self {
            out: text(&output.stdout),
            err: text(&output.stderr),
            place,
        }
    }
}

/// Runs a command and holds its exit code against the one expected.
pub fn ended(command: &mut Command, code: i32) -> Output {
    let output = command.output().unwrap();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{command:?}\nstdout: {out}\nstderr: {err}"
    );
    output
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

pub fn name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

pub fn manifest(dir: &Path) -> Value {
    json(&dir.join("manifest.json"))
}

/// The values of a file of one JSON value a line.
pub fn json_lines(path: &Path) -> Vec<Value> {
    let lines = text(&fs::read(path).unwrap());
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Every file of a folder; the folders in it are left out.
pub fn files(dir: &Path) -> Files {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.is_file())
        .map(|path| (name(&path), fs::read(&path).unwrap()))
        .collect()
}

/// The files of a run that are a function of its spec. A file half written and left over counts too.
pub fn outcome(dir: &Path) -> Files {
    let mut files = files(dir);
    files.retain(|name, _| !OF_THE_DAY.contains(&name.as_str()));
    files
}

/// Holds files against others, by name and byte, without printing megabytes where they differ.
pub fn assert_same(found: &Files, expected: &Files, what: &str) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected), "{what}: other files");
    for (name, bytes) in found {
        let other = &expected[name];
        let at = bytes
            .iter()
            .zip(other)
            .position(|(a, b)| a != b)
            .unwrap_or(bytes.len().min(other.len()));
        let around = |bytes: &[u8]| {
            String::from_utf8_lossy(
                &bytes[at.saturating_sub(80).min(bytes.len())..(at + 80).min(bytes.len())],
            )
            .into_owned()
        };
        assert!(
            bytes == other,
            "{what}: {name} differs from byte {at}:\n  found    {:?}\n  expected {:?}",
            around(bytes),
            around(other)
        );
    }
}

/// The lines that a file has so far.
pub fn line_count(path: &Path) -> usize {
    fs::read(path).map_or(0, |bytes| {
        bytes.iter().filter(|&&byte| byte == b'\n').count()
    })
}

/// Waits until something is so; panics when it takes longer than it ever should.
pub fn wait_until(what: &str, limit: Duration, mut so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !so() {
        assert!(
            since.elapsed() < limit,
            "waited {limit:?} in vain until {what}"
        );
        sleep(Duration::from_micros(200));
    }
}

/// Something made once and shared by the tests that run at the same time; gone with the last of them.
pub struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    pub fn get(&self, make: impl FnOnce() -> T) -> Arc<T> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let made = Arc::new(make());
            *shared = Arc::downgrade(&made);
            made
        })
    }
}
