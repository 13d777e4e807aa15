//! Runs that lie in a sweep's folder and are no longer among its spec's: which keys made them other runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mezo_train::Manifest;
use serde::Serialize;
use serde_json::Value;

/// How many of them are held against the plan's.
const COMPARED: usize = 50;
/// Where a model and data lie changes no number; and what is said of a run follows from the rest.
const IGNORED: [&str; 11] = [
    "id",
    "sweep",
    "schema",
    "swept",
    "versions",
    "made_data",
    "trainable_parameters",
    "train_examples",
    "dev_examples",
    "test_examples",
    "task.data",
];

/// Earlier runs that differ from the plan's by the same keys.
#[derive(Debug, PartialEq, Serialize)]
pub struct Changed {
    pub runs: usize,
    pub keys: Vec<Key>,
}

/// A key with the value it had and the one it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    pub key: String,
    pub was: String,
    pub is: String,
}

/// The values of a manifest by their keys, as texts.
type Flat = BTreeMap<String, String>;

/// The earlier runs in a sweep's folder, each group with what sets it apart from the nearest planned run.
pub fn changed<'m>(folder: &Path, planned: impl Iterator<Item = &'m Manifest>) -> Vec<Changed> {
    let planned: Vec<&Manifest> = planned.collect();
    let ids: BTreeSet<&str> = planned
        .iter()
        .map(|manifest| manifest.id.as_str())
        .collect();
    let earlier = earlier(folder, &ids);
    if earlier.is_empty() {
        return Vec::new();
    }
    let planned: Vec<Flat> = planned
        .iter()
        .filter_map(|manifest| serde_json::to_value(manifest).ok())
        .map(|value| flat(&value))
        .collect();
    let mut groups: BTreeMap<Vec<Key>, usize> = BTreeMap::new();
    for run in earlier.iter().take(COMPARED) {
        *groups.entry(difference(run, &planned)).or_default() += 1;
    }
    let more = earlier.len().saturating_sub(COMPARED);
    if more > 0 {
        *groups.entry(Vec::new()).or_default() += more;
    }
    let group = |(keys, runs)| Changed { runs, keys };
    groups.into_iter().map(group).collect()
}

/// What lies in the folder and is not planned. A broken manifest tells nothing.
fn earlier(folder: &Path, ids: &BTreeSet<&str>) -> Vec<Flat> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let run = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        if ids.contains(name.to_str()?) {
            return None;
        }
        let text = std::fs::read(entry.path().join(Manifest::FILE)).ok()?;
        let value: Value = serde_json::from_slice(&text).ok()?;
        Some(flat(&value))
    };
    entries.filter_map(run).collect()
}

fn flat(manifest: &Value) -> Flat {
    let mut all = Flat::new();
    collect(manifest, "", &mut all);
    let kept = |key: &String| {
        let below = |ignored: &str| {
            key.strip_prefix(ignored)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        !IGNORED.into_iter().any(below) && key != "model.path"
    };
    all.retain(|key, _| kept(key));
    all
}

fn collect(value: &Value, path: &str, all: &mut Flat) {
    let below = |key: &str| match path {
        "" | "config" => key.to_owned(),
        _ => format!("{path}.{key}"),
    };
    match value {
        Value::Object(table) => {
            for (key, value) in table {
                collect(value, &below(key), all);
            }
        }
        Value::String(text) => {
            all.insert(path.to_owned(), text.clone());
        }
        Value::Null => {}
        other => {
            all.insert(path.to_owned(), other.to_string());
        }
    }
}

/// What differs between a run and the planned run that is most like it; nothing where it is too unlike all of them.
fn difference(run: &Flat, planned: &[Flat]) -> Vec<Key> {
    let apart = |other: &Flat| -> Vec<Key> {
        let keys: BTreeSet<&String> = run.keys().chain(other.keys()).collect();
        let differing = keys
            .into_iter()
            .filter(|key| run.get(*key) != other.get(*key));
        let value = |flat: &Flat, key: &String| {
            let value = flat.get(key).map(String::as_str);
            value.unwrap_or("not set").to_owned()
        };
        let key = |key: &String| Key {
            key: key.clone(),
            was: value(run, key),
            is: value(other, key),
        };
        differing.map(key).collect()
    };
    let nearest = planned.iter().map(apart).min_by_key(Vec::len);
    nearest.unwrap_or_default()
}

impl Changed {
    /// `2 earlier runs are not among these: train.batch_size was 4, is 8`
    pub fn words(&self) -> String {
        let runs = match self.runs {
            1 => "1 earlier run is".to_owned(),
            runs => format!("{runs} earlier runs are"),
        };
        let word = |key: &Key| format!("{} was {}, is {}", key.key, key.was, key.is);
        let keys: Vec<String> = self.keys.iter().map(word).collect();
        match keys.is_empty() {
            true => format!("{runs} not among these"),
            false => format!("{runs} not among these: {}", keys.join("; ")),
        }
    }
}
