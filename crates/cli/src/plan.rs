//! From a spec to the runs it stands for, every one resolved and checked.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::path::Path;

use mezo_sweep::{Point, Run, Spec};
use mezo_tasks::TaskError;
use mezo_train::{Manifest, ModelError, Resolver, RunSpec, SweptText, TrainError};

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
    let points = spec.points()?;
    // Every value is looked at before the first model is read, which may take a while.
    let runs: Vec<RunSpec> = points
        .iter()
        .map(|point| checked(&spec, point, args))
        .collect::<Result<_, _>>()?;
    for (point, run) in points.iter().zip(&runs) {
        let manifest = resolved(&spec, point, run, args, &mut resolver)?;
        if let Some(beside) = resolver.zero_shot(&manifest)?
            && seen.insert(beside.id.clone())
        {
            zero_shot.push(place(beside, "zero-shot".into(), &spec, &dir));
        }
        if seen.insert(manifest.id.clone()) {
            trained.push(place(manifest, label(&spec, point), &spec, &dir));
        }
    }
    zero_shot.append(&mut trained);
    Ok(zero_shot)
}

/// What sets the point apart; the sweep's name where nothing varies.
fn label(spec: &Spec, point: &Point<'_>) -> String {
    match point.label() {
        empty if empty.is_empty() => spec.name().into(),
        label => label,
    }
}

/// What the point says, with the command line's folders in it.
fn checked(spec: &Spec, point: &Point<'_>, args: &PlanArgs) -> Result<RunSpec, Failure> {
    let mut run: RunSpec = point.deserialize()?;
    if let Some(data) = &args.data {
        run.task.data = Some(from_here(data));
    }
    if let Some(model) = &args.model {
        run.model.path = Some(from_here(model));
        run.model.builtin = None;
    }
    run.check()
        .map_err(|error| in_spec(spec, point, args, error))?;
    Ok(run)
}

/// The point's manifest.
fn resolved(
    spec: &Spec,
    point: &Point<'_>,
    run: &RunSpec,
    args: &PlanArgs,
    resolver: &mut Resolver,
) -> Result<Manifest, Failure> {
    let swept = point.swept().into_iter();
    let swept = swept
        .map(|swept| SweptText {
            key: swept.key,
            text: swept.text,
        })
        .collect();
    resolver
        .resolve(run, swept)
        .map_err(|error| in_spec(spec, point, args, error))
}

/// A path given on the command line starts where the user stands, not at the spec.
fn from_here(path: &Path) -> std::path::PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.into())
}

/// What is wrong, at its place in the spec where it has one.
fn in_spec(spec: &Spec, point: &Point<'_>, args: &PlanArgs, error: TrainError) -> Failure {
    match key(&error, args) {
        Some(key) => spec
            .error_at(Some(point), &key, error.to_string(), error.hint())
            .into(),
        None => error.into(),
    }
}

/// The key of the spec that an error is about. A folder that the command line names is none of the spec's.
fn key(error: &TrainError, args: &PlanArgs) -> Option<Cow<'static, str>> {
    let key = match error {
        TrainError::Value { key, .. } => key,
        TrainError::Model(ModelError::NoFolder { .. }) if args.model.is_none() => "model.path",
        TrainError::Task(error) => match error {
            TaskError::UnknownTask { .. } => "task.name",
            TaskError::Template(_) => "task.template",
            TaskError::NoTaskFolder { .. } if args.data.is_none() => "task.data",
            TaskError::LabelWordClass { label, .. } => {
                return Some(format!("task.label_words.{label}").into());
            }
            TaskError::WithoutPrompt { key, .. } => return Some(format!("task.{key}").into()),
            TaskError::LabelWordTokens { class, .. }
            | TaskError::LabelWordTwice {
                classes: [_, class],
                ..
            } => {
                return Some(format!("task.label_words.{class}").into());
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(key.into())
}

fn place(manifest: Manifest, label: String, spec: &Spec, dir: &Path) -> Planned {
    let dir = dir.join(&manifest.id);
    let run = Run {
        id: manifest.id.clone(),
        dir: dir.clone(),
        label,
        steps: manifest.steps(),
    };
    Planned {
        run,
        manifest: manifest.with_paths_from(spec.folder(), &dir),
    }
}
