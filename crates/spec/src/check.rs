//! A value held against its key's declaration.

use crate::catalog;
use crate::key::Key;
use crate::literal::Literal;
use crate::problem::Problem;
use crate::value::Kind;

/// The longest path of a key that is looked at, in bytes. No key of a spec comes near it; what is made along a path (tables
/// in tables, the path again for every key in a table) must not grow with whatever stands in a file.
pub(crate) const LONGEST_PATH: usize = 200;

/// What is wrong with the value of a key; none where nothing is.
pub(crate) fn problem(key: &'static Key, literal: &Literal) -> Option<Problem> {
    let wrong_type = |expected: &str| {
        Some(Problem::WrongType {
            key: Some(key.path.into()),
            expected: expected.into(),
            found: literal.words(),
        })
    };
    match (key.kind, literal) {
        (Kind::Whole, Literal::Whole(_)) if literal.as_u64().is_some() => {}
        (Kind::Whole, _) => return wrong_type("a whole number (0 or more)"),
        (Kind::Number, Literal::Whole(_) | Literal::Number(_)) => {}
        (Kind::Number, _) => return wrong_type("a number"),
        (Kind::Flag, Literal::Flag(_)) => {}
        (Kind::Flag, _) => return wrong_type("`true` or `false`"),
        (Kind::Words(words), Literal::Text(text)) => {
            if words.iter().all(|(word, _)| word != text) {
                return Some(Problem::UnknownValue {
                    key: Some(key.path.into()),
                    value: text.clone(),
                    known: words.iter().map(|(word, _)| (*word).to_owned()).collect(),
                });
            }
        }
        (Kind::Text | Kind::Path, Literal::Text(_)) => {}
        (Kind::Words(_) | Kind::Text | Kind::Path, _) => return wrong_type("a string"),
        (Kind::Texts, Literal::Texts(_)) => {}
        (Kind::Texts, _) => return wrong_type("a table of strings"),
    }
    let expected = key.range.expected(literal)?;
    let found = match (key.kind, literal) {
        (Kind::Number, literal) => format!("{:?}", literal.as_f64().unwrap_or_default()),
        (_, Literal::Whole(whole)) => whole.to_string(),
        (_, literal) => literal.words(),
    };
    Some(Problem::OutOfRange {
        key: key.path.into(),
        expected,
        found,
    })
}

/// What is wrong with a string in a table of the user's own keys, `task.label_words.0`.
pub(crate) fn text_problem(path: &str, literal: &Literal) -> Option<Problem> {
    match literal {
        Literal::Text(_) => None,
        other => Some(Problem::WrongType {
            key: Some(path.into()),
            expected: "a string".into(),
            found: other.words(),
        }),
    }
}

/// A key that no spec has, by the path that it was written as.
pub(crate) fn unknown(path: &str) -> Problem {
    let mut table = "";
    let mut rest = path;
    while let Some((first, after)) = rest.split_once('.') {
        let end = path.len() - after.len() - 1;
        if !catalog::is_table(&path[..end]) {
            // Below a key there is nothing.
            if catalog::key(&path[..end]).is_none() {
                rest = first;
            }
            break;
        }
        table = &path[..end];
        rest = after;
    }
    Problem::UnknownKey {
        table: Some(table.to_owned()).filter(|table| !table.is_empty()),
        key: rest.to_owned(),
        known: catalog::names_in(table),
    }
}

/// What is wrong with a path in `[sweep]` at which no key is that could be swept.
pub(crate) fn unswept(path: &str) -> Problem {
    let keys: Vec<String> = match catalog::key(path) {
        // A table of the user's own keys.
        Some(_) => vec![format!("{path}.0")],
        None if catalog::is_table(path) => {
            let below = catalog::keys().iter().filter(|key| key.table() == path);
            below.map(|key| key.path.to_owned()).collect()
        }
        None => return unknown(path),
    };
    let key = path.to_owned();
    Problem::SweptTable { key, keys }
}
