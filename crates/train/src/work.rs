//! The work of a run beside its steps: evaluations, snapshots, the result.

use std::path::PathBuf;
use std::rc::Rc;

use burn::tensor::Device;
use mezo_run::{
    Eval, EvalSplit, Lease, Lines, METRICS, Metric, ProbeFit, Reported, RunError, RunPlan,
    RunResult, Snapshots, Status, Step, best_step, find, take_evaluations,
};
use mezo_tasks::Examples;

use crate::control::Control;
use crate::error::TrainError;
use crate::evaluate::{Measured, evaluate};
use crate::replay::Replay;
use crate::snapshot;
use crate::train_state::TrainState;

/// A run that this process holds.
pub(crate) struct Held<'a> {
    pub(crate) dir: PathBuf,
    pub(crate) plan: RunPlan,
    /// Asked before anything is written: a process that has lost the run leaves it alone.
    lease: Rc<Lease>,
    pub(crate) control: &'a dyn Control,
}

impl<'a> Held<'a> {
    pub(crate) fn new(
        dir: PathBuf,
        plan: RunPlan,
        lease: Rc<Lease>,
        control: &'a dyn Control,
    ) -> Self {
        Self {
            dir,
            plan,
            lease,
            control,
        }
    }

    /// Holds that the run is still this process's.
    pub(crate) fn check(&self) -> Result<(), RunError> {
        self.lease.check()
    }
}

/// A run under way: its examples and its evaluations.
pub(crate) struct Work<'a> {
    pub(crate) run: Held<'a>,
    device: Device,
    pub(crate) examples: Examples,
    evals_file: Lines,
    pub(crate) evals: Vec<Eval>,
}

impl<'a> Work<'a> {
    /// The work of a run that this process holds.
    ///
    /// # Errors
    /// If the file of its evaluations cannot be used.
    pub(crate) fn new(
        run: Held<'a>,
        device: Device,
        examples: Examples,
    ) -> Result<Self, TrainError> {
        let (evals_file, evals) = take_evaluations(&run.dir)?;
        Ok(Self {
            run,
            device,
            examples,
            evals_file,
            evals,
        })
    }

    /// A run without steps: its one evaluation.
    pub(crate) fn once(
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
            id: self.run.plan.id().into(),
            status: Status::Finished,
            steps: 0,
            best: Some(reported),
            last: Some(reported),
            probe,
        })
    }

    /// Keeps the parameters, measures them on dev, drops snapshots nobody needs any more.
    pub(crate) fn checkpoint(&mut self, state: &TrainState, step: u64) -> Result<(), TrainError> {
        self.run.check()?;
        snapshot::write(&self.run.dir, step, state)?;
        self.evaluate_model(state, step, EvalSplit::Dev)?;
        let best = best_step(&self.evals, step);
        Ok(Snapshots(&self.run.dir).prune(step, best)?)
    }

    fn evaluate_model(
        &mut self,
        state: &TrainState,
        step: u64,
        split: EvalSplit,
    ) -> Result<(), TrainError> {
        let (words, control) = (self.examples.words.clone(), self.run.control);
        self.evaluate(step, split, &|examples: &[mezo_tasks::Example]| {
            evaluate(&state.model, examples, &words, &|| control.alive())
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
        self.run.check()?;
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
        self.evals_file.sync()?;
        let accuracy = Some(measured.accuracy).filter(|accuracy| accuracy.is_finite());
        self.run.control.evaluated(step, split, accuracy);
        Ok(())
    }

    /// Test at the last step, then at the best.
    pub(crate) fn finish(
        &mut self,
        state: &mut TrainState,
        journal: &[Step],
        last: u64,
    ) -> Result<(), TrainError> {
        self.evaluate_model(state, last, EvalSplit::Test)?;
        let best = self.report_best(state, journal, last)?;
        let reported = Reported::at(last, &self.evals);
        self.close(Status::Finished, last, best, Some(reported))
    }

    /// The best step before the loss was no longer finite; there is no last.
    pub(crate) fn finish_diverged(
        &mut self,
        state: &mut TrainState,
        journal: &[Step],
    ) -> Result<(), TrainError> {
        let steps = journal.len() as u64;
        let best = self.report_best(state, journal, steps)?;
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
        self.run.check()?;
        snapshot::keep_weights(&self.run.dir)?;
        self.write_result(RunResult {
            id: self.run.plan.id().into(),
            status,
            steps,
            best,
            last,
            probe: None,
        })
    }

    fn report_best(
        &mut self,
        state: &mut TrainState,
        journal: &[Step],
        last: u64,
    ) -> Result<Option<Reported>, TrainError> {
        let Some(best) = best_step(&self.evals, last) else {
            return Ok(None);
        };
        if find(&self.evals, best, EvalSplit::Test, Metric::CrossEntropy).is_none() {
            let replay = Replay {
                dir: &self.run.dir,
                alive: &|| self.run.control.alive(),
                plan: &self.run.plan,
                device: &self.device,
                examples: &self.examples,
            };
            if !replay.put(state, journal, best)? {
                self.run.check()?;
                snapshot::write_weights(&self.run.dir, best, &state.model)?;
            }
            self.evaluate_model(state, best, EvalSplit::Test)?;
        }
        Ok(Some(Reported::at(best, &self.evals)))
    }

    fn write_result(&self, result: RunResult) -> Result<(), TrainError> {
        self.run.check()?;
        Ok(result.write(&self.run.dir)?)
    }
}
