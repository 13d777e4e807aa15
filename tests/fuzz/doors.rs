//! The doors through which files of others come in. Each takes any bytes, puts them where the product looks for such a file
//! and calls what a command calls. Nothing may panic, every refusal names the file, and what is read must hold together.
#![allow(dead_code, clippy::unwrap_used, missing_docs)] // a fuzz target has one door

#[path = "doors/data.rs"]
mod data;
#[path = "doors/journal.rs"]
mod journal;
#[path = "doors/safetensors.rs"]
mod safetensors;
#[path = "doors/spec.rs"]
mod spec;

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::slice;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use mezo_model::ModelFiles;
use mezo_tasks::{Row, Task, TaskError, Tokenizer};
use tempfile::TempDir;

pub use self::data::data;
pub use self::journal::journal;
pub use self::safetensors::safetensors;
pub use self::spec::spec;

/// A door, and the bytes that it may ask for: so many, and so many for each byte that comes in.
pub struct Door {
    pub name: &'static str,
    pub open: fn(&[u8]),
    pub base: usize,
    pub times: usize,
}

const MIB: usize = 1 << 20;

/// The points of the largest sweep are 2 MiB; a value of two characters is read twice, each time with its place.
pub static SPEC: Door = Door {
    name: "spec",
    open: spec,
    base: 16 * MIB,
    times: 512,
};
/// The tokenizer keeps what it has seen, and takes a few hundred bytes for a character until a row is cut.
pub static DATA: Door = Door {
    name: "data",
    open: data,
    base: 32 * MIB,
    times: 1024,
};
/// A line that says little is a few times as large when it is read.
pub static JOURNAL: Door = Door {
    name: "journal",
    open: journal,
    base: 8 * MIB,
    times: 128,
};
/// A model may have four numbers for one in its file and four million more before it is refused, and as many again in
/// vectors.
pub static SAFETENSORS: Door = Door {
    name: "safetensors",
    open: safetensors,
    base: 96 * MIB,
    times: 128,
};

/// Set where a door was passed: what came in was taken.
pub static PASSED: AtomicBool = AtomicBool::new(false);

fn passed() {
    PASSED.store(true, Ordering::Relaxed);
}

/// Makes what is made once, so that no door is blamed for it.
pub fn warm() {
    tokenizer().encode("a word, and it's 1 more").unwrap();
    words();
}

fn tokenizer() -> &'static Tokenizer {
    static TOKENIZER: OnceLock<Tokenizer> = OnceLock::new();
    TOKENIZER.get_or_init(|| {
        let Some(ModelFiles::Builtin(builtin)) = ModelFiles::builtin("roberta-imdb-tiny") else {
            panic!("the built-in model is in the binary");
        };
        Tokenizer::from_json(builtin.tokenizer_json(), Path::new("tokenizer.json")).unwrap()
    })
}

/// How many words the tokenizer knows.
fn words() -> usize {
    static WORDS: OnceLock<usize> = OnceLock::new();
    *WORDS.get_or_init(|| tokenizer().vocab_size())
}

/// An empty folder, in memory where the system has such a place: what the product makes durable then costs nothing.
fn scratch() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_| TempDir::new())
        .unwrap()
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// A refusal begins with the file, or the folder, that it is about.
fn refused(error: &impl Display, path: &Path, hint: Option<String>) {
    let said = error.to_string();
    let named = said.starts_with(&path.display().to_string());
    assert!(named, "{said}\n{hint:?}");
}

/// Puts a row into tokens, within the task's limits.
fn encoded(task: &Task, row: &Row) -> Result<(), TaskError> {
    for example in task.encode(tokenizer(), slice::from_ref(row))? {
        assert!(example.ids.len() <= task.max_length());
        assert!(example.asked < example.ids.len() && example.label == row.label);
        assert!(example.ids.iter().all(|&id| (id as usize) < words()));
    }
    Ok(())
}
