//! What varies for itself in a grid: a key, the keys of a zip, or those of the list.

use std::collections::BTreeMap;

use toml::de::DeTable;

use crate::error::SpecError;
use crate::problem::Problem;
use crate::source::Source;
use crate::sweep::axis::{self, Axis, Same, short_of};
use crate::sweep::{list, zip};

/// Keys whose values stand side by side: the first of each, the second of each.
#[derive(Debug)]
pub(crate) struct Dimension {
    /// At least one, in the order of the file, all with as many values.
    pub(crate) axes: Vec<Axis>,
}

/// The dimensions of a table of `[sweep]` in the order in which they begin in the file.
///
/// # Errors
/// With everything that is wrong: first of each key by itself, and where that is nothing, of how they go together.
pub(crate) fn dimensions(
    sweep: &DeTable<'_>,
    source: &Source,
) -> Result<Vec<Dimension>, Vec<SpecError>> {
    let mut errors = Vec::new();
    let axes = axis::axes(sweep, source, &mut errors);
    let list = list::dimension(sweep, source).unwrap_or_else(|error| {
        errors.push(error);
        None
    });
    let listed = list.as_ref().map(|list| list.axes.as_slice());
    let listed = listed.unwrap_or_default();
    for axis in axes.iter().chain(listed) {
        axis.check(source, &mut errors);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    check_apart(&axes, listed, source).map_err(|error| vec![error])?;
    let mut dimensions =
        zip::dimensions(sweep, axes, listed, source).map_err(|error| vec![error])?;
    for dimension in &dimensions {
        errors.extend(dimension.check_repeats(source).err());
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    dimensions.extend(list);
    dimensions.sort_by_key(Dimension::start);
    Ok(dimensions)
}

/// How many combinations the dimensions have.
pub(crate) fn combinations(dimensions: &[Dimension]) -> u128 {
    dimensions
        .iter()
        .map(|dimension| dimension.length() as u128)
        .fold(1, u128::saturating_mul)
}

/// No key may have a list of its own and stand in `list`.
fn check_apart(axes: &[Axis], listed: &[Axis], source: &Source) -> Result<(), SpecError> {
    for axis in listed {
        let Some(own) = axes.iter().find(|own| own.key == axis.key) else {
            continue;
        };
        let (first, second) = if own.span.start < axis.span.start {
            (own, axis)
        } else {
            (axis, own)
        };
        let problem = Problem::SweptTwice {
            key: axis.key.clone(),
            line: source.line(first.span.start),
            listed: true,
        };
        return Err(source.error(Some(second.span.clone()), problem));
    }
    Ok(())
}

impl Dimension {
    /// How many values each of its keys has.
    pub(crate) fn length(&self) -> usize {
        self.axes.first().map_or(0, |axis| axis.values.len())
    }

    fn start(&self) -> Option<usize> {
        self.axes.first().map(|axis| axis.span.start)
    }

    /// The values of one row in one line: `lr 1e-4 eps 1e-3`.
    pub(crate) fn label(&self, row: usize) -> String {
        self.axes
            .iter()
            .map(|axis| format!("{} {}", short_of(&axis.key), axis.values[row].text))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// The first row that is there already, and where it was.
    pub(crate) fn repeated(&self) -> Option<(usize, usize)> {
        let mut seen: BTreeMap<Vec<&Same>, usize> = BTreeMap::new();
        (0..self.length()).find_map(|row| {
            let values = self.axes.iter().map(|axis| &axis.values[row].same);
            let earlier = seen.insert(values.collect(), row)?;
            Some((row, earlier))
        })
    }

    /// Every row must stand once.
    fn check_repeats(&self, source: &Source) -> Result<(), SpecError> {
        let Some((row, earlier)) = self.repeated() else {
            return Ok(());
        };
        let place = self.axes.first().map(|axis| axis.values[row].span.clone());
        let problem = match self.axes.as_slice() {
            [axis] => {
                let written = |row: usize| source.slice(axis.values[row].span.clone()).to_owned();
                Problem::RepeatedValue {
                    key: axis.key.clone(),
                    text: written(row),
                    earlier: written(earlier),
                }
            }
            _ => Problem::RepeatedCombination {
                word: "zip",
                combination: self.label(row),
            },
        };
        Err(source.error(place, problem))
    }
}
