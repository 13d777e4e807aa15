//! Reading tasks' files by the published rules: GLUE's `.tsv` (tabs, no quoting, a header line) and LM-BFF's `.csv`
//! (label,text without a header, as pandas reads it).

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Place, TaskError};
use crate::locate::Lines;

/// How a file begins that stands in place of data kept in Git LFS.
pub(crate) const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// What pandas (2 and later) reads as a missing value; the published code then takes the empty text.
const MISSING: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
];

/// One row of a task: its sentences and its class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The sentences, exactly as the file has them.
    pub sentences: Vec<String>,
    /// The class, as an index into the task's classes.
    pub label: usize,
    /// Where the row stands, for messages.
    pub origin: Place,
}

/// How a task's files are laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Layout {
    /// Tab-separated with a header line.
    Tsv(Columns),
    /// `label,text` without a header.
    Csv,
}

/// Which columns of a tab-separated file are read, from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Columns {
    pub(crate) sentences: &'static [usize],
    pub(crate) label: Label,
}

/// The label's column.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Label {
    At(usize),
    Last,
}

/// A file's rows, each with the line that writes it again.
pub(crate) struct Table {
    /// The header line with its end; empty where the layout has none.
    pub(crate) header: String,
    pub(crate) records: Vec<Record>,
}

pub(crate) struct Record {
    pub(crate) raw: String,
    pub(crate) row: Row,
}

impl Table {
    pub(crate) fn labels(&self) -> Vec<usize> {
        self.records.iter().map(|record| record.row.label).collect()
    }

    pub(crate) fn rows(&self, picked: &[usize]) -> Vec<Row> {
        let row = |at: &usize| self.records[*at].row.clone();
        picked.iter().map(row).collect()
    }

    pub(crate) fn write(&self, picked: &[usize]) -> String {
        let mut text = self.header.clone();
        for at in picked {
            text.push_str(&self.records[*at].raw);
        }
        text
    }
}

/// Reads a whole file; `expected` says in messages what it should be.
pub(crate) fn read_table(
    path: &Path,
    layout: Layout,
    classes: &[&str],
    expected: &str,
) -> Result<Table, TaskError> {
    let text = read_text(path, expected)?;
    let file = File {
        path: Arc::from(path),
        lines: Lines::of(&text),
        text: &text,
        classes,
    };
    let table = match layout {
        Layout::Tsv(columns) => file.read_tsv(columns)?,
        Layout::Csv => file.read_csv()?,
    };
    if table.records.is_empty() {
        return Err(TaskError::Empty {
            path: path.to_owned(),
            expected: expected.to_owned(),
        });
    }
    Ok(table)
}

fn read_text(path: &Path, expected: &str) -> Result<String, TaskError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => TaskError::Missing {
            path: path.to_owned(),
            expected: expected.to_owned(),
        },
        _ => TaskError::Read {
            path: path.to_owned(),
            source,
        },
    })?;
    if bytes.starts_with(LFS_POINTER) {
        return Err(TaskError::LfsPointer {
            path: path.to_owned(),
            expected: expected.to_owned(),
        });
    }
    String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..offset]);
        let (line, column) = Lines::of(&before).position(offset);
        TaskError::NotUtf8 {
            place: Place {
                path: Arc::from(path),
                line,
                column,
            },
            offset,
            found: error.as_bytes()[offset],
        }
    })
}

struct File<'a> {
    path: Arc<Path>,
    text: &'a str,
    lines: Lines<'a>,
    classes: &'a [&'a str],
}

impl File<'_> {
    fn place(&self, line: usize, column: usize) -> Place {
        Place {
            path: Arc::clone(&self.path),
            line,
            column,
        }
    }

    fn label(&self, found: &str, place: impl FnOnce() -> Place) -> Result<usize, TaskError> {
        let known = self.classes.iter().position(|class| *class == found);
        known.ok_or_else(|| TaskError::UnknownLabel {
            place: place(),
            found: found.to_owned(),
            expected: self.classes.iter().map(|&class| class.to_owned()).collect(),
        })
    }

    fn read_tsv(&self, columns: Columns) -> Result<Table, TaskError> {
        let mut lines = self.lines.iter().zip(1..);
        let Some((header, _)) = lines.next() else {
            return Ok(Table {
                header: String::new(),
                records: Vec::new(),
            });
        };
        // The byte-order mark is no part of the first column, but it is written again.
        let names: Vec<&str> = header.trim_start_matches('\u{feff}').split('\t').collect();
        let last = columns.sentences.iter().copied().max().unwrap_or(0);
        let least = match columns.label {
            Label::At(at) => at.max(last) + 1,
            Label::Last => last + 2,
        };
        self.check_width(&names, least, &names, 1)?;
        let label = pick_label(&names, columns.label);
        if self.classes.contains(&label) {
            return Err(TaskError::NoHeader {
                place: self.place(1, 1),
                label: label.to_owned(),
            });
        }
        // Rows may be wider than their header (SNLI names one annotator's label and has five), never narrower.
        let records = lines
            .map(|(line, number)| {
                let fields: Vec<&str> = line.split('\t').collect();
                self.check_width(&fields, least.max(names.len()), &names, number)?;
                let found = pick_label(&fields, columns.label);
                let column = || {
                    let before = match columns.label {
                        Label::At(at) => at,
                        Label::Last => fields.len() - 1,
                    };
                    width(&fields[..before]) + 1
                };
                let label = self.label(found, || self.place(number, column()))?;
                let sentence = |at: &usize| fields[*at].to_owned();
                Ok(Record {
                    // A last line without its end would run into the next one once the rows are shuffled.
                    raw: format!("{line}\n"),
                    row: Row {
                        sentences: columns.sentences.iter().map(sentence).collect(),
                        label,
                        origin: self.place(number, 1),
                    },
                })
            })
            .collect::<Result<_, TaskError>>()?;
        Ok(Table {
            header: format!("{header}\n"),
            records,
        })
    }

    fn check_width(
        &self,
        fields: &[&str],
        expected: usize,
        names: &[&str],
        line: usize,
    ) -> Result<(), TaskError> {
        if fields.len() >= expected {
            return Ok(());
        }
        let number = fields.len() + 1;
        let column = match names.get(fields.len()) {
            Some(name) => format!("{number} ({name:?})"),
            None => number.to_string(),
        };
        Err(TaskError::MissingColumn {
            place: self.place(line, width(fields)),
            column,
            expected,
            found: fields.len(),
        })
    }

    fn read_csv(&self) -> Result<Table, TaskError> {
        let body = self.text.trim_start_matches('\u{feff}');
        let skipped = self.text.len() - body.len();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(body.as_bytes());
        let mut records = Vec::new();
        let mut fields = csv::StringRecord::new();
        loop {
            let before = skipped + reader.position().byte() as usize;
            let more = reader
                .read_record(&mut fields)
                .map_err(|source| TaskError::Read {
                    path: self.path.to_path_buf(),
                    source: io::Error::other(source),
                })?;
            if !more {
                break;
            }
            let after = skipped + reader.position().byte() as usize;
            records.push(self.csv_record(&fields, before, after)?);
        }
        Ok(Table {
            header: String::new(),
            records,
        })
    }

    fn csv_record(
        &self,
        fields: &csv::StringRecord,
        before: usize,
        after: usize,
    ) -> Result<Record, TaskError> {
        // The reader passes over empty lines, as pandas does, and leaves them to the record that follows.
        let span = &self.text[before..after];
        let start = before + span.len() - span.trim_start_matches(['\n', '\r']).len();
        let (line, column) = self.lines.position(start);
        if fields.len() < 2 {
            let end = before + span.trim_end_matches(['\n', '\r']).len();
            let (line, column) = self.lines.position(end);
            return Err(TaskError::MissingColumn {
                place: self.place(line, column),
                column: "2 (text)".to_owned(),
                expected: 2,
                found: fields.len(),
            });
        }
        if fields.len() > 2 {
            return Err(TaskError::ExtraColumn {
                place: self.place(line, column),
                found: fields.len(),
            });
        }
        let label = self.label(&fields[0], || self.place(line, column))?;
        let text = if MISSING.contains(&&fields[1]) {
            ""
        } else {
            &fields[1]
        };
        Ok(Record {
            raw: csv_line(&fields[0], text),
            row: Row {
                sentences: vec![text.to_owned()],
                label,
                origin: self.place(line, column),
            },
        })
    }
}

fn pick_label<'a>(fields: &[&'a str], label: Label) -> &'a str {
    match label {
        Label::At(at) => fields[at],
        Label::Last => fields[fields.len() - 1],
    }
}

/// The characters that fields take up in their line, a separator after each.
fn width(fields: &[&str]) -> usize {
    fields.iter().map(|field| field.chars().count() + 1).sum()
}

/// A row as pandas' `to_csv` writes it: quoted only where it must be.
fn csv_line(label: &str, text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("{label},\"{}\"\n", text.replace('"', "\"\""))
    } else {
        format!("{label},{text}\n")
    }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
