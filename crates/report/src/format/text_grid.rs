//! The table as rounded texts, shared by the forms that people read.

use crate::rows::{Measured, Row};
use crate::statistics::{Gain, Spread};
use crate::table::Table;
use crate::varied::{Named, varied};

/// Headers and one text a column for every row.
pub(super) struct TextGrid {
    pub(super) headers: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

/// Which settings get a column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// The usual ones, and others that differ between rows.
    Usual,
    /// Learning rate, epsilon, and others that differ between rows.
    Telling,
}

/// What stands where there is nothing.
const NOTHING: &str = "-";

/// The settings that stand first where they differ.
const LEADING: [&str; 2] = ["model", "task"];

/// The usual settings, in their order.
const USUAL: [&str; 4] = ["k", "lr", "eps", "steps"];

impl TextGrid {
    pub(super) fn new(table: &Table, columns: Columns) -> Self {
        let settings = setting_columns(table, columns);
        let with_paper = table.rows.iter().any(|row| row.paper.is_some());
        let mut headers = vec!["method".to_owned()];
        headers.extend(settings.iter().map(|name| name.replace('_', " ")));
        headers.extend(
            [
                "seeds",
                "acc, best dev",
                "CE, best dev",
                "acc, last step",
                "CE, last step",
                "acc gain (SE; ratio)",
                "CE gain (SE; ratio)",
            ]
            .map(str::to_owned),
        );
        if with_paper {
            headers.extend(["paper", "difference"].map(str::to_owned));
        }
        let rows = table
            .rows
            .iter()
            .map(|row| texts(row, &settings, with_paper))
            .collect();
        Self { headers, rows }
    }
}

fn setting_columns(table: &Table, wanted: Columns) -> Vec<String> {
    let configurations: Vec<Named<'_>> = table
        .rows
        .iter()
        .filter(|row| !row.kind.is_choice())
        .map(|row| (row.method.as_str(), row.settings.as_slice()))
        .collect();
    let varied = varied(&configurations);
    let always = |name: &&str| {
        wanted == Columns::Usual || matches!(*name, "lr" | "eps") || varied.contains(name)
    };
    let mut columns: Vec<&str> = varied
        .iter()
        .filter(|name| LEADING.contains(name))
        .copied()
        .collect();
    columns.extend(USUAL.into_iter().filter(always));
    let before = |name: &&&str| LEADING.contains(name) || USUAL.contains(name);
    let others = varied.iter().filter(|name| !before(name));
    columns.extend(others);
    columns.into_iter().map(str::to_owned).collect()
}

fn texts(row: &Row, settings: &[String], with_paper: bool) -> Vec<String> {
    let mut texts = vec![method(row)];
    texts.extend(
        settings
            .iter()
            .map(|name| row.setting_or(name, NOTHING).to_owned()),
    );
    let seeds = match row.is_seedless() {
        true => NOTHING.to_owned(),
        false => row.seeds.len().to_string(),
    };
    texts.push(seeds);
    texts.extend(measured(&row.best, row, &row.best));
    texts.extend(measured(&row.last, row, &row.best));
    texts.push(gain(row.accuracy_gain, 1));
    texts.push(gain(row.cross_entropy_gain, 4));
    if with_paper {
        texts.push(
            row.paper
                .map_or(NOTHING.to_owned(), |paper| match paper.std {
                    Some(std) => format!("{:.1} ({std:.1})", paper.mean),
                    None => format!("{:.1}", paper.mean),
                }),
        );
        texts.push(
            row.difference()
                .map_or(NOTHING.to_owned(), |points| format!("{points:+.1}")),
        );
    }
    texts
}

fn method(row: &Row) -> String {
    if row.kind.is_choice() {
        format!("{}, {}", row.method, row.kind.word())
    } else {
        row.method.clone()
    }
}

/// Accuracy and cross-entropy; where some of the row's seeds have no number, with how many have.
fn measured(scores: &Measured, row: &Row, best: &Measured) -> [String; 2] {
    let text = |spread: Option<Spread>, of: Option<Spread>, digits: usize| {
        let Some(spread) = spread else {
            return NOTHING.to_owned();
        };
        let mut text = match row.is_seedless() {
            true => format!("{:.digits$}", spread.mean),
            false => format!("{:.digits$} ({:.digits$})", spread.mean, spread.std),
        };
        if of.is_some_and(|of| of.n != spread.n) {
            text.push_str(&format!(" [{} of {}]", spread.n, row.seeds.len()));
        }
        text
    };
    [
        text(scores.accuracy, best.accuracy, 1),
        text(scores.cross_entropy, best.cross_entropy, 4),
    ]
}

fn gain(gain: Option<Gain>, digits: usize) -> String {
    let Some(gain) = gain else {
        return NOTHING.to_owned();
    };
    let mean = format!("{:+.digits$}", gain.mean);
    match (gain.standard_error, gain.ratio) {
        (Some(error), Some(ratio)) => format!("{mean} ({error:.*}; {ratio:+.1})", digits.max(2)),
        (Some(error), None) => format!("{mean} ({error:.*})", digits.max(2)),
        _ => mean,
    }
}
