//! A model's files: a folder in Hugging Face's layout, or the model in the binary.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use crate::error::ModelError;

/// The files of a model, not yet read.
#[derive(Debug, Clone)]
pub enum ModelFiles {
    /// A folder on disk.
    Folder(PathBuf),
    /// The model in the binary, by its name.
    Builtin(&'static Builtin),
}

/// A model that is part of the binary.
#[derive(Debug)]
pub struct Builtin {
    /// Its name in a spec.
    pub name: &'static str,
    config: &'static str,
    tokenizer: &'static [u8],
    weights: &'static [u8],
}

/// Every model in the binary.
static BUILTINS: [Builtin; 1] = [Builtin {
    name: "roberta-imdb-tiny",
    config: include_str!("../assets/roberta-imdb-tiny/config.json"),
    tokenizer: include_bytes!("../assets/roberta-imdb-tiny/tokenizer.json"),
    weights: include_bytes!("../assets/roberta-imdb-tiny/model.safetensors"),
}];

/// A file's bytes and where they came from.
pub(crate) struct Bytes {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Cow<'static, [u8]>,
}

impl Builtin {
    /// The names of all models in the binary.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILTINS.iter().map(|builtin| builtin.name)
    }

    /// The text of its `tokenizer.json`.
    pub fn tokenizer_json(&self) -> &'static [u8] {
        self.tokenizer
    }

    /// Where its files would lie, for messages.
    fn path(&self, file: &str) -> PathBuf {
        Path::new("builtin").join(self.name).join(file)
    }
}

impl ModelFiles {
    /// The built-in model of this name, if there is one.
    pub fn builtin(name: &str) -> Option<Self> {
        BUILTINS.iter().find(|builtin| builtin.name == name).map(Self::Builtin)
    }

    /// The text of `config.json`.
    pub(crate) fn config(&self) -> Result<(PathBuf, String), ModelError> {
        match self {
            Self::Builtin(builtin) => Ok((builtin.path("config.json"), builtin.config.into())),
            Self::Folder(folder) if !folder.is_dir() => {
                Err(ModelError::NoFolder { path: folder.clone() })
            }
            Self::Folder(folder) => {
                let path = folder.join("config.json");
                match std::fs::read_to_string(&path) {
                    Ok(text) => Ok((path, text)),
                    Err(source) => Err(ModelError::Read { path, source }),
                }
            }
        }
    }

    /// The weight files: one, or the shards an index names, in the order of their names.
    pub(crate) fn weights(&self) -> Result<Vec<PathBuf>, ModelError> {
        let folder = match self {
            Self::Builtin(builtin) => return Ok(vec![builtin.path("model.safetensors")]),
            Self::Folder(folder) => folder,
        };
        let whole = folder.join("model.safetensors");
        let index = folder.join("model.safetensors.index.json");
        if whole.exists() {
            return Ok(vec![whole]);
        }
        if !index.exists() {
            return Err(ModelError::NoWeights { path: folder.clone() });
        }
        let text = std::fs::read_to_string(&index)
            .map_err(|source| ModelError::Read { path: index.clone(), source })?;
        let parsed: ShardIndex =
            serde_json::from_str(&text).map_err(|error| ModelError::json(index, &error))?;
        let mut shards: Vec<String> = parsed.weight_map.into_values().collect();
        shards.sort();
        shards.dedup();
        Ok(shards.into_iter().map(|shard| folder.join(shard)).collect())
    }

    /// The bytes of one of [`Self::weights`].
    pub(crate) fn read(&self, path: PathBuf) -> Result<Bytes, ModelError> {
        let bytes = match self {
            Self::Builtin(builtin) => Cow::Borrowed(builtin.weights),
            Self::Folder(_) => match std::fs::read(&path) {
                Ok(bytes) => Cow::Owned(bytes),
                Err(source) => return Err(ModelError::Read { path, source }),
            },
        };
        if bytes.starts_with(b"version https://git-lfs") {
            return Err(ModelError::LfsPointer { path });
        }
        Ok(Bytes { path, bytes })
    }
}

/// What matters of `model.safetensors.index.json`.
#[derive(serde::Deserialize)]
struct ShardIndex {
    weight_map: std::collections::BTreeMap<String, String>,
}
