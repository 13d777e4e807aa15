//! What can be wrong with a task, its data, its words and its tokenizer, and the way out of each.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::template_error::TemplateError;

/// A place in a file, written `path:line:column`; lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, or the name of what was made without one.
    pub path: Arc<Path>,
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}

/// Why a task could not be set up, read, split or encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(
    missing_docs,
    reason = "the message of each variant says what its fields are"
)]
pub enum TaskError {
    #[error("unknown task {name:?}, expected one of {}", .known.join(", "))]
    UnknownTask {
        name: String,
        known: Vec<&'static str>,
        nearest: Option<&'static str>,
    },

    #[error(transparent)]
    Template(#[from] TemplateError),

    #[error("a label word for {label:?}, expected one of the classes of task {task:?}: {}", quoted(.expected))]
    LabelWordClass {
        task: &'static str,
        label: String,
        expected: Vec<String>,
    },

    #[error("`{key}` for task {task:?} without prompt, expected none")]
    WithoutPrompt {
        task: &'static str,
        key: &'static str,
    },

    #[error("label word {word:?} of class {class:?} is {} tokens ({}), expected exactly one",
        .tokens.len(), .tokens.join(" "))]
    LabelWordTokens {
        class: String,
        word: String,
        tokens: Vec<String>,
    },

    #[error("label words {:?} and {:?} of classes {:?} and {:?} are the same token {token:?}, \
        expected a token for each class", .words[0], .words[1], .classes[0], .classes[1])]
    LabelWordTwice {
        classes: [String; 2],
        words: [String; 2],
        token: String,
    },

    #[error("task {task:?} reads files, expected the folder that holds {folder}/")]
    NoDataFolder {
        task: &'static str,
        folder: &'static str,
    },

    #[error("{}: expected the folder of task {task:?} with {} and {}, or with a split such as 16-13/{}, found nothing there",
        .path.display(), .files[0], .files[1], .files[0])]
    NoTaskFolder {
        path: PathBuf,
        task: &'static str,
        files: [&'static str; 2],
    },

    #[error("{}: expected {expected}, found nothing there", .path.display())]
    Missing { path: PathBuf, expected: String },

    #[error("{}: could not read: {source}", .path.display())]
    Read { path: PathBuf, source: io::Error },

    #[error("{}: could not write: {source}", .path.display())]
    Write { path: PathBuf, source: io::Error },

    #[error("{}: expected {expected}, found an empty file", .path.display())]
    Empty { path: PathBuf, expected: String },

    #[error("{}: expected {expected}, found a Git LFS pointer", .path.display())]
    LfsPointer { path: PathBuf, expected: String },

    #[error(
        "{place}: expected UTF-8 text, found the byte 0x{found:02x} (byte {offset} of the file, from 0)"
    )]
    NotUtf8 {
        place: Place,
        offset: usize,
        found: u8,
    },

    #[error("{place}: expected a header line, found a row with the label {label:?}")]
    NoHeader { place: Place, label: String },

    #[error("{place}: expected {expected} columns, found {found}: column {column} is missing")]
    MissingColumn {
        place: Place,
        column: String,
        expected: usize,
        found: usize,
    },

    #[error("{place}: expected 2 columns (label,text), found {found}")]
    ExtraColumn { place: Place, found: usize },

    #[error("{place}: expected a label, one of {}, found {found:?}", quoted(.expected))]
    UnknownLabel {
        place: Place,
        found: String,
        expected: Vec<String>,
    },

    #[error("{}: {rows} rows are {what}, expected the data of task {task:?}", .path.display())]
    OtherSet {
        path: PathBuf,
        rows: usize,
        what: &'static str,
        task: &'static str,
        other: &'static str,
    },

    #[error("{}: no class has more than {k} rows, expected some for the dev part", .path.display())]
    NoDev { path: PathBuf, k: usize },

    #[error("{what} is 0, expected at least 1")]
    Zero { what: &'static str },

    #[error("seed {seed} is too large for a k-shot split, expected at most 4294967295")]
    LargeSeed { seed: u64 },

    #[error(
        "{place}: the mask is token {mask} of {length} and is cut off, expected it among the first {max_length}"
    )]
    MaskCutOff {
        place: Place,
        mask: usize,
        length: usize,
        max_length: usize,
    },

    #[error("the template alone is {own} tokens, expected at most max_length, {max_length}")]
    NoRoom { own: usize, max_length: usize },

    #[error("{place}: expected a tokenizer in JSON: {message}")]
    TokenizerJson { place: Place, message: String },

    #[error("{}: expected a tokenizer: {source}", .path.display())]
    BadTokenizer {
        path: PathBuf,
        source: Box<dyn Error + Send + Sync>,
    },

    #[error("{}: expected the special token {token:?} in the vocabulary", .path.display())]
    NoSpecialToken { path: PathBuf, token: &'static str },

    #[error("could not tokenise {text:?}: {source}")]
    Tokenise {
        text: String,
        source: Box<dyn Error + Send + Sync>,
    },
}

fn quoted(words: &[String]) -> String {
    if words.is_empty() {
        return "none".to_owned();
    }
    let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    words.join(", ")
}

impl TaskError {
    /// The place in a file that is wrong, where there is one.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::NotUtf8 { place, .. }
            | Self::NoHeader { place, .. }
            | Self::MissingColumn { place, .. }
            | Self::ExtraColumn { place, .. }
            | Self::UnknownLabel { place, .. }
            | Self::TokenizerJson { place, .. }
            | Self::MaskCutOff { place, .. } => Some(place),
            _ => None,
        }
    }

    /// The way out, where one is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownTask { nearest, .. } => {
                nearest.map(|nearest| format!("the nearest known task is {nearest:?}"))
            }
            Self::Template(error) => Some(error.hint()),
            Self::LabelWordClass { .. } => Some(
                "classes go by the labels of the data, and those not named keep their published words"
                    .to_owned(),
            ),
            Self::WithoutPrompt { key, .. } => Some(format!(
                "without prompt a classifier reads the first token: leave `{key}` out, or ask with a prompt"
            )),
            Self::LabelWordTokens { word, .. } => Some(label_word_hint(word)),
            Self::LabelWordTwice { .. } => Some("choose another word for one of them".to_owned()),
            Self::NoDataFolder { .. } => {
                Some("name it with `data` in the spec or with --data DIR".to_owned())
            }
            Self::NoTaskFolder { .. } => Some(
                "`data` is the folder that holds it, and starts at the spec's own folder; --data DIR names another"
                    .to_owned(),
            ),
            Self::LfsPointer { .. } => Some("fetch the file itself with `git lfs pull`".to_owned()),
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            Self::NoHeader { .. } => {
                Some("the first line of a .tsv file names its columns and is not a row".to_owned())
            }
            Self::MissingColumn { place, .. } => Some(format!(
                "columns are separated by one {}",
                if is_tsv(place) { "tab" } else { "comma" }
            )),
            Self::ExtraColumn { .. } => {
                Some("put a sentence that holds a comma in double quotes".to_owned())
            }
            Self::OtherSet { other, .. } => Some(format!(
                "that is task {other:?}: name it so, and its folder {other:?}, or put the right files here",
            )),
            Self::NoDev { .. } => Some("choose a smaller k".to_owned()),
            Self::MaskCutOff { .. } => {
                Some(
                    "raise max_length, shorten sentences with cut = \"sentences\", or put the mask before the sentence"
                        .to_owned(),
                )
            }
            Self::NoRoom { .. } => Some("raise max_length or shorten the template".to_owned()),
            Self::NoSpecialToken { .. } => {
                Some("a RoBERTa tokenizer has <s>, <pad>, </s>, <unk> and <mask>".to_owned())
            }
            _ => None,
        }
    }
}

fn label_word_hint(word: &str) -> String {
    if word.trim() == word {
        "choose a word that the vocabulary holds whole, with a space before it".to_owned()
    } else {
        format!(
            "write {:?}: the space before the word is added for it",
            word.trim()
        )
    }
}

fn is_tsv(place: &Place) -> bool {
    place.path.extension().is_some_and(|end| end == "tsv")
}
