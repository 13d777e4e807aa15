//! From a task's name to its files.

use std::path::{Path, PathBuf};

use mezo_hub::{Hub, HubError, Progress, Repo, Snapshot, Wanted};
use mezo_tasks::Task;

use crate::error::DataError;
use crate::parquet::read;
use crate::provenance::{Origin, PROVENANCE, Provenance, sha256};
use crate::sources::{Source, source_of};
use crate::write::{check_free, place, text};

/// Whether [`fetch`] knows where a task's data are.
///
/// # Errors
/// [`DataError::NotOnHub`], whose hint says where else they are.
pub fn check(task: &Task) -> Result<(), DataError> {
    source_of(task.name()).map(|_| ())
}

/// Fetches a task's data and writes them as `OUT/SNLI/{train,dev}.tsv`, or as the task's files are called, with a
/// `PROVENANCE.json` beside them. Returns what it wrote.
///
/// Rows keep their order. Files that were there before are replaced only if they came from here.
///
/// The folder stays as it was until all files are written. Then they are moved to their places one by one, and
/// `PROVENANCE.json` goes before the first and comes after the last; as long as it is away, `PROVENANCE.json.part` says
/// so. Cut off in between, the files may be of two fetches, and the next call replaces them.
///
/// # Errors
/// [`DataError`], whose hint names the way out.
pub fn fetch(
    hub: &Hub,
    task: &Task,
    out: &Path,
    progress: &mut dyn Progress,
) -> Result<Vec<PathBuf>, DataError> {
    let source = source_of(task.name())?;
    let folder = out.join(task.folder());
    check_free(&folder, source.files.iter().map(|(_, name)| *name))?;
    let repo = Repo::dataset(source.repo).map_err(HubError::from)?;
    let wanted: Vec<&str> = source.files.iter().map(|(from, _)| *from).collect();
    let snapshot = hub.fetch(&repo, source.revision, Wanted::Files(&wanted), progress)?;
    let (mut files, origins) = convert(source, &snapshot)?;
    let provenance = Provenance::new(
        source.task,
        repo.to_string(),
        source.revision,
        &snapshot.commit,
        origins,
    );
    files.push((PROVENANCE, provenance.text()));
    place(&folder, &files)
}

/// The files by their names, and where each comes from.
type Converted = (Vec<(&'static str, Vec<u8>)>, Vec<Origin<'static>>);

fn convert(source: &'static Source, snapshot: &Snapshot) -> Result<Converted, DataError> {
    let mut files = Vec::new();
    let mut origins = Vec::new();
    for &(from, name) in source.files {
        let path = snapshot.folder.join(from);
        let bytes = std::fs::read(&path).map_err(|source| HubError::Read {
            path: path.clone(),
            source,
        })?;
        let found = read(&path, source)?;
        let (text, changed) = text(source.layout, &found.rows);
        origins.push(Origin {
            name,
            sha256: sha256(&text),
            rows: found.rows.len(),
            from,
            from_sha256: sha256(&bytes),
            unlabelled_rows_left_out: found.unlabelled,
            sentences_with_breaks_made_blanks: changed,
        });
        files.push((name, text));
    }
    Ok((files, origins))
}
