//! All keys of a spec, in the order of the docs.

use std::sync::LazyLock;

use crate::key::Key;
use crate::reader::Part;
use crate::tables::{FineTune, METHOD_NAME, Mezo, ModelSpec, PROTOCOL, TaskSpec};

/// A table of a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its path, `method.lora`.
    pub path: &'static str,
    /// What it is.
    pub doc: &'static str,
}

/// The tables of a spec beside `[sweep]`, in the order of the docs.
pub const TABLES: [Table; 8] = [
    Table {
        path: "model",
        doc: "Which model, and how it computes.",
    },
    Table {
        path: "task",
        doc: "Which data, and how they are put to the model.",
    },
    Table {
        path: "method",
        doc: "What is done, and which parameters are trained.",
    },
    Table {
        path: "method.lora",
        doc: "Low-rank terms beside query and value; only with `tuning = \"lora\"`.",
    },
    Table {
        path: "method.prefix",
        doc: "Keys and values before each layer's own; only with `tuning = \"prefix\"`.",
    },
    Table {
        path: "method.estimates",
        doc: "How many estimates a step of MeZO makes (paper, algorithm 2).",
    },
    Table {
        path: "method.scale",
        doc: "Another perturbation scale for each layer (paper, appendices B.3 and B.4).",
    },
    Table {
        path: "train",
        doc: "How it is trained.",
    },
];

/// Every key of a spec beside its `name` and `[sweep]`, in the order of the docs.
pub fn keys() -> &'static [&'static Key] {
    static KEYS: LazyLock<Vec<&'static Key>> = LazyLock::new(|| {
        let mut all = vec![&PROTOCOL];
        ModelSpec::keys(&mut all);
        TaskSpec::keys(&mut all);
        all.push(&METHOD_NAME);
        Mezo::keys(&mut all);
        FineTune::keys(&mut all);
        let mut keys: Vec<&'static Key> = Vec::new();
        let tables = [""]
            .into_iter()
            .chain(TABLES.iter().map(|table| table.path));
        for table in tables {
            for &key in all.iter().filter(|key| key.table() == table) {
                if keys.iter().all(|known| known.path != key.path) {
                    keys.push(key);
                }
            }
        }
        keys
    });
    &KEYS
}

/// The key of this path.
pub fn key(path: &str) -> Option<&'static Key> {
    keys().iter().copied().find(|key| key.path == path)
}

/// Whether a table has this path.
pub(crate) fn is_table(path: &str) -> bool {
    TABLES.iter().any(|table| table.path == path)
}

/// The names that may stand in a table, keys first and then tables; at the top, `name` and `sweep` too.
pub(crate) fn names_in(table: &str) -> Vec<String> {
    let below = |path: &'static str| {
        let (parent, name) = path.rsplit_once('.').unwrap_or(("", path));
        (parent == table).then(|| name.to_owned())
    };
    let keys = keys().iter().filter_map(|key| below(key.path));
    let tables = TABLES.iter().filter_map(|table| below(table.path));
    let own = ["name", "sweep"].iter().map(ToString::to_string);
    let own = own.filter(|_| table.is_empty());
    keys.chain(tables).chain(own).collect()
}

/// The short names that keys have in `[sweep]`, each with the key.
pub(crate) fn short_names() -> impl Iterator<Item = (&'static str, &'static Key)> {
    keys().iter().filter_map(|key| Some((key.short?, *key)))
}

/// The key that is called so elsewhere.
pub(crate) fn other_name(word: &str) -> Option<&'static Key> {
    let word = word.to_lowercase().replace('-', "_");
    let mut keys = keys().iter().copied();
    keys.find(|key| key.others.contains(&word.as_str()))
}

/// What a word that a table does not have was meant to be: the name that is used here for what others call so, or the one
/// key of this name in another table, by its path.
pub(crate) fn meant(table: &str, word: &str) -> Option<&'static str> {
    let mut by_name = keys()
        .iter()
        .copied()
        .filter(|key| key.name() == word && word != "name");
    let only = by_name.next().filter(|_| by_name.next().is_none());
    let key = other_name(word).or(only)?;
    Some(match key.table() == table {
        true => key.name(),
        false => key.path,
    })
}
