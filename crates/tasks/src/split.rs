//! The k-shot split of a task: read where it has been written, drawn where it has not.

use std::path::{Path, PathBuf};

use crate::draw::{capped, draw};
use crate::error::TaskError;
use crate::hash::{hash_of, sha256};
use crate::made;
use crate::read::{Columns, Label, Layout, Row, Table, read_table};
use crate::shared::{Shared, SourceRows};
use crate::task::Task;

/// Rows to train on, to choose by and to report on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// k rows of each class.
    pub train: Vec<Row>,
    /// As many again, no row of train among them.
    pub dev: Vec<Row>,
    /// The test rows, the same for every seed.
    pub test: Vec<Row>,
    /// Why there are no test rows, where there are none: a written split may come with train and dev alone.
    pub test_missing: Option<String>,
    /// The SHA-256 of the rows that the splits of all seeds are drawn from; empty where the split was read as it was written.
    pub source_sha256: String,
}

impl Split {
    /// The SHA-256 of all sentences and classes in order, in hexadecimal. Where the rows came from is no part of it.
    pub fn sha256(&self) -> String {
        sha256([&self.train, &self.dev, &self.test])
    }
}

/// The k-shot split of a task by the published procedure.
///
/// `data` is the folder that holds the task's folder. A split that lies there already (`SST-2/16-13/train.tsv`) is
/// read; otherwise it is drawn from the task's train file, and the test rows are the published ones. A test set of more
/// than `test_cap` rows is cut by the published rule either way. Made tasks need no `data` and look at none.
///
/// A written split without test rows takes the source's. Where those are not there either (MNLI's and SNLI's are large
/// and often left out), the split has none and says so in [`Split::test_missing`].
pub fn k_shot(
    task: &Task,
    data: Option<&Path>,
    k: usize,
    seed: u64,
    test_cap: Option<usize>,
) -> Result<Split, TaskError> {
    let settings = Settings::checked(k, seed, test_cap)?;
    k_shot_of(task, data, settings, &mut Shared::default())
}

/// The same; the rows to draw from are read once for all seeds.
pub(crate) fn k_shot_of(
    task: &Task,
    data: Option<&Path>,
    settings: Settings,
    shared: &mut Shared,
) -> Result<Split, TaskError> {
    if task.made() {
        let (train, test) = (&*made::TRAIN, &*made::TEST);
        let sha256 = made::TRAIN_SHA256.as_str();
        return drawn([train, test], sha256, settings, Path::new(task.name()));
    }
    let places = Places::of(task, data)?;
    let ready = places.folder.join(settings.folder_name());
    if ready.is_dir() {
        let files = &task.published().files;
        let (test, test_missing) =
            places.test_or_why_not(task, &settings.folder_name(), settings.test_cap)?;
        return Ok(Split {
            train: task.read_file(&ready.join(files.train))?,
            dev: task.read_file(&ready.join(files.dev))?,
            test,
            test_missing,
            source_sha256: String::new(),
        });
    }
    let folder = std::fs::canonicalize(&places.folder);
    let key = format!("{} {folder:?}", task.name());
    let source = shared.source(key, || {
        let train = places.train_table(task)?;
        Ok(SourceRows {
            sha256: hash_of(train.records.iter().map(|record| &record.row)),
            test: places.source_table(task)?,
            train,
        })
    })?;
    let tables = [&source.train, &source.test];
    drawn(tables, &source.sha256, settings, &places.train)
}

/// The split of a run that trains nothing: the test rows alone. They are the same for every seed, so that nothing need
/// be drawn.
///
/// They come, as [`k_shot`]'s do, from the first written split `<k>-<seed>` that has some, else from the task's own test
/// file, else from any written split; where splits of that k are written and none of these has test rows, there are
/// none, which [`Split::test_missing`] says.
pub fn zero_shot(
    task: &Task,
    data: Option<&Path>,
    k: usize,
    test_cap: Option<usize>,
) -> Result<Split, TaskError> {
    let none = Split {
        train: Vec::new(),
        dev: Vec::new(),
        test: Vec::new(),
        test_missing: None,
        source_sha256: String::new(),
    };
    if task.made() {
        let test = cut(&made::TEST, test_cap);
        return Ok(Split { test, ..none });
    }
    let places = Places::of(task, data)?;
    let file = task.published().files.test;
    let written = places.written()?;
    let own = |name: &&String| name.starts_with(&format!("{k}-"));
    let has_test = |name: &&String| places.folder.join(name).join(file).exists();
    let mut split = written.iter().filter(own).find(has_test);
    if split.is_none() && !places.has_source(task) {
        split = written
            .iter()
            .find(has_test)
            .or_else(|| written.iter().find(own));
    }
    let (test, test_missing) = match split {
        Some(split) => places.test_or_why_not(task, split, test_cap)?,
        None => (cut(&places.source_table(task)?, test_cap), None),
    };
    Ok(Split {
        test,
        test_missing,
        ..none
    })
}

fn drawn(
    [train, test]: [&Table; 2],
    source_sha256: &str,
    settings: Settings,
    source: &Path,
) -> Result<Split, TaskError> {
    let rows = draw(&train.labels(), settings.k, settings.seed);
    if rows.dev.is_empty() {
        return Err(TaskError::NoDev {
            path: source.to_owned(),
            k: settings.k,
        });
    }
    Ok(Split {
        train: train.rows(&rows.train),
        dev: train.rows(&rows.dev),
        test: cut(test, settings.test_cap),
        test_missing: None,
        source_sha256: source_sha256.into(),
    })
}

/// The rows of a test file that are kept.
fn cut(test: &Table, cap: Option<usize>) -> Vec<Row> {
    test.rows(&capped(test.records.len(), cap))
}

/// What a split depends on beside its data, checked.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) k: usize,
    pub(crate) seed: u32,
    pub(crate) test_cap: Option<usize>,
}

impl Settings {
    pub(crate) fn checked(k: usize, seed: u64, test_cap: Option<usize>) -> Result<Self, TaskError> {
        if k == 0 {
            return Err(TaskError::Zero { what: "k" });
        }
        if test_cap == Some(0) {
            return Err(TaskError::Zero { what: "test_cap" });
        }
        let seed = u32::try_from(seed).map_err(|_| TaskError::LargeSeed { seed })?;
        Ok(Self { k, seed, test_cap })
    }

    /// The published name of a split's folder.
    pub(crate) fn folder_name(self) -> String {
        format!("{}-{}", self.k, self.seed)
    }
}

/// Where a task's files lie.
pub(crate) struct Places {
    pub(crate) folder: PathBuf,
    train: PathBuf,
    test: PathBuf,
}

impl Places {
    pub(crate) fn of(task: &Task, data: Option<&Path>) -> Result<Self, TaskError> {
        let data = data.ok_or(TaskError::NoDataFolder {
            task: task.name(),
            folder: task.folder(),
        })?;
        let folder = data.join(task.folder());
        let [train, test] = task.published().files.source.map(|file| folder.join(file));
        if !folder.is_dir() {
            return Err(TaskError::NoTaskFolder {
                path: folder,
                task: task.name(),
                files: task.published().files.source,
            });
        }
        Ok(Self {
            folder,
            train,
            test,
        })
    }

    /// The rows to draw from. SST-2 goes by one name in two shapes: taking one for the other is an error.
    pub(crate) fn train_table(&self, task: &Task) -> Result<Table, TaskError> {
        let table = task.read_table(&self.train)?;
        match &task.published().mistaken_for {
            Some(other) if table.records.len() == other.rows => Err(TaskError::OtherSet {
                path: self.train.clone(),
                rows: other.rows,
                what: other.what,
                task: task.name(),
                other: other.task,
            }),
            _ => Ok(table),
        }
    }

    /// The names of the folders in the task's, in order: among them the written splits.
    fn written(&self) -> Result<Vec<String>, TaskError> {
        let failed = |source| TaskError::Read {
            path: self.folder.clone(),
            source,
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.path().is_dir() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// SNLI's test rows beside the task's folder or beside the data folder, where they are there.
    fn trimmed(&self, task: &Task) -> Option<PathBuf> {
        let data = self.folder.parent()?;
        let beside = [data.join("snli"), data.join("../snli")];
        let mut files = beside.iter().map(|folder| folder.join("test.tsv"));
        files.find(|file| task.name() == "snli" && file.exists())
    }

    /// Whether there are test rows that belong to no written split.
    fn has_source(&self, task: &Task) -> bool {
        self.test.exists() || self.trimmed(task).is_some()
    }

    /// The file the published script takes the test rows from.
    pub(crate) fn test_source(&self, task: &Task) -> Result<Table, TaskError> {
        task.read_table(&self.test)
    }

    /// The test rows that go with a written split: its own, else the source's, else none and why.
    fn test_or_why_not(
        &self,
        task: &Task,
        split: &str,
        cap: Option<usize>,
    ) -> Result<(Vec<Row>, Option<String>), TaskError> {
        let files = &task.published().files;
        let own = self.folder.join(split).join(files.test);
        if own.exists() {
            return Ok((cut(&task.read_table(&own)?, cap), None));
        }
        if self.has_source(task) {
            return Ok((cut(&self.source_table(task)?, cap), None));
        }
        let folder = task.folder();
        let why = format!(
            "no test rows: neither {folder}/{split}/{} nor {folder}/{} is there",
            files.test, files.source[1]
        );
        Ok((Vec::new(), Some(why)))
    }

    /// The test rows of the source; for SNLI, whose files are large and often left out, also those of `snli/test.tsv`
    /// beside the task's folder or the data folder.
    fn source_table(&self, task: &Task) -> Result<Table, TaskError> {
        match self.trimmed(task).filter(|_| !self.test.exists()) {
            Some(trimmed) => read_trimmed_snli(&trimmed),
            None => self.test_source(task),
        }
    }
}

/// SNLI cut down to premise, hypothesis and a number: 0 entailment, 1 neutral, 2 contradiction.
fn read_trimmed_snli(path: &Path) -> Result<Table, TaskError> {
    const LAYOUT: Layout = Layout::Tsv(Columns {
        sentences: &[0, 1],
        label: Label::At(2),
    });
    const CLASS_OF_NUMBER: [usize; 3] = [1, 2, 0];
    let expected = "premise, hypothesis and 0, 1 or 2 under a header line";
    let mut table = read_table(path, LAYOUT, &["0", "1", "2"], expected)?;
    for record in &mut table.records {
        record.row.label = CLASS_OF_NUMBER[record.row.label];
    }
    Ok(table)
}
