//! Cells: all of a run's configuration but the seed.

use std::collections::BTreeMap;

use mezo_run::Manifest;
use mezo_spec::{Key, METHOD_NAME, Role, TaskSpec, Training, Values, keys};

use crate::method;
use crate::settings::{self, settings};
use crate::sources::Sources;
use crate::varied::text;

/// What is decayed: a run without decay has no such setting, and may stand in a search with others that have.
pub(crate) const DECAY_ON: &str = "decay_on";

/// One combination of hyperparameters, over its seeds.
///
/// Cells are equal when their whole configurations are, keys unknown to this program included, and what the runs started
/// from: weights, the model's config, tokenizer, data, and the layout of their manifests. Where the model and the data lie
/// is no part of it.
#[derive(Debug, Clone)]
pub struct Cell {
    key: String,
    order: Order,
    sources: Sources,
    /// The configuration's values by short name, with the text the spec gave them. Cells that are the
    /// same but for their weights, tokenizer or test rows have the first digits of those hashes, too.
    /// Protocol and precision stand among them.
    pub settings: Vec<(String, String)>,
    /// The method in the words of the paper's Table 18, by [`crate::method_label`].
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
    /// The cell of a run, from its manifest.
    pub(crate) fn new(manifest: &Manifest) -> Self {
        let sources = Sources::of(manifest);
        let rules = format!("{}|{}", manifest.protocol, manifest.precision);
        let config = part(&manifest.config, |_, role| role != Role::Seed);
        let group = part(&manifest.config, |_, role| {
            !matches!(role, Role::Seed | Role::Searched | Role::Beside)
        });
        let task = part(&manifest.config, |path, _| path.starts_with("task."));
        let method = method::label(manifest);
        let settings = settings(manifest);
        let label = label(&settings);
        Self {
            key: format!("{config}|{rules}|{}", sources.key()),
            order: order(manifest, &method, &label),
            group: format!("{group}|{rules}|{}", sources.key()),
            method,
            baseline: format!("{task}|{rules}|{}", sources.test_key()),
            sources,
            settings,
            label,
        }
    }

    /// Tells the cell by the rows of its run's own split: another run of the search has the same seed and other rows.
    pub(crate) fn with_split(&mut self, data_sha256: &str) {
        let before = self.sources.key();
        self.sources.with_split(data_sha256);
        let after = self.sources.key();
        for text in [&mut self.key, &mut self.group] {
            if let Some(rest) = text.strip_suffix(&before) {
                *text = format!("{rest}{after}");
            }
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
        self.setting(&METHOD_NAME.column()) == Some("zero-shot")
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
        |name: &str| ["lr", second].contains(&name) || varied.iter().any(|known| known == name);
    let named = |name: String| {
        let text = text(settings, &name)?;
        let word = settings::key(&name).and_then(|key| key.word);
        let word = word.map_or_else(|| name.replace('_', " "), str::to_owned);
        Some(format!("{word} {text}"))
    };
    let words: Vec<String> = searched()
        .into_iter()
        .filter(|name| is_named(name))
        .filter_map(named)
        .collect();
    if words.is_empty() {
        method.to_owned()
    } else {
        words.join(", ")
    }
}

/// The columns of what a grid search varies, as a label names them. Whatever else differs makes another search.
pub(crate) fn searched() -> Vec<String> {
    let mut searched: Vec<&Key> = keys()
        .iter()
        .copied()
        .filter(|key| key.role == Role::Searched)
        .collect();
    // As people look for them: the rate and epsilon first.
    searched.sort_by_key(|key| (key.short.is_none(), key.label));
    searched.into_iter().map(Key::column).collect()
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
    let count = |key: &Key| config.whole(key).unwrap_or(0);
    let number = |key: &Key| config.number(key).unwrap_or(0.0).to_bits();
    let numbers = [
        count(&TaskSpec::K),
        count(&Training::BATCH_SIZE),
        count(&Training::STEPS),
        number(&Training::LR),
        number(&mezo_spec::Mezo::EPS),
        number(&Training::WEIGHT_DECAY),
    ];
    (
        method::rank(method),
        method.to_owned(),
        settings::model_name(manifest),
        config.text(&TaskSpec::NAME).unwrap_or_default().to_owned(),
        numbers,
        label.to_owned(),
    )
}

/// A part of a configuration as one text. Where model and data lie is never in it.
fn part(config: &Values, keep: impl Fn(&str, Role) -> bool) -> String {
    let mut rest = config.clone();
    rest.retain(|path| {
        let role = mezo_spec::key(path).map_or(Role::Other, |key| key.role);
        let place = role == Role::Place || path.starts_with("model.");
        !place && keep(path, role)
    });
    serde_json::to_string(&rest).unwrap_or_default()
}

fn label(settings: &[(String, String)]) -> String {
    let mut first: Vec<(u8, String)> = Vec::new();
    let mut rest = Vec::new();
    for (name, text) in settings {
        match settings::key(name).and_then(|key| key.label) {
            Some((place, short)) => first.push((place, format!("{short}{text}"))),
            None => rest.push(format!("{name}{text}")),
        }
    }
    first.sort();
    let first = first.into_iter().map(|(_, text)| text);
    first.chain(rest).collect::<Vec<_>>().join("-")
}
