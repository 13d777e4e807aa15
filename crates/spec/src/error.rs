//! A spec that cannot be used.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::excerpt::Excerpt;
use crate::problem::Problem;

/// A spec that cannot be used: what is wrong, where, and the line it stands on.
///
/// Its `Display` begins with `path:line:column: ` (`path: ` where no line applies) and ends with
/// the line and a caret; [`SpecError::hint`] says the way out.
#[derive(Debug)]
pub struct SpecError(Box<Parts>);

#[derive(Debug)]
struct Parts {
    path: PathBuf,
    excerpt: Option<Excerpt>,
    problem: Problem,
}

impl SpecError {
    pub(crate) fn new(path: &Path, excerpt: Option<Excerpt>, problem: Problem) -> Self {
        Self(Box::new(Parts {
            path: path.to_owned(),
            excerpt,
            problem,
        }))
    }

    /// The spec's path as it was given.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where in the spec, if it is one place.
    pub fn excerpt(&self) -> Option<&Excerpt> {
        self.0.excerpt.as_ref()
    }

    /// What is wrong, without the place.
    pub fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The way out, where there is one to name.
    pub fn hint(&self) -> Option<String> {
        self.0.problem.hint()
    }
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts {
            path,
            excerpt,
            problem,
        } = &*self.0;
        write!(f, "{}:", path.display())?;
        if let Some(excerpt) = excerpt {
            write!(f, "{}:{}:", excerpt.line(), excerpt.column())?;
        }
        write!(f, " {problem}")?;
        if let Some(excerpt) = excerpt {
            write!(f, "\n{excerpt}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SpecError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.problem.source()
    }
}

/// Everything that is wrong with a spec, in the order of the file; at least one thing.
#[derive(Debug)]
pub struct SpecErrors(Vec<SpecError>);

impl SpecErrors {
    pub(crate) fn new(mut errors: Vec<SpecError>) -> Self {
        let place = |error: &SpecError| error.excerpt().map(|at| (at.line(), at.column()));
        errors.sort_by_key(place);
        Self(errors)
    }

    /// What is wrong, thing by thing.
    pub fn iter(&self) -> impl Iterator<Item = &SpecError> {
        self.0.iter()
    }
}

impl From<SpecError> for SpecErrors {
    fn from(error: SpecError) -> Self {
        Self(vec![error])
    }
}

impl fmt::Display for SpecErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, error) in self.0.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "{error}")?;
            if let Some(hint) = error.hint() {
                write!(f, "\nhint: {hint}")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for SpecErrors {}
