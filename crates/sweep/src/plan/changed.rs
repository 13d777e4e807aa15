//! Runs that lie in a sweep's folder and are no longer among its spec's: which keys made them other runs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use mezo_run::{LAYOUT, Manifest};
use serde::Serialize;
use serde_json::Value;

/// Where a model and data lie changes no number; and what is said of a run follows from the rest.
const IGNORED: [&str; 12] = [
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
    "model.path",
];
/// What follows from other keys, as the split does from the seed; told where nothing else differs.
const DERIVED: [&str; 3] = ["data_sha256", "source_sha256", "test_sha256"];
/// How many values of a key are told.
const VALUES: usize = 12;

/// Earlier runs that differ from the plan's by the same keys.
#[derive(Debug, PartialEq, Serialize)]
pub struct Changed {
    /// How many there are.
    pub runs: usize,
    /// The keys that have another value now; none where the runs' own values are just no longer listed.
    pub keys: Vec<Key>,
    /// The values of swept keys that the spec no longer lists, by their keys.
    pub unlisted: BTreeMap<String, BTreeSet<String>>,
}

/// A key with the value it had and the one it has.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Key {
    /// Its path.
    pub key: String,
    /// The value it had.
    pub was: String,
    /// The value it has.
    pub is: String,
}

/// The values of a manifest by their keys, as texts.
type Flat = BTreeMap<String, String>;

/// The earlier runs in a sweep's folder, each group with what sets it apart from the planned runs.
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
    let planned = Planned::new(&planned);
    let mut groups: BTreeMap<Vec<Key>, Changed> = BTreeMap::new();
    for run in earlier {
        let (keys, unlisted) = planned.apart(run);
        let group = groups.entry(keys.clone()).or_insert_with(|| Changed {
            runs: 0,
            keys,
            unlisted: BTreeMap::new(),
        });
        group.runs += 1;
        for (key, value) in unlisted {
            group.unlisted.entry(key).or_default().insert(value);
        }
    }
    groups.into_values().collect()
}

/// The plan's runs: what all those of a kind share, and the values of the keys in which they differ.
struct Planned {
    /// The keys that vary.
    swept: BTreeSet<String>,
    /// The values that they have.
    values: BTreeSet<(String, String)>,
    /// The rest, of which there are as many as there are kinds.
    rests: BTreeSet<Flat>,
}

impl Planned {
    fn new(manifests: &[&Manifest]) -> Self {
        let swept = manifests.iter().flat_map(|manifest| &manifest.swept);
        let swept: BTreeSet<String> = swept.map(|swept| swept.key.clone()).collect();
        let (mut values, mut rests) = (BTreeSet::new(), BTreeSet::new());
        for manifest in manifests {
            let Ok(value) = serde_json::to_value(manifest) else {
                continue;
            };
            let (own, rest) = split(flat(&value), &swept);
            values.extend(own);
            rests.insert(rest);
        }
        Self {
            swept,
            values,
            rests,
        }
    }

    /// The keys by which a run differs from the plan's runs most like it, and its values that are no longer listed.
    fn apart(&self, run: Flat) -> (Vec<Key>, Flat) {
        let (mut own, rest) = split(run, &self.swept);
        let nearest = self.rests.iter().map(|other| difference(&rest, other));
        let keys = nearest.min_by_key(Vec::len).unwrap_or_default();
        own.retain(|key, value| !self.values.contains(&(key.clone(), value.clone())));
        (keys, own)
    }
}

/// The values of the swept keys, and the rest without what follows from them.
fn split(mut flat: Flat, swept: &BTreeSet<String>) -> (Flat, Flat) {
    let own = flat
        .iter()
        .filter(|(key, _)| swept.contains(*key))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    flat.retain(|key, _| !swept.contains(key));
    // A run's split follows from its seed.
    if !swept.is_empty() {
        flat.retain(|key, _| !DERIVED.contains(&key.as_str()));
    }
    (own, flat)
}

/// What lies in the folder and is not planned. A broken manifest tells nothing.
fn earlier(folder: &Path, ids: &BTreeSet<&str>) -> Vec<Flat> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let run = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        if ids.contains(name.to_str()?) {
            return None;
        }
        let (manifest, value) = Manifest::recorded(&entry.path()).ok()?;
        // Runs of an earlier version are told of by themselves.
        (manifest.layout == LAYOUT).then(|| flat(&value))
    };
    entries.filter_map(run).collect()
}

/// What is said of the runs in a sweep's folder that an earlier version made; nothing where there are none.
pub fn earlier_version(folder: &Path) -> Option<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let manifests = entries.filter_map(|entry| Manifest::read(&entry.path()).ok());
    let count = manifests.filter(Manifest::is_earlier).count();
    let runs = match count {
        0 => return None,
        1 => "1 run".to_owned(),
        count => format!("{count} runs"),
    };
    Some(format!(
        "{runs} in {} by an earlier version of mezo cannot be resumed or reused: their ids cover neither the model's config nor the precision in \
         effect; tables and exports still read them",
        folder.display()
    ))
}

fn flat(manifest: &Value) -> Flat {
    let mut all = Flat::new();
    collect(manifest, "", &mut all);
    let below = |key: &str, ignored: &str| {
        let rest = key.strip_prefix(ignored);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    all.retain(|key, _| !IGNORED.into_iter().any(|ignored| below(key, ignored)));
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

fn difference(run: &Flat, other: &Flat) -> Vec<Key> {
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
    let mut keys: Vec<Key> = differing.map(key).collect();
    if keys.iter().any(|key| !DERIVED.contains(&key.key.as_str())) {
        keys.retain(|key| !DERIVED.contains(&key.key.as_str()));
    }
    keys
}

impl Changed {
    /// `2 earlier runs are not among these: train.batch_size was 4, is 8`
    pub fn words(&self) -> String {
        let runs = match self.runs {
            1 => "1 earlier run is".to_owned(),
            runs => format!("{runs} earlier runs are"),
        };
        let changed = |key: &Key| format!("{} was {}, is {}", key.key, key.was, key.is);
        let mut why: Vec<String> = self.keys.iter().map(changed).collect();
        for (key, values) in &self.unlisted {
            let told: Vec<&str> = values.iter().take(VALUES).map(String::as_str).collect();
            let more = match values.len().saturating_sub(VALUES) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            why.push(format!("{key} no longer lists {}{more}", told.join(", ")));
        }
        if why.is_empty() {
            why.push("their combination of values is no longer listed".to_owned());
        }
        format!("{runs} not among these: {}", why.join("; "))
    }
}
