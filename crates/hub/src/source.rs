//! Where the value of a setting comes from.

use std::fmt;
use std::path::PathBuf;

/// What gave a setting its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// This variable.
    Variable(&'static str),
    /// Its default, in the folder that this variable names.
    Under(&'static str),
    /// Its default, whatever is set.
    Default,
    /// This file.
    File(PathBuf),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "from {name}"),
            Self::Under(name) => write!(f, "the default, by {name}"),
            Self::Default => f.write_str("the default"),
            Self::File(path) => write!(f, "from the file {}", path.display()),
        }
    }
}

/// A setting's value, and what gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sourced<T> {
    /// The value.
    pub value: T,
    /// What gave it.
    pub source: Source,
}

impl<T> Sourced<T> {
    pub(crate) fn new(value: T, source: Source) -> Self {
        Self { value, source }
    }
}

impl Sourced<PathBuf> {
    /// Something that lies in this folder unless a variable of its own says otherwise.
    pub(crate) fn under(&self, name: &str) -> Self {
        let source = match self.source {
            Source::Variable(variable) => Source::Under(variable),
            ref other => other.clone(),
        };
        Self::new(self.value.join(name), source)
    }
}
