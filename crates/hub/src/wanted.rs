//! Which files of a repository make it complete.

use std::collections::BTreeMap;
use std::path::Path;

/// The model's configuration.
pub(crate) const CONFIG: &str = "config.json";
/// The weights in one file.
pub(crate) const WEIGHTS: &str = "model.safetensors";
/// The index of weights in several files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// The tokenizer in one file.
pub(crate) const TOKENIZER: &str = "tokenizer.json";
/// The tokenizer in two.
pub(crate) const TOKENIZER_PARTS: [&str; 2] = ["vocab.json", "merges.txt"];

/// The weight files that an index names, in the order of their names.
pub(crate) fn shards(index: &[u8]) -> Result<Vec<String>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let index: Index = serde_json::from_slice(index)?;
    let mut shards: Vec<String> = index.weight_map.into_values().collect();
    shards.sort();
    shards.dedup();
    Ok(shards)
}

/// Whether a folder holds everything that a model is read from.
pub(crate) fn is_whole_model(folder: &Path) -> bool {
    let has = |name: &str| folder.join(name).is_file();
    let has_shards = || {
        let index = std::fs::read(folder.join(INDEX)).ok();
        let shards = index.and_then(|index| shards(&index).ok());
        shards.is_some_and(|shards| shards.iter().all(|shard| has(shard)))
    };
    has(CONFIG)
        && (has(TOKENIZER) || TOKENIZER_PARTS.into_iter().all(has))
        && (has(WEIGHTS) || has_shards())
}
