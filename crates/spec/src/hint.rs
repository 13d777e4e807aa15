//! The way out of what is wrong with a spec.

use std::io;

use crate::catalog;
use crate::key::Key;
use crate::problem::{MAX_NAME, Problem};
use crate::sweep::axis::{RESERVED, short_of};

/// How many words of a list are shown.
const SHOWN: usize = 20;
/// What is longer than this is no slip of the pen, in bytes.
const LONGEST_WORD: usize = 64;

impl Problem {
    /// What an unknown key was most likely meant to be: a name of its table, or a key of another one by its path.
    fn meant(&self) -> Option<&str> {
        let Self::UnknownKey { table, key, known } = self else {
            return None;
        };
        let table = table.as_deref().unwrap_or_default();
        nearest(key, known).or_else(|| catalog::meant(table, key))
    }

    /// The path of the key that an unknown one was most likely meant to be.
    pub(crate) fn meant_key(&self) -> Option<String> {
        let meant = self.meant()?;
        let path = match self {
            Self::UnknownKey {
                table: Some(table), ..
            } if !meant.contains('.') => {
                format!("{table}.{meant}")
            }
            _ => meant.to_owned(),
        };
        catalog::key(&path).map(|key| key.path.to_owned())
    }

    /// The way out, where there is one to name.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => Some(
                "check the path; a spec is a TOML file such as `experiments/quickstart.toml`"
                    .into(),
            ),
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".into()),
            Self::NameMissing => Some("write `name = \"...\"` above the first [table]".into()),
            Self::NameBad { name } => {
                plain(name).map(|name| format!("`name = \"{name}\"` would do"))
            }
            Self::UnknownKey { table, known, .. } => {
                let list = match table {
                    Some(table) => format!("[{table}] has"),
                    None => "a spec has".to_owned(),
                };
                let all = all(known, &list);
                Some(match self.meant() {
                    Some(meant) => format!("did you mean `{meant}`? {all}"),
                    None => all,
                })
            }
            Self::UnknownValue { value, known, .. } => {
                Some(nearest_or_all(value, known, "it is one of"))
            }
            Self::Unclosed { close, .. } => Some(format!("write `{close}` where it ends")),
            Self::UnknownShortName { name } => {
                let paths = swept_by_path(name);
                if !paths.is_empty() {
                    let paths = paths.join(" or ");
                    return Some(format!("any key may be swept by its path: {paths}"));
                }
                let short: Vec<String> = catalog::short_names()
                    .map(|(short, _)| short.to_owned())
                    .collect();
                let list = "any key may be swept by its path, as in \"task.k\"; short names are";
                // In an entry the reserved words themselves are unknown names.
                let reserved = RESERVED.iter().filter(|word| *word != name);
                let known: Vec<String> = reserved
                    .map(ToString::to_string)
                    .chain(short.clone())
                    .collect();
                let all = all(&short, list);
                let meant = nearest(name, &known).or_else(|| catalog::other_name(name)?.short);
                Some(match meant {
                    Some(meant) => format!("did you mean `{meant}`? {all}"),
                    None => all,
                })
            }
            Self::SweptTable { keys, .. } => {
                let paths: Vec<String> = keys.iter().map(|key| format!("\"{key}\"")).collect();
                Some(all(&paths, "sweep a key of it by its path"))
            }
            Self::NotAList { key, .. } => Some(format!(
                "write a list, even of one value; a fixed value of `{key}` belongs in its own table"
            )),
            Self::EmptyList { .. } => Some("give it at least one value, or remove the key".into()),
            Self::MixedList { .. } => Some("write every value of a list as the same type".into()),
            Self::RepeatedValue { .. } | Self::RepeatedCombination { .. } => {
                Some("every combination runs once; remove one of them".into())
            }
            Self::SetTwice { key, .. } => Some(format!("keep `{key}` in one of the two places")),
            Self::SweptTwice { listed: false, .. } => Some("join the two lists".into()),
            Self::SweptTwice {
                key, listed: true, ..
            } => Some(format!(
                "give `{key}` its values in `list` or in a list of its own"
            )),
            Self::NoCombinations { word, .. } | Self::EmptyEntry { word } => Some(example(word)),
            Self::EmptyCombinations => Some("give it at least one entry, or remove it".into()),
            Self::NotOneValue { .. } => {
                Some("an entry has one value for each key; write an entry for every value".into())
            }
            Self::NotSwept { key, known, .. } => {
                Some(nearest_or_all(short_of(key), known, "its table sweeps"))
            }
            Self::NamedTwice { .. } => Some("remove one of them".into()),
            Self::ShortZip { .. } => Some("a key that varies for itself needs no zip".into()),
            Self::UnequalLists { .. } => {
                Some("the first value of one goes with the first of the other, and so on".into())
            }
            Self::EntryLacks { .. } => Some("every entry has the keys of the first one".into()),
            Self::EntryAdds { key, known } => {
                let list = "every entry has the keys of the first one";
                Some(nearest_or_all(short_of(key), known, list))
            }
            Self::NotAmongValues { value, known, .. } => {
                Some(nearest_or_all(value, known, "its values are"))
            }
            Self::NothingExcluded => Some(
                "keys of one zip, or of `list`, have the values that stand side by side".into(),
            ),
            Self::AllExcluded => Some("leave out less, or remove the table".into()),
            Self::TooManyRuns { .. } => {
                Some("sweep fewer values at once, or split the spec".into())
            }
            Self::MissingKey {
                table: Some(table),
                key,
                ..
            } => Some(format!(
                "set `{key}` in [{table}], or give a list of its values in [sweep]"
            )),
            Self::Value { hint, .. } => hint.clone(),
            Self::Unreadable(_)
            | Self::Syntax { .. }
            | Self::WrongType { .. }
            | Self::OutOfRange { .. }
            | Self::MissingKey { .. }
            | Self::BadPath { .. }
            | Self::NotAScalar { .. } => None,
        }
    }
}

/// The paths, in quotes, by which `[sweep]` names the keys of this name that have no short one.
fn swept_by_path(name: &str) -> Vec<String> {
    let is_meant = |key: &&&Key| key.name() == name || key.others.contains(&name);
    let keys = catalog::keys().iter().filter(is_meant);
    let long = keys.filter(|key| key.short.is_none() && key.name() != "name");
    long.map(|key| format!("`\"{}\"`", key.path)).collect()
}

/// The nearest plain folder name, if the name has anything to keep.
fn plain(name: &str) -> Option<String> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if plain_character(c) { c } else { '-' })
        .take(MAX_NAME)
        .collect();
    let plain = plain.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (!plain.is_empty()).then(|| plain.to_owned())
}

/// How `zip`, `list` and `exclude` are written.
fn example(word: &str) -> String {
    let rest = match word {
        "zip" => "[[\"lr\", \"eps\"]]",
        "list" => "[{ lr = 1e-4, eps = 1e-3 }, { lr = 1e-3, eps = 1e-2 }]",
        _ => "[{ lr = 1e-4, seed = 13 }]",
    };
    format!("write it as in `{word} = {rest}`")
}

fn nearest_or_all(word: &str, known: &[String], list: &str) -> String {
    nearest_or(word, known, all(known, list))
}

fn nearest_or(word: &str, known: &[String], all: String) -> String {
    match nearest(word, known) {
        Some(nearest) => format!("did you mean `{nearest}`? {all}"),
        None => all,
    }
}

/// The known words; of a long list, the first ones.
fn all(known: &[String], list: &str) -> String {
    if known.is_empty() {
        return format!("{list}: nothing");
    }
    let shown: Vec<String> = known
        .iter()
        .take(SHOWN)
        .map(|known| format!("`{known}`"))
        .collect();
    let more = match known.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{list}: {}{more}", shown.join(", "))
}

/// The known word that `word` was most likely meant to be: at most a third of it is wrong.
fn nearest<'k>(word: &str, known: &'k [String]) -> Option<&'k str> {
    if word.len() > LONGEST_WORD {
        return None;
    }
    let distance =
        |other: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    known
        .iter()
        // Values of the user's own may be long, and the distance takes memory for every pair of characters.
        .filter(|known| known.len() <= 6 * LONGEST_WORD)
        .map(|known| (distance(known), known.as_str()))
        .min()
        .filter(|(distance, known)| distance * 3 <= word.chars().count().max(known.chars().count()))
        .map(|(_, known)| known)
}

/// Whether a character may stand in a sweep's name.
pub(crate) fn plain_character(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_near() {
        let known = ["batch_size", "eps", "eval_every", "lr", "steps"].map(str::to_owned);
        assert_eq!(nearest("epss", &known), Some("eps"));
        assert_eq!(nearest("esp", &known), Some("eps"));
        assert_eq!(nearest("Batch-Size", &known), Some("batch_size"));
        assert_eq!(nearest("momentum", &known), None);
        assert_eq!(nearest("x", &known), None);
        assert_eq!(nearest("x", &[]), None);
        let longest = "x".repeat(LONGEST_WORD);
        let known = ["y".repeat(10 * LONGEST_WORD), longest.replacen('x', "y", 9)];
        assert_eq!(nearest(&longest, &known), Some(known[1].as_str()));
    }

    #[test]
    fn a_bad_name_is_mended() {
        assert_eq!(plain("My Sweep/1").as_deref(), Some("my-sweep-1"));
        assert_eq!(plain("../up").as_deref(), Some("up"));
        assert_eq!(plain("..."), None);
    }
}
