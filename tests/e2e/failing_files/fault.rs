//! A library put in front of the C library, by which the n-th file operation of a command fails; `shim.rs` is its text.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

use crate::common::{Shared, ended, text};

/// Why an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    NoSpace,
    Io,
}

impl Cause {
    fn number(self) -> u8 {
        match self {
            Self::NoSpace => 28,
            Self::Io => 5,
        }
    }

    /// What the system calls it.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoSpace => "No space left on device",
            Self::Io => "Input/output error",
        }
    }

    /// The class of a run that failed for it.
    pub fn class(self) -> &'static str {
        match self {
            Self::NoSpace => "disk-full",
            Self::Io => "error",
        }
    }
}

/// Which operation fails, and how.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// From 1; each process counts for itself.
    pub at: usize,
    pub cause: Cause,
    /// Whether nothing that needs room goes any more, in any process.
    pub stays: bool,
    /// Whether half of a write is written first.
    pub short: bool,
}

impl Fault {
    pub fn first(cause: Cause) -> Self {
        Self {
            at: 1,
            cause,
            stays: false,
            short: false,
        }
    }
}

/// What a command did, and what it said of it.
pub struct Seen {
    pub code: Option<i32>,
    /// On stderr.
    pub said: String,
    /// Its operations, a line each: number, name, path, and what was done to it.
    pub operations: Vec<String>,
    fault: Option<Fault>,
}

impl Seen {
    /// The operation that failed, if it came to that.
    pub fn failed(&self) -> Option<&str> {
        let failed = |line: &&String| line.ends_with(" failed") || line.ends_with(" halved");
        self.operations.iter().find(failed).map(String::as_str)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (fault, code, failed) = (self.fault, self.code, self.failed());
        write!(
            f,
            "{fault:?} at {failed:?}, code {code:?}, stderr: {}",
            self.said
        )
    }
}

/// The compiled library.
pub struct Shim(TempDir);

impl Shim {
    pub fn get() -> Arc<Self> {
        static SHARED: Shared<Shim> = Shared::new();
        SHARED.get(Self::compile)
    }

    fn compile() -> Self {
        let shim = Self(TempDir::new().unwrap());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/e2e/failing_files");
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let mut command = Command::new(rustc);
        command.args([
            "--edition",
            "2024",
            "--crate-type",
            "cdylib",
            "--crate-name",
            "shim",
        ]);
        command.args(["-C", "opt-level=1", "-C", "panic=abort"]);
        command
            .arg(folder.join("shim.rs"))
            .arg("-o")
            .arg(shim.library());
        ended(&mut command, 0);
        shim
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("shim.so")
    }

    /// Puts a command on a file system whose locks hold nobody back.
    pub fn without_locks(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.library())
            .env("MEZO_FAULT_NO_LOCKS", "1");
    }

    /// Carries out a command of `mezo` with a fault, or none, among what its processes of this name do in a folder.
    pub fn watch(
        &self,
        command: &mut Command,
        name: &str,
        folder: &Path,
        fault: Option<Fault>,
    ) -> Seen {
        let notes = TempDir::new().unwrap();
        let log = notes.path().join("operations");
        command
            .env("LD_PRELOAD", self.library())
            .env("MEZO_FAULT_COMMAND", name)
            .env("MEZO_FAULT_FOLDER", folder.canonicalize().unwrap())
            .env("MEZO_FAULT_LOG", &log);
        if let Some(fault) = fault {
            command
                .env("MEZO_FAULT_AT", fault.at.to_string())
                .env("MEZO_FAULT_ERRNO", fault.cause.number().to_string());
            if fault.stays {
                command.env("MEZO_FAULT_STICKY", notes.path().join("full"));
            }
            if fault.short {
                command.env("MEZO_FAULT_SHORT", "1");
            }
        }
        let output = command.output().unwrap();
        // A command without operations leaves none.
        let operations = fs::read_to_string(&log).unwrap_or_default();
        Seen {
            code: output.status.code(),
            said: text(&output.stderr),
            operations: operations.lines().map(str::to_owned).collect(),
            fault,
        }
    }
}
