//! The work of a run: steps from the journal where it has them, measured and written down where not, evaluations, the
//! result.

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use mezo_run::{EVALS, Lease, Lines, RESULT, RunError, STEPS, write_json};

use crate::error::TrainError;
use crate::evaluate::{Measured, evaluate};
use crate::journal::{Eval, EvalSplit, METRICS, Metric, Step, best_step, find};
use crate::learner::Learner;
use crate::linear_probe;
use crate::manifest::Manifest;
use crate::materials::{Examples, Materials};
use crate::recover;
use crate::replay::Replay;
use crate::result::{ProbeFit, Reported, RunResult, Status};
use crate::run::{Control, Ending};
use crate::snapshot;
use crate::spec::MethodName;
use crate::training::Training;

/// Does all that is left of a run. How it ended, and the steps done.
pub(crate) fn work(
    dir: &Path,
    lease: &Lease,
    manifest: &Manifest,
    device_name: &str,
    control: &mut dyn Control,
) -> Result<(Ending, u64), TrainError> {
    let device = mezo_model::device::open(device_name)?;
    let (evals_file, evals) = Lines::take_over(&dir.join(EVALS))?;
    let Materials { model, examples } = Materials::load(manifest, dir, &device)?;
    let mut work = Work {
        dir,
        lease,
        manifest,
        device,
        examples,
        evals_file,
        evals,
    };
    match (manifest.config.method.name, manifest.config.train) {
        (MethodName::Lp, _) => {
            let fit = linear_probe::probe(&model, &work.examples, &|| lease.beat())?;
            let both = [EvalSplit::Dev, EvalSplit::Test];
            work.once(&both, Some(fit.told()), |examples| {
                fit.evaluate(&model, examples, &|| lease.beat())
            })
        }
        (name, Some(train)) if name.has_steps() => {
            let training = Training::of(&train)?;
            let learner = Learner::new(model, manifest, training, &work.examples);
            return work.train(learner, &training, control);
        }
        _ => {
            let words = work.examples.words.clone();
            work.once(&[EvalSplit::Test], None, |examples| {
                evaluate(&model, examples, &words, &|| lease.beat())
            })
        }
    }?;
    Ok((Ending::Finished, 0))
}

/// A run under way.
struct Work<'a> {
    dir: &'a Path,
    /// Asked before anything is written: a process that has lost the run leaves it alone.
    lease: &'a Lease,
    manifest: &'a Manifest,
    device: Device,
    examples: Examples,
    evals_file: Lines,
    evals: Vec<Eval>,
}

impl Work<'_> {
    /// A run without steps: its one evaluation.
    fn once(
        &mut self,
        splits: &[EvalSplit],
        probe: Option<ProbeFit>,
        measure: impl Fn(&[mezo_tasks::Example]) -> Measured,
    ) -> Result<(), TrainError> {
        for &split in splits {
            self.evaluate(0, split, &measure)?;
        }
        let reported = Reported::at(0, &self.evals);
        self.write_result(RunResult {
            id: self.manifest.id.clone(),
            status: Status::Finished,
            steps: 0,
            best: Some(reported.clone()),
            last: Some(reported),
            probe,
        })
    }

    /// Every step: from the journal where it has it, measured and written down where not.
    fn train(
        mut self,
        mut learner: Learner,
        training: &Training,
        control: &mut dyn Control,
    ) -> Result<(Ending, u64), TrainError> {
        let (mut file, mut journal) = Lines::take_over::<Step>(&self.steps_path())?;
        check_numbers(&journal, &self.steps_path())?;
        let found = recover::find(
            self.dir,
            journal.len() as u64,
            &self.evals,
            training,
            !self.examples.dev.is_empty(),
        )?;
        found.flaws.iter().for_each(|flaw| control.warn(flaw));
        let mut step = found.step;
        let is_last = step == training.steps;
        if step > 0 && !snapshot::restore(self.dir, step, &mut learner, is_last)? {
            // It was interrupted just before the result of a run that diverged.
            step = 0;
        }
        if step > 0 {
            // The crash may have come between the snapshot and its evaluation.
            self.checkpoint(&learner, step)?;
        }
        while step < training.steps {
            if control.stop() {
                file.sync()?;
                let step = journal.len() as u64;
                return Ok((Ending::Stopped { step }, step));
            }
            step += 1;
            // Steps that the journal has are done again without a line.
            self.lease.beat();
            learner.prepare(step, &self.examples);
            if journal.len() < step as usize {
                let line = learner.measure(step, journal.last(), &self.examples);
                self.lease.check()?;
                file.add(&line)?;
                control.step(&line, training.steps);
                journal.push(line);
            }
            let line = &journal[step as usize - 1];
            if line.diverged() {
                file.sync()?;
                self.finish_diverged(&mut learner, &journal)?;
                return Ok((Ending::Diverged, step));
            }
            learner.apply(line, &self.examples);
            if training.evaluates_after(step) {
                // A snapshot must never be ahead of the journal.
                file.sync()?;
                self.checkpoint(&learner, step)?;
            }
        }
        self.finish(&mut learner, &journal, training.steps)?;
        Ok((Ending::Finished, step))
    }

    /// Keeps the parameters, measures them on dev, drops snapshots nobody needs any more.
    fn checkpoint(&mut self, learner: &Learner, step: u64) -> Result<(), TrainError> {
        self.lease.check()?;
        snapshot::write(self.dir, step, learner)?;
        self.evaluate_model(learner, step, EvalSplit::Dev)?;
        snapshot::prune(self.dir, step, best_step(&self.evals, step))
    }

    fn evaluate_model(
        &mut self,
        learner: &Learner,
        step: u64,
        split: EvalSplit,
    ) -> Result<(), TrainError> {
        let (words, lease) = (self.examples.words.clone(), self.lease);
        self.evaluate(step, split, &|examples: &[mezo_tasks::Example]| {
            evaluate(&learner.model, examples, &words, &|| lease.beat())
        })
    }

    /// Writes the lines of an evaluation that are not there yet. A split without rows has none.
    fn evaluate(
        &mut self,
        step: u64,
        split: EvalSplit,
        measure: &dyn Fn(&[mezo_tasks::Example]) -> Measured,
    ) -> Result<(), TrainError> {
        let missing: Vec<Metric> = METRICS
            .into_iter()
            .filter(|&metric| find(&self.evals, step, split, metric).is_none())
            .collect();
        let examples = match split {
            EvalSplit::Dev => &self.examples.dev,
            EvalSplit::Test => &self.examples.test,
        };
        if missing.is_empty() || examples.is_empty() {
            return Ok(());
        }
        let measured = measure(examples);
        self.lease.check()?;
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
        Ok(self.evals_file.sync()?)
    }

    /// Test at the last step, then at the best.
    fn finish(
        &mut self,
        learner: &mut Learner,
        journal: &[Step],
        last: u64,
    ) -> Result<(), TrainError> {
        self.evaluate_model(learner, last, EvalSplit::Test)?;
        let best = self.report_best(learner, journal, last)?;
        let reported = Reported::at(last, &self.evals);
        self.close(Status::Finished, last, best, Some(reported))
    }

    /// The best step before the loss was no longer finite; there is no last.
    fn finish_diverged(
        &mut self,
        learner: &mut Learner,
        journal: &[Step],
    ) -> Result<(), TrainError> {
        let steps = journal.len() as u64;
        let best = self.report_best(learner, journal, steps)?;
        self.close(Status::Diverged, steps, best, None)
    }

    /// Lets go of what only another step would have needed, and then writes the result: who finds it finds all done.
    fn close(
        &self,
        status: Status,
        steps: u64,
        best: Option<Reported>,
        last: Option<Reported>,
    ) -> Result<(), TrainError> {
        self.lease.check()?;
        snapshot::keep_weights(self.dir)?;
        self.write_result(RunResult {
            id: self.manifest.id.clone(),
            status,
            steps,
            best,
            last,
            probe: None,
        })
    }

    fn report_best(
        &mut self,
        learner: &mut Learner,
        journal: &[Step],
        last: u64,
    ) -> Result<Option<Reported>, TrainError> {
        let Some(best) = best_step(&self.evals, last) else {
            return Ok(None);
        };
        if find(&self.evals, best, EvalSplit::Test, Metric::CrossEntropy).is_none() {
            let replay = Replay {
                dir: self.dir,
                beat: &|| self.lease.beat(),
                manifest: self.manifest,
                device: &self.device,
                examples: &self.examples,
            };
            if !replay.put(learner, journal, best)? {
                self.lease.check()?;
                snapshot::write_weights(self.dir, best, &learner.model)?;
            }
            self.evaluate_model(learner, best, EvalSplit::Test)?;
        }
        Ok(Some(Reported::at(best, &self.evals)))
    }

    fn write_result(&self, result: RunResult) -> Result<(), TrainError> {
        self.lease.check()?;
        Ok(write_json(&self.dir.join(RESULT), &result)?)
    }

    fn steps_path(&self) -> PathBuf {
        self.dir.join(STEPS)
    }
}

/// The lines of a journal are the steps 1, 2, 3 ...
pub(crate) fn check_numbers(journal: &[Step], path: &Path) -> Result<(), TrainError> {
    for (index, line) in journal.iter().enumerate() {
        if line.step != index as u64 + 1 {
            return Err(RunError::Record {
                path: path.into(),
                line: index + 1,
                message: format!("expected step {}, found step {}", index + 1, line.step),
            }
            .into());
        }
    }
    Ok(())
}
