//! Which runs may be trained together: those that differ in nothing that a pass shares.

use std::path::{Path, PathBuf};

use mezo_run::{RunPlan, shared_in_a_pass};
use serde_json::Value;

/// Why runs cannot be trained together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTogether {
    /// A run that shares no model with others: what it trains is the model, or it goes by no estimates.
    #[error("{}: cannot be trained beside other runs", dir.display())]
    Alone {
        /// Its directory.
        dir: PathBuf,
    },
    /// Two runs that differ in what one pass has only once.
    #[error("{} and {}: cannot be trained together, they differ in {what}", one.display(), other.display())]
    Differ {
        /// The directory of one.
        one: PathBuf,
        /// That of the other.
        other: PathBuf,
        /// The first thing they differ in.
        what: &'static str,
    },
}

impl NotTogether {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Alone { .. } => {
                "give its directory alone: only LoRA and prefix runs of MeZO go together"
            }
            Self::Differ { .. } => {
                "give them one at a time: runs that go together share model, task, method and precision"
            }
        }
    }
}

/// Holds that runs may be trained together; one alone always may.
pub(crate) fn check<'m>(
    runs: impl IntoIterator<Item = (&'m Path, &'m RunPlan)>,
) -> Result<(), NotTogether> {
    let runs: Vec<(&Path, &RunPlan)> = runs.into_iter().collect();
    let [(one, first), others @ ..] = runs.as_slice() else {
        return Ok(());
    };
    if others.is_empty() {
        return Ok(());
    }
    let expected = shared(one, first)?;
    for (other, manifest) in others {
        let found = shared(other, manifest)?;
        let mut pairs = expected.iter().zip(&found);
        if let Some(((what, _), _)) = pairs.find(|(expected, found)| expected != found) {
            return Err(NotTogether::Differ {
                one: one.to_path_buf(),
                other: other.to_path_buf(),
                what,
            });
        }
    }
    Ok(())
}

fn shared(dir: &Path, plan: &RunPlan) -> Result<Vec<(&'static str, Value)>, NotTogether> {
    let alone = || NotTogether::Alone { dir: dir.into() };
    shared_in_a_pass(plan).ok_or_else(alone)
}
