//! `exclude`: combinations of a grid that are left out.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::de::DeTable;

use crate::error::SpecError;
use crate::problem::Problem;
use crate::source::Source;
use crate::sweep::axis::{AxisValue, short_of};
use crate::sweep::dimension::Dimension;
use crate::sweep::entry::{Entry, Setting, entries};

/// The combinations that a grid leaves out.
#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    /// Where they stand, if they do.
    pub(crate) span: Option<Range<usize>>,
    entries: Vec<Exclusion>,
}

/// One entry of `exclude`.
#[derive(Debug)]
struct Exclusion(Vec<Named>);

/// A key that an entry names: which one it is, and a row of it that has the entry's value. The other rows that have it are
/// not listed: of a long zip they may be most.
#[derive(Debug)]
struct Named {
    dimension: usize,
    axis: usize,
    row: usize,
}

impl Exclusions {
    /// Those of a table of `[sweep]`, whose keys are in `dimensions`.
    pub(crate) fn new(
        sweep: &DeTable<'_>,
        dimensions: &[Dimension],
        source: &Source,
    ) -> Result<Self, SpecError> {
        let Some(value) = sweep.get("exclude") else {
            return Ok(Self::default());
        };
        let entries = entries("exclude", value, source)?;
        let entries = entries
            .iter()
            .map(|entry| Exclusion::new(entry, dimensions, source))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            span: Some(value.span()),
            entries,
        })
    }

    /// Whether nothing is left out.
    pub(crate) fn are_none(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether a combination, a row of each of the grid's dimensions, is left out.
    pub(crate) fn hold(&self, dimensions: &[Dimension], picks: &[usize]) -> bool {
        let holds = |exclusion: &Exclusion| exclusion.holds(dimensions, picks);
        self.entries.iter().any(holds)
    }
}

impl Exclusion {
    fn new(entry: &Entry, dimensions: &[Dimension], source: &Source) -> Result<Self, SpecError> {
        for setting in &entry.settings {
            check_setting(setting, dimensions, source)?;
        }
        let mut exclusion = Vec::new();
        for (at, dimension) in dimensions.iter().enumerate() {
            let named: Vec<Named> = dimension
                .axes
                .iter()
                .enumerate()
                .filter_map(|(number, axis)| {
                    let same = &entry.setting(&axis.key)?.value.same;
                    let row = axis.values.iter().position(|value| value.same == *same)?;
                    Some(Named {
                        dimension: at,
                        axis: number,
                        row,
                    })
                })
                .collect();
            let meant = |row: usize| named.iter().all(|named| named.has_value(dimension, row));
            // Values that the keys have, but never side by side.
            if !(0..dimension.length()).any(meant) {
                return Err(source.error(Some(entry.span.clone()), Problem::NothingExcluded));
            }
            exclusion.extend(named);
        }
        Ok(Self(exclusion))
    }

    fn holds(&self, dimensions: &[Dimension], picks: &[usize]) -> bool {
        let mut named = self.0.iter();
        named.all(|named| named.has_value(&dimensions[named.dimension], picks[named.dimension]))
    }
}

impl Named {
    /// Whether a row of the key's dimension has the entry's value.
    fn has_value(&self, dimension: &Dimension, row: usize) -> bool {
        let values = &dimension.axes[self.axis].values;
        values[row].same == values[self.row].same
    }
}

/// A key must be swept, and through the value that it has here.
fn check_setting(
    setting: &Setting,
    dimensions: &[Dimension],
    source: &Source,
) -> Result<(), SpecError> {
    let axes = || dimensions.iter().flat_map(|dimension| &dimension.axes);
    let Some(axis) = axes().find(|axis| axis.key == setting.key) else {
        let problem = Problem::NotSwept {
            word: "exclude",
            key: setting.key.clone(),
            known: axes().map(|axis| short_of(&axis.key).to_owned()).collect(),
        };
        return Err(source.error(Some(setting.span.clone()), problem));
    };
    let mut values = axis.values.iter();
    if values.any(|value| value.same == setting.value.same) {
        return Ok(());
    }
    let written = |value: &AxisValue| source.slice(value.span.clone()).to_owned();
    // In a zip or a list a value may stand more than once.
    let mut seen = BTreeSet::new();
    let known = axis.values.iter().filter(|value| seen.insert(&value.same));
    let known = known.map(written).collect();
    let problem = Problem::NotAmongValues {
        key: axis.key.clone(),
        value: written(&setting.value),
        known,
    };
    Err(source.error(Some(setting.value.span.clone()), problem))
}
