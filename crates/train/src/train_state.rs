//! A model under training, with all that its next step needs beside the journal.
//!
//! A step is measured by the forward passes that it asks for, written down by the caller, then applied. Replaying the journal
//! applies its lines, by the same code.

use std::path::Path;

use mezo_model::{
    Decay, DecayOn, Dropout, Estimates, Gradients, Model, NamedTensor, Optimizer, Philox, Rule,
};
use mezo_run::{RunError, Step};
use mezo_spec::{Mezo, Objective, Optimizer as Update, Protocol, RunConfig, Scale, ScaleMeasured};
use mezo_tasks::{Examples, Order, PackedBatch};

use crate::counts::Counts;
use crate::error::TrainError;
use crate::estimators::{self, Estimator, StepOf};
use crate::forward::batch;
use crate::forward::{ForwardRequest, Measure, step_seed};
use crate::scale::{self, Scales, Sight};
use crate::training::Training;

/// The estimate whose seed a step's dropout masks take; those of a step count from 0.
const DROPOUT: u32 = u32::MAX;

/// A model under training.
pub(crate) struct TrainState {
    pub(crate) model: Model,
    training: Training,
    gradient: Source,
    order: Order,
    counts: Counts,
    optimizer: Optimizer,
    scales: Option<Scales>,
}

/// Where the gradient of a step comes from.
enum Source {
    /// From losses at perturbed copies.
    Estimated {
        mezo: Mezo,
        estimator: Box<dyn Estimator>,
    },
    /// From backpropagation: that of the step that was measured last, until it is applied.
    Backpropagated(Option<(u64, Gradients)>),
}

impl Source {
    fn of(mezo: Option<&Mezo>) -> Self {
        match mezo {
            None => Self::Backpropagated(None),
            Some(mezo) => Self::Estimated {
                estimator: estimators::of(mezo),
                mezo: mezo.clone(),
            },
        }
    }

    fn mezo(&self) -> Option<&Mezo> {
        match self {
            Self::Estimated { mezo, .. } => Some(mezo),
            Self::Backpropagated(_) => None,
        }
    }
}

impl TrainState {
    /// A model before its first step.
    pub(crate) fn new(
        model: Model,
        config: &RunConfig,
        training: Training,
        examples: &Examples,
    ) -> Self {
        let gradient = Source::of(config.method.mezo());
        let estimates = gradient.mezo().and_then(|mezo| mezo.estimates.as_ref());
        let own_batches = config.protocol == Protocol::Paper;
        Self {
            model,
            training,
            order: Order::new(examples.train.len(), training.batch_size, training.seed),
            counts: Counts::new(estimates, training.steps, own_batches),
            optimizer: optimizer(&training),
            scales: None,
            gradient,
        }
    }

    /// The scales that the run asks for.
    fn scale(&self) -> Option<&Scale> {
        self.gradient.mezo()?.scale.as_ref()
    }

    fn objective(&self) -> Objective {
        let mezo = self.gradient.mezo();
        mezo.map_or(Objective::CrossEntropy, |mezo| mezo.objective)
    }

    /// Takes a model before its first step in the place of the one there is.
    pub(crate) fn start_again(&mut self, model: Model) {
        self.model = model;
        self.optimizer = optimizer(&self.training);
        self.scales = None;
        self.forget_gradient();
    }

    fn forget_gradient(&mut self) {
        if let Source::Backpropagated(pending) = &mut self.gradient {
            *pending = None;
        }
    }

    /// What has to be known before a step is measured or applied: the layers' scales, where they are due. `alive` is called
    /// while they are measured.
    pub(crate) fn prepare(&mut self, step: u64, examples: &Examples, alive: &dyn Fn()) {
        let Some(spec) = self.scale() else {
            return;
        };
        let epoch = |step| self.counts.batch(step, 0) / self.order.batches_per_epoch() as u64;
        let due = match spec.measured {
            ScaleMeasured::Once => step == 1,
            ScaleMeasured::EachEpoch => step == 1 || epoch(step) != epoch(step - 1),
        };
        if !due {
            return;
        }
        let packed = self.batch(step, 0, examples);
        let sight = Sight {
            model: &self.model,
            packed: &packed,
            words: &examples.words,
            noise: &Philox,
            eps: self.training.eps,
            objective: self.objective(),
            alive,
        };
        self.scales = Some(scale::measure(spec, &sight, self.training.seed, step));
    }

    /// One of the forward passes that a step asks for before its line can be made, counted from 0; none after the last. A
    /// backpropagated step asks for none.
    pub(crate) fn request(
        &self,
        step: u64,
        number: u32,
        examples: &Examples,
    ) -> Option<ForwardRequest> {
        let Source::Estimated { estimator, .. } = &self.gradient else {
            return None;
        };
        let asked = number < estimator.requests(self.counts.at(step));
        asked.then(|| ForwardRequest {
            packed: self.batch(step, number, examples),
            seed: self.seed(step, number),
            signs: estimator.signs(),
        })
    }

    /// How the losses of a pass are measured.
    pub(crate) fn measure(&self) -> Measure<'_> {
        Measure {
            noise: &Philox,
            eps: self.training.eps,
            objective: self.objective(),
            factors: self.scales.as_ref().map(Scales::probe_factors),
        }
    }

    /// The line of a step in the journal, from the losses that each of its passes found.
    pub(crate) fn line(
        &mut self,
        step: u64,
        before: Option<&Step>,
        losses: &[Vec<f64>],
        examples: &Examples,
    ) -> Step {
        let lr = self.training.lr(step) * self.counts.lr_factor(step);
        if let Source::Estimated { estimator, .. } = &self.gradient {
            let step = StepOf {
                number: step,
                lr,
                before,
                run_seed: self.training.seed,
            };
            return estimator.line(&step, losses);
        }
        let (loss, gradients) = self.backpropagate(step, examples);
        self.gradient = Source::Backpropagated(Some((step, gradients)));
        Step::with_loss(step, lr, Vec::new(), loss)
    }

    /// The seed of the noise of one of a step's passes.
    fn seed(&self, step: u64, number: u32) -> u64 {
        step_seed(self.training.seed, step, number)
    }

    /// Moves the parameters as a line of the journal says. A backpropagated gradient that is no longer at hand is made
    /// again: it is a function of the parameters and the step.
    pub(crate) fn apply(&mut self, line: &Step, examples: &Examples) {
        match &mut self.gradient {
            Source::Estimated { mezo, estimator } => {
                let scales = self.scales.as_ref().zip(mezo.scale.as_ref());
                let gradient = Estimates {
                    noise: &Philox,
                    terms: estimator.terms(line),
                    factors: scales.and_then(|(scales, spec)| scales.update_factors(spec.modifies)),
                };
                self.optimizer.update(&mut self.model, &gradient, line.lr);
            }
            Source::Backpropagated(pending) => {
                let gradients = match pending.take() {
                    Some((step, gradients)) if step == line.step => gradients,
                    _ => self.backpropagate(line.step, examples).1,
                };
                self.optimizer.update(&mut self.model, &gradients, line.lr);
            }
        }
    }

    /// The loss and the gradient of a step's batch, shortened to the largest norm allowed.
    fn backpropagate(&self, step: u64, examples: &Examples) -> (f64, Gradients) {
        let packed = self.batch(step, 0, examples);
        let rate = self.training.dropout;
        let dropout = (rate > 0.0).then(|| Dropout {
            seed: self.seed(step, DROPOUT),
            hidden: rate,
            attention: rate,
        });
        let (loss, mut gradients) =
            self.model
                .gradients(batch(&packed), &examples.words, &packed.labels, dropout);
        gradients.clip(self.training.clip);
        (loss, gradients)
    }

    fn batch(&self, step: u64, estimate: u32, examples: &Examples) -> PackedBatch {
        let rows = self.order.batch(self.counts.batch(step, estimate));
        PackedBatch::pack(rows.into_iter().map(|row| &examples.train[row]))
    }

    /// Whether a snapshot holds anything beside the trained tensors.
    pub(crate) fn has_state(&self) -> bool {
        let training = &self.training;
        let has_averages = training.optimizer == Update::Adam || training.momentum != 0.0;
        has_averages || self.scale().is_some()
    }

    /// What a snapshot holds beside the trained tensors.
    pub(crate) fn state(&self) -> Vec<NamedTensor> {
        let scales = self.scales.iter().map(|scales| NamedTensor {
            name: SCALES.into(),
            shape: vec![scales.values().len()],
            values: scales.values().to_vec(),
        });
        self.optimizer
            .state(&self.model)
            .into_iter()
            .chain(scales)
            .collect()
    }

    /// A snapshot without the scales that its run measured must not go on as a run without scales.
    fn check_scales(&self, path: &Path) -> Result<(), TrainError> {
        let expected = match self.scale() {
            Some(_) => self.model.trainable_names().len(),
            None => 0,
        };
        let found = self
            .scales
            .as_ref()
            .map_or(0, |scales| scales.values().len());
        if found == expected {
            return Ok(());
        }
        Err(RunError::Record {
            path: path.into(),
            line: 1,
            message: format!("expected {expected} scales of layers, found {found}"),
        }
        .into())
    }

    /// Takes what a snapshot of a step holds beside the trained tensors.
    pub(crate) fn set_state(
        &mut self,
        mut state: Vec<NamedTensor>,
        step: u64,
        path: &Path,
    ) -> Result<(), TrainError> {
        let scales = state.iter().position(|tensor| tensor.name == SCALES);
        self.scales = scales.map(|at| Scales::of(state.swap_remove(at).values));
        self.check_scales(path)?;
        self.forget_gradient();
        self.optimizer
            .restore(&self.model, state, step, path)
            .map_err(|error| TrainError::Snapshot { error })
    }
}

/// The tensor of a snapshot that holds the layers' scales.
pub(crate) const SCALES: &str = "scale";

fn optimizer(training: &Training) -> Optimizer {
    let rule = match training.optimizer {
        Update::Sgd => Rule::Sgd {
            momentum: training.momentum as f32,
        },
        Update::Adam => Rule::ADAM,
    };
    let decay = Decay {
        rate: training.weight_decay,
        on: match training.decay_on {
            mezo_spec::DecayOn::All => DecayOn::All,
            mezo_spec::DecayOn::NoBiasNorm => DecayOn::NoBiasNorm,
            mezo_spec::DecayOn::ReferenceOptimizer => DecayOn::ReferenceOptimizer,
        },
    };
    Optimizer::new(rule, decay)
}
