//! Planning: from a spec to its runs, what they take, and how fast such runs have gone here. Nothing is written or started.

mod changed;
mod cost;
mod disk;
mod error;
mod expand;
mod missing;
mod pace;
mod resolve;
mod sizes;
mod summary;

use std::path::{Path, PathBuf};

use mezo_spec::Overrides;
use mezo_tasks::Task;

pub use changed::{Changed, changed, earlier_version};
pub use cost::{Cost, Work};
pub use error::{PlanError, ResolveError};
pub use expand::{Entry, Expanded, Found, Lacking, Planned, expand, hub_models};
pub use missing::{Reason, Reasons};
pub use pace::Paces;
pub use resolve::Resolver;
pub use sizes::{Part, Sizes};
pub use summary::{Axis, Paced, States, Summary, outstanding};

/// Where a command line has runs, model and data.
#[derive(Clone, Copy)]
pub struct Places<'p> {
    /// The folder of all sweeps' folders.
    pub runs_dir: &'p Path,
    /// The model's folder, whatever model a spec names.
    pub model: Option<&'p Path>,
    /// The data's folder, whatever folder a spec names.
    pub data: Option<&'p Path>,
    /// Where a task's data come from, if not from the hub.
    pub elsewhere: fn(&Task) -> Option<String>,
}

impl Places<'_> {
    /// What takes the place of a spec's values. A path given on the command line starts where the user stands, not at the spec.
    fn overrides(&self) -> Overrides {
        let from_here =
            |path: &Path| -> PathBuf { std::path::absolute(path).unwrap_or_else(|_| path.into()) };
        let mut overrides = Overrides::default();
        if let Some(data) = self.data {
            overrides = overrides.data(&from_here(data));
        }
        if let Some(model) = self.model {
            overrides = overrides.model(&from_here(model));
        }
        overrides
    }
}
