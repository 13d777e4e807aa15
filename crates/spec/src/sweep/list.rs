//! `list`: combinations of keys, each written out.

use toml::de::DeTable;

use crate::error::SpecError;
use crate::problem::Problem;
use crate::source::Source;
use crate::sweep::axis::{Axis, full_path, short_of};
use crate::sweep::dimension::Dimension;
use crate::sweep::entry::{Entry, entries};

/// The list of a table of `[sweep]` as one dimension, its keys in the order of the first entry.
pub(crate) fn dimension(
    sweep: &DeTable<'_>,
    source: &Source,
) -> Result<Option<Dimension>, SpecError> {
    let Some(value) = sweep.get("list") else {
        return Ok(None);
    };
    let entries = entries("list", value, source)?;
    let Some((first, rest)) = entries.split_first() else {
        return Err(source.error(Some(value.span()), Problem::EmptyCombinations));
    };
    for setting in &first.settings {
        full_path(&setting.key)
            .map_err(|problem| source.error(Some(setting.span.clone()), problem))?;
    }
    for entry in rest {
        check_like(first, entry, source)?;
    }
    let places: Vec<_> = entries.iter().map(|entry| entry.span.clone()).collect();
    let dimension = columns(entries);
    if let Some((row, _)) = dimension.repeated() {
        let problem = Problem::RepeatedCombination {
            word: "list",
            combination: dimension.label(row),
        };
        return Err(source.error(Some(places[row].clone()), problem));
    }
    Ok(Some(dimension))
}

/// An entry must have the keys of the first one, with values of the same types.
fn check_like(first: &Entry, entry: &Entry, source: &Source) -> Result<(), SpecError> {
    for setting in &entry.settings {
        let Some(like) = first.setting(&setting.key) else {
            let known = first.settings.iter();
            let problem = Problem::EntryAdds {
                key: setting.key.clone(),
                known: known
                    .map(|setting| short_of(&setting.key).to_owned())
                    .collect(),
            };
            return Err(source.error(Some(setting.span.clone()), problem));
        };
        if like.value.kind != setting.value.kind {
            let problem = Problem::MixedList {
                key: setting.key.clone(),
                first: like.value.kind,
                other: setting.value.kind,
            };
            return Err(source.error(Some(setting.value.span.clone()), problem));
        }
    }
    let mut wanted = first.settings.iter();
    match wanted.find(|setting| entry.setting(&setting.key).is_none()) {
        Some(setting) => {
            let key = setting.key.clone();
            Err(source.error(Some(entry.span.clone()), Problem::EntryLacks { key }))
        }
        None => Ok(()),
    }
}

/// The values of each key, of entries that all have the same keys.
fn columns(entries: Vec<Entry>) -> Dimension {
    let mut axes: Vec<Axis> = Vec::new();
    for setting in entries.into_iter().flat_map(|entry| entry.settings) {
        match axes.iter_mut().find(|axis| axis.key == setting.key) {
            Some(axis) => axis.values.push(setting.value),
            None => axes.push(Axis {
                key: setting.key,
                span: setting.span,
                values: vec![setting.value],
            }),
        }
    }
    Dimension { axes }
}
