//! The parameters of a step that is past: from its snapshot, or from the journal where that is lost.

use std::path::Path;

use burn::tensor::Device;
use mezo_model::{Model, load};
use mezo_run::{RunError, RunPlan, Snapshots, check_steps, journal, journal_path};

use crate::error::TrainError;
use crate::initial;
use crate::materials::{Materials, Source};
use crate::snapshot;
use crate::train_state::TrainState;
use crate::training::Training;
use mezo_run::Step;
use mezo_tasks::Examples;

/// What a replay starts from.
pub(crate) struct Replay<'a> {
    pub(crate) dir: &'a Path,
    /// Called at each step.
    pub(crate) alive: &'a dyn Fn(),
    pub(crate) plan: &'a RunPlan,
    pub(crate) device: &'a Device,
    pub(crate) examples: &'a Examples,
}

impl Replay<'_> {
    /// Puts the parameters of a step into the state's model: from its snapshot where that is whole, else from the journal;
    /// whether it was the snapshot. What else the state knows is of no step afterwards.
    pub(crate) fn put(
        &self,
        state: &mut TrainState,
        journal: &[Step],
        step: u64,
    ) -> Result<bool, TrainError> {
        if Snapshots(self.dir).is_whole(step)? {
            snapshot::restore_weights(self.dir, step, &mut state.model)?;
            return Ok(true);
        }
        let Some(lines) = journal.get(..step as usize) else {
            let line = journal.len();
            let message = format!("expected a line for each step up to {step}, found {line}");
            return Err(RunError::Record {
                path: journal_path(self.dir),
                line,
                message,
            }
            .into());
        };
        check_steps(lines, self.dir)?;
        let files = mezo_model::ModelFiles::of(&self.plan.config.model, self.dir)?;
        let loaded = load(&files, self.device)?;
        let model = initial::model(loaded.model, &self.plan.config, self.examples, self.alive)?;
        state.start_again(model);
        for line in lines {
            (self.alive)();
            state.prepare(line.step, self.examples, self.alive);
            state.apply(line, self.examples);
        }
        Ok(false)
    }
}

/// The model of a run as it was after a step that the journal covers.
pub(crate) fn parameters(
    dir: &Path,
    plan: &RunPlan,
    device: &Device,
    step: u64,
) -> Result<Model, TrainError> {
    let training = Training::of(&plan.config.method)?;
    let Materials { model, examples } =
        Materials::load(plan, dir, device, &mut Source::default(), &|| {})?;
    let mut state = TrainState::new(model, &plan.config, training, &examples);
    let journal = journal(dir)?;
    let replay = Replay {
        dir,
        alive: &|| {},
        plan,
        device,
        examples: &examples,
    };
    replay.put(&mut state, &journal, step)?;
    Ok(state.model)
}
