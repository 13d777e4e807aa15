//! A task's files: their text, and how they come to their place.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::DataError;
use crate::parquet::Row;
use crate::provenance::PROVENANCE;
use crate::sources::Layout;

/// A file's text, and how many of its sentences had a tab or a line's end in them, which this layout cannot hold: a blank
/// stands there instead.
pub(crate) fn text(layout: Layout, rows: &[Row]) -> (Vec<u8>, usize) {
    match layout {
        Layout::Tsv { header, sentences } => tsv(header, sentences, rows),
        Layout::Csv => (csv(rows), 0),
    }
}

fn tsv(header: &[&str], sentences: &[usize], rows: &[Row]) -> (Vec<u8>, usize) {
    let mut text = header.join("\t") + "\n";
    let mut changed = 0;
    let breaks = ['\t', '\n', '\r'];
    for row in rows {
        let mut fields = vec![String::new(); header.len()];
        for (&at, sentence) in sentences.iter().zip(&row.sentences) {
            changed += usize::from(sentence.contains(breaks));
            fields[at] = sentence.replace("\r\n", " ").replace(breaks, " ");
        }
        if let Some(last) = fields.last_mut() {
            row.label.clone_into(last);
        }
        text += &fields.join("\t");
        text.push('\n');
    }
    (text.into_bytes(), changed)
}

fn csv(rows: &[Row]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let fields = [row.label]
            .into_iter()
            .chain(row.sentences.iter().map(String::as_str));
        writer
            .write_record(fields)
            .expect("memory takes rows of one width");
    }
    writer.into_inner().expect("memory takes what is written")
}

/// Refuses a folder that has one of these files from elsewhere.
pub(crate) fn check_free<'a>(
    folder: &Path,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<(), DataError> {
    if [PROVENANCE, UNFINISHED]
        .iter()
        .any(|name| folder.join(name).exists())
    {
        return Ok(());
    }
    match names.find(|name| folder.join(name).exists()) {
        Some(name) => Err(DataError::Occupied {
            path: folder.join(name),
        }),
        None => Ok(()),
    }
}

/// Beside files from here from before the first is moved to its place until after the last.
const UNFINISHED: &str = "PROVENANCE.json.part";

const UNFINISHED_TEXT: &[u8] =
    b"The files beside this one are not all of one fetch: `mezo data fetch` did not get to its end. Run it again.\n";

/// Puts files into a folder, in place of those that are there, and [`PROVENANCE`], the last in the list, last: where files
/// lie without it and with [`UNFINISHED`], the moving was cut off, and the next fetch may replace them.
pub(crate) fn place(folder: &Path, files: &[(&str, Vec<u8>)]) -> Result<Vec<PathBuf>, DataError> {
    fs::create_dir_all(folder).map_err(DataError::writing(folder))?;
    let beside = |name: &str| folder.join(format!(".{name}.{}", std::process::id()));
    // All are written before the first one is moved: a full disk leaves the folder as it was.
    let placed = files
        .iter()
        .try_for_each(|(name, bytes)| {
            write(&beside(name), bytes).map_err(DataError::writing(&folder.join(name)))
        })
        .and_then(|()| move_all(folder, files.iter().map(|(name, _)| *name), beside));
    if placed.is_err() {
        for (name, _) in files {
            let _ = fs::remove_file(beside(name));
        }
    }
    placed
}

fn move_all<'a>(
    folder: &Path,
    names: impl Iterator<Item = &'a str>,
    beside: impl Fn(&str) -> PathBuf,
) -> Result<Vec<PathBuf>, DataError> {
    let unfinished = folder.join(UNFINISHED);
    write(&unfinished, UNFINISHED_TEXT).map_err(DataError::writing(&unfinished))?;
    // What it says of the files does not hold from here on.
    let provenance = folder.join(PROVENANCE);
    remove(&provenance).map_err(DataError::writing(&provenance))?;
    let moved = names
        .map(|name| {
            let path = folder.join(name);
            fs::rename(beside(name), &path).map_err(DataError::writing(&path))?;
            Ok(path)
        })
        .collect::<Result<_, DataError>>()?;
    remove(&unfinished).map_err(DataError::writing(&unfinished))?;
    Ok(moved)
}

/// Removes a file that may be there.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
