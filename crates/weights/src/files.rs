//! A model's files: a folder in Hugging Face's layout, or the model in the binary.

use std::borrow::Cow;
use std::path::{Component, Path, PathBuf};

use crate::error::ModelError;
use crate::header::Shard;
use crate::tensors::{NamedTensor, tensors_of};

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

/// The weights in one file.
pub const WHOLE: &str = "model.safetensors";
/// The index of weights in several files.
const INDEX: &str = "model.safetensors.index.json";
/// What a tokenizer may be made of.
const TOKENIZER: [&str; 5] = [
    "tokenizer.json",
    "vocab.json",
    "merges.txt",
    "tokenizer_config.json",
    "special_tokens_map.json",
];

/// A file's bytes and where they came from.
pub struct Bytes {
    /// The file.
    pub path: PathBuf,
    /// What it holds.
    pub bytes: Cow<'static, [u8]>,
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
        BUILTINS
            .iter()
            .find(|builtin| builtin.name == name)
            .map(Self::Builtin)
    }

    /// The text of `config.json`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn config(&self) -> Result<(PathBuf, String), ModelError> {
        match self {
            Self::Builtin(builtin) => Ok((builtin.path("config.json"), builtin.config.into())),
            Self::Folder(folder) if !folder.is_dir() => Err(ModelError::NoFolder {
                path: folder.clone(),
            }),
            Self::Folder(folder) => {
                let path = folder.join("config.json");
                match std::fs::read_to_string(&path) {
                    Ok(text) => Ok((path, text)),
                    Err(source) => Err(ModelError::Read { path, source }),
                }
            }
        }
    }

    /// The file that lists every tensor: the whole weights, or the index of their shards.
    pub(crate) fn listing(&self) -> Result<PathBuf, ModelError> {
        let folder = match self {
            Self::Builtin(builtin) => return Ok(builtin.path(WHOLE)),
            Self::Folder(folder) => folder,
        };
        [WHOLE, INDEX]
            .into_iter()
            .map(|name| folder.join(name))
            .find(|path| path.exists())
            .ok_or_else(|| ModelError::NoWeights {
                path: folder.clone(),
            })
    }

    /// The weight files: one, or the shards an index names, in the order of their names; none is outside the folder.
    fn weights(&self) -> Result<Vec<PathBuf>, ModelError> {
        let listing = self.listing()?;
        let Self::Folder(folder) = self else {
            return Ok(vec![listing]);
        };
        if !listing.ends_with(INDEX) {
            return Ok(vec![listing]);
        }
        let text = std::fs::read_to_string(&listing).map_err(|source| ModelError::Read {
            path: listing.clone(),
            source,
        })?;
        let parsed: ShardIndex = serde_json::from_str(&text)
            .map_err(|error| ModelError::json(listing.clone(), &error))?;
        let mut shards: Vec<String> = parsed.weight_map.into_values().collect();
        shards.sort();
        shards.dedup();
        if let Some(name) = shards.iter().find(|name| !is_inside(name)) {
            return Err(ModelError::Outside {
                path: listing,
                name: name.clone(),
            });
        }
        Ok(shards.into_iter().map(|shard| folder.join(shard)).collect())
    }

    /// The weight files, of each its header read.
    pub(crate) fn shards(&self) -> Result<Vec<Shard>, ModelError> {
        match self {
            Self::Builtin(builtin) => {
                let shard = Shard::in_memory(builtin.path(WHOLE), builtin.weights)?;
                Ok(vec![shard])
            }
            Self::Folder(_) => self.weights()?.into_iter().map(Shard::open).collect(),
        }
    }

    /// The files of the tokenizer that are there.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn tokenizer(&self) -> Result<Vec<Bytes>, ModelError> {
        match self {
            Self::Builtin(builtin) => {
                let bytes = Cow::Borrowed(builtin.tokenizer);
                Ok(vec![Bytes {
                    path: builtin.path(TOKENIZER[0]),
                    bytes,
                }])
            }
            Self::Folder(folder) => TOKENIZER
                .into_iter()
                .map(|name| folder.join(name))
                .filter(|path| path.exists())
                .map(|path| self.read(path))
                .collect(),
        }
    }

    /// The bytes of a file in the folder.
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

/// Reads a safetensors file whole, by [`tensors_of`].
///
/// # Errors
/// As [`tensors_of`], and if it cannot be read.
pub fn read_tensors(path: &Path) -> Result<Vec<NamedTensor>, ModelError> {
    let file = ModelFiles::Folder(PathBuf::new()).read(path.into())?;
    tensors_of(&file.path, &file.bytes)
}

/// Whether a name stays in the folder it is joined to: a model made by others must not have other files read.
fn is_inside(name: &str) -> bool {
    let mut parts = Path::new(name).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// What matters of `model.safetensors.index.json`.
#[derive(serde::Deserialize)]
struct ShardIndex {
    weight_map: std::collections::BTreeMap<String, String>,
}
