//! Measurements in processes of their own, which share nothing with each other.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::exit::Exit;
use crate::failure::Failure;

/// A process under way.
pub struct Process {
    what: String,
    child: Child,
}

/// Starts this program with other arguments.
pub fn of_this_program<S: AsRef<OsStr>>(arguments: &[S]) -> Result<Process, Failure> {
    let program = std::env::current_exe().map_err(|error| failed("mezo", error))?;
    Process::start(&program, arguments)
}

impl Process {
    /// Starts a program; what it says on stderr is heard.
    pub fn start<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> Result<Self, Failure> {
        let mut what = program.display().to_string();
        for argument in arguments {
            what += " ";
            what += &argument.as_ref().to_string_lossy();
        }
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        match child {
            Ok(child) => Ok(Self { what, child }),
            Err(error) => Err(failed(&what, error)),
        }
    }

    /// What it printed, once it has ended well.
    pub fn output(self) -> Result<String, Failure> {
        let Self { what, child } = self;
        let output = child
            .wait_with_output()
            .map_err(|error| failed(&what, error))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => Err(failed(&what, output.status)),
        }
    }
}

fn failed(what: &str, why: impl std::fmt::Display) -> Failure {
    Failure {
        message: format!("`{what}`: {why}"),
        hint: None,
        exit: Exit::Failed,
    }
}
