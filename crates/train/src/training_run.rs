//! The steps of one run, one after the other: from the journal where it has them, else from the losses that somebody
//! measures for it.

use mezo_run::{Lines, Step, take_journal};

use crate::control::{Done, Ending};
use crate::error::TrainError;
use crate::forward::ForwardRequest;
use crate::pass::Share;
use crate::recover;
use crate::snapshot;
use crate::train_state::TrainState;
use crate::training::Training;
use crate::work::Work;

/// A run that goes by steps, between two of them or within one.
///
/// [`Self::next`] brings it to a step that must be measured, whose passes [`Self::request`] names, and [`Self::measured`] makes
/// the step with what they found. Who makes the passes is not its concern: they may be those of other runs too.
pub(crate) struct TrainingRun<'a> {
    work: Work<'a>,
    state: TrainState,
    training: Training,
    file: Lines,
    journal: Vec<Step>,
    /// The step that is being made, or else the last one.
    step: u64,
}

impl<'a> TrainingRun<'a> {
    /// Resumes from what the run's files have.
    pub(crate) fn begin(
        mut work: Work<'a>,
        mut state: TrainState,
        training: Training,
    ) -> Result<Self, TrainError> {
        let (file, journal) = take_journal(&work.run.dir)?;
        let found = recover::find(
            &work.run.dir,
            journal.len() as u64,
            &work.evals,
            &training,
            !work.examples.dev.is_empty(),
        )?;
        found
            .flaws
            .iter()
            .for_each(|flaw| work.run.control.warn(flaw));
        let mut step = found.step;
        let is_last = step == training.steps;
        if step > 0 && !snapshot::restore(&work.run.dir, step, &mut state, is_last)? {
            // It was interrupted just before the result of a run that diverged.
            step = 0;
        }
        if step > 0 {
            // The crash may have come between the snapshot and its evaluation.
            work.checkpoint(&state, step)?;
        }
        Ok(Self {
            work,
            state,
            training,
            file,
            journal,
            step,
        })
    }

    /// Goes on to the next step that must be measured, by way of those that the journal has. How the run ended, where there
    /// is no such step.
    pub(crate) fn next(&mut self) -> Result<Option<Done>, TrainError> {
        while self.step < self.training.steps {
            if self.work.run.control.stop() {
                self.file.sync()?;
                let step = self.journal.len() as u64;
                return Ok(Some(done(Ending::Stopped { step }, step)));
            }
            self.step += 1;
            // Steps that the journal has are done again without a line.
            self.work.run.control.alive();
            let control = self.work.run.control;
            self.state
                .prepare(self.step, &self.work.examples, &|| control.alive());
            if self.journal.len() < self.step as usize {
                return Ok(None);
            }
            if let Some(done) = self.apply()? {
                return Ok(Some(done));
            }
        }
        self.work
            .finish(&mut self.state, &self.journal, self.training.steps)?;
        Ok(Some(done(Ending::Finished, self.step)))
    }

    /// One of the passes that the step asks for, counted from 0; none after the last.
    pub(crate) fn request(&self, number: u32) -> Option<ForwardRequest> {
        self.state.request(self.step, number, &self.work.examples)
    }

    /// A request, with all that it is scored with.
    pub(crate) fn share<'v>(&'v self, request: &'v ForwardRequest) -> Share<'v> {
        Share {
            model: &self.state.model,
            measure: self.state.measure(),
            words: &self.work.examples.words,
            request,
        }
    }

    /// Makes the step with the losses that each of its passes found: written down first, then applied. How the run ended, if
    /// it did.
    pub(crate) fn measured(&mut self, losses: &[Vec<f64>]) -> Result<Option<Done>, TrainError> {
        let before = self.journal.last();
        let line = self
            .state
            .line(self.step, before, losses, &self.work.examples);
        self.work.run.check()?;
        self.file.add(&line)?;
        self.work.run.control.step(&line, self.training.steps);
        self.journal.push(line);
        self.apply()
    }

    /// Does to the parameters what the journal says of the step, and what is due after it.
    fn apply(&mut self) -> Result<Option<Done>, TrainError> {
        let line = &self.journal[self.step as usize - 1];
        if line.diverged() {
            self.file.sync()?;
            self.work.finish_diverged(&mut self.state, &self.journal)?;
            return Ok(Some(done(Ending::Diverged, self.step)));
        }
        self.state.apply(line, &self.work.examples);
        if self.training.evaluates_after(self.step) {
            // A snapshot must never be ahead of the journal.
            self.file.sync()?;
            self.work.checkpoint(&self.state, self.step)?;
        }
        Ok(None)
    }
}

fn done(ending: Ending, steps: u64) -> Done {
    Done { ending, steps }
}
