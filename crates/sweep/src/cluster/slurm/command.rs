//! Slurm's own programs, called with an end in sight.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use mezo_run::RunError;

/// How long Slurm's programs are waited for: they try again for a while where the controller does not answer.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(20);

/// Why runs could not be handed to Slurm, or it could not be asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SlurmError {
    /// A program of Slurm's is not there or cannot be started.
    #[error("cannot start {program}: {source}")]
    NotStarted {
        /// `sbatch` or `squeue`.
        program: String,
        /// Why not.
        source: io::Error,
    },
    /// It did not do what it was asked to.
    #[error("{program} failed: {said}")]
    Failed {
        /// `sbatch` or `squeue`.
        program: String,
        /// What it said.
        said: String,
    },
    /// It gave no answer.
    #[error("{program} gave no answer for {} seconds", PATIENCE.as_secs())]
    Silent {
        /// `sbatch` or `squeue`.
        program: String,
    },
    /// A path that cannot stand in a script or a list of lines.
    #[error("{}: expected a path of UTF-8 text on one line, without a tab", path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// Another process submits runs of this sweep at this moment.
    #[error("{}: another process is submitting runs of this sweep", path.display())]
    Busy {
        /// The lock.
        path: PathBuf,
    },
    /// A file of the submission cannot be read or written.
    #[error(transparent)]
    File(#[from] RunError),
}

impl SlurmError {
    /// The way out, where there is one to tell.
    pub fn hint(&self) -> Option<String> {
        let told = match self {
            Self::NotStarted { .. } => {
                "`mezo doctor` says whether Slurm is found; call this where `sbatch` is"
            }
            Self::Silent { .. } => "`scontrol ping` says whether the controller is up",
            Self::Busy { .. } => "wait for it; nothing is submitted twice",
            Self::File(error) => return error.hint(),
            Self::Failed { .. } | Self::Path { .. } => return None,
        };
        Some(told.to_owned())
    }
}

/// What a program prints on stdout, if it succeeds in time.
pub(super) fn output(mut command: Command) -> Result<String, SlurmError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|source| SlurmError::NotStarted {
        program: program.clone(),
        source,
    })?;
    // Read beside the waiting: a full pipe would never end.
    let out = child.stdout.take().map(reader);
    let err = child.stderr.take().map(reader);
    let since = Instant::now();
    let lost = |source| SlurmError::NotStarted {
        program: program.clone(),
        source,
    };
    let status = loop {
        if let Some(status) = child.try_wait().map_err(lost)? {
            break status;
        }
        if since.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return Err(SlurmError::Silent { program });
        }
        thread::sleep(POLL);
    };
    let read = |pipe: Option<thread::JoinHandle<Vec<u8>>>| {
        pipe.and_then(|reader| reader.join().ok())
            .unwrap_or_default()
    };
    let output = Output {
        status,
        stdout: read(out),
        stderr: read(err),
    };
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let said = if said.is_empty() {
            output.status.to_string()
        } else {
            said
        };
        return Err(SlurmError::Failed { program, said });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn reader(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could not be read is not there; the exit code still tells.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}
