//! `zip`: keys of `[sweep]` whose lists go side by side.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::SpecError;
use crate::problem::Problem;
use crate::source::Source;
use crate::sweep::axis::{Axis, path_of, short_of, type_words};
use crate::sweep::dimension::Dimension;

/// The zip that a key is in: which one, and the line that says so.
#[derive(Debug, Clone, Copy)]
struct Membership {
    zip: usize,
    line: usize,
}

/// The axes as dimensions: a zip stands where its first key stands, every other key is one alone.
pub(crate) fn dimensions(
    sweep: &DeTable<'_>,
    axes: Vec<Axis>,
    listed: &[Axis],
    source: &Source,
) -> Result<Vec<Dimension>, SpecError> {
    let memberships = memberships(sweep, &axes, listed, source)?;
    let mut dimensions: Vec<(Option<usize>, Dimension)> = Vec::new();
    for (axis, membership) in axes.into_iter().zip(memberships) {
        let zip = membership.map(|membership| membership.zip);
        let begun = dimensions
            .iter_mut()
            .find(|(other, _)| zip.is_some() && *other == zip);
        match begun {
            Some((_, dimension)) => dimension.axes.push(axis),
            None => dimensions.push((zip, Dimension { axes: vec![axis] })),
        }
    }
    Ok(dimensions
        .into_iter()
        .map(|(_, dimension)| dimension)
        .collect())
}

/// Of each axis, the zip that it is in.
fn memberships(
    sweep: &DeTable<'_>,
    axes: &[Axis],
    listed: &[Axis],
    source: &Source,
) -> Result<Vec<Option<Membership>>, SpecError> {
    let mut memberships: Vec<Option<Membership>> = vec![None; axes.len()];
    let Some(value) = sweep.get("zip") else {
        return Ok(memberships);
    };
    let DeValue::Array(zips) = value.get_ref() else {
        return Err(no_zip(value, "a list of lists of keys for `zip`", source));
    };
    for (zip, value) in zips.iter().enumerate() {
        let DeValue::Array(keys) = value.get_ref() else {
            return Err(no_zip(value, "a list of keys in `zip`", source));
        };
        if keys.len() < 2 {
            let problem = Problem::ShortZip { keys: keys.len() };
            return Err(source.error(Some(value.span()), problem));
        }
        let mut first: Option<&Axis> = None;
        for key in keys.iter() {
            let at = swept_at(key, axes, listed, source)?;
            let axis = &axes[at];
            let refuse = |problem| Err(source.error(Some(key.span()), problem));
            if let Some(Membership { line, .. }) = memberships[at] {
                return refuse(Problem::NamedTwice {
                    key: axis.key.clone(),
                    place: "`zip`",
                    line,
                });
            }
            let line = source.line(key.span().start);
            memberships[at] = Some(Membership { zip, line });
            let first = *first.get_or_insert(axis);
            if first.values.len() != axis.values.len() {
                return refuse(Problem::UnequalLists {
                    key: axis.key.clone(),
                    length: axis.values.len(),
                    other: first.key.clone(),
                    other_length: first.values.len(),
                });
            }
        }
    }
    Ok(memberships)
}

/// Which of the axes a zip means by `key`.
fn swept_at(
    key: &Spanned<DeValue<'_>>,
    axes: &[Axis],
    listed: &[Axis],
    source: &Source,
) -> Result<usize, SpecError> {
    let Some(written) = key.get_ref().as_str() else {
        return Err(no_zip(key, "a key in quotes in `zip`", source));
    };
    let path = path_of(written);
    if let Some(at) = axes.iter().position(|axis| axis.key == path) {
        return Ok(at);
    }
    let problem = match listed.iter().find(|axis| axis.key == path) {
        Some(axis) => Problem::NamedTwice {
            key: axis.key.clone(),
            place: "`list`",
            line: source.line(axis.span.start),
        },
        None => Problem::NotSwept {
            word: "zip",
            key: path.to_owned(),
            known: axes
                .iter()
                .map(|axis| short_of(&axis.key).to_owned())
                .collect(),
        },
    };
    Err(source.error(Some(key.span()), problem))
}

fn no_zip(value: &Spanned<DeValue<'_>>, expected: &'static str, source: &Source) -> SpecError {
    let problem = Problem::NoCombinations {
        word: "zip",
        expected: expected.to_owned(),
        found: type_words(value.get_ref()),
    };
    source.error(Some(value.span()), problem)
}
