//! Which files of a repository are wanted, and when they are all there.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::client::Revision;
use crate::error::HubError;
use crate::repo::{Repo, is_inside};

/// The model's configuration.
const CONFIG: &str = "config.json";
/// The weights in one file.
const WEIGHTS: &str = "model.safetensors";
/// The index of weights in several files.
pub(crate) const INDEX: &str = "model.safetensors.index.json";
/// The tokenizer in one file.
const TOKENIZER: &str = "tokenizer.json";
/// The tokenizer in two.
const TOKENIZER_PARTS: [&str; 2] = ["vocab.json", "merges.txt"];

/// The files that are wanted of a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// What a model is read from: `config.json`, `model.safetensors` or the parts that its index names, and
    /// `tokenizer.json` or else `vocab.json` and `merges.txt`.
    Model,
    /// Files by their names.
    Files(&'a [&'a str]),
}

impl Wanted<'_> {
    /// What a folder lacks. A name that leads out of it is lacking whatever lies there: others may fill the cache too.
    pub(crate) fn missing(self, folder: &Path) -> Vec<String> {
        let lacks = |name: &str| !(is_inside(name) && folder.join(name).is_file());
        let needed = match self {
            Self::Files(files) => owned(files),
            Self::Model => {
                let mut needed = vec![CONFIG.to_owned()];
                if lacks(TOKENIZER) && TOKENIZER_PARTS.into_iter().any(lacks) {
                    needed.push(TOKENIZER.to_owned());
                }
                let index = fs::read(folder.join(INDEX)).ok();
                match index.and_then(|index| shards(&index).ok()) {
                    Some(shards) if lacks(WEIGHTS) => needed.extend(shards),
                    _ => needed.push(WEIGHTS.to_owned()),
                }
                needed
            }
        };
        needed.into_iter().filter(|name| lacks(name)).collect()
    }

    /// The names to fetch first; an index among them brings further ones.
    pub(crate) fn names(
        self,
        repo: &Repo,
        revision: &str,
        there: &Revision,
    ) -> Result<Vec<String>, HubError> {
        let lacking = |file: &str| HubError::NoFile {
            repo: repo.clone(),
            revision: revision.to_owned(),
            file: file.to_owned(),
        };
        let names = match self {
            Self::Files(files) => owned(files),
            Self::Model => owned(&model_names(repo, revision, there)?),
        };
        let is_there = |name: &&String| is_inside(name) && there.has(name);
        match names.iter().find(|name| !is_there(name)) {
            Some(name) => Err(lacking(name)),
            None => Ok(names),
        }
    }
}

/// What a model is read from, of what there is; where nothing will do, the name of what would.
fn model_names(
    repo: &Repo,
    revision: &str,
    there: &Revision,
) -> Result<Vec<&'static str>, HubError> {
    let mut names = vec![CONFIG];
    if !there.has(TOKENIZER) && TOKENIZER_PARTS.iter().all(|name| there.has(name)) {
        names.extend(TOKENIZER_PARTS);
    } else {
        names.push(TOKENIZER);
    }
    let is_pickled = |name: &&str| name.starts_with("pytorch_model") && name.ends_with(".bin");
    match [WEIGHTS, INDEX].into_iter().find(|name| there.has(name)) {
        Some(weights) => names.push(weights),
        None => match there.files().find(is_pickled) {
            Some(file) => {
                return Err(HubError::PickleOnly {
                    repo: repo.clone(),
                    revision: revision.to_owned(),
                    file: file.to_owned(),
                });
            }
            None => names.push(WEIGHTS),
        },
    }
    Ok(names)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

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
