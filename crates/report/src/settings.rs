//! A configuration's values by their columns, as texts.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use mezo_run::Manifest;
use mezo_spec::{Key, Kind, Literal, Role, keys};

use crate::digits::number_text;

/// The settings of a manifest by their columns, each with the text that the spec gave it: the model's name, every value of
/// the configuration, protocol and precision.
pub(crate) fn settings(manifest: &Manifest) -> Vec<(String, String)> {
    let mut settings = vec![("model".to_owned(), model_name(manifest))];
    let known = |path: &str| keys().iter().position(|key| key.path == path);
    let mut values: Vec<(&str, &Literal)> = manifest.config.iter().collect();
    values.sort_by_key(|(path, _)| known(path).unwrap_or(usize::MAX));
    for (path, literal) in values {
        let role = mezo_spec::key(path).map_or(Role::Other, |key| key.role);
        if path.starts_with("model.") || matches!(role, Role::Place | Role::Seed) {
            continue;
        }
        add(manifest, path, literal, &mut settings);
    }
    let rules = [
        ("protocol", &manifest.protocol),
        ("precision", &manifest.precision),
    ];
    let written = rules.into_iter().filter(|(_, text)| !text.is_empty());
    settings.extend(written.map(|(name, text)| (name.to_owned(), text.clone())));
    settings
}

fn add(manifest: &Manifest, path: &str, literal: &Literal, into: &mut Vec<(String, String)>) {
    if let Literal::Texts(texts) = literal {
        let column = mezo_spec::column(path);
        for (name, own) in texts {
            let swept = manifest.swept_text(&format!("{path}.{name}"));
            let text = swept.unwrap_or(own).to_owned();
            into.push((format!("{column}_{name}"), text));
        }
        return;
    }
    if let Some(text) = text_of(manifest, path, literal) {
        into.push((mezo_spec::column(path), text));
    }
}

/// The text of a key: as the spec wrote it where it is swept, else as a short number or as it is.
pub(crate) fn text(manifest: &Manifest, key: &Key) -> Option<String> {
    text_of(manifest, key.path, manifest.config.get(key)?)
}

fn text_of(manifest: &Manifest, path: &str, literal: &Literal) -> Option<String> {
    if let Some(text) = manifest.swept_text(path) {
        return Some(text.to_owned());
    }
    Some(match literal {
        Literal::Flag(flag) => flag.to_string(),
        Literal::Whole(whole) => whole.to_string(),
        Literal::Number(number) => number_text(*number),
        Literal::Text(text) => text.clone(),
        Literal::Texts(_) | Literal::Other(_) => return None,
    })
}

/// The model's short name; empty where the manifest names none.
pub(crate) fn model_name(manifest: &Manifest) -> String {
    manifest
        .model()
        .map_or_else(String::new, |model| model.name().to_owned())
}

/// What a setting is to whoever compares runs.
pub(crate) fn role(column: &str) -> Role {
    key(column).map_or(Role::Other, |key| key.role)
}

/// The key of a column; of a table of the user's own keys, that table's.
pub(crate) fn key(column: &str) -> Option<&'static Key> {
    static COLUMNS: LazyLock<BTreeMap<String, &'static Key>> =
        LazyLock::new(|| keys().iter().map(|key| (key.column(), *key)).collect());
    let open = || {
        let mut open = keys().iter().filter(|key| key.kind == Kind::Texts);
        open.find(|key| {
            let rest = column.strip_prefix(&key.column());
            rest.is_some_and(|rest| rest.starts_with('_'))
        })
    };
    COLUMNS.get(column).or_else(open).copied()
}
