//! The tables of `docs/spec.md`, made of the declarations.

use crate::catalog;
use crate::key::{Default, Key};
use crate::tables::{Method, MethodName};
use crate::value::Kind;

/// The Markdown table of the keys of one table of a spec: `train`, `method.lora`, and the empty text for the top.
pub fn markdown(table: &str) -> String {
    let mut text = String::from("| key | values | default | what it is |\n|---|---|---|---|\n");
    for key in catalog::keys().iter().filter(|key| key.table() == table) {
        text.push_str(&format!(
            "| `{}` | {} | {} | {} |\n",
            key.name(),
            values(key),
            default(key),
            what(key),
        ));
    }
    text
}

fn values(key: &Key) -> String {
    if let Some(values) = key.values {
        return values.into();
    }
    match (key.kind, key.range.words()) {
        (Kind::Words(words), _) => {
            let words: Vec<String> = words
                .iter()
                .map(|(word, _)| format!("`\"{word}\"`"))
                .collect();
            words.join(", ")
        }
        (_, Some(range)) => range.into(),
        (Kind::Whole, None) => "0 or more".into(),
        (Kind::Number, None) => "a number".into(),
        (Kind::Flag, None) => "boolean".into(),
        (Kind::Text, None) => "a string".into(),
        (Kind::Path, None) => "a path".into(),
        (Kind::Texts, None) => "a table of strings".into(),
    }
}

fn default(key: &Key) -> String {
    if let Some(words) = key.default_words {
        return words.into();
    }
    match key.default {
        Default::Needed => "needed".into(),
        Default::Open => String::new(),
        Default::Whole(whole) => whole.to_string(),
        Default::Number(number) => number.to_string(),
        Default::Flag(flag) => format!("`{flag}`"),
        Default::Word(word) => format!("`\"{word}\"`"),
        Default::ByMethod(word) => by_method(key, word),
    }
}

/// The default of most methods, and of the others by their names.
fn by_method(key: &Key, word: fn(MethodName) -> &'static str) -> String {
    let reads = |method: &&MethodName| {
        let keys = Method::keys_of(**method);
        keys.iter().any(|known| known.path == key.path)
    };
    let mut methods = MethodName::ALL.iter().filter(reads);
    let usual = methods.next().map_or("", |method| word(*method));
    let mut text = format!("`\"{usual}\"`");
    for method in methods.filter(|method| word(**method) != usual) {
        text.push_str(&format!("; for `{method}` `\"{}\"`", word(*method)));
    }
    text
}

/// What it is, what its words mean, and which methods read it where not all do.
fn what(key: &Key) -> String {
    let mut text = key.doc.trim().to_owned();
    if let Kind::Words(words) = key.kind {
        let words: Vec<String> = words
            .iter()
            .map(|(word, doc)| format!("`{word}`: {}", lower(doc.trim().trim_end_matches('.'))))
            .collect();
        text.push_str(&format!(" {}.", words.join("; ")));
    }
    let readers: Vec<String> = MethodName::ALL
        .iter()
        .filter(|method| {
            Method::keys_of(**method)
                .iter()
                .any(|known| known.path == key.path)
        })
        .map(|method| format!("`{method}`"))
        .collect();
    let of_method = key.table() == "train" || key.table().starts_with("method");
    if of_method && !readers.is_empty() {
        text.push_str(&format!(" Read by {}.", readers.join(", ")));
    }
    text
}

/// A sentence as it goes on after a colon.
fn lower(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    // Names stay as they are.
    let name = ["MeZO", "Adam"].iter().any(|name| text.starts_with(name));
    match name {
        true => text.to_owned(),
        false => first.to_lowercase().chain(chars).collect(),
    }
}
