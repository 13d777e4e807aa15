//! Values of keys by their paths: a run's configuration as its manifest holds it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value as Json};

use crate::catalog;
use crate::key::Key;
use crate::literal::Literal;
use crate::reader::Lookup;
use crate::tables::MethodName;
use crate::value::{Kind, Value};

/// Values of keys by their paths. As JSON they are tables in tables, as a spec has them; keys that this program does not
/// know are kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values {
    values: BTreeMap<String, Literal>,
}

impl Values {
    /// Sets a key, or removes it where nothing is written for the value.
    pub fn put<T: Value>(&mut self, key: &Key, value: &T) {
        match value.to_literal() {
            Some(literal) => self.values.insert(key.path.into(), literal),
            None => self.values.remove(key.path),
        };
    }

    /// Sets every key that others have.
    pub fn extend(&mut self, others: Self) {
        self.values.extend(others.values);
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &Key) {
        self.values.remove(key.path);
    }

    /// The value of a key.
    pub fn get(&self, key: &Key) -> Option<&Literal> {
        self.values.get(key.path)
    }

    /// The value of a key as the type that its declaration has; none where it is missing or of another.
    pub fn typed<T: Value>(&self, key: &Key) -> Option<T> {
        self.get(key).and_then(T::from_literal)
    }

    /// The number of a key.
    pub fn number(&self, key: &Key) -> Option<f64> {
        self.get(key)?.as_f64()
    }

    /// The whole number of a key.
    pub fn whole(&self, key: &Key) -> Option<u64> {
        self.get(key)?.as_u64()
    }

    /// The text of a key.
    pub fn text(&self, key: &Key) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The boolean of a key.
    pub fn flag(&self, key: &Key) -> Option<bool> {
        self.get(key)?.as_bool()
    }

    /// All values in the order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Literal)> {
        self.values
            .iter()
            .map(|(path, value)| (path.as_str(), value))
    }

    /// Keeps the values of some paths alone.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.values.retain(|path, _| keep(path));
    }

    /// The same without what is at its default: a key of a later version then changes no earlier id.
    pub(crate) fn without_defaults(mut self, method: MethodName) -> Self {
        self.values.retain(|path, literal| {
            let key = catalog::key(path);
            let default = key.and_then(|key| key.default.literal(Some(method)));
            default.as_ref() != Some(literal)
        });
        self
    }

    /// The values of one table as JSON; null where it has none.
    pub fn table(&self, table: &str) -> Json {
        let mut json = Json::Null;
        for (path, literal) in &self.values {
            let Some(rest) = path
                .strip_prefix(table)
                .and_then(|rest| rest.strip_prefix('.'))
            else {
                continue;
            };
            put(&mut json, rest, literal.to_json());
        }
        json
    }

    /// Reads the tables of a JSON object.
    pub fn of_json(json: &Json) -> Self {
        let mut values = Self::default();
        values.collect("", json);
        values
    }

    fn collect(&mut self, path: &str, json: &Json) {
        let texts = catalog::key(path).is_some_and(|key| key.kind == Kind::Texts);
        match json {
            Json::Object(table) if !texts => {
                for (name, value) in table {
                    let path = match path {
                        "" => name.clone(),
                        _ => format!("{path}.{name}"),
                    };
                    self.collect(&path, value);
                }
            }
            Json::Null => {}
            value => {
                self.values.insert(path.into(), Literal::of_json(value));
            }
        }
    }

    fn to_json(&self) -> Json {
        let mut json = Json::Object(Map::new());
        for (path, literal) in &self.values {
            put(&mut json, path, literal.to_json());
        }
        json
    }

    /// Paths that only one of two has, or that differ.
    pub fn differing<'v>(&'v self, other: &'v Self) -> BTreeSet<&'v str> {
        let paths = self.values.keys().chain(other.values.keys());
        paths
            .filter(|path| self.values.get(*path) != other.values.get(*path))
            .map(String::as_str)
            .collect()
    }
}

/// Puts a value at a dotted path, making the tables on the way.
fn put(json: &mut Json, path: &str, value: Json) {
    if !json.is_object() {
        *json = Json::Object(Map::new());
    }
    let Some(table) = json.as_object_mut() else {
        return;
    };
    match path.split_once('.') {
        Some((first, rest)) => put(table.entry(first).or_insert(Json::Null), rest, value),
        None => {
            table.insert(path.into(), value);
        }
    }
}

impl Lookup for Values {
    fn literal(&self, path: &str) -> Option<Literal> {
        self.values.get(path).cloned()
    }

    fn has_table(&self, path: &str) -> bool {
        let below = |known: &String| {
            known
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('.'))
        };
        self.values.keys().any(below)
    }
}

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_json().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::of_json(&Json::deserialize(deserializer)?))
    }
}
