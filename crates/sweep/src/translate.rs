//! The words of serde and of the TOML reader, said as a person would.
//!
//! Both report through plain messages; what they hold (the key, the words that would have been
//! right) is taken out of them here, so that the rest of the crate has types. A message that is
//! not understood is passed on as it is.

use crate::problem::Problem;

/// What a failed deserialization of `text` was about.
pub(crate) fn problem(error: &toml::de::Error, text: &str) -> Problem {
    let key = key_path(error);
    let message = error.message();
    if let Some((field, known)) = named(message, "unknown field ") {
        // `name` and `[sweep]` were taken out before, but may be what was meant at the top.
        let extra = if key.is_none() {
            ["name", "sweep"].as_slice()
        } else {
            &[]
        };
        let known = known
            .into_iter()
            .chain(extra.iter().map(ToString::to_string))
            .collect();
        return Problem::UnknownKey {
            table: key,
            key: field,
            known,
        };
    }
    if let Some((value, known)) = named(message, "unknown variant ") {
        return Problem::UnknownValue { key, value, known };
    }
    if let Some((field, _)) = named(message, "missing field ") {
        return Problem::MissingKey {
            table: key,
            key: field,
            sweep: None,
        };
    }
    if let Some((found, expected)) = mismatch(message) {
        return Problem::WrongType {
            key,
            expected: expected_words(expected),
            found: found_words(found),
        };
    }
    // What the TOML reader says of an enum; it does not say what it found.
    if message == "wanted string or table" {
        let found = error
            .span()
            .and_then(|span| text.get(span))
            .map_or("something else", str::trim);
        return Problem::WrongType {
            key,
            expected: "a string".into(),
            found: found.to_owned(),
        };
    }
    let message = match key {
        Some(key) => format!("`{key}`: {message}"),
        None => message.to_owned(),
    };
    Problem::Syntax { message }
}

/// The path of the table or key the error is in. The TOML reader keeps it to itself and tells it
/// only in the last line of its `Display`.
fn key_path(error: &toml::de::Error) -> Option<String> {
    let shown = error.to_string();
    let path = shown
        .strip_prefix(error.message())?
        .trim()
        .strip_prefix("in `")?
        .strip_suffix('`')?;
    Some(path.to_owned())
}

/// Of "unknown field `x`, expected one of `a`, `b`": x, and a and b.
fn named(message: &str, start: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix(start)?.strip_prefix('`')?;
    // The word is the user's and may hold anything; what follows it is serde's.
    let (word, rest) = match rest
        .find("`, expected ")
        .or_else(|| rest.find("`, there are no "))
    {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest.strip_suffix('`')?, ""),
    };
    let known = rest
        .split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect();
    Some((word.to_owned(), known))
}

/// Of "invalid type: F, expected E": F and E.
fn mismatch(message: &str) -> Option<(&str, &str)> {
    let kinds = ["invalid type: ", "invalid value: ", "invalid length "];
    kinds
        .iter()
        .find_map(|kind| message.strip_prefix(kind))?
        .rsplit_once(", expected ")
}

fn expected_words(expected: &str) -> String {
    let words = match expected {
        "f32" | "f64" => "a number",
        "u8" => "a whole number (0 to 255)",
        "u16" => "a whole number (0 to 65535)",
        "u32" => "a whole number (0 to 4294967295)",
        "u64" | "usize" | "u128" => "a whole number (0 or more)",
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "a whole number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "a table",
        other if other.starts_with("struct ") => "a table",
        other if other.starts_with("enum ") => "a string",
        other => other,
    };
    words.to_owned()
}

fn found_words(found: &str) -> String {
    let quoted = |prefix: &str| found.strip_prefix(prefix)?.strip_suffix('`');
    if let Some(number) = quoted("integer `").or_else(|| quoted("floating point `")) {
        return format!("the number {number}");
    }
    if let Some(value) = quoted("boolean `") {
        return format!("`{value}`");
    }
    match found {
        "sequence" => "a list".to_owned(),
        "map" => "a table".to_owned(),
        other if other.starts_with("string ") => format!("the {other}"),
        other => other.to_owned(),
    }
}
