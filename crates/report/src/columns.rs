//! The numbers of a table's rows, each declared once: its name in CSV and in JSON, and where a row has it.
//!
//! A new column is a line of [`COLUMNS`] and, where it is a new number, a field of [`Row`] that is computed beside it.

use serde::{Serialize, Serializer};

use crate::paper::Published;
use crate::rows::Row;
use crate::statistics::{Gain, Spread};

/// A number of a row.
pub(crate) struct Column {
    /// Its name in CSV.
    csv: &'static str,
    /// The parts of its value, which are columns of their own in CSV, `<name>_<part>`; none of a value that is one.
    parts: &'static [&'static str],
    /// Its key in JSON.
    pub(crate) json: &'static str,
    /// The object that the key is in, if not the row's own.
    pub(crate) within: Option<&'static str>,
    /// The value.
    pub(crate) of: fn(&Row) -> Value<'_>,
}

const SPREAD: &[&str] = &["n", "mean", "std"];
const GAIN: &[&str] = &["mean", "standard_error", "ratio"];
const PUBLISHED: &[&str] = &["mean", "std"];
const ONE: &[&str] = &[];

/// A column whose name is the same everywhere.
const fn column(
    name: &'static str,
    parts: &'static [&'static str],
    of: fn(&Row) -> Value<'_>,
) -> Column {
    Column {
        csv: name,
        parts,
        json: name,
        within: None,
        of,
    }
}

/// Test scores, which are objects in JSON.
const fn test(
    csv: &'static str,
    within: &'static str,
    json: &'static str,
    of: fn(&Row) -> Value<'_>,
) -> Column {
    Column {
        csv,
        parts: SPREAD,
        json,
        within: Some(within),
        of,
    }
}

const BEST: &str = "test_at_best_dev";
const LAST: &str = "test_at_last";

/// All of them, in their order.
pub(crate) const COLUMNS: [Column; 12] = [
    column("dev_accuracy", SPREAD, |row| {
        Value::Spread(row.dev_accuracy)
    }),
    test("test_accuracy_best", BEST, "accuracy", |row| {
        Value::Spread(row.best.accuracy)
    }),
    test("test_cross_entropy_best", BEST, "cross_entropy", |row| {
        Value::Spread(row.best.cross_entropy)
    }),
    test("test_accuracy_last", LAST, "accuracy", |row| {
        Value::Spread(row.last.accuracy)
    }),
    test("test_cross_entropy_last", LAST, "cross_entropy", |row| {
        Value::Spread(row.last.cross_entropy)
    }),
    column("accuracy_gain", GAIN, |row| Value::Gain(row.accuracy_gain)),
    column("cross_entropy_gain", GAIN, |row| {
        Value::Gain(row.cross_entropy_gain)
    }),
    column("paper", PUBLISHED, |row| Value::Published(row.paper)),
    column("difference", ONE, |row| Value::Number(row.difference())),
    column("grid", ONE, |row| Value::Word(row.grid_word())),
    column("differs_in", ONE, |row| Value::Words(&row.partial_grid)),
    column("dev_only", ONE, |row| Value::Flag(row.dev_only)),
];

/// Columns that JSON leaves out where there is no value.
pub(crate) const RARE: [Column; 1] = [column("zero_estimates", ONE, |row| {
    Value::Number(row.zero_estimates)
})];

/// The value of a column.
pub(crate) enum Value<'r> {
    Spread(Option<Spread>),
    Gain(Option<Gain>),
    Published(Option<Published>),
    Number(Option<f64>),
    Word(&'static str),
    Words(&'r [String]),
    Flag(bool),
}

impl Column {
    /// The names of its columns in CSV.
    pub(crate) fn names(&self) -> Vec<String> {
        match self.parts {
            [] => vec![self.csv.to_owned()],
            parts => parts
                .iter()
                .map(|part| format!("{}_{part}", self.csv))
                .collect(),
        }
    }
}

impl Value<'_> {
    /// Its parts in CSV; empty texts where there is no value.
    pub(crate) fn texts(&self) -> Vec<String> {
        let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
        match self {
            Self::Spread(spread) => vec![
                spread
                    .map(|spread| spread.n.to_string())
                    .unwrap_or_default(),
                number(spread.map(|spread| spread.mean)),
                number(spread.map(|spread| spread.std)),
            ],
            Self::Gain(gain) => vec![
                number(gain.map(|gain| gain.mean)),
                number(gain.and_then(|gain| gain.standard_error)),
                number(gain.and_then(|gain| gain.ratio)),
            ],
            Self::Published(paper) => vec![
                number(paper.map(|paper| paper.mean)),
                number(paper.and_then(|paper| paper.std)),
            ],
            Self::Number(value) => vec![number(*value)],
            Self::Word(word) => vec![(*word).to_owned()],
            Self::Words(words) => vec![words.join("; ")],
            Self::Flag(flag) => vec![flag.to_string()],
        }
    }

    /// Whether there is none.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::Number(None))
    }
}

impl Serialize for Value<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Spread(value) => value.serialize(serializer),
            Self::Gain(value) => value.serialize(serializer),
            Self::Published(value) => value.serialize(serializer),
            Self::Number(value) => value.serialize(serializer),
            Self::Word(value) => value.serialize(serializer),
            Self::Words(value) => value.serialize(serializer),
            Self::Flag(value) => value.serialize(serializer),
        }
    }
}
