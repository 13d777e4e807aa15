//! The grids of a spec: its `[sweep]`, or each of its `[[sweep]]`.

use toml::de::{DeArray, DeTable, DeValue};

use crate::base::Places;
use crate::error::SpecError;
use crate::problem::{MAX_RUNS, Problem};
use crate::source::Source;
use crate::sweep::axis::{Axis, type_words};
use crate::sweep::dimension::{self, Dimension, combinations};
use crate::sweep::exclude::Exclusions;

/// What varies in one table of `[sweep]`: every combination is a point, but for those left out.
#[derive(Debug, Default)]
pub(crate) struct Grid {
    /// Where its table begins.
    pub(crate) start: usize,
    pub(crate) dimensions: Vec<Dimension>,
    exclusions: Exclusions,
}

/// Takes `sweep` out of a spec's tables; without it there is one grid without dimensions.
///
/// # Errors
/// With everything that is wrong in any of the grids.
pub(crate) fn take(tables: &mut DeTable<'_>, source: &Source) -> Result<Vec<Grid>, Vec<SpecError>> {
    let Some(value) = tables.remove("sweep") else {
        return Ok(vec![Grid::default()]);
    };
    let found = match value.get_ref() {
        DeValue::Table(sweep) => return Ok(vec![Grid::of(sweep, value.span().start, source)?]),
        DeValue::Array(list) if !list.is_empty() => {
            let table = |entry: &'_ toml::Spanned<DeValue<'_>>| entry.get_ref().is_table();
            match list.iter().all(table) {
                true => return Grid::all(list, source),
                false => "a list",
            }
        }
        other => type_words(other),
    };
    let problem = Problem::WrongType {
        key: Some("sweep".into()),
        expected: "a table".into(),
        found: found.to_owned(),
    };
    Err(vec![source.error(Some(value.span()), problem)])
}

/// There is a limit to the points of all grids together.
pub(crate) fn check_size(grids: &[Grid], source: &Source) -> Result<(), SpecError> {
    let runs = grids
        .iter()
        .map(|grid| combinations(&grid.dimensions))
        .fold(0, u128::saturating_add);
    if runs <= u128::from(MAX_RUNS) {
        return Ok(());
    }
    let lengths = |grid: &Grid| grid.dimensions.iter().map(Dimension::length).collect();
    let largest = grids
        .iter()
        .rev()
        .max_by_key(|grid| combinations(&grid.dimensions));
    let span = largest.and_then(|grid| grid.axes().next());
    let problem = Problem::TooManyRuns {
        runs,
        lengths: grids.iter().map(lengths).collect(),
    };
    Err(source.error(span.map(|axis| axis.span.clone()), problem))
}

impl Grid {
    /// The grids of several `[[sweep]]`.
    fn all(list: &DeArray<'_>, source: &Source) -> Result<Vec<Self>, Vec<SpecError>> {
        let (mut grids, mut errors) = (Vec::new(), Vec::new());
        for entry in list.iter() {
            let Some(table) = entry.get_ref().as_table() else {
                continue;
            };
            match Self::of(table, entry.span().start, source) {
                Ok(grid) => grids.push(grid),
                Err(wrong) => errors.extend(wrong),
            }
        }
        match errors.is_empty() {
            true => Ok(grids),
            false => Err(errors),
        }
    }

    fn of(sweep: &DeTable<'_>, start: usize, source: &Source) -> Result<Self, Vec<SpecError>> {
        let dimensions = dimension::dimensions(sweep, source)?;
        let exclusions =
            Exclusions::new(sweep, &dimensions, source).map_err(|error| vec![error])?;
        Ok(Self {
            start,
            dimensions,
            exclusions,
        })
    }

    /// Its keys, in the order of its dimensions.
    pub(crate) fn axes(&self) -> impl Iterator<Item = &Axis> {
        self.dimensions.iter().flat_map(|dimension| &dimension.axes)
    }

    /// Its points by their numbers, which count all combinations, the first dimension varying slowest.
    pub(crate) fn points(&self) -> impl Iterator<Item = usize> {
        let all = usize::try_from(combinations(&self.dimensions)).unwrap_or(usize::MAX);
        (0..all).filter(move |&number| {
            let left_out = || self.exclusions.hold(&self.dimensions, &self.picks(number));
            self.exclusions.are_none() || !left_out()
        })
    }

    /// The row of each dimension in a combination. There may be many points and many keys of one value: a point that kept
    /// its rows would make the product of both.
    pub(crate) fn picks(&self, number: usize) -> Vec<usize> {
        let mut left = number;
        let mut picks = vec![0; self.dimensions.len()];
        for (pick, dimension) in picks.iter_mut().zip(&self.dimensions).rev() {
            let length = dimension.length().max(1);
            *pick = left % length;
            left /= length;
        }
        picks
    }

    /// What is left out may not be everything. The grid must be small enough to be gone through.
    pub(crate) fn check_left(&self, source: &Source) -> Result<(), SpecError> {
        if self.points().next().is_some() {
            return Ok(());
        }
        Err(source.error(self.exclusions.span.clone(), Problem::AllExcluded))
    }

    /// A swept key must have no value of its own.
    pub(crate) fn check_clashes(&self, places: &Places, source: &Source) -> Result<(), SpecError> {
        for axis in self.axes() {
            if let Some(place) = places.get(&axis.key) {
                let problem = Problem::SetTwice {
                    key: axis.key.clone(),
                    line: source.line(place.start),
                };
                return Err(source.error(Some(axis.span.clone()), problem));
            }
        }
        Ok(())
    }
}
