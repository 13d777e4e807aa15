//! Rows of the hub's Parquet files.

use std::fs::File;
use std::path::Path;

use polars::error::PolarsError;
use polars::prelude::{Column, DataFrame, DataType, ParquetReader, SerReader};
use serde_json::Value;

use crate::error::DataError;
use crate::sources::Source;

/// A row: its sentences, and its label as the task calls it.
pub(crate) struct Row {
    pub(crate) sentences: Vec<String>,
    pub(crate) label: &'static str,
}

/// A file's rows in their order.
pub(crate) struct Rows {
    pub(crate) rows: Vec<Row>,
    /// How many rows without a label were left out.
    pub(crate) unlabelled: usize,
}

/// Reads a file's sentences and labels.
pub(crate) fn read(path: &Path, source: &Source) -> Result<Rows, DataError> {
    let failed = |error: PolarsError| failed(path, &error);
    let file = File::open(path).map_err(|error| failed(error.into()))?;
    let mut reader = ParquetReader::new(file);
    let metadata = reader.get_metadata().map_err(failed)?;
    let stored = metadata.key_value_metadata.iter().flatten();
    let features = stored
        .filter(|pair| pair.key == "huggingface")
        .find_map(|pair| pair.value.clone());
    let labels = label_names(source, features.as_deref());
    let mut columns = source.sentences.to_vec();
    columns.push(source.label);
    let names = columns.iter().map(|&name| name.to_owned()).collect();
    let frame = reader.with_columns(Some(names)).finish().map_err(failed)?;
    let table = Table {
        path,
        source,
        frame,
        labels,
    };
    table.rows()
}

fn failed(path: &Path, error: &PolarsError) -> DataError {
    DataError::Parquet {
        path: path.to_owned(),
        message: error.to_string(),
    }
}

/// What the numbers of the label column stand for. The file says so itself where it comes from Hugging Face's library,
/// and is right then: the order of names has been changed before, that of TREC's for one.
fn label_names(source: &Source, features: Option<&str>) -> Vec<String> {
    let named = || -> Option<Vec<String>> {
        let features: Value = serde_json::from_str(features?).ok()?;
        let names = &features["info"]["features"][source.label]["names"];
        let names = names.as_array()?.iter();
        names.map(|name| Some(name.as_str()?.to_owned())).collect()
    };
    let known = || source.labels.iter().map(|(name, _)| (*name).to_owned());
    named().unwrap_or_else(|| known().collect())
}

struct Table<'a> {
    path: &'a Path,
    source: &'a Source,
    frame: DataFrame,
    /// The hub's names of the labels by their numbers.
    labels: Vec<String>,
}

impl Table<'_> {
    fn rows(&self) -> Result<Rows, DataError> {
        let mut sentences: Vec<Vec<String>> = vec![Vec::new(); self.frame.height()];
        for &column in self.source.sentences {
            for (row, text) in self.texts(column)?.into_iter().enumerate() {
                sentences[row].push(text);
            }
        }
        let mut rows = Vec::with_capacity(sentences.len());
        let mut unlabelled = 0;
        for (at, (sentences, number)) in sentences.into_iter().zip(self.numbers()?).enumerate() {
            match number {
                -1 if self.source.has_unlabelled => unlabelled += 1,
                number => rows.push(Row {
                    sentences,
                    label: self.label(at, number)?,
                }),
            }
        }
        Ok(Rows { rows, unlabelled })
    }

    fn texts(&self, name: &'static str) -> Result<Vec<String>, DataError> {
        let column = self.column(name, &DataType::String)?;
        let texts = column.str().map_err(|error| failed(self.path, &error))?;
        let texts = texts.iter().map(|text| text.map(str::to_owned));
        self.filled(name, texts)
    }

    fn numbers(&self) -> Result<Vec<i64>, DataError> {
        let name = self.source.label;
        let column = self.column(name, &DataType::Int64)?;
        let numbers = column.i64().map_err(|error| failed(self.path, &error))?;
        self.filled(name, numbers.iter())
    }

    fn column(&self, name: &str, kind: &DataType) -> Result<Column, DataError> {
        let column = self.frame.column(name);
        column
            .and_then(|column| column.strict_cast(kind))
            .map_err(|error| failed(self.path, &error))
    }

    /// The values of a column that has one in each row.
    fn filled<T>(
        &self,
        name: &'static str,
        values: impl Iterator<Item = Option<T>>,
    ) -> Result<Vec<T>, DataError> {
        let empty = |at| self.wrong(at, name, "empty".to_owned(), "a value".to_owned());
        let values = values.enumerate();
        values
            .map(|(at, value)| value.ok_or_else(|| empty(at)))
            .collect()
    }

    fn label(&self, at: usize, number: i64) -> Result<&'static str, DataError> {
        let name = usize::try_from(number)
            .ok()
            .and_then(|number| self.labels.get(number));
        let known = self.source.labels.iter();
        let found = name.and_then(|name| known.clone().find(|(known, _)| known == name));
        found.map(|(_, label)| *label).ok_or_else(|| {
            let found = match name {
                Some(name) => format!("{number} ({name})"),
                None => number.to_string(),
            };
            let expected: Vec<&str> = known.map(|(name, _)| *name).collect();
            let expected = format!("the number of one of {}", expected.join(", "));
            self.wrong(at, self.source.label, found, expected)
        })
    }

    fn wrong(&self, at: usize, column: &'static str, found: String, expected: String) -> DataError {
        DataError::Cell {
            path: self.path.to_owned(),
            row: at + 1,
            column,
            found,
            expected,
        }
    }
}
