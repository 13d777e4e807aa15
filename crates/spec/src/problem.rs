//! What can be wrong with a spec, in words.

use std::io;

use crate::digits::grouped;

/// What is wrong with a spec.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file is not there or cannot be read.
    #[error("cannot read the spec: {0}")]
    Unreadable(#[source] io::Error),
    /// The file holds bytes that are no text.
    #[error("expected UTF-8 text, found the byte 0x{byte:02x}")]
    NotUtf8 {
        /// The first byte that is no text.
        byte: u8,
    },
    /// The file is not TOML.
    #[error("{message}")]
    Syntax {
        /// The TOML reader's words.
        message: String,
    },
    /// A bracket that is never closed.
    #[error("this `{open}` is never closed")]
    Unclosed {
        /// It.
        open: char,
        /// What would close it.
        close: char,
    },
    /// A value of the right type that its key cannot have.
    #[error("expected {expected} for `{key}`, found {found}")]
    OutOfRange {
        /// The key's path.
        key: String,
        /// The range in words.
        expected: &'static str,
        /// The value.
        found: String,
    },
    /// The spec has no name.
    #[error("missing key `name`")]
    NameMissing,
    /// The name cannot be the name of a folder.
    #[error(
        "expected a plain folder name (a-z, 0-9, `.`, `_`, `-`, at most {MAX_NAME} of them, a letter or digit first), found {name:?}"
    )]
    NameBad {
        /// The name as written.
        name: String,
    },
    /// A value of another type than its key wants.
    #[error("expected {expected}{}, found {found}", of_key(.key.as_deref()))]
    WrongType {
        /// The key's path, where it is known.
        key: Option<String>,
        /// What its type is, in words.
        expected: String,
        /// What stands there, in words.
        found: String,
    },
    /// A key that nobody reads.
    #[error("unknown key `{key}`{}", in_table(.table.as_deref()))]
    UnknownKey {
        /// The path of the table it stands in; none at the top.
        table: Option<String>,
        /// The key.
        key: String,
        /// The keys that may stand there.
        known: Vec<String>,
    },
    /// A word that is none of those a key takes.
    #[error("unknown value `{value}`{}", of_key(.key.as_deref()))]
    UnknownValue {
        /// The key's path, where it is known.
        key: Option<String>,
        /// The word.
        value: String,
        /// The words it takes.
        known: Vec<String>,
    },
    /// A key that must be there is not.
    #[error("missing key `{key}`{}{}", in_table(.table.as_deref()), in_grid(*.sweep))]
    MissingKey {
        /// The path of the table it belongs in; none at the top.
        table: Option<String>,
        /// The key.
        key: String,
        /// The line of the grid whose points lack it, where there are several grids.
        sweep: Option<usize>,
    },
    /// A key of `[sweep]` that is neither a path nor a short name.
    #[error("unknown short name `{name}` in [sweep]")]
    UnknownShortName {
        /// The key.
        name: String,
    },
    /// A key of `[sweep]` with an empty part, as in `"task."`.
    #[error("expected a path like \"task.k\", found {key:?}")]
    BadPath {
        /// The key.
        key: String,
    },
    /// A key of `[sweep]` without a list.
    #[error("expected a list of values for `{key}` in [sweep], found {found}")]
    NotAList {
        /// The key's path.
        key: String,
        /// What stands there, in words.
        found: &'static str,
    },
    /// A key of `[sweep]` with no value.
    #[error("the list of `{key}` in [sweep] is empty")]
    EmptyList {
        /// The key's path.
        key: String,
    },
    /// A list that holds another list, a table or a date.
    #[error("expected numbers, strings or booleans in the list of `{key}`, found {found}")]
    NotAScalar {
        /// The key's path.
        key: String,
        /// What stands there, in words.
        found: &'static str,
    },
    /// A list of more than one type.
    #[error("the list of `{key}` begins with {first} and goes on with {other}")]
    MixedList {
        /// The key's path.
        key: String,
        /// The type of the first element, in words.
        first: &'static str,
        /// The type of the element meant, in words.
        other: &'static str,
    },
    /// A list that names one value twice.
    #[error("the list of `{key}` holds {text} twice{}", as_written(.text, .earlier))]
    RepeatedValue {
        /// The key's path.
        key: String,
        /// The second one as written.
        text: String,
        /// The first one as written.
        earlier: String,
    },
    /// A key with two values: in `[sweep]` and in its own table.
    #[error("`{key}` is set in [sweep] and on line {line}")]
    SetTwice {
        /// The key's path.
        key: String,
        /// The line of its other value.
        line: usize,
    },
    /// A key that stands twice in a table of `[sweep]`, by its short name or otherwise.
    #[error("`{key}` stands in [sweep] on line {line} already")]
    SweptTwice {
        /// The key's path.
        key: String,
        /// The line of the first.
        line: usize,
        /// One of the two is in `list`.
        listed: bool,
    },
    /// `zip`, `list` or `exclude` with something else in it than it takes.
    #[error("expected {expected}, found {found}")]
    NoCombinations {
        /// Which of the three.
        word: &'static str,
        /// What would be right, in words.
        expected: String,
        /// What stands there, in words.
        found: &'static str,
    },
    /// A `list` without an entry.
    #[error("`list` in [sweep] is empty")]
    EmptyCombinations,
    /// An entry without a key.
    #[error("an entry of `{word}` is empty")]
    EmptyEntry {
        /// `list` or `exclude`.
        word: &'static str,
    },
    /// A key of an entry with something else than one value.
    #[error("expected a number, a string or a boolean for `{key}` in `{word}`, found {found}")]
    NotOneValue {
        /// `list` or `exclude`.
        word: &'static str,
        /// The key's path.
        key: String,
        /// What stands there, in words.
        found: &'static str,
    },
    /// A key in `zip` or `exclude` that its table does not sweep.
    #[error("`{word}` names `{key}`, which is not swept in the same table")]
    NotSwept {
        /// `zip` or `exclude`.
        word: &'static str,
        /// The key's path, or what is none.
        key: String,
        /// The keys it could be, by their short names where they have one.
        known: Vec<String>,
    },
    /// A key that is named where it is named already.
    #[error("`{key}` stands in {place} on line {line} already")]
    NamedTwice {
        /// The key's path.
        key: String,
        /// Where, in words.
        place: &'static str,
        /// The line of the first.
        line: usize,
    },
    /// A zip of one key, or of none.
    #[error("expected two keys or more in a zip, found {keys}")]
    ShortZip {
        /// How many.
        keys: usize,
    },
    /// A zip of lists that cannot go side by side.
    #[error(
        "`zip` needs lists of one length, that of `{other}` has {other_length} and that of `{key}` {length}"
    )]
    UnequalLists {
        /// The path of the key meant.
        key: String,
        /// The length of its list.
        length: usize,
        /// The path of the first key of the zip.
        other: String,
        /// The length of its list.
        other_length: usize,
    },
    /// A zip or a list that makes one combination twice.
    #[error("`{word}` makes `{combination}` twice")]
    RepeatedCombination {
        /// `zip` or `list`.
        word: &'static str,
        /// Keys and values.
        combination: String,
    },
    /// An entry of `list` without a key of the first one.
    #[error("an entry of `list` lacks `{key}`, which the first one has")]
    EntryLacks {
        /// The key's path.
        key: String,
    },
    /// An entry of `list` with a key that the first one has not.
    #[error("an entry of `list` has `{key}`, which the first one lacks")]
    EntryAdds {
        /// The key's path, or what is none.
        key: String,
        /// The keys of the first one, by their short names where they have one.
        known: Vec<String>,
    },
    /// A value in `exclude` that its key does not go through.
    #[error("`{key}` never has the value {value} in this table")]
    NotAmongValues {
        /// The key's path.
        key: String,
        /// The value as written.
        value: String,
        /// The values that the key has, as written.
        known: Vec<String>,
    },
    /// An entry of `exclude` that leaves nothing out.
    #[error("no combination has these values together")]
    NothingExcluded,
    /// An `exclude` that leaves everything out.
    #[error("`exclude` leaves no run of its table")]
    AllExcluded,
    /// A table in the place of a key of `[sweep]`.
    #[error("`{key}` is a table; only a key can be swept")]
    SweptTable {
        /// The table's path.
        key: String,
        /// Keys in it, by their paths.
        keys: Vec<String>,
    },
    /// More combinations than anyone means to run.
    #[error("the sweep has {} runs ({}), the limit is {}", counted(*.runs), product(.lengths), grouped(u128::from(MAX_RUNS)))]
    TooManyRuns {
        /// How many.
        runs: u128,
        /// The lengths of what varies for itself, grid by grid.
        lengths: Vec<Vec<usize>>,
    },
    /// A value that the reader of the spec refuses.
    #[error("{message}")]
    Value {
        /// What is wrong with it.
        message: String,
        /// The way out.
        hint: Option<String>,
    },
}

/// The most runs a sweep may have, over all its grids.
pub const MAX_RUNS: u64 = 100_000;
/// The longest name of a sweep; it must leave room in a path.
pub(crate) const MAX_NAME: usize = 100;

fn of_key(key: Option<&str>) -> String {
    key.map(|key| format!(" for `{key}`")).unwrap_or_default()
}

fn in_table(table: Option<&str>) -> String {
    table
        .map(|table| format!(" in [{table}]"))
        .unwrap_or_default()
}

fn in_grid(line: Option<usize>) -> String {
    line.map(|line| format!(" for the [[sweep]] on line {line}"))
        .unwrap_or_default()
}

fn as_written(text: &str, earlier: &str) -> String {
    if text == earlier {
        String::new()
    } else {
        format!(", the first time as {earlier}")
    }
}

/// `2 x 3 + 4 x 5`
fn product(lengths: &[Vec<usize>]) -> String {
    let joined = |words: Vec<String>, between: &str| words.join(between);
    let grid = |grid: &Vec<usize>| joined(grid.iter().map(ToString::to_string).collect(), " x ");
    joined(lengths.iter().map(grid).collect(), " + ")
}

/// A number of runs; beyond a trillion nobody wants to know.
fn counted(runs: u128) -> String {
    const ENOUGH: u128 = 1_000_000_000_000;
    if runs > ENOUGH {
        format!("more than {}", grouped(ENOUGH))
    } else {
        grouped(runs)
    }
}
