//! The entries of `list` and `exclude`: keys with one value each.

use std::ops::Range;

use toml::Spanned;
use toml::de::DeValue;

use crate::error::SpecError;
use crate::problem::Problem;
use crate::source::Source;
use crate::sweep::axis::{AxisValue, leaves, path_of, type_words};

/// One table of `list` or `exclude`.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) span: Range<usize>,
    /// At least one, each key once, in the order in which they are written.
    pub(crate) settings: Vec<Setting>,
}

/// A key of an entry and its value.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The full path of a short name; that any other is a path is for the reader to say.
    pub(crate) key: String,
    pub(crate) span: Range<usize>,
    pub(crate) value: AxisValue,
}

/// What stands at `word`, which is `list` or `exclude`.
pub(crate) fn entries(
    word: &'static str,
    value: &Spanned<DeValue<'_>>,
    source: &Source,
) -> Result<Vec<Entry>, SpecError> {
    let DeValue::Array(list) = value.get_ref() else {
        let expected = format!("a list of tables for `{word}`");
        return Err(no_entry(word, value, expected, source));
    };
    list.iter()
        .map(|value| Entry::new(word, value, source))
        .collect()
}

fn no_entry(
    word: &'static str,
    value: &Spanned<DeValue<'_>>,
    expected: String,
    source: &Source,
) -> SpecError {
    let problem = Problem::NoCombinations {
        word,
        expected,
        found: type_words(value.get_ref()),
    };
    source.error(Some(value.span()), problem)
}

impl Entry {
    fn new(
        word: &'static str,
        value: &Spanned<DeValue<'_>>,
        source: &Source,
    ) -> Result<Self, SpecError> {
        let DeValue::Table(table) = value.get_ref() else {
            let expected = format!("a table in `{word}`");
            return Err(no_entry(word, value, expected, source));
        };
        if table.is_empty() {
            return Err(source.error(Some(value.span()), Problem::EmptyEntry { word }));
        }
        let mut settings: Vec<Setting> = Vec::new();
        for leaf in leaves(table) {
            let key = path_of(&leaf.path).to_owned();
            let Some(value) = AxisValue::new(leaf.value, source) else {
                let found = type_words(leaf.value.get_ref());
                let problem = Problem::NotOneValue { word, key, found };
                return Err(source.error(Some(leaf.value.span()), problem));
            };
            if let Some(earlier) = settings.iter().find(|earlier| earlier.key == key) {
                let problem = Problem::NamedTwice {
                    key,
                    place: "this entry",
                    line: source.line(earlier.span.start),
                };
                return Err(source.error(Some(leaf.span), problem));
            }
            settings.push(Setting {
                key,
                span: leaf.span,
                value,
            });
        }
        Ok(Self {
            span: value.span(),
            settings,
        })
    }

    /// Its value of a key.
    pub(crate) fn setting(&self, key: &str) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.key == key)
    }
}
