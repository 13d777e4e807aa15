//! From a run that this process holds to its first step.

use mezo_run::EvalSplit;
use mezo_spec::{DeviceKind, Method, Precision};

use crate::control::{Done, Ending};
use crate::error::TrainError;
use crate::evaluate::evaluate;
use crate::linear_probe;
use crate::materials::{Materials, Source};
use crate::train_state::TrainState;
use crate::training::Training;
use crate::training_run::TrainingRun;
use crate::work::{Held, Work};

/// A run that was begun.
pub(crate) enum Begun<'a> {
    /// It goes by no steps, and is at its end.
    Done(Done),
    /// Its steps are to be made.
    Steps(Box<TrainingRun<'a>>),
}

/// Begins a run: does all of it where it goes by no steps, else all that comes before the first of those that are left.
pub(crate) fn begin<'a>(
    run: Held<'a>,
    device_name: &str,
    source: &mut Source,
) -> Result<Begun<'a>, TrainError> {
    check_precision(run.plan.config.precision, device_name)?;
    let control = run.control;
    let device = mezo_model::device::open(device_name)?;
    let Materials { model, examples } =
        Materials::load(&run.plan, &run.dir, &device, source, &|| control.alive())?;
    let method = run.plan.config.method.clone();
    let mut work = Work::new(run, device, examples)?;
    match method {
        Method::LinearProbe(_) => {
            let fit = linear_probe::probe(&model, &work.examples, &|| control.alive())?;
            let both = [EvalSplit::Dev, EvalSplit::Test];
            work.once(&both, Some(fit.told()), |examples| {
                fit.evaluate(&model, examples, &|| control.alive())
            })
        }
        Method::Mezo(_) | Method::FineTune(_) => {
            let training = Training::of(&method)?;
            let state = TrainState::new(model, &work.run.plan.config, training, &work.examples);
            let run = TrainingRun::begin(work, state, training)?;
            return Ok(Begun::Steps(Box::new(run)));
        }
        Method::ZeroShot(_) => {
            let words = work.examples.words.clone();
            work.once(&[EvalSplit::Test], None, |examples| {
                evaluate(&model, examples, &words, &|| control.alive())
            })
        }
    }?;
    Ok(Begun::Done(Done {
        ending: Ending::Finished,
        steps: 0,
    }))
}

/// The precision stands in the run's id: on a device that multiplies in another, its numbers would be others.
fn check_precision(planned: Precision, device_name: &str) -> Result<(), TrainError> {
    let kind = match device_name {
        "cpu" => DeviceKind::Cpu,
        _ => DeviceKind::Gpu,
    };
    let has = Precision::in_effect(Some(planned), kind);
    if has == planned {
        return Ok(());
    }
    Err(TrainError::Value {
        key: "model.precision",
        message: format!("this run multiplies in {planned}, and {device_name} multiplies in {has}"),
        hint: Some("give it a GPU, or plan the sweep for the processor: `--devices cpu`".into()),
    })
}
