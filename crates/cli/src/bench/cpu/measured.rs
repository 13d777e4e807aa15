//! All measurements, each a process of its own; what is compared takes turns.

use std::num::NonZeroUsize;
use std::path::Path;

use mezo_train::{NoiseTimes, StepTimes};

use super::super::memory::in_a_process;
use super::super::peer::{Peer, PeerStep, PeerTimes};
use super::super::process::{Process, of_this_program};
use super::super::{name, parsed};
use super::machine::{Machine, cores};
use super::runs::step_seconds;
use crate::args::{BenchArgs, PassName, ShapeName, SubjectName, TunedName};
use crate::exit::Exit;
use crate::failure::Failure;

/// Turns that each of what is compared has.
const ROUNDS: usize = 3;
/// The same for PyTorch in f32, for steps on all weights, and for two processes at once: these take long, or are far off.
const FEWER_ROUNDS: usize = 2;
/// Sentences of a batch.
const BATCH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);
/// Timed steps of a process, ours or PyTorch's, through the two batches in turn.
const STEPS: usize = 4;
/// The same on RoBERTa-large.
const LARGE_STEPS: usize = 2;

/// What was measured.
#[derive(Debug, Clone)]
pub struct Measured {
    pub machine: Machine,
    pub batch: usize,
    pub lora: Compared,
    pub full: Compared,
    pub large: Large,
    pub noise: NoiseTimes,
    pub memory: Memory,
    pub builtin: BuiltIn,
    pub jobs: Vec<Jobs>,
}

/// Steps on RoBERTa-base, one entry a round; of what has fewer rounds they are the first.
#[derive(Debug, Clone, Default)]
pub struct Compared {
    pub ours: Vec<StepTimes>,
    pub peer_f32: Vec<PeerTimes>,
    pub peer_bf16: Vec<PeerTimes>,
}

/// Steps on RoBERTa-large.
#[derive(Debug, Clone)]
pub struct Large {
    pub lora: StepTimes,
    pub full: StepTimes,
}

/// The most memory resident on RoBERTa-base, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    pub forward: u64,
    pub mezo: u64,
}

/// The built-in model, one entry a round.
#[derive(Debug, Clone, Default)]
pub struct BuiltIn {
    /// Seconds of a step of a real run.
    pub run_s: Vec<f64>,
    /// The same steps, each beside its floor, without the run around them.
    pub steps: Vec<StepTimes>,
    /// Seconds of a step where nothing but steps goes on.
    pub bare_s: Vec<f64>,
}

/// Two runs at once, each with half the threads, against one after the other with all of them: steps a second of both.
#[derive(Debug, Clone)]
pub struct Jobs {
    pub what: &'static str,
    pub at_once: Vec<f64>,
    pub in_turn: Vec<f64>,
}

impl Measured {
    /// Measures everything, and says on stderr what it is at.
    pub fn now(python: Option<&Path>) -> Result<Self, Failure> {
        let place = tempfile::tempdir().map_err(|error| Failure {
            message: format!("cannot make a folder for the runs: {error}"),
            hint: None,
            exit: Exit::Failed,
        })?;
        let peer = python.map(|python| Peer::new(python, place.path(), BATCH.get()));
        let bench = Bench {
            threads: cores(),
            peer: peer.transpose()?,
            place: place.path(),
        };
        let lora = bench.compared(TunedName::Lora)?;
        let full = bench.compared(TunedName::Full)?;
        let (builtin, runs_at_once) = bench.builtin()?;
        let runs = Jobs {
            what: "two runs at once with half the cores each, or one after the other with all: built-in model, all weights",
            at_once: runs_at_once,
            in_turn: builtin.run_s.iter().map(|seconds| 1.0 / seconds).collect(),
        };
        let jobs = vec![runs, bench.base_at_once()?];
        let large = Large {
            lora: bench.step(SubjectName::Large, TunedName::Lora)?,
            full: bench.step(SubjectName::Large, TunedName::Full)?,
        };
        Ok(Self {
            machine: Machine::this(),
            batch: BATCH.get(),
            lora,
            full,
            large,
            noise: bench.noise()?,
            memory: bench.memory()?,
            builtin,
            jobs,
        })
    }
}

/// What measurements are made with.
struct Bench<'a> {
    threads: usize,
    peer: Option<Peer>,
    place: &'a Path,
}

impl Bench<'_> {
    /// Our steps and PyTorch's in turn.
    fn compared(&self, tuned: TunedName) -> Result<Compared, Failure> {
        let mut compared = Compared::default();
        let rounds = match tuned {
            TunedName::Lora => ROUNDS,
            TunedName::Full => FEWER_ROUNDS,
        };
        for round in 1..=rounds {
            say!("round {round} of {rounds}");
            compared.ours.push(self.step(SubjectName::Base, tuned)?);
            if round <= FEWER_ROUNDS {
                compared.peer_f32.extend(self.peer(tuned, "f32")?);
            }
            if tuned == TunedName::Lora {
                compared.peer_bf16.extend(self.peer(tuned, "bf16")?);
            }
        }
        Ok(compared)
    }

    fn step(&self, subject: SubjectName, tuned: TunedName) -> Result<StepTimes, Failure> {
        let (shape, tuning) = (name(&subject), name(&tuned));
        say!("steps of mezo: {shape}, {tuning}");
        let mut arguments = steps("step", subject, tuned, self.threads);
        arguments.push("--format=json".into());
        parsed(&of_this_program(&arguments)?.output()?)
    }

    fn peer(&self, tuned: TunedName, dtype: &str) -> Result<Option<PeerTimes>, Failure> {
        let step = self.peer.as_ref().map(|peer| {
            say!("steps of PyTorch: base, {}, {dtype}", name(&tuned));
            peer.step(PeerStep {
                tuned,
                dtype,
                device: "cpu",
                threads: self.threads,
                steps: STEPS,
                limit: None,
            })
        });
        step.transpose()
    }

    /// The built-in model in real runs and without; and steps a second of two runs at once.
    fn builtin(&self) -> Result<(BuiltIn, Vec<f64>), Failure> {
        let mut builtin = BuiltIn::default();
        let mut at_once = Vec::new();
        let run = |runs, threads| step_seconds(self.place, runs, threads, BATCH.get());
        for round in 1..=ROUNDS {
            say!("round {round} of {ROUNDS}\nruns of the built-in model");
            builtin.run_s.push(run(1, self.threads)?);
            let steps = self.step(SubjectName::Builtin, TunedName::Full)?;
            builtin.steps.push(steps);
            say!("bare steps of it");
            let bare = bare_steps(SubjectName::Builtin, TunedName::Full, self.threads)?;
            builtin.bare_s.push(seconds(bare)?);
            say!("two runs of it at once");
            at_once.push(2.0 / run(2, self.half())?);
        }
        Ok((builtin, at_once))
    }

    /// RoBERTa-base's LoRA steps in two processes at once, and in one with all threads.
    fn base_at_once(&self) -> Result<Jobs, Failure> {
        let (mut at_once, mut in_turn) = (Vec::new(), Vec::new());
        let start = |threads| bare_steps(SubjectName::Base, TunedName::Lora, threads);
        for round in 1..=FEWER_ROUNDS {
            say!(
                "round {round} of {FEWER_ROUNDS}\nbare steps of two processes at once and of one: base, lora"
            );
            let (one, other) = (start(self.half())?, start(self.half())?);
            at_once.push(1.0 / seconds(one)? + 1.0 / seconds(other)?);
            in_turn.push(1.0 / seconds(start(self.threads)?)?);
        }
        Ok(Jobs {
            what: "the same: RoBERTa-base, LoRA",
            at_once,
            in_turn,
        })
    }

    fn half(&self) -> usize {
        (self.threads / 2).max(1)
    }

    fn noise(&self) -> Result<NoiseTimes, Failure> {
        say!("noise");
        let threads = self.threads.to_string();
        let arguments = ["bench", "noise", "--format", "json", "--threads", &threads];
        parsed(&of_this_program(&arguments)?.output()?)
    }

    fn memory(&self) -> Result<Memory, Failure> {
        say!("memory");
        let of = BenchArgs {
            shape: ShapeName::Base,
            batch: BATCH,
        };
        Ok(Memory {
            forward: in_a_process(&of, PassName::Forward)?,
            mezo: in_a_process(&of, PassName::Mezo)?,
        })
    }
}

/// The arguments of a process that times steps.
fn steps(command: &str, subject: SubjectName, tuned: TunedName, threads: usize) -> Vec<String> {
    let mut arguments = vec![
        "bench".to_owned(),
        command.into(),
        format!("--shape={}", name(&subject)),
        format!("--tuning={}", name(&tuned)),
        format!("--batch={BATCH}"),
        format!("--threads={threads}"),
    ];
    let steps = match subject {
        SubjectName::Base => Some(STEPS),
        SubjectName::Large => Some(LARGE_STEPS),
        SubjectName::Builtin => None,
    };
    arguments.extend(steps.map(|steps| format!("--steps={steps}")));
    arguments
}

/// Starts a process that times steps and nothing else.
fn bare_steps(subject: SubjectName, tuned: TunedName, threads: usize) -> Result<Process, Failure> {
    of_this_program(&steps("bare-step", subject, tuned, threads))
}

/// What such a process prints.
fn seconds(bare: Process) -> Result<f64, Failure> {
    parsed(&bare.output()?)
}
