//! One run on its directory: taken up where its files say, carried on to its result.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::tensor::Device;
use mezo_model::{Philox, Roberta};
use mezo_tasks::{Order, PackedBatch};

use crate::attempts::{EndReason, OpenAttempt};
use crate::error::TrainError;
use crate::evaluate::evaluate;
use crate::files::{Lines, write_json};
use crate::journal::{Eval, EvalSplit, METRICS, Metric, Step, best_step, find};
use crate::manifest::Manifest;
use crate::materials::{self, Examples, Materials};
use crate::mezo;
use crate::result::{Reported, RunResult, Status};
use crate::snapshot;
use crate::training::Training;

/// The journal's file.
const STEPS: &str = "steps.jsonl";

/// How often a lock that is held is asked for again.
const LOCK_TRIES: u32 = 10;

/// How a call of [`run`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The result is written.
    Finished,
    /// The result is written: the loss was no longer finite.
    Diverged,
    /// Asked to stop; the journal holds everything up to this step.
    Stopped {
        /// Steps done.
        step: u64,
    },
}

/// What a caller sees and says while a run is under way.
pub trait Control {
    /// Whether to stop at the next step boundary.
    fn stop(&self) -> bool;
    /// A step is done.
    fn step(&mut self, step: &Step, of: u64);
}

/// Whether there is a device of this name, so that a sweep need not start every run to learn that there is none.
///
/// # Errors
/// If there is none here.
pub fn check_device(name: &str) -> Result<(), TrainError> {
    mezo_model::device::open(name)?;
    Ok(())
}

/// Carries a run on to its end, or to the next step boundary after [`Control::stop`].
///
/// # Errors
/// If the run is held by another process, its files or what they name cannot be used, or cannot be written. What was
/// done before stays.
pub fn run(dir: &Path, device_name: &str, control: &mut dyn Control) -> Result<Ending, TrainError> {
    let manifest = Manifest::read(dir)?;
    let _lock = lock(dir)?;
    if dir.join("result.json").exists() {
        return Ok(Ending::Finished);
    }
    let attempt = OpenAttempt::start(dir, device_name)?;
    let ended = work(dir, &manifest, device_name, control);
    match &ended {
        Ok((ending, steps)) => {
            let reason = match ending {
                Ending::Finished => EndReason::Finished,
                Ending::Diverged => EndReason::Diverged,
                Ending::Stopped { .. } => EndReason::Stopped,
            };
            attempt.end(reason, *steps, None)?;
        }
        Err(error) => {
            // What went wrong first is what the caller hears of, even where this line cannot be written either.
            let _ = attempt.end(
                EndReason::Failed,
                journal_length(dir),
                Some(error.to_string()),
            );
        }
    }
    ended.map(|(ending, _)| ending)
}

/// Whole lines of the journal, none where it cannot be read.
fn journal_length(dir: &Path) -> u64 {
    let bytes = std::fs::read(dir.join(STEPS)).unwrap_or_default();
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

/// Takes the run's lock; it is let go when the file is dropped, by whatever end of the process.
fn lock(dir: &Path) -> Result<File, TrainError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(TrainError::file(&path, "make"))?;
    let mut tries = 0;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // Somebody who only asks whether the run is held holds the lock for a moment.
            Err(TryLockError::WouldBlock) if tries < LOCK_TRIES => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(TryLockError::WouldBlock) => return Err(TrainError::Held { path }),
            Err(TryLockError::Error(source)) => {
                return Err(TrainError::File {
                    path,
                    doing: "lock",
                    source,
                });
            }
        }
    }
}

fn work(
    dir: &Path,
    manifest: &Manifest,
    device_name: &str,
    control: &mut dyn Control,
) -> Result<(Ending, u64), TrainError> {
    let device = mezo_model::device::open(device_name)?;
    let (evals_file, evals) = Lines::open(&dir.join("evals.jsonl"))?;
    let Materials { model, examples } = Materials::load(manifest, dir, &device)?;
    let mut work = Work {
        dir,
        manifest,
        device,
        model,
        examples,
        evals_file,
        evals,
    };
    match manifest.config.train {
        None => work.zero_shot().map(|()| (Ending::Finished, 0)),
        Some(train) => work.train(&Training::of(&train)?, control),
    }
}

/// A run under way.
struct Work<'a> {
    dir: &'a Path,
    manifest: &'a Manifest,
    device: Device,
    model: Roberta,
    examples: Examples,
    evals_file: Lines,
    evals: Vec<Eval>,
}

impl Work<'_> {
    /// Evaluates the model as it came.
    fn zero_shot(&mut self) -> Result<(), TrainError> {
        self.evaluate(0, EvalSplit::Test)?;
        let reported = Reported::at(0, &self.evals);
        self.write_result(Status::Finished, 0, Some(reported.clone()), Some(reported))
    }

    /// Every step: from the journal where it has it, measured and written down where not.
    fn train(
        &mut self,
        train: &Training,
        control: &mut dyn Control,
    ) -> Result<(Ending, u64), TrainError> {
        let (mut file, mut journal) = Lines::open::<Step>(&self.steps_path())?;
        check_numbers(&journal, &self.steps_path())?;
        let order = Order::new(self.examples.train.len(), train.batch_size, train.seed);
        let mut step = self.restore_newest(journal.len() as u64)?;
        if step > 0 {
            // The crash may have come between the snapshot and its evaluation.
            self.checkpoint(step)?;
        }
        while step < train.steps {
            if control.stop() {
                file.sync()?;
                let step = journal.len() as u64;
                return Ok((Ending::Stopped { step }, step));
            }
            step += 1;
            if journal.len() < step as usize {
                let line = self.measure(train, step, &order);
                file.add(&line)?;
                control.step(&line, train.steps);
                journal.push(line);
            }
            let line = &journal[step as usize - 1];
            if line.diverged() {
                file.sync()?;
                self.finish_diverged(&journal)?;
                return Ok((Ending::Diverged, step));
            }
            mezo::apply(&mut self.model, &Philox, line, train.weight_decay);
            if step.is_multiple_of(train.eval_every) || step == train.steps {
                // A snapshot must never be ahead of the journal.
                file.sync()?;
                self.checkpoint(step)?;
            }
        }
        self.finish(&journal, train.steps)?;
        Ok((Ending::Finished, step))
    }

    fn measure(&self, train: &Training, step: u64, order: &Order) -> Step {
        let rows = order.batch(step - 1);
        let packed = PackedBatch::pack(rows.into_iter().map(|row| &self.examples.train[row]));
        mezo::measure(&self.model, train, step, &packed, &self.examples.words)
    }

    /// Puts the newest snapshot that the journal covers into the model; the step it is of.
    fn restore_newest(&mut self, steps: u64) -> Result<u64, TrainError> {
        let newest = snapshot::steps(self.dir)?
            .into_iter()
            .rfind(|&step| step <= steps);
        match newest {
            None => Ok(0),
            Some(step) => {
                snapshot::restore(self.dir, step, &mut self.model)?;
                Ok(step)
            }
        }
    }

    /// Keeps the parameters, measures them on dev, drops snapshots nobody needs any more.
    fn checkpoint(&mut self, step: u64) -> Result<(), TrainError> {
        snapshot::write(self.dir, step, &self.model)?;
        self.evaluate(step, EvalSplit::Dev)?;
        snapshot::prune(self.dir, step, best_step(&self.evals, step))
    }

    /// Writes the lines of an evaluation that are not there yet.
    fn evaluate(&mut self, step: u64, split: EvalSplit) -> Result<(), TrainError> {
        let missing: Vec<Metric> = METRICS
            .into_iter()
            .filter(|&metric| find(&self.evals, step, split, metric).is_none())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let examples = match split {
            EvalSplit::Dev => &self.examples.dev,
            EvalSplit::Test => &self.examples.test,
        };
        let measured = evaluate(&self.model, examples, &self.examples.words);
        for metric in missing {
            let value = match metric {
                Metric::Accuracy => measured.accuracy,
                Metric::CrossEntropy => measured.cross_entropy,
            };
            let value = value.is_finite().then_some(value);
            let eval = Eval {
                step,
                split,
                metric,
                value,
                n: measured.n,
            };
            self.evals_file.add(&eval)?;
            self.evals.push(eval);
        }
        self.evals_file.sync()
    }

    /// Test at the last step, then at the best.
    fn finish(&mut self, journal: &[Step], last: u64) -> Result<(), TrainError> {
        self.evaluate(last, EvalSplit::Test)?;
        let best = self.report_best(journal, last)?;
        let reported = Reported::at(last, &self.evals);
        self.write_result(Status::Finished, last, best, Some(reported))
    }

    /// The best step before the loss was no longer finite; there is no last.
    fn finish_diverged(&mut self, journal: &[Step]) -> Result<(), TrainError> {
        let steps = journal.len() as u64;
        let best = self.report_best(journal, steps)?;
        self.write_result(Status::Diverged, steps, best, None)
    }

    fn report_best(&mut self, journal: &[Step], last: u64) -> Result<Option<Reported>, TrainError> {
        let Some(best) = best_step(&self.evals, last) else {
            return Ok(None);
        };
        if find(&self.evals, best, EvalSplit::Test, Metric::CrossEntropy).is_none() {
            self.put_step(journal, best)?;
            self.evaluate(best, EvalSplit::Test)?;
        }
        Ok(Some(Reported::at(best, &self.evals)))
    }

    /// Puts the parameters of a step into the model: from its snapshot, or from the journal where that is lost.
    fn put_step(&mut self, journal: &[Step], step: u64) -> Result<(), TrainError> {
        if snapshot::path(self.dir, step).exists() {
            return snapshot::restore(self.dir, step, &mut self.model);
        }
        let config = &self.manifest.config;
        let files = materials::model_files(&config.model, self.dir)?;
        self.model = materials::model(config, &files, &self.device)?.0;
        let weight_decay = config
            .train
            .and_then(|train| train.weight_decay)
            .unwrap_or(0.0);
        for line in &journal[..step as usize] {
            mezo::apply(&mut self.model, &Philox, line, weight_decay);
        }
        Ok(())
    }

    fn write_result(
        &self,
        status: Status,
        steps: u64,
        best: Option<Reported>,
        last: Option<Reported>,
    ) -> Result<(), TrainError> {
        let id = self.manifest.id.clone();
        write_json(
            &self.dir.join("result.json"),
            &RunResult {
                id,
                status,
                steps,
                best,
                last,
            },
        )
    }

    fn steps_path(&self) -> PathBuf {
        self.dir.join(STEPS)
    }
}

/// The lines of a journal are the steps 1, 2, 3 ...
fn check_numbers(journal: &[Step], path: &Path) -> Result<(), TrainError> {
    for (index, line) in journal.iter().enumerate() {
        if line.step != index as u64 + 1 {
            return Err(TrainError::Record {
                path: path.into(),
                line: index + 1,
                message: format!("expected step {}, found step {}", index + 1, line.step),
            });
        }
    }
    Ok(())
}
