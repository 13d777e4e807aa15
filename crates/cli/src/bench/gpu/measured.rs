//! All parts, one after another in a thread of their own: one that hangs does not take the others' figures with it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use mezo_train::gpu::{Bench, Beside, Budget, Outcome, Part, Scale, described, parts};
use serde::{Deserialize, Serialize};

use super::peer;
use super::words::title;
use crate::args::GpuArgs;
use crate::exit::Exit;
use crate::failure::Failure;

/// Of the time that is given, what the parts do not get: the last of them may go on for a little, and all is to be printed.
const RESERVE: Duration = Duration::from_secs(10);
/// Of it, what nobody waits any longer in.
const PRINTING: Duration = Duration::from_secs(2);
/// Of the thread that measures, in bytes: as much as a program's first thread has, and more for what compiles kernels.
const STACK: usize = 64 << 20;

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    pub machine: Machine,
    /// Whether toy sizes stood in for RoBERTa's.
    pub quick: bool,
    /// Seconds of all parts.
    pub seconds: f64,
    pub parts: Vec<Entry>,
}

/// What was measured on; what is not known is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    /// As it was asked for.
    pub device: String,
    pub name: Option<String>,
    pub memory_bytes: Option<u64>,
    pub driver: Option<String>,
    pub date: Option<String>,
    pub commit: Option<String>,
}

/// A part, and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub part: Part,
    pub seconds: f64,
    pub outcome: Outcome,
}

impl Measured {
    /// Measures everything that the time allows, and says on stderr what it is at. Also says whether the last part has come
    /// to an end.
    pub fn now(args: &GpuArgs) -> Result<(Self, bool), Failure> {
        let begun = Instant::now();
        let total = Duration::from_secs(args.seconds.get());
        let machine = Machine::of(args);
        let worker = Worker {
            device: args.device.clone(),
            quick: args.quick,
            python: args.peer.clone(),
            goldens: args.goldens.clone(),
            budget: Budget::new(total.saturating_sub(RESERVE)),
        };
        let (sender, receiver) = channel();
        let thread = thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || worker.work(&sender))
            .map_err(|error| Failure {
                message: format!("cannot start a thread to measure in: {error}"),
                hint: None,
                exit: Exit::Failed,
            })?;
        let mut entries: Vec<Entry> = Vec::new();
        let end = total.saturating_sub(PRINTING);
        let ended = loop {
            match receiver.recv_timeout(end.saturating_sub(begun.elapsed())) {
                Ok(entry) => entries.push(entry?),
                Err(RecvTimeoutError::Timeout) => break false,
                Err(RecvTimeoutError::Disconnected) => break true,
            }
        };
        if ended {
            // What it has to say it has said; a panic of its last breath is on stderr.
            let _ = thread.join();
        }
        let mut rest = parts().into_iter().skip(entries.len());
        if let Some(part) = rest.next() {
            let outcome = match ended {
                true => Outcome::Failed("the thread that measures came to an end".into()),
                false => Outcome::Skipped("it had not ended when the time was up".into()),
            };
            entries.push(Entry {
                part,
                seconds: 0.0,
                outcome,
            });
        }
        entries.extend(rest.map(|part| Entry {
            part,
            seconds: 0.0,
            outcome: Outcome::OutOfTime,
        }));
        let measured = Self {
            machine,
            quick: args.quick,
            seconds: begun.elapsed().as_secs_f64(),
            parts: entries,
        };
        Ok((measured, ended))
    }

    /// Whether a check did not hold, or a part broke down.
    pub fn is_bad(&self) -> bool {
        self.parts.iter().any(|entry| entry.outcome.is_bad())
    }
}

/// The thread that all parts are measured in.
struct Worker {
    device: String,
    quick: bool,
    python: Option<PathBuf>,
    goldens: Option<PathBuf>,
    budget: Budget,
}

impl Worker {
    fn work(self, sender: &Sender<Result<Entry, Failure>>) {
        // Whoever no longer listens wants no more of it.
        let bench = match self.bench() {
            Ok(bench) => bench,
            Err(failure) => {
                let _ = sender.send(Err(failure));
                return;
            }
        };
        for part in parts() {
            let start = Instant::now();
            let outcome = bench.measure(part, self.budget);
            let seconds = start.elapsed().as_secs_f64();
            if !matches!(outcome, Outcome::OutOfTime) {
                say!("{seconds:>6.1} s  {}", title(part));
            }
            let entry = Entry {
                part,
                seconds,
                outcome,
            };
            if sender.send(Ok(entry)).is_err() {
                return;
            }
        }
    }

    fn bench(&self) -> Result<Bench, Failure> {
        let scale = match self.quick {
            true => Scale::quick(),
            false => Scale::full(),
        };
        let peer = self.python.as_deref();
        let peer = peer.map(|python| peer::peer(python, &self.device, self.quick));
        let beside = Beside {
            goldens: self.goldens.clone(),
            peer: peer.transpose()?,
        };
        Ok(Bench::new(&self.device, scale, beside)?)
    }
}

impl Machine {
    fn of(args: &GpuArgs) -> Self {
        let (name, memory_bytes) = described(&args.device);
        Self {
            device: args.device.clone(),
            name,
            memory_bytes,
            driver: args.device.starts_with("cuda").then(driver).flatten(),
            date: args.date.clone(),
            commit: args.commit.clone(),
        }
    }
}

/// The version of NVIDIA's driver, from the kernel's module or from the driver's own program.
fn driver() -> Option<String> {
    let module = std::fs::read_to_string("/sys/module/nvidia/version").ok();
    let told = module.or_else(|| {
        let asked = ["--query-gpu=driver_version", "--format=csv,noheader"];
        let output = Command::new("nvidia-smi").args(asked).output().ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    })?;
    let version = told.lines().next()?.trim();
    (!version.is_empty()).then(|| version.to_owned())
}
