//! Cells: all of a run's configuration but the seed.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::digits::number_text;
use crate::manifest::{Manifest, TrainConfig};
use crate::method;
use crate::sources::Sources;
use crate::varied::text;

/// What a grid search varies, as the paper's do (Tables 4 and 15). Whatever else differs makes another search.
pub(crate) const SEARCHED: [&str; 4] = ["lr", "eps", "batch_size", "weight_decay"];

/// What is decayed: a run without decay has no such setting, and may stand in a search with others that have.
pub(crate) const DECAY_ON: &str = "decay_on";

/// One combination of hyperparameters, over its seeds.
///
/// Cells are equal when their whole configurations are, keys unknown to this crate included, and the
/// hashes of weights, tokenizer and test rows. Where the model and the data lie is no part of it.
#[derive(Debug, Clone)]
pub struct Cell {
    key: String,
    order: Order,
    sources: Sources,
    /// The configuration's values by short name, with the text the spec gave them. Cells that are the
    /// same but for their weights, tokenizer or test rows have the first digits of those hashes, too.
    /// Protocol and precision stand among them.
    pub settings: Vec<(String, String)>,
    /// The method in the words of the paper's Table 18, [`Manifest::method_label`].
    pub method: String,
    /// Cells with the same group differ only in what a grid search varies, and in what is decayed.
    pub group: String,
    /// A trained cell's zero-shot row has the same baseline: the same weights, tokenizer, test rows and
    /// task under the same rules.
    pub baseline: String,
    /// The cell's values as one text, in the manner of the reference code's output folder names
    /// (`medium_models/mezo.sh`: `bs64-lr1e-6-eps1e-3-wd0-step100000-evalstep10000`). Equally good
    /// configurations are told apart by its string order, as `tools/gather_result.py` does.
    pub label: String,
}

/// The order in which people look for a cell: by number, not by text. Hyperparameters are finite and
/// not negative, so that the bits of a float stand in its order.
type Order = (usize, String, String, String, [u64; 6], String);

impl PartialEq for Cell {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Cell {}

impl PartialOrd for Cell {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cell {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (&self.order, &self.key).cmp(&(&other.order, &other.key))
    }
}

impl Cell {
    /// The cell of a run, from its manifest and the manifest's own text as a value.
    pub(crate) fn new(manifest: &Manifest, value: &Value) -> Self {
        let mut config = value.get("config").cloned().unwrap_or(Value::Null);
        if let Some(train) = config.get_mut("train").and_then(Value::as_object_mut) {
            train.remove("seed");
        }
        let sources = Sources::take(manifest, &mut config);
        let part = |name: &str| config.get(name).map(Value::to_string).unwrap_or_default();
        let rules = format!(
            "{}|{}|{}",
            manifest.protocol,
            manifest.precision,
            sources.key()
        );
        let method = manifest.method_label();
        let baseline = format!("{}|{rules}", part("task"));
        let group = format!("{}|{rules}", without_searched(&config));
        let settings = settings(manifest, &config);
        let label = label(&settings);
        Self {
            key: format!("{config}|{rules}"),
            order: order(manifest, &method, &label),
            group,
            method,
            baseline,
            sources,
            settings,
            label,
        }
    }

    /// The text of one setting, by its short name.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, text)| text.as_str())
    }

    /// Whether this is a row without training.
    pub fn is_zero_shot(&self) -> bool {
        self.setting("method") == Some("zero-shot")
    }

    /// The learning rate and epsilon in words: `lr 1e-4, eps 1e-3`. Where there is no epsilon, the batch
    /// size is the other half of the paper's grid: `lr 1e-5, batch 8`.
    pub fn short_name(&self) -> String {
        configuration_words(&self.settings, &self.method, &[])
    }
}

/// [`Cell::short_name`] of settings and a method, and after it whatever else the search varies.
pub(crate) fn configuration_words(
    settings: &[(String, String)],
    method: &str,
    varied: &[String],
) -> String {
    let second = match text(settings, "eps") {
        Some(_) => "eps",
        None => "batch_size",
    };
    let is_named =
        |name: &&str| ["lr", second].contains(name) || varied.iter().any(|known| known == name);
    let named = |name: &str| {
        let word = match name {
            "batch_size" => "batch",
            "weight_decay" => "weight decay",
            other => other,
        };
        text(settings, name).map(|text| format!("{word} {text}"))
    };
    let words: Vec<String> = SEARCHED
        .into_iter()
        .filter(is_named)
        .filter_map(named)
        .collect();
    if words.is_empty() {
        method.to_owned()
    } else {
        words.join(", ")
    }
}

/// By what weights, tokenizer and test rows cells are told apart, where they differ: for each cell the first
/// digits of the hashes.
pub(crate) fn differing_sources(cells: &[&Cell]) -> Vec<Vec<(String, String)>> {
    let sources: Vec<&Sources> = cells.iter().map(|cell| &cell.sources).collect();
    let marked = Sources::differing(&sources);
    let settings = |sources: &&Sources| sources.settings(marked).collect();
    sources.iter().map(settings).collect()
}

/// Makes the runs of one cell show the same settings, wherever each found its model and data, and tells
/// cells apart that would look alike.
pub(crate) fn settle(cells: Vec<&mut Cell>) {
    let mut faces: BTreeMap<String, Cell> = BTreeMap::new();
    for cell in &cells {
        let face = faces
            .entry(cell.key.clone())
            .or_insert_with(|| Cell::clone(cell));
        if **cell < *face {
            *face = Cell::clone(cell);
        }
    }
    let mut alike: BTreeMap<Vec<(String, String)>, Vec<&mut Cell>> = BTreeMap::new();
    for face in faces.values_mut() {
        alike.entry(face.settings.clone()).or_default().push(face);
    }
    for same in alike.into_values() {
        let sources: Vec<&Sources> = same.iter().map(|face| &face.sources).collect();
        let marked = Sources::differing(&sources);
        for face in same {
            face.settings.extend(face.sources.settings(marked));
        }
    }
    for cell in cells {
        if let Some(face) = faces.get(&cell.key) {
            *cell = face.clone();
        }
    }
}

fn order(manifest: &Manifest, method: &str, label: &str) -> Order {
    let config = &manifest.config;
    let train = config.train.as_ref();
    let count = |value: fn(&TrainConfig) -> Option<u64>| train.and_then(value).unwrap_or(0);
    let number =
        |value: fn(&TrainConfig) -> Option<f64>| train.and_then(value).unwrap_or(0.0).to_bits();
    let numbers = [
        config.task.k,
        count(|train| train.batch_size),
        count(|train| train.steps),
        number(|train| train.lr),
        number(|train| train.eps),
        number(|train| train.weight_decay),
    ];
    (
        method::rank(method),
        method.to_owned(),
        config.model.name().to_owned(),
        config.task.name.clone(),
        numbers,
        label.to_owned(),
    )
}

/// A configuration but for what a search varies.
fn without_searched(config: &Value) -> Value {
    let mut rest = config.clone();
    if let Some(train) = rest.get_mut("train").and_then(Value::as_object_mut) {
        train.retain(|name, _| name != DECAY_ON && !SEARCHED.contains(&name.as_str()));
    }
    rest
}

/// Every leaf of the configuration by its short name.
fn settings(manifest: &Manifest, config: &Value) -> Vec<(String, String)> {
    let mut settings = vec![("model".to_owned(), manifest.config.model.name().to_owned())];
    for part in ["task", "method", "train"] {
        if let Some(value) = config.get(part) {
            leaves(manifest, part, value, &mut settings);
        }
    }
    let rules = [
        ("protocol", &manifest.protocol),
        ("precision", &manifest.precision),
    ];
    let written = rules.into_iter().filter(|(_, text)| !text.is_empty());
    settings.extend(written.map(|(name, text)| (name.to_owned(), text.clone())));
    settings
}

fn leaves(manifest: &Manifest, path: &str, value: &Value, into: &mut Vec<(String, String)>) {
    let text = match value {
        Value::Null => return,
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(manifest, &format!("{path}.{name}"), field, into);
            }
            return;
        }
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number_text(number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    };
    let text = manifest.swept_text(path).map_or(text, str::to_owned);
    into.push((short_name(path), text));
}

fn short_name(path: &str) -> String {
    match path.split_once('.') {
        Some((part @ ("task" | "method"), "name")) => part.to_owned(),
        Some((_, rest)) => rest.replace('.', "_"),
        None => path.to_owned(),
    }
}

fn label(settings: &[(String, String)]) -> String {
    const PUBLISHED: [(&str, &str); 6] = [
        ("batch_size", "bs"),
        ("lr", "lr"),
        ("eps", "eps"),
        ("weight_decay", "wd"),
        ("steps", "step"),
        ("eval_every", "evalstep"),
    ];
    let find = |name: &str| settings.iter().find(|(known, _)| known == name);
    let first = PUBLISHED
        .iter()
        .filter_map(|(name, short)| Some(format!("{short}{}", find(name)?.1)));
    let rest = settings
        .iter()
        .filter(|(name, _)| PUBLISHED.iter().all(|(known, _)| known != name))
        .map(|(name, text)| format!("{name}{text}"));
    first.chain(rest).collect::<Vec<_>>().join("-")
}
