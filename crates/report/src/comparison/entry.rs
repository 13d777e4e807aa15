//! One method's number on one task.

use mezo_spec::TaskSpec;
use serde_json::Value;

use super::MethodRow;
use super::footnotes::Footnotes;
use crate::cell::Cell;
use crate::method;
use crate::paper::{self, Published};
use crate::rows::{Baselines, cell_rows, choice_rows};
use crate::rows::{Row, RowKind};
use crate::searches::Search;
use crate::statistics::Spread;

/// What one method has on one task.
#[derive(Debug)]
pub struct Entry {
    /// How far its runs are.
    pub state: State,
    /// The row selected as published, or zero-shot's; none where there are no runs.
    pub row: Option<Row>,
    /// The selected configurations at their last step.
    pub last: Option<Spread>,
    /// The best fixed configuration.
    pub fixed: Option<Spread>,
    /// The paper's number.
    pub paper: Option<Published>,
    /// In what it differs from the paper's.
    pub differs: Vec<String>,
    /// Those of its differences that not all have, as places among the comparison's footnotes.
    pub marks: Vec<usize>,
}

/// How far the runs behind a number are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There are none.
    NotThere,
    /// All have ended.
    Ended {
        /// How many there are.
        runs: usize,
    },
    /// Some have not.
    Outstanding {
        /// Runs that have ended.
        ended: usize,
        /// All of them.
        runs: usize,
    },
}

impl Entry {
    /// Our mean accuracy and spread.
    pub fn accuracy(&self) -> Option<Spread> {
        self.row.as_ref()?.accuracy()
    }

    /// Our mean and the paper's, where there are both.
    pub(super) fn pair(&self) -> Option<(f64, f64)> {
        Some((self.accuracy()?.mean, self.paper?.mean))
    }

    /// Whether it has runs to go.
    pub fn is_outstanding(&self) -> bool {
        matches!(self.state, State::Outstanding { .. })
    }

    /// The word for how far it is in CSV and JSON.
    pub fn state_word(&self) -> &'static str {
        let dev_only = self.row.as_ref().is_some_and(|row| row.dev_only);
        match self.state {
            State::NotThere => "not there",
            State::Outstanding { .. } => "outstanding",
            State::Ended { .. } if self.accuracy().is_some() => "measured",
            State::Ended { .. } if dev_only => "dev only",
            State::Ended { .. } => "diverged",
        }
    }
}

/// What the runs of one search come to.
pub(super) struct Found<'a> {
    pub(super) method: &'a str,
    pub(super) task: &'a str,
    /// Its first cell.
    pub(super) cell: &'a Cell,
    /// The manifest's task, whole.
    pub(super) task_value: &'a Value,
    /// In what it differs from the paper's, and from others in the same place.
    pub(super) differs: Vec<String>,
    /// Its place among all searches.
    order: usize,
    state: State,
    pub(super) row: Row,
    last: Option<Spread>,
    fixed: Option<Spread>,
}

impl<'a> Found<'a> {
    /// The same rows as in the sweep's own table.
    pub(super) fn new(search: &Search<'a>, order: usize, baselines: &Baselines) -> Option<Self> {
        let (cell, members) = search.cells.first()?;
        let run = members.first()?.manifest.as_ref()?;
        let mut rows = choice_rows(search, baselines);
        if search.is_zero_shot() {
            rows = cell_rows(search, baselines);
        }
        let of = |kind: RowKind| rows.iter().find(|row| row.kind == kind)?.accuracy();
        let (last, fixed) = (of(RowKind::LastStep), of(RowKind::Fixed));
        let runs = search.runs();
        let ended = runs.iter().filter(|run| run.ended()).count();
        let state = match runs.len() {
            runs if runs == ended => State::Ended { runs },
            runs => State::Outstanding { ended, runs },
        };
        let row = rows.into_iter().next()?;
        Some(Self {
            method: search.method(),
            task: run
                .manifest
                .config
                .text(&TaskSpec::NAME)
                .unwrap_or_default(),
            cell,
            task_value: &run.value["config"]["task"],
            differs: row.partial_grid.clone(),
            order,
            state,
            row,
            last,
            fixed,
        })
    }
}

/// The rows of a block: a row a method, and further ones where a task has several results of it, those nearer
/// to the paper's first.
pub(super) fn entries(
    k: u64,
    tasks: &[String],
    mut found: Vec<Found<'_>>,
    footnotes: &Footnotes,
) -> Vec<MethodRow> {
    found.sort_by_key(|result| (result.differs.len(), result.order));
    let mut methods: Vec<&str> = found.iter().map(|result| result.method).collect();
    methods.sort_by(|a, b| method::rank(a).cmp(&method::rank(b)).then_with(|| a.cmp(b)));
    methods.dedup();
    let mut rows = Vec::new();
    for method in methods {
        for copy in 1.. {
            let mut empty = true;
            let mut entry = |task: &String| {
                let place = found
                    .iter()
                    .position(|result| result.method == method && result.task == task);
                empty &= place.is_none();
                let paper = paper::published(task, k, method);
                made(place.map(|place| found.remove(place)), paper, footnotes)
            };
            let entries: Vec<Entry> = tasks.iter().map(&mut entry).collect();
            if empty {
                break;
            }
            let method = match copy {
                1 => method.to_owned(),
                copy => format!("{method} [{copy}]"),
            };
            rows.push(MethodRow { method, entries });
        }
    }
    rows
}

fn made(found: Option<Found<'_>>, paper: Option<Published>, footnotes: &Footnotes) -> Entry {
    let Some(found) = found else {
        return Entry {
            state: State::NotThere,
            row: None,
            last: None,
            fixed: None,
            paper,
            differs: Vec::new(),
            marks: Vec::new(),
        };
    };
    Entry {
        marks: footnotes.marks(&found.differs),
        state: found.state,
        row: Some(found.row),
        last: found.last,
        fixed: found.fixed,
        paper,
        differs: found.differs,
    }
}
