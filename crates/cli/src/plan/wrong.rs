//! What is wrong with a point, at its place in the spec.

use std::borrow::Cow;

use mezo_spec::{Point, Spec};
use mezo_tasks::TaskError;
use mezo_train::{ModelError, TrainError};

use crate::args::Folders;
use crate::failure::Failure;

/// What is wrong, at its place in the spec where it has one.
pub fn in_spec(spec: &Spec, point: &Point<'_>, folders: &Folders, error: TrainError) -> Failure {
    match key(&error, folders) {
        Some(key) => spec
            .error_at(Some(point), &key, error.to_string(), error.hint())
            .into(),
        None => error.into(),
    }
}

/// The key of the spec that an error is about. A folder that the command line names is none of the spec's.
fn key(error: &TrainError, folders: &Folders) -> Option<Cow<'static, str>> {
    let key = match error {
        TrainError::Value { key, .. } => key,
        TrainError::Model(ModelError::NoFolder { .. }) if folders.model.is_none() => "model.path",
        TrainError::NotFetched { .. } => "model.hub",
        TrainError::Task(error) => match error {
            TaskError::UnknownTask { .. } => "task.name",
            TaskError::Template(_) => "task.template",
            TaskError::NoTaskFolder { .. } if folders.data.is_none() => "task.data",
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
