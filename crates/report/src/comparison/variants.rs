//! Results of one method on one task, told apart.

use std::collections::BTreeMap;

use serde_json::Value;

use super::entry::Found;
use mezo_spec::Role;

use crate::cell::differing_sources;
use crate::grid;
use crate::settings::role;
use crate::varied::is_of_training;

/// What a footnote begins with that tells rows apart, and no number from the paper's.
pub(super) const TELLS_APART: &str = "to tell rows apart";

/// Gives results that would stand in the same place what tells them apart: prompts, what was read, or how they
/// were trained.
pub(super) fn tell_apart(found: &mut [Found<'_>]) {
    let mut places: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (at, result) in found.iter().enumerate() {
        places
            .entry((result.method, result.task))
            .or_default()
            .push(at);
    }
    let several: Vec<Vec<usize>> = places.into_values().filter(|same| same.len() > 1).collect();
    for same in several {
        let told = differences(found, &same);
        // Where a row differs from the paper in a setting, its own and the paper's stand there already.
        let known: Vec<String> = same
            .iter()
            .flat_map(|at| found[*at].differs.iter().cloned())
            .collect();
        for (at, words) in same.into_iter().zip(told) {
            for (name, text) in words {
                let own = format!("{name} {text} (paper: ");
                let papers = format!(" (paper: {text})");
                let is_told = |known: &String| {
                    known.starts_with(&own)
                        || known.starts_with(&format!("{name} ")) && known.ends_with(&papers)
                };
                if !known.iter().any(is_told) {
                    let differs = &mut found[at].differs;
                    differs.push(format!("{TELLS_APART}: {name} {text}"));
                }
            }
        }
    }
}

fn differences(found: &[Found<'_>], same: &[usize]) -> Vec<Vec<(String, String)>> {
    let cells: Vec<_> = same.iter().map(|at| found[*at].cell).collect();
    let settings: Vec<BTreeMap<String, String>> =
        same.iter().map(|at| settings(&found[*at])).collect();
    let differs = |name: &String| {
        let mut texts = settings.iter().map(|settings| settings.get(name));
        let first = texts.next().flatten();
        texts.any(|text| text != first)
    };
    let words = |name: &str| name.replace('_', " ");
    let of_settings = settings.iter().map(|settings| -> Vec<(String, String)> {
        let named = settings.iter().filter(|(name, _)| differs(name));
        named
            .map(|(name, text)| (words(name), text.clone()))
            .collect()
    });
    of_settings
        .zip(differing_sources(&cells))
        .map(|(mut told, sources)| {
            let named = sources.into_iter();
            told.extend(named.map(|(name, hash)| (words(&name), hash)));
            told
        })
        .collect()
}

/// The task's keys, but for its place; the precision; and what no search varies of the training, unless it stands
/// among the differences from the paper anyway.
fn settings(found: &Found<'_>) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Object(fields) => {
            let texts = fields.values().map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            texts.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    let keys = found.task_value.as_object().into_iter().flatten();
    let mut settings: BTreeMap<String, String> = keys
        .filter(|(name, _)| *name != "data")
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let precision = found.cell.setting("precision").unwrap_or("").to_owned();
    settings.insert("precision".to_owned(), precision);
    let k = found.task_value["k"].as_u64().unwrap_or(0);
    let is_told = |name: &str| {
        matches!(role(name), Role::Searched | Role::Beside) || grid::tells(found.method, k, name)
    };
    let training = found.row.settings.iter();
    let training = training.filter(|(name, _)| is_of_training(name) && !is_told(name));
    settings.extend(training.cloned());
    settings
}
