//! What is wrong with a spec, or with what it names.

use std::borrow::Cow;

use mezo_spec::{Point, Spec, SpecError, SpecErrors};
use mezo_tasks::TaskError;
use mezo_weights::ModelError;

use super::Places;

/// A spec that cannot be planned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// The spec itself.
    #[error(transparent)]
    Spec(#[from] SpecErrors),
    /// A value of it, at its place.
    #[error(transparent)]
    Value(#[from] SpecError),
    /// What it names, and the command line may have named in its place.
    #[error(transparent)]
    Resolve(#[from] ResolveError),
}

/// What one run names, and cannot be.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ResolveError {
    /// A value of the spec that cannot be.
    #[error("{message}")]
    Value {
        /// The key's path in the spec, such as `train.lr`.
        key: &'static str,
        /// What is wrong with its value, the key named.
        message: String,
        /// A way out.
        hint: Option<String>,
    },
    /// The model's files.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The task's data, template or label words.
    #[error(transparent)]
    Task(#[from] TaskError),
}

/// An error about a key's value; the message names the key.
pub(super) fn value(key: &'static str, message: String) -> ResolveError {
    ResolveError::Value {
        key,
        message,
        hint: None,
    }
}

/// A value that breaks a rule, and the way out.
pub(super) fn rule(key: &'static str, message: String, hint: &str) -> ResolveError {
    ResolveError::Value {
        key,
        message,
        hint: Some(hint.into()),
    }
}

impl ResolveError {
    /// A way out, where there is one to tell.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Value { hint, .. } => hint.clone(),
            Self::Model(error) => error.hint(),
            Self::Task(error) => error.hint(),
        }
    }

    /// Whether weights or data that a sound spec names are just not there.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Value { .. } => false,
            Self::Model(error) => error.is_missing(),
            Self::Task(error) => matches!(
                error,
                TaskError::NoTaskFolder { .. } | TaskError::Missing { .. }
            ),
        }
    }

    /// Whether the spec or the files that it names are wrong, as opposed to the machine.
    pub fn is_bad_input(&self) -> bool {
        match self {
            Self::Model(error) => error.is_bad_input(),
            Self::Value { .. } | Self::Task(_) => true,
        }
    }

    /// The same at its place in the spec, where it has one.
    pub(super) fn at(self, spec: &Spec, point: &Point<'_>, places: &Places<'_>) -> PlanError {
        match self.key(places) {
            Some(key) => spec
                .error_at(Some(point), &key, self.to_string(), self.hint())
                .into(),
            None => self.into(),
        }
    }

    /// The key of the spec that it is about. A folder that the command line names is none of the spec's.
    fn key(&self, places: &Places<'_>) -> Option<Cow<'static, str>> {
        let key = match self {
            Self::Value { key, .. } => key,
            Self::Model(ModelError::NoBuiltin { .. }) => "model.builtin",
            Self::Model(ModelError::NoFolder { .. }) if places.model.is_none() => "model.path",
            Self::Model(ModelError::NotFetched { .. }) => "model.hub",
            Self::Task(error) => match error {
                TaskError::UnknownTask { .. } => "task.name",
                TaskError::Template(_) => "task.template",
                TaskError::NoTaskFolder { .. } if places.data.is_none() => "task.data",
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
            Self::Model(_) => return None,
        };
        Some(key.into())
    }
}
