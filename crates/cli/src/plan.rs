//! From a spec to the runs it stands for, every one resolved and checked.

use std::collections::BTreeSet;
use std::path::Path;

use mezo_sweep::{Point, Run, Spec, SpecError};
use mezo_tasks::TaskError;
use mezo_train::{Manifest, Resolver, RunSpec, SweptText, TrainError};

use crate::args::PlanArgs;
use crate::failure::Failure;

/// A run and the manifest its directory gets.
pub struct Planned {
    pub run: Run,
    pub manifest: Manifest,
}

/// The runs of a spec, the zero-shot ones first. Nothing is written.
pub fn planned(args: &PlanArgs) -> Result<Vec<Planned>, Failure> {
    let spec = Spec::read(&args.spec)?;
    let mut resolver = Resolver::new(spec.name(), spec.folder());
    let dir = args.runs_dir.join(spec.name());
    let mut seen = BTreeSet::new();
    let (mut zero_shot, mut trained) = (Vec::new(), Vec::new());
    for point in spec.points()? {
        let manifest = resolved(&spec, &point, args, &mut resolver)?;
        let beside = resolver.zero_shot(&manifest)?;
        if seen.insert(beside.id.clone()) {
            zero_shot.push(place(beside, "zero-shot".into(), &spec, &dir));
        }
        if seen.insert(manifest.id.clone()) {
            trained.push(place(manifest, point.label(), &spec, &dir));
        }
    }
    zero_shot.append(&mut trained);
    Ok(zero_shot)
}

/// The point's manifest; what is wrong is shown at its place in the spec where it has one.
fn resolved(
    spec: &Spec,
    point: &Point<'_>,
    args: &PlanArgs,
    resolver: &mut Resolver,
) -> Result<Manifest, Failure> {
    let mut run: RunSpec = point.deserialize()?;
    if let Some(data) = &args.data {
        run.task.data = Some(from_here(data));
    }
    if let Some(model) = &args.model {
        run.model.path = Some(from_here(model));
        run.model.builtin = None;
    }
    let swept = point.swept().into_iter();
    let swept = swept.map(|swept| SweptText { key: swept.key, text: swept.text }).collect();
    resolver.resolve(&run, swept).map_err(|error| match key(&error) {
        Some(key) => in_spec(spec, point, key, error).into(),
        None => error.into(),
    })
}

/// A path given on the command line starts where the user stands, not at the spec.
fn from_here(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

/// The key of the spec that an error is about.
fn key(error: &TrainError) -> Option<&'static str> {
    match error {
        TrainError::Value { key, .. } => Some(key),
        TrainError::Task(error) => match error {
            TaskError::UnknownTask { .. } => Some("task.name"),
            TaskError::Template(_) => Some("task.template"),
            TaskError::LabelWordClasses { .. }
            | TaskError::LabelWordTokens { .. }
            | TaskError::LabelWordTwice { .. } => Some("task.label_words"),
            _ => None,
        },
        _ => None,
    }
}

fn in_spec(spec: &Spec, point: &Point<'_>, key: &str, error: TrainError) -> SpecError {
    let hint = error.hint();
    let message = match error {
        TrainError::Value { message, .. } => message,
        other => other.to_string(),
    };
    spec.error_at(Some(point), key, message, hint)
}

fn place(manifest: Manifest, label: String, spec: &Spec, dir: &Path) -> Planned {
    let dir = dir.join(&manifest.id);
    let run = Run { id: manifest.id.clone(), dir: dir.clone(), label, steps: manifest.steps() };
    Planned { run, manifest: manifest.with_paths_from(spec.folder(), &dir) }
}
