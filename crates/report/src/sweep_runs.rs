//! All runs of one sweep, or of several, read from their directories.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::cell::{Cell, settle};
use crate::error::ReportError;
use crate::run_record::{MANIFEST, RunManifest, RunRecord, Status};
use mezo_run::Manifest;

/// The runs of one sweep or of several, sorted by method, cell and seed; runs without a readable manifest last.
#[derive(Debug)]
pub struct SweepRuns {
    /// The sweep's name, or the names of several.
    pub sweep: String,
    /// Its runs.
    pub runs: Vec<RunRecord>,
}

impl SweepRuns {
    /// Reads `runs/<sweep>`. A broken file spoils its own run only.
    ///
    /// # Errors
    /// If the folder cannot be listed or holds no run.
    pub fn read(runs_dir: &Path) -> Result<Self, ReportError> {
        let runs = read_runs(runs_dir, RunRecord::read)?;
        let name = sweep_name(&runs, runs_dir);
        Ok(Self::sorted(name, runs))
    }

    /// Reads several sweeps as if they were one: searches that go on from one to the other become one, and a
    /// run that stands in several counts once. Outcomes only: losses and evaluations are not read.
    ///
    /// # Errors
    /// As [`Self::read`], for the first folder of which it is so.
    pub fn read_several<P: AsRef<Path>>(runs_dirs: &[P]) -> Result<Self, ReportError> {
        let mut names: Vec<String> = Vec::new();
        let mut runs: BTreeMap<String, RunRecord> = BTreeMap::new();
        for runs_dir in runs_dirs.iter().map(AsRef::as_ref) {
            let found = read_runs(runs_dir, RunRecord::read_outcome)?;
            let name = sweep_name(&found, runs_dir);
            if !names.contains(&name) {
                names.push(name);
            }
            for run in found {
                // The id says that both would end in the same numbers: the one that has them counts.
                if runs.get(&run.id).is_none_or(|known| !known.ended()) {
                    runs.insert(run.id.clone(), run);
                }
            }
        }
        Ok(Self::sorted(names.join(", "), runs.into_values().collect()))
    }

    fn sorted(sweep: String, mut runs: Vec<RunRecord>) -> Self {
        separate_changed_splits(&mut runs);
        let manifests = runs.iter_mut().filter_map(|run| run.manifest.as_mut());
        settle(manifests.map(|manifest| &mut manifest.cell).collect());
        runs.sort_by(|a, b| a.order().cmp(&b.order()));
        Self { sweep, runs }
    }

    /// The cells in order, each with its runs in the order of their seeds.
    pub fn cells(&self) -> Vec<(&Cell, Vec<&RunRecord>)> {
        let mut cells: Vec<(&Cell, Vec<&RunRecord>)> = Vec::new();
        for run in &self.runs {
            let Some(RunManifest { cell, .. }) = &run.manifest else {
                continue;
            };
            match cells.last_mut() {
                Some((last, runs)) if *last == cell => runs.push(run),
                _ => cells.push((cell, vec![run])),
            }
        }
        cells
    }

    /// How many runs there are of each status.
    pub fn count(&self) -> BTreeMap<Status, usize> {
        let mut count = BTreeMap::new();
        for run in &self.runs {
            *count.entry(run.status).or_insert(0) += 1;
        }
        count
    }

    /// Whether any run learnt from made data.
    pub fn made_data(&self) -> bool {
        self.manifests().any(|manifest| manifest.made_data)
    }

    /// The manifests that could be read.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.runs.iter().filter_map(RunRecord::manifest)
    }
}

/// Takes the runs of a search and a seed out of it where those that ended differ in their data: a split that its user wrote was
/// changed between them, and no row mixes two versions of one split, nor chooses between them.
fn separate_changed_splits(runs: &mut [RunRecord]) {
    let mut splits: BTreeMap<(String, u64), BTreeSet<String>> = BTreeMap::new();
    let place = |run: &RunRecord| Some((run.cell()?.group.clone(), run.seed()?));
    for run in runs.iter().filter(|run| run.ended()) {
        if let (Some(place), Some(manifest)) = (place(run), run.manifest()) {
            let data = manifest.data_sha256.clone();
            splits.entry(place).or_default().insert(data);
        }
    }
    for run in runs {
        let known = place(run).and_then(|place| splits.get(&place));
        let changed = known.is_some_and(|versions| versions.len() > 1);
        if let Some(RunManifest { manifest, cell, .. }) = run.manifest.as_mut().filter(|_| changed)
        {
            cell.with_split(&manifest.data_sha256);
        }
    }
}

fn read_runs(
    runs_dir: &Path,
    read: fn(PathBuf) -> RunRecord,
) -> Result<Vec<RunRecord>, ReportError> {
    let failed = |source| ReportError::RunsFolder {
        path: runs_dir.to_owned(),
        source,
    };
    let mut dirs: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(runs_dir).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_run_dir(&path) {
            dirs.push(path);
        }
    }
    if dirs.is_empty() {
        return Err(ReportError::NoRuns {
            path: runs_dir.to_owned(),
        });
    }
    Ok(dirs.into_iter().map(read).collect())
}

/// A run's directory has a manifest, or at least a run's name: then its manifest is what is missing.
fn is_run_dir(path: &Path) -> bool {
    let named_as_run = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| {
            name.len() == 16
                && name
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        });
    path.is_dir() && (named_as_run || path.join(MANIFEST).is_file())
}

fn sweep_name(runs: &[RunRecord], runs_dir: &Path) -> String {
    let written = runs
        .iter()
        .find_map(RunRecord::manifest)
        .map(|manifest| manifest.sweep.clone());
    written.unwrap_or_else(|| {
        runs_dir
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    })
}
