//! What one run's directory says of it.

use std::path::{Path, PathBuf};

use mezo_run::{
    Attempt, Eval, FileFault, Manifest, RESULT, RunResult, Status as Ended, each_attempt,
    each_evaluation, each_step,
};
use mezo_spec::Training;
use serde_json::Value;

use crate::cell::Cell;
use crate::slope::{Slope, slope};

pub(crate) const MANIFEST: &str = Manifest::FILE;

/// What a run's files say of it.
#[derive(Debug)]
pub struct RunRecord {
    /// Its directory.
    pub dir: PathBuf,
    /// Its id: the directory's name.
    pub id: String,
    /// How far it is.
    pub status: Status,
    /// What was wrong with its files.
    pub faults: Vec<FileFault>,
    /// Its manifest, where that could be read.
    pub manifest: Option<RunManifest>,
    /// Its result, once it has one.
    pub result: Option<RunResult>,
    /// The training loss of every step, up to the last finite one.
    pub losses: Vec<f64>,
    /// How many steps were estimated, and at how many of them an estimate was exactly zero.
    pub estimated: Estimated,
    /// Its evaluations.
    pub evals: Vec<Eval>,
    /// Where and how long it ran.
    pub attempts: Attempts,
    /// The slope of its loss, where there are steps enough.
    pub slope: Option<Slope>,
}

/// A manifest, its cell, and the manifest as it was written.
#[derive(Debug)]
pub struct RunManifest {
    /// The parts a report needs.
    pub manifest: Manifest,
    /// The configuration without seed and paths.
    pub cell: Cell,
    /// The whole file.
    pub value: Value,
}

/// Steps whose gradient was estimated from losses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimated {
    /// How many there are.
    pub steps: u64,
    /// Those of which an estimate was exactly zero.
    pub zero: u64,
}

impl Estimated {
    /// The steps of several runs.
    pub(crate) fn sum<'a>(runs: impl IntoIterator<Item = &'a RunRecord>) -> Self {
        runs.into_iter().fold(Self::default(), |sum, run| Self {
            steps: sum.steps + run.estimated.steps,
            zero: sum.zero + run.estimated.zero,
        })
    }

    /// The share of steps with a zero estimate; none where no step was estimated.
    pub fn zero_share(self) -> Option<f64> {
        (self.steps > 0).then(|| self.zero as f64 / self.steps as f64)
    }
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// All steps done and measured.
    Finished,
    /// A loss was not finite: a result, too.
    Diverged,
    /// Begun and not ended: running, or interrupted.
    Started,
    /// Nothing done yet.
    Planned,
    /// A file without which nothing can be said is broken.
    Broken,
}

impl Status {
    /// The word for it in tables.
    pub fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Diverged => "diverged",
            Self::Started => "started",
            Self::Planned => "planned",
            Self::Broken => "broken",
        }
    }
}

/// What `attempts.jsonl` says, summed.
#[derive(Debug, Clone, Default)]
pub struct Attempts {
    /// How often the run was started.
    pub started: u64,
    /// Seconds over all attempts that ended; one that was killed left none.
    pub wall_s: Option<f64>,
    /// The machine of the last start.
    pub host: Option<String>,
    /// The device of the last start.
    pub device: Option<String>,
    /// Why the last attempt that ended did.
    pub last_end: Option<String>,
}

impl RunRecord {
    /// Reads one run's directory.
    pub fn read(dir: PathBuf) -> Self {
        Self::read_with(dir, read_journal, read_evals)
    }

    /// Reads what one run's directory says of its outcome: neither losses nor evaluations. A sweep's journals
    /// are nearly all of its bytes.
    pub fn read_outcome(dir: PathBuf) -> Self {
        Self::read_with(dir, |_, _| Journal::default(), |_, _| Vec::new())
    }

    fn read_with(
        dir: PathBuf,
        read_journal: impl FnOnce(&Path, &mut Vec<FileFault>) -> Journal,
        read_evals: impl FnOnce(&Path, &mut Vec<FileFault>) -> Vec<Eval>,
    ) -> Self {
        let id = dir
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let mut faults = Vec::new();
        let manifest = keep(&mut faults, read_manifest(&dir, &id)).flatten();
        let result = keep(&mut faults, read_result(&dir, &id)).flatten();
        let broken = !faults.is_empty();

        let mut line_faults = Vec::new();
        let Journal {
            losses,
            steps,
            estimated,
        } = read_journal(&dir, &mut line_faults);
        let evals = read_evals(&dir, &mut line_faults);
        let attempts = read_attempts(&dir, &mut line_faults);

        let status = match &result {
            _ if broken => Status::Broken,
            Some(result) if result.status == Ended::Diverged => Status::Diverged,
            Some(_) => Status::Finished,
            None if steps > 0 || attempts.started > 0 => Status::Started,
            None => Status::Planned,
        };
        // A run that is going on, or was killed, may well have a torn last line: no fault of its.
        line_faults
            .retain(|fault| status != Status::Started || !matches!(fault, FileFault::Torn { .. }));
        faults.append(&mut line_faults);
        let slope = slope(&losses);
        Self {
            dir,
            id,
            status,
            faults,
            manifest,
            result,
            losses,
            estimated,
            evals,
            attempts,
            slope,
        }
    }

    /// The manifest, where it could be read.
    pub fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref().map(|run| &run.manifest)
    }

    /// The cell, where the manifest could be read.
    pub fn cell(&self) -> Option<&Cell> {
        self.manifest.as_ref().map(|run| &run.cell)
    }

    /// The seed; none for zero-shot, but for a random head's.
    pub fn seed(&self) -> Option<u64> {
        self.manifest()?.config.whole(&Training::SEED)
    }

    /// Whether it has a result that counts.
    pub(crate) fn ended(&self) -> bool {
        matches!(self.status, Status::Finished | Status::Diverged)
    }

    /// By what runs are sorted: method, cell and seed.
    pub(crate) fn order(&self) -> (bool, Option<&Cell>, Option<u64>, &str) {
        (self.manifest.is_none(), self.cell(), self.seed(), &self.id)
    }
}

fn keep<T>(faults: &mut Vec<FileFault>, read: Result<T, FileFault>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

fn read_manifest(dir: &Path, id: &str) -> Result<Option<RunManifest>, FileFault> {
    let (manifest, value) = Manifest::recorded(dir)?;
    // A run copied under another name would count as one more seed.
    check_id(MANIFEST, id, &manifest.id)?;
    let manifest = with_defaults(manifest);
    let cell = Cell::new(&manifest);
    Ok(Some(RunManifest {
        manifest,
        cell,
        value,
    }))
}

/// The manifest with what an earlier version left out because it was at its default. One of a version that is not known
/// stays as it is.
fn with_defaults(mut manifest: Manifest) -> Manifest {
    if let Ok(config) = manifest.run_config() {
        manifest.config.extend(config.values());
    }
    manifest
}

fn read_result(dir: &Path, id: &str) -> Result<Option<RunResult>, FileFault> {
    let result = RunResult::recorded(dir)?;
    if let Some(result) = &result {
        check_id(RESULT, id, &result.id)?;
    }
    Ok(result)
}

fn check_id(file: &'static str, expected: &str, found: &str) -> Result<(), FileFault> {
    if expected == found {
        return Ok(());
    }
    Err(FileFault::WrongId {
        file,
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}

/// What is kept of a journal.
#[derive(Default)]
struct Journal {
    /// The finite losses.
    losses: Vec<f64>,
    /// All its steps.
    steps: usize,
    estimated: Estimated,
}

fn read_journal(dir: &Path, faults: &mut Vec<FileFault>) -> Journal {
    let mut journal = Journal::default();
    let read = each_step(dir, |step| {
        // A loss that is not finite ends a run; were there more after it, they would be out of place.
        if let Some(loss) = step
            .loss()
            .filter(|_| journal.losses.len() == journal.steps)
        {
            journal.losses.push(loss);
        }
        journal.steps += 1;
        journal.estimated.steps += u64::from(!step.estimates.is_empty());
        journal.estimated.zero += u64::from(step.is_zero());
    });
    keep(faults, read);
    journal
}

fn read_evals(dir: &Path, faults: &mut Vec<FileFault>) -> Vec<Eval> {
    let mut evals = Vec::new();
    let read = each_evaluation(dir, |eval| evals.push(eval));
    keep(faults, read);
    evals
}

fn read_attempts(dir: &Path, faults: &mut Vec<FileFault>) -> Attempts {
    let mut attempts = Attempts::default();
    let read = each_attempt(dir, |line| match line {
        Attempt::Start(start) => {
            attempts.started += 1;
            attempts.host = Some(start.host);
            attempts.device = Some(start.device);
        }
        Attempt::End(end) => {
            attempts.wall_s = Some(end.wall_s + attempts.wall_s.unwrap_or(0.0));
            attempts.last_end = Some(end.reason.name().to_owned());
        }
        Attempt::Retry { .. } => {}
    });
    // An attempt's last words that were cut short are no fault of the numbers.
    keep(faults, read.or_else(FileFault::unless_torn));
    attempts
}
