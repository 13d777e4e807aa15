//! The keys of `[sweep]`, each with the list of its values.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::SpecError;
use crate::problem::Problem;
use crate::spec::Source;

/// What a key may be called in `[sweep]` instead of its path.
pub(crate) const SHORT_NAMES: [(&str, &str); 4] = [
    ("protocol", "protocol"),
    ("seed", "train.seed"),
    ("lr", "train.lr"),
    ("eps", "train.eps"),
];

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
    /// A number or boolean as written; of a string what it says, without the quotes.
    pub(crate) text: String,
}

/// The axes of `[sweep]` in the order in which they are written.
pub(crate) fn axes(sweep: &DeTable<'_>, source: &Source) -> Result<Vec<Axis>, SpecError> {
    let mut leaves = Vec::new();
    collect_leaves(sweep, "", &mut leaves);
    // The table is sorted by key; the order of the file is that of the spans.
    leaves.sort_by_key(|leaf| leaf.span.start);
    let mut axes: Vec<Axis> = Vec::new();
    for leaf in leaves {
        let axis = leaf.into_axis(source)?;
        if let Some(earlier) = axes.iter().find(|earlier| earlier.key == axis.key) {
            let line = source.line(earlier.span.start);
            return Err(source.error(
                Some(axis.span),
                Problem::SweptTwice {
                    key: axis.key,
                    line,
                },
            ));
        }
        axes.push(axis);
    }
    Ok(axes)
}

/// How many combinations the axes have.
pub(crate) fn combinations(axes: &[Axis]) -> u128 {
    axes.iter()
        .map(|axis| axis.values.len() as u128)
        .fold(1, u128::saturating_mul)
}

struct Leaf<'t> {
    path: String,
    span: Range<usize>,
    value: &'t Spanned<DeValue<'t>>,
}

fn collect_leaves<'t>(table: &'t DeTable<'t>, prefix: &str, leaves: &mut Vec<Leaf<'t>>) {
    for (key, value) in table {
        let path = format!("{prefix}{}", key.get_ref());
        let short = prefix.is_empty() && SHORT_NAMES.iter().any(|(short, _)| *short == path);
        match value.get_ref() {
            // A table that names no list is one in the place of a list.
            DeValue::Table(inner) if !inner.is_empty() && !short => {
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

fn full_path(written: &str) -> Result<String, Problem> {
    if !written.contains('.') {
        let short = SHORT_NAMES.iter().find(|(short, _)| *short == written);
        return match short {
            Some((_, path)) => Ok((*path).to_owned()),
            None => Err(Problem::UnknownShortName {
                name: written.to_owned(),
            }),
        };
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

fn axis_values<'t>(
    key: &str,
    list: &'t [Spanned<DeValue<'t>>],
    source: &Source,
) -> Result<Vec<AxisValue>, SpecError> {
    let mut seen: BTreeMap<Same<'t>, String> = BTreeMap::new();
    let mut values = Vec::with_capacity(list.len());
    let first = list
        .first()
        .map_or("nothing", |first| type_words(first.get_ref()));
    for value in list {
        let span = value.span();
        let refuse = |problem| Err(source.error(Some(span.clone()), problem));
        let found = type_words(value.get_ref());
        let Some(same) = Same::new(value.get_ref()) else {
            return refuse(Problem::NotAScalar {
                key: key.to_owned(),
                found,
            });
        };
        if found != first {
            return refuse(Problem::MixedList {
                key: key.to_owned(),
                first,
                other: found,
            });
        }
        let written = source.slice(span.clone()).to_owned();
        if let Some(earlier) = seen.insert(same, written.clone()) {
            return refuse(Problem::RepeatedValue {
                key: key.to_owned(),
                text: written,
                earlier,
            });
        }
        let text = value.get_ref().as_str().map_or(written, str::to_owned);
        values.push(AxisValue { span, text });
    }
    Ok(values)
}

/// What makes two values of a list the same value: `1e-4` and `0.0001` are, `1` and `1.0` too.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Same<'t> {
    Text(&'t str),
    Boolean(bool),
    /// The bits of the number.
    Number(u64),
    /// A whole number beyond what a float can tell apart.
    Large(i128),
}

impl<'t> Same<'t> {
    fn new(value: &'t DeValue<'t>) -> Option<Self> {
        match value {
            DeValue::String(text) => Some(Self::Text(text)),
            DeValue::Boolean(value) => Some(Self::Boolean(*value)),
            DeValue::Integer(number) => match i128::from_str_radix(number.as_str(), number.radix())
            {
                Ok(whole) if whole.unsigned_abs() > (1 << 53) => Some(Self::Large(whole)),
                Ok(whole) => Some(Self::number(whole as f64)),
                Err(_) => Some(Self::Text(number.as_str())),
            },
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(float) => Some(Self::number(float)),
                Err(_) => Some(Self::Text(number.as_str())),
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
