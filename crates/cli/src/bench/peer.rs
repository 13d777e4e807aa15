//! Steps in PyTorch: scripts/peer/step.py as a process.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::process::Process;
use super::{name, parsed, prompts};
use crate::args::TunedName;
use crate::exit::Exit;
use crate::failure::Failure;

/// The program, part of this one so that both always belong together.
const PROGRAM: &str = include_str!("../../../../scripts/peer/step.py");

/// A Python with torch and transformers, and the files that the program reads.
pub struct Peer {
    python: PathBuf,
    program: PathBuf,
    ids: PathBuf,
}

/// What is to be timed.
#[derive(Debug, Clone, Copy)]
pub struct PeerStep<'a> {
    pub tuned: TunedName,
    pub dtype: &'a str,
    /// As PyTorch calls it.
    pub device: &'a str,
    pub threads: usize,
    /// How many are timed.
    pub steps: usize,
    /// After this time the program is stopped, and nothing is known.
    pub limit: Option<Duration>,
}

/// What the program prints, as far as it is told on.
#[derive(Debug, Clone, Deserialize)]
pub struct PeerTimes {
    pub steps: usize,
    pub step_s: f64,
    pub perturb_s: f64,
    pub tokens_padded: f64,
    pub peak_bytes: u64,
    pub attention: String,
    pub torch: String,
    pub transformers: String,
}

impl Peer {
    /// Lays the program and its batches into a folder.
    pub fn new(python: &Path, folder: &Path, sentences: usize) -> Result<Self, Failure> {
        let write = |file: &str, text: &str| {
            let path = folder.join(file);
            match std::fs::write(&path, text) {
                Ok(()) => Ok(path),
                Err(error) => Err(Failure {
                    message: format!("{}: {error}", path.display()),
                    hint: None,
                    exit: Exit::Failed,
                }),
            }
        };
        Ok(Self {
            python: python.into(),
            program: write("step.py", PROGRAM)?,
            ids: write("prompts.json", &prompts::text(sentences).to_string())?,
        })
    }

    /// Times steps with RoBERTa-base's sizes.
    pub fn step(&self, step: PeerStep<'_>) -> Result<PeerTimes, Failure> {
        let PeerStep {
            tuned,
            dtype,
            device,
            threads,
            steps,
            limit,
        } = step;
        let (program, ids) = (self.program.display(), self.ids.display());
        let arguments = [
            program.to_string(),
            "--ids".into(),
            ids.to_string(),
            "--shape=base".into(),
            format!("--tuning={}", name(&tuned)),
            format!("--dtype={dtype}"),
            format!("--device={device}"),
            format!("--threads={threads}"),
            format!("--steps={steps}"),
        ];
        let printed = Process::start(&self.python, &arguments)?.output_within(limit);
        printed
            .and_then(|text| parsed(&text))
            .map_err(|failure| Failure {
                hint: Some("what Python needs is in scripts/peer/README.md".into()),
                ..failure
            })
    }
}
