//! What a spec names and what is not there, each thing told once.

use std::collections::BTreeMap;
use std::path::Path;

use mezo_spec::RunSpec;
use mezo_tasks::{Task, TaskError, k_shot};
use serde::Serialize;

use super::Places;
use super::error::ResolveError;

/// Why runs are unresolved.
#[derive(Debug, Default)]
pub struct Reasons {
    list: Vec<Reason>,
    places: BTreeMap<String, usize>,
}

/// One thing that is not there.
#[derive(Debug, Serialize)]
pub struct Reason {
    /// What, and where it should be.
    pub reason: String,
    /// What to fetch or to pass.
    pub hint: Option<String>,
    /// How many runs want it.
    pub runs: usize,
}

impl Reasons {
    /// The reasons why a run is unresolved: what `error` says, and whether its data are not there either.
    pub(super) fn of(
        &mut self,
        run: &RunSpec,
        error: &ResolveError,
        base: &Path,
        places: &Places<'_>,
    ) -> Vec<usize> {
        let hint = match error {
            ResolveError::Task(error) => data_hint(run, error, base, places),
            _ => error.hint(),
        };
        let mut reasons = vec![self.place(error.to_string(), hint)];
        if !matches!(error, ResolveError::Task(_))
            && let Some(missing) = missing_data(run, base)
        {
            let hint = data_hint(run, &missing, base, places);
            reasons.push(self.place(missing.to_string(), hint));
        }
        reasons
    }

    /// Counts a run of these reasons.
    pub(super) fn count(&mut self, reasons: &[usize]) {
        for &reason in reasons {
            self.list[reason].runs += 1;
        }
    }

    /// Adds those of another spec.
    pub fn join(&mut self, other: &Self) {
        for Reason { reason, hint, runs } in &other.list {
            let place = self.place(reason.clone(), hint.clone());
            self.list[place].runs += runs;
        }
    }

    /// All of them, in the order in which they were met.
    pub fn list(&self) -> &[Reason] {
        &self.list
    }

    fn place(&mut self, reason: String, hint: Option<String>) -> usize {
        let list = &mut self.list;
        *self.places.entry(reason).or_insert_with_key(|reason| {
            list.push(Reason {
                reason: reason.clone(),
                hint,
                runs: 0,
            });
            list.len() - 1
        })
    }
}

/// Whether the folder of the run's task is missing. What is in it is not looked at.
fn missing_data(run: &RunSpec, base: &Path) -> Option<TaskError> {
    let task = Task::by_name(&run.task.name).ok()?;
    let data = base.join(run.task.data.as_ref()?);
    if task.made() || data.join(task.folder()).is_dir() {
        return None;
    }
    k_shot(&task, Some(&data), run.task.k, 0, None).err()
}

/// How to come by data that are not there: from the hub, where it has them.
fn data_hint(run: &RunSpec, error: &TaskError, base: &Path, places: &Places<'_>) -> Option<String> {
    let (TaskError::NoTaskFolder { path, .. } | TaskError::Missing { path, .. }) = error else {
        return error.hint();
    };
    let task = Task::by_name(&run.task.name).ok()?;
    let data = base.join(run.task.data.as_ref()?);
    if !path.starts_with(data.join(task.folder())) {
        return error.hint();
    }
    Some(match (places.elsewhere)(&task) {
        None => format!(
            "`mezo data fetch TASK --out {}` fetches a task's data from the hub; `--data DIR` names another folder",
            data.display()
        ),
        Some(elsewhere) => format!("the data of {}: {elsewhere}", task.name()),
    })
}
