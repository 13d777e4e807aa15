//! RoBERTa's byte-level BPE, by the `tokenizers` crate, with every special token kept out of users' text.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mezo_weights::ModelFiles;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::error::{Place, TaskError};
use crate::read::{LFS_POINTER, hex};

const SPECIAL: [&str; 5] = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"];

/// The vocabulary ids of RoBERTa's special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpecialIds {
    /// `<s>`, with which a prompt starts.
    pub start: u32,
    /// `<pad>`.
    pub pad: u32,
    /// `</s>`, with which a sentence ends.
    pub end: u32,
    /// `<unk>`.
    pub unknown: u32,
    /// `<mask>`.
    pub mask: u32,
}

/// A tokenizer that knows its special tokens by id and never finds them in text: a literal `<mask>` in a sentence is
/// six characters.
#[derive(Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    special: SpecialIds,
    sha256: String,
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokenizer")
            .field("special", &self.special)
            .field("sha256", &self.sha256)
            .finish_non_exhaustive()
    }
}

impl Tokenizer {
    /// The tokenizer beside a model.
    ///
    /// # Errors
    /// If a file of it is missing or broken.
    pub fn of(files: &ModelFiles) -> Result<Self, TaskError> {
        match files {
            ModelFiles::Folder(folder) => Self::from_folder(folder),
            ModelFiles::Builtin(builtin) => {
                let name: PathBuf = ["builtin", builtin.name, "tokenizer.json"].iter().collect();
                Self::from_json(builtin.tokenizer_json(), &name)
            }
        }
    }

    /// Reads a model folder: `tokenizer.json` where there is one, else `vocab.json` and `merges.txt`.
    pub fn from_folder(folder: &Path) -> Result<Self, TaskError> {
        let whole = folder.join("tokenizer.json");
        if whole.exists() {
            return Self::from_json(&read(&whole)?, &whole);
        }
        let (vocab, merges) = (folder.join("vocab.json"), folder.join("merges.txt"));
        if !vocab.exists() {
            return Err(TaskError::Missing {
                path: folder.to_owned(),
                expected: "a tokenizer (tokenizer.json, or vocab.json and merges.txt)".to_owned(),
            });
        }
        Self::from_vocab(&vocab, &merges)
    }

    /// A tokenizer from the bytes of a `tokenizer.json`; `name` stands for the file in messages.
    pub fn from_json(bytes: &[u8], name: &Path) -> Result<Self, TaskError> {
        let config = parse(bytes, name)?;
        Self::build(config, name, &[bytes])
    }

    /// RoBERTa's two files: the vocabulary with its ids, and the merges in order.
    fn from_vocab(vocab: &Path, merges: &Path) -> Result<Self, TaskError> {
        let vocab_bytes = read(vocab)?;
        let merges_bytes = read(merges)?;
        let merges_text =
            std::str::from_utf8(&merges_bytes).map_err(|source| bad(merges, source))?;
        let merges_list: Vec<&str> = merges_text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("#version"))
            .collect();
        let byte_level = json!({
            "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true
        });
        let config = json!({
            "version": "1.0",
            "added_tokens": [],
            "normalizer": null,
            "pre_tokenizer": byte_level,
            "decoder": byte_level,
            "model": {
                "type": "BPE",
                "dropout": null,
                "unk_token": null,
                "continuing_subword_prefix": null,
                "end_of_word_suffix": null,
                "fuse_unk": false,
                "byte_fallback": false,
                "vocab": parse(&vocab_bytes, vocab)?,
                "merges": merges_list,
            },
        });
        Self::build(config, vocab, &[&vocab_bytes, &merges_bytes])
    }

    fn build(mut config: Value, path: &Path, files: &[&[u8]]) -> Result<Self, TaskError> {
        let added = special_ids_of_added_tokens(&mut config);
        let mut inner: tokenizers::Tokenizer =
            serde_json::from_value(config).map_err(|source| bad(path, source))?;
        // A file may ask for truncation, padding and special tokens around the text; the prompt has its own.
        inner.with_padding(None);
        inner
            .with_truncation(None)
            .map_err(|source| TaskError::BadTokenizer {
                path: path.to_owned(),
                source,
            })?;
        inner.set_encode_special_tokens(true);
        let id = |token: &'static str| {
            let own = added.iter().find(|(name, _)| *name == token);
            own.map(|(_, id)| *id)
                .or_else(|| inner.token_to_id(token))
                .ok_or_else(|| TaskError::NoSpecialToken {
                    path: path.to_owned(),
                    token,
                })
        };
        let [start, pad, end, unknown, mask] = SPECIAL;
        let special = SpecialIds {
            start: id(start)?,
            pad: id(pad)?,
            end: id(end)?,
            unknown: id(unknown)?,
            mask: id(mask)?,
        };
        let mut hash = Sha256::new();
        for bytes in files {
            hash.update(bytes);
        }
        Ok(Self {
            inner,
            special,
            sha256: hex(&hash.finalize()),
        })
    }

    /// The tokens of a text, as it stands: no special token before, after or within it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TaskError> {
        let encoding =
            self.inner
                .encode_fast(text, false)
                .map_err(|source| TaskError::Tokenise {
                    text: text.to_owned(),
                    source,
                })?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The id of a vocabulary entry, spelt as the vocabulary spells it (`Ġgreat`).
    pub fn token_id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The vocabulary entry of an id, spelt as the vocabulary spells it.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The ids of the special tokens.
    pub fn special(&self) -> SpecialIds {
        self.special
    }

    /// One more than the highest id of the vocabulary, the added and the special tokens: a model's embedding needs at
    /// least as many rows. Where ids are left out it is more than there are tokens.
    pub fn vocab_size(&self) -> usize {
        let SpecialIds {
            start,
            pad,
            end,
            unknown,
            mask,
        } = self.special;
        let ids = self.inner.get_vocab(true).into_values();
        let highest = ids.chain([start, pad, end, unknown, mask]).max();
        highest.map_or(0, |id| id as usize + 1)
    }

    /// The SHA-256 of the files it was read from, one after the other, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

/// Marks RoBERTa's special tokens as special whatever the file says of them, so that none is ever matched in text,
/// and returns the ids the file gives them.
fn special_ids_of_added_tokens(config: &mut Value) -> Vec<(&'static str, u32)> {
    let mut ids = Vec::new();
    let Some(tokens) = config.get_mut("added_tokens").and_then(Value::as_array_mut) else {
        return ids;
    };
    for token in tokens {
        let Some(name) = SPECIAL
            .into_iter()
            .find(|name| token.get("content").and_then(Value::as_str) == Some(*name))
        else {
            continue;
        };
        token["special"] = Value::Bool(true);
        let id = token.get("id").and_then(Value::as_u64);
        if let Some(id) = id.and_then(|id| u32::try_from(id).ok()) {
            ids.push((name, id));
        }
    }
    ids
}

fn read(path: &Path) -> Result<Vec<u8>, TaskError> {
    let bytes = fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => TaskError::Missing {
            path: path.to_owned(),
            expected: "a file of the tokenizer".to_owned(),
        },
        _ => TaskError::Read {
            path: path.to_owned(),
            source,
        },
    })?;
    if bytes.starts_with(LFS_POINTER) {
        return Err(TaskError::LfsPointer {
            path: path.to_owned(),
            expected: "a file of the tokenizer".to_owned(),
        });
    }
    Ok(bytes)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Value, TaskError> {
    serde_json::from_slice(bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let message = error.to_string();
        let told = format!(" at line {line} column {column}");
        TaskError::TokenizerJson {
            place: Place {
                path: Arc::from(path),
                line,
                // The reader counts the columns of a line that has just begun from 0.
                column: column.max(1),
            },
            message: message.strip_suffix(&told).unwrap_or(&message).to_owned(),
        }
    })
}

fn bad(path: &Path, source: impl std::error::Error + Send + Sync + 'static) -> TaskError {
    TaskError::BadTokenizer {
        path: PathBuf::from(path),
        source: Box::new(source),
    }
}
