//! The tables of a spec beside `name` and `[sweep]`: every value by its key's path, held against its declaration.

use std::collections::BTreeMap;
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

/// What a spec sets for all its runs.
#[derive(Debug, Default)]
pub(crate) struct Base {
    /// Values by their keys' paths; [`WRONG`] for what is told to be wrong already, so that nothing is made of a default
    /// in its place.
    pub(crate) values: BTreeMap<String, Literal>,
    /// Where values and tables stand, sound or not, by their paths.
    pub(crate) places: Places,
}

/// Where keys outside `[sweep]` stand, by their paths.
pub(crate) type Places = BTreeMap<String, Range<usize>>;

/// A value of no key.
const WRONG: Literal = Literal::Other("a wrong value");

impl Base {
    /// Reads the tables; what is wrong goes to `errors`.
    pub(crate) fn read(table: &DeTable<'_>, source: &Source, errors: &mut Vec<SpecError>) -> Self {
        let mut base = Self::default();
        base.collect(table, "", source, errors);
        base
    }

    fn collect(
        &mut self,
        table: &DeTable<'_>,
        parent: &str,
        source: &Source,
        errors: &mut Vec<SpecError>,
    ) {
        for (name, value) in table {
            let path = match parent {
                "" => name.get_ref().to_string(),
                _ => format!("{parent}.{}", name.get_ref()),
            };
            let mut refuse = |span, problem| errors.push(source.error(Some(span), problem));
            let known = path.len() <= LONGEST_PATH
                && (catalog::is_table(&path)
                    || catalog::key(&path).is_some()
                    || open_table(&path).is_some());
            if !known {
                let problem = check::unknown(&path);
                if let Some(meant) = problem.meant_key() {
                    self.values.entry(meant).or_insert(WRONG);
                }
                refuse(name.span(), problem);
                continue;
            }
            let inner = value.get_ref().as_table();
            self.places.insert(path.clone(), value.span());
            match (catalog::key(&path), inner) {
                (None, Some(inner)) if catalog::is_table(&path) => {
                    self.collect(inner, &path, source, errors);
                }
                (None, _) if catalog::is_table(&path) => refuse(
                    value.span(),
                    Problem::WrongType {
                        expected: "a table".into(),
                        found: Literal::of_toml(value.get_ref()).words(),
                        key: Some(path),
                    },
                ),
                (Some(key), Some(inner)) if key.kind == Kind::Texts => {
                    self.texts(inner, &path, value, source, errors);
                }
                (Some(key), _) => {
                    let mut literal = Literal::of_toml(value.get_ref());
                    if let Some(problem) = check::problem(key, &literal) {
                        refuse(value.span(), problem);
                        literal = WRONG;
                    }
                    self.values.insert(path, literal);
                }
                (None, _) => {}
            }
        }
    }

    /// A table of strings under keys of the user's own.
    fn texts(
        &mut self,
        table: &DeTable<'_>,
        path: &str,
        value: &Spanned<DeValue<'_>>,
        source: &Source,
        errors: &mut Vec<SpecError>,
    ) {
        let mut sound = true;
        for (name, value) in table {
            let inner = format!("{path}.{}", name.get_ref());
            let literal = Literal::of_toml(value.get_ref());
            if let Some(problem) = check::text_problem(&inner, &literal) {
                errors.push(source.error(Some(value.span()), problem));
                sound = false;
            }
            self.places.insert(inner, value.span());
        }
        let literal = match sound {
            true => Literal::of_toml(value.get_ref()),
            false => WRONG,
        };
        self.values.insert(path.into(), literal);
    }
}
