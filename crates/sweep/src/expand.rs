//! From the lists of each grid to points, one for every combination.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::axis::{Axis, AxisValue};
use crate::error::SpecError;
use crate::grid::Grid;
use crate::problem::Problem;
use crate::spec::{Spec, parents};

/// The most runs a sweep may have, over all its grids.
pub const MAX_RUNS: u64 = 100_000;

/// One swept key of a point and the value it has there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Swept {
    /// The key's full path, `train.lr`.
    pub key: String,
    /// A number or boolean as the spec writes it (`1e-4` stays `1e-4`), the contents of a string.
    pub text: String,
}

impl Swept {
    /// What the key is called in a table or a label: `lr` for `train.lr`, `task` for `task.name`.
    pub fn column(&self) -> &str {
        let (table, last) = self.key.rsplit_once('.').unwrap_or(("", &self.key));
        let whole = last == "name" || (table == "model" && matches!(last, "builtin" | "path"));
        if whole && !table.is_empty() {
            table
        } else {
            last
        }
    }
}

/// Swept values in one line, `seed 13 lr 1e-4 eps 1e-3`: those of the keys that are asked for.
pub(crate) fn label(swept: &[Swept], key: impl Fn(&str) -> bool) -> String {
    let alone = |column: &str| {
        let same = swept.iter().filter(|other| other.column() == column);
        same.count() == 1
    };
    let name = |swept: &Swept| {
        if alone(swept.column()) {
            swept.column().to_owned()
        } else {
            swept.key.clone()
        }
    };
    swept
        .iter()
        .filter(|swept| key(&swept.key))
        .map(|swept| format!("{} {}", name(swept), swept.text))
        .collect::<Vec<_>>()
        .join(" ")
}

/// What all points of a grid share: the tables without `[sweep]`, and the values to put into them.
#[derive(Debug)]
pub(crate) struct Shared<'s> {
    spec: &'s Spec,
    base: Arc<DeTable<'s>>,
    grid: &'s Grid,
    /// Of each key of the grid, in its order.
    values: Vec<Vec<Spanned<DeValue<'s>>>>,
}

/// One combination of a grid: each of its keys with one of its values.
#[derive(Debug, Clone)]
pub struct Point<'s> {
    shared: Arc<Shared<'s>>,
    /// Which one, of all combinations of its grid.
    number: usize,
}

/// All combinations, grid after grid.
pub(crate) fn points<'s>(spec: &'s Spec, base: DeTable<'s>) -> Result<Vec<Point<'s>>, SpecError> {
    let base = Arc::new(base);
    let mut points = Vec::new();
    for grid in spec.grids() {
        let values = grid
            .axes()
            .map(|axis| parsed(spec, axis))
            .collect::<Result<_, _>>()?;
        add_points(
            &mut points,
            Shared {
                spec,
                base: Arc::clone(&base),
                grid,
                values,
            },
        );
    }
    Ok(points)
}

/// All combinations of one grid, its first dimension varying slowest.
fn add_points<'s>(points: &mut Vec<Point<'s>>, shared: Shared<'s>) {
    let grid = shared.grid;
    let shared = Arc::new(shared);
    points.extend(grid.points().map(|number| Point {
        shared: Arc::clone(&shared),
        number,
    }));
}

/// The values of an axis with the places where the spec has them.
fn parsed<'s>(spec: &'s Spec, axis: &Axis) -> Result<Vec<Spanned<DeValue<'s>>>, SpecError> {
    let value = |value: &AxisValue| {
        let parsed = DeValue::parse(spec.source().slice(value.span.clone()));
        match parsed {
            Ok(parsed) => Ok(Spanned::new(value.span.clone(), parsed.into_inner())),
            Err(error) => Err(spec.source().syntax_error(&error)),
        }
    };
    axis.values.iter().map(value).collect()
}

impl Point<'_> {
    /// The swept keys with their values here, in the order of `[sweep]`.
    pub fn swept(&self) -> Vec<Swept> {
        self.picked()
            .map(|(axis, value, _)| Swept {
                key: axis.key.clone(),
                text: value.text.clone(),
            })
            .collect()
    }

    /// The swept values in one line: `seed 13 lr 1e-4 eps 1e-3`.
    pub fn label(&self) -> String {
        self.label_of(|_| true)
    }

    /// The same of some keys alone, which are given by their full paths.
    pub fn label_of(&self, key: impl Fn(&str) -> bool) -> String {
        label(&self.swept(), key)
    }

    /// The spec's tables with this point's values in them, as `T`. `name` and `[sweep]` are not
    /// among them. `T` should deny unknown fields: then a misspelt key is an error at its place.
    pub fn deserialize<T: DeserializeOwned>(&self) -> Result<T, SpecError> {
        let mut table = DeTable::clone(&self.shared.base);
        for (axis, _, value) in self.picked() {
            insert(&mut table, &axis.key, &axis.span, value.clone());
        }
        let error = match self.read(table) {
            Ok(read) => return Ok(read),
            Err(error) => error,
        };
        // What lacks in a table that only [sweep] has made stands most likely in a table whose name is misspelt.
        if let Problem::MissingKey { .. } = error.problem()
            && let Err(misspelt) = self.read::<T>(DeTable::clone(&self.shared.base))
            && let Problem::UnknownKey { table: None, .. } = misspelt.problem()
        {
            return Err(misspelt);
        }
        Err(self.with_grid(error))
    }

    /// Of several grids, what lacks may lack in this one alone.
    fn with_grid(&self, error: SpecError) -> SpecError {
        let Shared { spec, grid, .. } = &*self.shared;
        match error.problem() {
            Problem::MissingKey { .. } if spec.grids().len() > 1 => {
                error.in_grid(spec.source().line(grid.start))
            }
            _ => error,
        }
    }

    fn read<T: DeserializeOwned>(&self, table: DeTable<'_>) -> Result<T, SpecError> {
        T::deserialize(toml::Deserializer::from(Spanned::new(0..0, table)))
            .map_err(|error| self.shared.spec.source().deserialize_error(&error))
    }

    /// Where `key` has its value here, if it is swept.
    pub(crate) fn span_of(&self, key: &str) -> Option<Range<usize>> {
        self.picked()
            .find(|(axis, _, _)| axis.key == key)
            .map(|(_, value, _)| value.span.clone())
    }

    /// Where the first swept value below the table `key` stands.
    pub(crate) fn span_within(&self, key: &str) -> Option<Range<usize>> {
        let below = |axis: &Axis| parents(&axis.key).any(|parent| parent == key);
        self.picked()
            .find(|(axis, _, _)| below(axis))
            .map(|(_, value, _)| value.span.clone())
    }

    fn picked(&self) -> impl Iterator<Item = (&Axis, &AxisValue, &Spanned<DeValue<'_>>)> {
        let grid = self.shared.grid;
        let dimensions = grid.dimensions.iter().zip(grid.picks(self.number));
        dimensions
            .flat_map(|(dimension, pick)| dimension.axes.iter().map(move |axis| (axis, pick)))
            .zip(&self.shared.values)
            .map(|((axis, pick), values)| (axis, &axis.values[pick], &values[pick]))
    }
}

/// Puts a value at a dotted path, making the tables on the way. The spans are the swept key's own,
/// so that an error about the key or about such a table points into `[sweep]`.
fn insert<'s>(
    table: &mut DeTable<'s>,
    path: &str,
    span: &Range<usize>,
    value: Spanned<DeValue<'s>>,
) {
    let key = |name: &str| Spanned::new(span.clone(), Cow::Owned(name.to_owned()));
    let Some((first, rest)) = path.split_once('.') else {
        table.insert(key(path), value);
        return;
    };
    if !table.contains_key(first) {
        table.insert(
            key(first),
            Spanned::new(span.clone(), DeValue::Table(DeTable::new())),
        );
    }
    if let Some(DeValue::Table(inner)) = table.get_mut(first).map(Spanned::get_mut) {
        insert(inner, rest, span, value);
    }
}
