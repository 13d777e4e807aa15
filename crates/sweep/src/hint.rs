//! The way out of what is wrong with a spec.

use std::io;

use crate::axis::SHORT_NAMES;
use crate::problem::{MAX_NAME, Problem};
use crate::spec::plain_character;

impl Problem {
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
            Self::UnknownKey { table, key, known } => {
                let list = match table {
                    Some(table) => format!("[{table}] has"),
                    None => "a spec has".to_owned(),
                };
                Some(nearest_or_all(key, known, &list))
            }
            Self::UnknownValue { value, known, .. } => {
                Some(nearest_or_all(value, known, "it is one of"))
            }
            Self::UnknownShortName { name } => {
                let known = SHORT_NAMES.map(|(short, _)| short.to_owned());
                let list = "any key may be swept by its path, as in \"task.k\"; short names are";
                Some(nearest_or_all(name, &known, list))
            }
            Self::NotAList { key, .. } => Some(format!(
                "write a list, even of one value; a fixed value of `{key}` belongs in its own table"
            )),
            Self::EmptyList { .. } => Some("give it at least one value, or remove the key".into()),
            Self::MixedList { .. } => Some("write every value of a list as the same type".into()),
            Self::RepeatedValue { .. } => {
                Some("every combination runs once; remove one of them".into())
            }
            Self::SetTwice { key, .. } => Some(format!("keep `{key}` in one of the two places")),
            Self::SweptTwice { .. } => Some("join the two lists".into()),
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
            | Self::MissingKey { .. }
            | Self::BadPath { .. }
            | Self::NotAScalar { .. }
            | Self::Clash { .. } => None,
        }
    }
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

fn nearest_or_all(word: &str, known: &[String], list: &str) -> String {
    let all = known
        .iter()
        .map(|known| format!("`{known}`"))
        .collect::<Vec<_>>()
        .join(", ");
    let all = if all.is_empty() {
        "nothing".to_owned()
    } else {
        all
    };
    match nearest(word, known) {
        Some(nearest) => format!("did you mean `{nearest}`? {list}: {all}"),
        None => format!("{list}: {all}"),
    }
}

/// The known word that `word` was most likely meant to be: at most a third of it is wrong.
fn nearest<'k>(word: &str, known: &'k [String]) -> Option<&'k str> {
    // What is longer than this is no slip of the pen.
    if word.len() > 64 {
        return None;
    }
    let distance =
        |other: &str| strsim::damerau_levenshtein(&word.to_lowercase(), &other.to_lowercase());
    known
        .iter()
        .map(|known| (distance(known), known.as_str()))
        .min()
        .filter(|(distance, known)| distance * 3 <= word.chars().count().max(known.chars().count()))
        .map(|(_, known)| known)
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
    }

    #[test]
    fn a_bad_name_is_mended() {
        assert_eq!(plain("My Sweep/1").as_deref(), Some("my-sweep-1"));
        assert_eq!(plain("../up").as_deref(), Some("up"));
        assert_eq!(plain("..."), None);
    }
}
