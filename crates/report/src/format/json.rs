//! JSON, numbers unrounded.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::paper::Published;
use crate::slope_rows::SlopeRow;
use crate::statistics::{Gain, Spread};
use crate::table::{Measured, Row, Table};

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

#[derive(Serialize)]
struct JsonRow<'a> {
    row: &'static str,
    method: &'a str,
    settings: BTreeMap<&'a str, &'a str>,
    seeds: &'a [u64],
    chosen: BTreeMap<u64, &'a str>,
    dev_accuracy: Option<Spread>,
    test_at_best_dev: JsonMeasured,
    test_at_last: JsonMeasured,
    accuracy_gain: Option<Gain>,
    cross_entropy_gain: Option<Gain>,
    paper: Option<Published>,
    difference: Option<f64>,
    grid: &'static str,
    differs_in: &'a [String],
    dev_only: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    zero_estimates: Option<f64>,
}

#[derive(Serialize)]
struct JsonMeasured {
    accuracy: Option<Spread>,
    cross_entropy: Option<Spread>,
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
        rows: table.rows.iter().map(row).collect(),
        slopes: table.slopes.iter().map(slope).collect(),
        notes: &table.notes,
    };
    // Strings, numbers and maps with string keys: nothing here can fail to be JSON.
    let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.push('\n');
    text
}

fn row(row: &Row) -> JsonRow<'_> {
    JsonRow {
        row: row.kind.word(),
        method: &row.method,
        settings: settings(&row.settings),
        seeds: &row.seeds,
        chosen: row
            .chosen
            .iter()
            .map(|choice| (choice.seed, choice.cell.as_str()))
            .collect(),
        dev_accuracy: row.dev_accuracy,
        test_at_best_dev: measured(&row.best),
        test_at_last: measured(&row.last),
        accuracy_gain: row.accuracy_gain,
        cross_entropy_gain: row.cross_entropy_gain,
        paper: row.paper,
        difference: row.difference(),
        grid: row.grid_word(),
        differs_in: &row.partial_grid,
        dev_only: row.dev_only,
        zero_estimates: row.zero_estimates,
    }
}

fn settings(settings: &[(String, String)]) -> BTreeMap<&str, &str> {
    settings
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect()
}

fn measured(scores: &Measured) -> JsonMeasured {
    JsonMeasured {
        accuracy: scores.accuracy,
        cross_entropy: scores.cross_entropy,
    }
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
