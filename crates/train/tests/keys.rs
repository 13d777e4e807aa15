//! The page about specs names every key that a spec may have, and no other.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use mezo_train::{
    EstimatesSpec, LoraSpec, MethodSpec, ModelSpec, PrefixSpec, ScaleSpec, TaskSpec, TrainSpec,
};
use serde::de::DeserializeOwned;

/// The keys that a table takes, as the error about another one lists them.
fn keys<T: DeserializeOwned>() -> BTreeSet<String> {
    let Err(error) = toml::from_str::<T>("no-such-key = 1") else {
        panic!("a table takes any key");
    };
    let (_, listed) = error.message().split_once("expected ").unwrap();
    quoted(listed).collect()
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// The keys in the first column of a section's table.
fn documented(page: &str, table: &str) -> BTreeSet<String> {
    let (_, section) = page.split_once(&format!("\n## `[{table}]`\n")).unwrap();
    section
        .lines()
        .take_while(|line| !line.starts_with("## "))
        .filter(|line| line.starts_with("| `"))
        .filter_map(|line| quoted(line).next())
        .collect()
}

#[test]
fn the_page_about_specs_has_every_key() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec.md");
    let page = std::fs::read_to_string(path).unwrap();
    for (table, keys) in [
        ("model", keys::<ModelSpec>()),
        ("task", keys::<TaskSpec>()),
        ("method", keys::<MethodSpec>()),
        ("method.lora", keys::<LoraSpec>()),
        ("method.prefix", keys::<PrefixSpec>()),
        ("method.estimates", keys::<EstimatesSpec>()),
        ("method.scale", keys::<ScaleSpec>()),
        ("train", keys::<TrainSpec>()),
    ] {
        assert!(keys.len() > 1, "{table}: {keys:?}");
        assert_eq!(documented(&page, table), keys, "[{table}]");
    }
}
