//! The grids of a spec: its `[sweep]`, or each of its `[[sweep]]`.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::axis::{self, Axis, type_words};
use crate::error::SpecError;
use crate::expand::MAX_RUNS;
use crate::problem::Problem;
use crate::spec::{Places, Source, parents};

/// Keys that vary together: every combination of their values is a point.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// Where its table begins.
    pub(crate) start: usize,
    pub(crate) axes: Vec<Axis>,
}

/// Takes `sweep` out of a spec's tables.
pub(crate) fn take(tables: &mut DeTable<'_>, source: &Source) -> Result<Vec<Grid>, SpecError> {
    let Some(value) = tables.remove("sweep") else {
        return Ok(vec![Grid::default()]);
    };
    let found = match value.get_ref() {
        DeValue::Table(sweep) => return Ok(vec![Grid::of(sweep, value.span().start, source)?]),
        DeValue::Array(list) if !list.is_empty() => {
            let grid = |entry: &toml::Spanned<DeValue<'_>>| {
                let table = entry.get_ref().as_table()?;
                Some(Grid::of(table, entry.span().start, source))
            };
            match list.iter().map(grid).collect::<Option<Vec<_>>>() {
                Some(grids) => return grids.into_iter().collect(),
                None => "a list",
            }
        }
        other => type_words(other),
    };
    let problem = Problem::WrongType {
        key: Some("sweep".into()),
        expected: "a table".into(),
        found: found.to_owned(),
    };
    Err(source.error(Some(value.span()), problem))
}

/// There is a limit to the points of all grids together.
pub(crate) fn check_size(grids: &[Grid], source: &Source) -> Result<(), SpecError> {
    let runs = grids
        .iter()
        .map(|grid| axis::combinations(&grid.axes))
        .fold(0, u128::saturating_add);
    if runs <= u128::from(MAX_RUNS) {
        return Ok(());
    }
    let lengths = |grid: &Grid| grid.axes.iter().map(|axis| axis.values.len()).collect();
    let largest = grids
        .iter()
        .rev()
        .max_by_key(|grid| axis::combinations(&grid.axes));
    let span = largest.and_then(|grid| grid.axes.first());
    let problem = Problem::TooManyRuns {
        runs,
        lengths: grids.iter().map(lengths).collect(),
    };
    Err(source.error(span.map(|axis| axis.span.clone()), problem))
}

impl Grid {
    fn of(sweep: &DeTable<'_>, start: usize, source: &Source) -> Result<Self, SpecError> {
        let axes = axis::axes(sweep, source)?;
        Ok(Self { start, axes })
    }

    /// A swept key must have no value of its own, be no table and go through no value.
    pub(crate) fn check_clashes(&self, places: &Places, source: &Source) -> Result<(), SpecError> {
        for axis in &self.axes {
            let clash = |other: &str, span: &Range<usize>, what| {
                let line = source.line(span.start);
                let problem = Problem::Clash {
                    key: axis.key.clone(),
                    other: other.to_owned(),
                    line,
                    what,
                };
                Err(source.error(Some(axis.span.clone()), problem))
            };
            if let Some(place) = places.get(&axis.key) {
                if place.table {
                    return clash(&axis.key, &place.span, "a table");
                }
                let line = source.line(place.span.start);
                let problem = Problem::SetTwice {
                    key: axis.key.clone(),
                    line,
                };
                return Err(source.error(Some(axis.span.clone()), problem));
            }
            for parent in parents(&axis.key) {
                if let Some(place) = places.get(parent).filter(|place| !place.table) {
                    return clash(parent, &place.span, "a value");
                }
                if let Some(other) = self.axes.iter().find(|other| other.key == parent) {
                    return clash(parent, &other.span, "swept as a value");
                }
            }
        }
        Ok(())
    }
}
