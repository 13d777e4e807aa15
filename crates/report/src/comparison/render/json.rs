//! JSON, numbers unrounded.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::comparison::{Agreement, Block, Comparison, Entry, MethodRow, State};
use crate::paper::Published;
use crate::statistics::Spread;

#[derive(Serialize)]
struct JsonComparison<'a> {
    schema: u32,
    sweeps: &'a str,
    heading: &'a str,
    accuracy_unit: &'static str,
    made_data: bool,
    outstanding: bool,
    blocks: Vec<JsonBlock<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonBlock<'a> {
    k: u64,
    model: &'a str,
    protocol: &'a str,
    tasks: &'a [String],
    methods: Vec<JsonMethod<'a>>,
    kendall_tau_b: BTreeMap<&'a str, Option<Agreement>>,
    not_there: &'a [&'static str],
}

#[derive(Serialize)]
struct JsonMethod<'a> {
    method: &'a str,
    tasks: BTreeMap<&'a str, JsonEntry<'a>>,
}

#[derive(Serialize)]
struct JsonEntry<'a> {
    state: &'static str,
    runs: usize,
    runs_ended: usize,
    seeds: &'a [u64],
    chosen: BTreeMap<u64, &'a str>,
    selected: Option<Spread>,
    dev_accuracy: Option<Spread>,
    last_step: Option<Spread>,
    fixed: Option<Spread>,
    paper: Option<Published>,
    difference: Option<f64>,
    grid: &'static str,
    differs_in: &'a [String],
}

pub(super) fn render(comparison: &Comparison) -> String {
    let json = JsonComparison {
        schema: 1,
        sweeps: &comparison.sweeps,
        heading: &comparison.heading,
        accuracy_unit: "percent",
        made_data: comparison.made_data,
        outstanding: comparison.is_outstanding(),
        blocks: comparison.blocks.iter().map(block).collect(),
        notes: &comparison.notes,
    };
    // Strings, numbers and maps with string keys: nothing here can fail to be JSON.
    let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.push('\n');
    text
}

fn block(block: &Block) -> JsonBlock<'_> {
    let tasks = || block.tasks.iter().map(String::as_str);
    JsonBlock {
        k: block.k,
        model: &block.model,
        protocol: &block.protocol,
        tasks: &block.tasks,
        methods: block
            .methods
            .iter()
            .map(|row: &MethodRow| JsonMethod {
                method: &row.method,
                tasks: tasks().zip(row.entries.iter().map(entry)).collect(),
            })
            .collect(),
        kendall_tau_b: tasks().zip(block.agreement.iter().copied()).collect(),
        not_there: &block.not_there,
    }
}

fn entry(entry: &Entry) -> JsonEntry<'_> {
    let row = entry.row.as_ref();
    let (runs, runs_ended) = match entry.state {
        State::NotThere => (0, 0),
        State::Ended { runs } => (runs, runs),
        State::Outstanding { ended, runs } => (runs, ended),
    };
    let chosen = row.into_iter().flat_map(|row| &row.chosen);
    JsonEntry {
        state: entry.state_word(),
        runs,
        runs_ended,
        seeds: row.map_or(&[], |row| &row.seeds),
        chosen: chosen
            .map(|choice| (choice.seed, choice.cell.as_str()))
            .collect(),
        selected: entry.accuracy(),
        dev_accuracy: row.and_then(|row| row.dev_accuracy),
        last_step: entry.last,
        fixed: entry.fixed,
        paper: entry.paper,
        difference: row.and_then(crate::rows::Row::difference),
        grid: row.map_or("", |row| row.grid_word()),
        differs_in: &entry.differs,
    }
}
