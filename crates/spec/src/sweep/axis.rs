//! The keys of `[sweep]`, each with the list of its values.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::catalog;
use crate::check::{self, LONGEST_PATH};
use crate::error::SpecError;
use crate::literal::Literal;
use crate::problem::Problem;
use crate::run::open_table;
use crate::source::Source;
use crate::value::Kind;

/// What stands at the top of `[sweep]` and is no key: it says how keys go together.
pub(crate) const RESERVED: [&str; 3] = ["zip", "list", "exclude"];

/// One key of `[sweep]` and its values.
#[derive(Debug)]
pub(crate) struct Axis {
    /// The full path, `train.lr`.
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) values: Vec<AxisValue>,
}

/// One value of an axis: where it stands and its text.
#[derive(Debug)]
pub(crate) struct AxisValue {
    pub(crate) span: Range<usize>,
    pub(crate) literal: Literal,
    /// A number or boolean as written; of a string what it says, without the quotes.
    pub(crate) text: String,
    /// Its type, in words.
    pub(crate) kind: &'static str,
    pub(crate) same: Same,
}

impl AxisValue {
    /// A number, a string or a boolean; nothing else is a value.
    pub(crate) fn new(value: &Spanned<DeValue<'_>>, source: &Source) -> Option<Self> {
        let same = Same::new(value.get_ref())?;
        let span = value.span();
        let text = match value.get_ref().as_str() {
            Some(text) => text.to_owned(),
            None => source.slice(span.clone()).to_owned(),
        };
        Some(Self {
            span,
            literal: Literal::of_toml(value.get_ref()),
            text,
            kind: type_words(value.get_ref()),
            same,
        })
    }
}

/// The axes of `[sweep]` that have a list of their own, in the order in which they are written. What is wrong goes to
/// `errors`.
pub(crate) fn axes(sweep: &DeTable<'_>, source: &Source, errors: &mut Vec<SpecError>) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    for leaf in leaves(sweep) {
        if RESERVED.contains(&leaf.path.as_str()) {
            continue;
        }
        let axis = match leaf.into_axis(source) {
            Ok(axis) => axis,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        if let Some(earlier) = axes.iter().find(|earlier| earlier.key == axis.key) {
            let problem = Problem::SweptTwice {
                key: axis.key,
                line: source.line(earlier.span.start),
                listed: false,
            };
            errors.push(source.error(Some(axis.span), problem));
            continue;
        }
        axes.push(axis);
    }
    axes
}

impl Axis {
    /// Holds the key and its values against the declarations.
    pub(crate) fn check(&self, source: &Source, errors: &mut Vec<SpecError>) {
        let key = catalog::key(&self.key).filter(|key| key.kind != Kind::Texts);
        if key.is_none() && open_table(&self.key).is_none() {
            errors.push(source.error(Some(self.span.clone()), check::unswept(&self.key)));
            return;
        }
        for value in &self.values {
            let problem = match key {
                Some(key) => check::problem(key, &value.literal),
                None => check::text_problem(&self.key, &value.literal),
            };
            errors.extend(problem.map(|problem| source.error(Some(value.span.clone()), problem)));
        }
    }
}

/// A key, its path from the table that it was looked for in, and what stands at it.
pub(crate) struct Leaf<'t> {
    pub(crate) path: String,
    pub(crate) span: Range<usize>,
    pub(crate) value: &'t Spanned<DeValue<'t>>,
}

/// The keys of a table and of those in it, in the order in which they are written.
pub(crate) fn leaves<'t>(table: &'t DeTable<'t>) -> Vec<Leaf<'t>> {
    let mut leaves = Vec::new();
    collect_leaves(table, "", &mut leaves);
    // The table is sorted by key; the order of the file is that of the spans.
    leaves.sort_by_key(|leaf| leaf.span.start);
    leaves
}

fn collect_leaves<'t>(table: &'t DeTable<'t>, prefix: &str, leaves: &mut Vec<Leaf<'t>>) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        let word = prefix.is_empty() && (RESERVED.contains(&path.as_str()) || is_short(&path));
        let path_of_a_key = !word && path.len() <= LONGEST_PATH;
        match value.get_ref() {
            // A table that names no list is one in the place of a list.
            DeValue::Table(inner) if !inner.is_empty() && path_of_a_key => {
                collect_leaves(inner, &format!("{path}."), leaves)
            }
            _ => leaves.push(Leaf {
                path,
                span: key.span(),
                value,
            }),
        }
    }
}

impl Leaf<'_> {
    fn into_axis(self, source: &Source) -> Result<Axis, SpecError> {
        let key = full_path(&self.path)
            .map_err(|problem| source.error(Some(self.span.clone()), problem))?;
        let span = self.value.span();
        let DeValue::Array(list) = self.value.get_ref() else {
            let found = type_words(self.value.get_ref());
            return Err(source.error(Some(span), Problem::NotAList { key, found }));
        };
        if list.is_empty() {
            return Err(source.error(Some(span), Problem::EmptyList { key }));
        }
        let values = axis_values(&key, list, source)?;
        Ok(Axis {
            key,
            span: self.span,
            values,
        })
    }
}

fn is_short(name: &str) -> bool {
    catalog::short_names().any(|(short, _)| short == name)
}

/// The full path of what may be a short name.
pub(crate) fn path_of(written: &str) -> &str {
    catalog::short_names()
        .find(|(short, _)| *short == written)
        .map_or(written, |(_, key)| key.path)
}

/// The short name of a key, or its path where it has none.
pub(crate) fn short_of(key: &str) -> &str {
    catalog::short_names()
        .find(|(_, known)| known.path == key)
        .map_or(key, |(short, _)| short)
}

/// The same as [`path_of`] of what can be a key.
pub(crate) fn full_path(written: &str) -> Result<String, Problem> {
    if is_short(written) {
        return Ok(path_of(written).to_owned());
    }
    if written.len() > LONGEST_PATH {
        let shown = &written[..written.floor_char_boundary(LONGEST_PATH)];
        return Err(Problem::BadPath {
            key: format!("{shown}..."),
        });
    }
    if !written.contains('.') {
        return Err(Problem::UnknownShortName {
            name: written.to_owned(),
        });
    }
    let mut parts = written.split('.');
    // The name and the sweep itself are one for all runs.
    let of_the_spec = parts
        .clone()
        .next()
        .is_some_and(|first| matches!(first, "name" | "sweep"));
    if of_the_spec || parts.any(|part| part.trim().is_empty()) {
        return Err(Problem::BadPath {
            key: written.to_owned(),
        });
    }
    Ok(written.to_owned())
}

fn axis_values(
    key: &str,
    list: &[Spanned<DeValue<'_>>],
    source: &Source,
) -> Result<Vec<AxisValue>, SpecError> {
    let mut values: Vec<AxisValue> = Vec::with_capacity(list.len());
    for value in list {
        let refuse = |problem| Err(source.error(Some(value.span()), problem));
        let Some(read) = AxisValue::new(value, source) else {
            return refuse(Problem::NotAScalar {
                key: key.to_owned(),
                found: type_words(value.get_ref()),
            });
        };
        if let Some(first) = values.first().filter(|first| first.kind != read.kind) {
            return refuse(Problem::MixedList {
                key: key.to_owned(),
                first: first.kind,
                other: read.kind,
            });
        }
        values.push(read);
    }
    Ok(values)
}

/// What makes two values of a list the same value: `1e-4` and `0.0001` are, `1` and `1.0` too.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Same {
    Text(String),
    Boolean(bool),
    /// The bits of the number.
    Number(u64),
    /// A whole number beyond what a float can tell apart.
    Large(i128),
}

impl Same {
    fn new(value: &DeValue<'_>) -> Option<Self> {
        match value {
            DeValue::String(text) => Some(Self::Text(text.to_string())),
            DeValue::Boolean(value) => Some(Self::Boolean(*value)),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix())
            {
                Ok(whole) if whole.unsigned_abs() > (1 << 53) => Some(Self::Large(whole)),
                Ok(whole) => Some(Self::number(whole as f64)),
                Err(_) => Some(Self::Text(number.as_str().to_owned())),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(float) => Some(Self::number(float)),
                Err(_) => Some(Self::Text(number.as_str().to_owned())),
            },
            DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    fn number(value: f64) -> Self {
        // Adding zero makes -0.0 and 0.0 one value.
        Self::Number((value + 0.0).to_bits())
    }
}

pub(crate) fn type_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
