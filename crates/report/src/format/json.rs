//! JSON, numbers unrounded.

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::columns::{COLUMNS, Column, RARE};
use crate::rows::Row;
use crate::slope_rows::SlopeRow;
use crate::table::Table;

#[derive(Serialize)]
struct JsonTable<'a> {
    schema: u32,
    sweep: &'a str,
    heading: &'a str,
    accuracy_unit: &'static str,
    made_data: bool,
    rows: Vec<JsonRow<'a>>,
    slopes: Vec<JsonSlope<'a>>,
    notes: &'a [String],
}

/// A row: what it is, then its numbers in the order of their declarations.
struct JsonRow<'a>(&'a Row);

impl Serialize for JsonRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let row = self.0;
        let chosen: BTreeMap<u64, &str> = row
            .chosen
            .iter()
            .map(|choice| (choice.seed, choice.cell.as_str()))
            .collect();
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("row", row.kind.word())?;
        map.serialize_entry("method", &row.method)?;
        map.serialize_entry("settings", &settings(&row.settings))?;
        map.serialize_entry("seeds", &row.seeds)?;
        map.serialize_entry("chosen", &chosen)?;
        let together = |a: &Column, b: &Column| a.within.is_some() && a.within == b.within;
        for columns in COLUMNS.chunk_by(together) {
            match columns[0].within {
                Some(key) => map.serialize_entry(key, &Object(columns, row))?,
                None => map.serialize_entry(columns[0].json, &(columns[0].of)(row))?,
            }
        }
        for column in &RARE {
            let value = (column.of)(row);
            if !value.is_none() {
                map.serialize_entry(column.json, &value)?;
            }
        }
        map.end()
    }
}

/// Numbers that are an object of their own.
struct Object<'a>(&'a [Column], &'a Row);

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter();
        serializer.collect_map(entries.map(|column| (column.json, (column.of)(self.1))))
    }
}

#[derive(Serialize)]
struct JsonSlope<'a> {
    id: &'a str,
    seed: u64,
    settings: BTreeMap<&'a str, &'a str>,
    steps: usize,
    slope_per_1000: Option<f64>,
    low: Option<f64>,
    high: Option<f64>,
    verdict: &'static str,
    steps_needed: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    zero_estimates: Option<f64>,
}

pub(super) fn render(table: &Table) -> String {
    let json = JsonTable {
        schema: 1,
        sweep: &table.sweep,
        heading: &table.heading,
        accuracy_unit: "percent",
        made_data: table.made_data,
        rows: table.rows.iter().map(JsonRow).collect(),
        slopes: table.slopes.iter().map(slope).collect(),
        notes: &table.notes,
    };
    // Strings, numbers and maps with string keys: nothing here can fail to be JSON.
    let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.push('\n');
    text
}

fn settings(settings: &[(String, String)]) -> BTreeMap<&str, &str> {
    settings
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

fn slope(row: &SlopeRow) -> JsonSlope<'_> {
    let slope = row.slope.as_ref();
    JsonSlope {
        id: &row.id,
        seed: row.seed,
        settings: settings(&row.settings),
        steps: row.steps,
        slope_per_1000: slope.map(|slope| slope.per_1000),
        low: slope.map(|slope| slope.low),
        high: slope.map(|slope| slope.high),
        verdict: row.verdict(),
        steps_needed: slope.and_then(|slope| slope.steps_needed),
        zero_estimates: row.zero_estimates,
    }
}
