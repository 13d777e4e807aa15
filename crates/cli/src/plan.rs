//! `mezo sweep plan`, and the plan of the runs that `mezo sweep run` starts.

mod json;
mod show;

use std::collections::BTreeSet;
use std::path::Path;

use mezo_spec::DeviceKind;
use mezo_sweep::plan::{Expanded, Found, Lacking, Paces, Places, Planned, expand};
use mezo_tasks::Task;

use crate::args::{Folders, PlanArgs, PlanFormat};
use crate::devices::machine;
use crate::exit::Exit;
use crate::failure::Failure;
use json::put_json;
pub use show::reason;
use show::{Shown, put_human};

/// Shows every run of the specs, its state and what it takes.
pub fn plan(args: &PlanArgs) -> Result<Exit, Failure> {
    let kind = args.devices.kind(&machine());
    let plans = args
        .specs
        .iter()
        .map(|spec| expanded(spec, &args.folders, kind, Lacking::Keep))
        .collect::<Result<Vec<_>, _>>()?;
    let paces = match args.tokens_per_second {
        Some(given) => Paces::given(given),
        None => {
            let sizes = plans.iter().flat_map(|plan| plan.sizes.clone()).collect();
            Paces::measured(&args.folders.runs_dir, &sizes)
        }
    };
    let plans = plans
        .into_iter()
        .map(|plan| Shown::of(plan, &paces))
        .collect::<Result<Vec<_>, _>>()?;
    match args.format {
        PlanFormat::Json => put_json(&plans)?,
        PlanFormat::Human => {
            put_human(&plans, args.all)?;
        }
    }
    Ok(Exit::Done)
}

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
