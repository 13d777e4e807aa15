//! `mezo sweep plan`, and the plan that `mezo sweep run` carries out.

mod json;
mod show;

use std::collections::BTreeSet;
use std::path::Path;

use mezo_spec::DeviceKind;
use mezo_sweep::plan::{Expanded, Found, Lacking, Places, Planned, expand};
use mezo_tasks::Task;

use crate::args::Folders;
use crate::failure::Failure;
pub use show::{plan, reason};

/// The runs of a spec, every one resolved; the zero-shot ones first. Nothing is written.
pub fn planned(spec: &Path, folders: &Folders, kind: DeviceKind) -> Result<Vec<Planned>, Failure> {
    let expanded = expanded(spec, folders, kind, Lacking::Refuse)?;
    let planned = expanded.entries.into_iter().filter_map(|entry| {
        let Found::Resolved(planned) = entry.found else {
            return None;
        };
        Some(*planned)
    });
    Ok(planned.collect())
}

/// The repositories on the hub that a spec's models are from, each with its revision.
pub fn hub_models(spec: &Path, folders: &Folders) -> Result<BTreeSet<(String, String)>, Failure> {
    Ok(mezo_sweep::plan::hub_models(spec, &places(folders))?)
}

/// The runs of a spec; what a user should hear of their data is said.
fn expanded(
    spec: &Path,
    folders: &Folders,
    kind: DeviceKind,
    lacking: Lacking,
) -> Result<Expanded, Failure> {
    let expanded = expand(spec, &places(folders), kind, lacking)?;
    for note in &expanded.notes {
        say!("note: {note}");
    }
    Ok(expanded)
}

fn places(folders: &Folders) -> Places<'_> {
    Places {
        runs_dir: &folders.runs_dir,
        model: folders.model.as_deref(),
        data: folders.data.as_deref(),
        elsewhere,
    }
}

/// Where a task's data come from, if not from the hub.
fn elsewhere(task: &Task) -> Option<String> {
    mezo_data::check(task).err()?.hint()
}
