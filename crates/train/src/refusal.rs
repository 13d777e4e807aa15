//! Refusals: a key's value that cannot be, what was expected, and the way out.

use crate::error::TrainError;

/// An error about a key's value; the message names the key.
pub(crate) fn value(key: &'static str, message: String) -> TrainError {
    TrainError::Value {
        key,
        message,
        hint: None,
    }
}

/// A value that breaks a rule, and the way out.
pub(crate) fn rule(key: &'static str, message: String, hint: &str) -> TrainError {
    TrainError::Value {
        key,
        message,
        hint: Some(hint.into()),
    }
}

/// Refuses a key that is set against a rule: "`key` is set, but ...".
pub(crate) fn refuse(
    set: bool,
    key: &'static str,
    is: &str,
    but: &str,
    hint: &str,
) -> Result<(), TrainError> {
    match set {
        true => Err(rule(key, format!("`{key}` {is}, but {but}"), hint)),
        false => Ok(()),
    }
}

pub(crate) fn needed<T>(key: &'static str, found: Option<T>) -> Result<T, TrainError> {
    found.ok_or_else(|| {
        let (table, name) = key.split_once('.').unwrap_or(("", key));
        rule(
            key,
            format!("missing key `{name}` in [{table}]"),
            &format!("set `{name}` in [{table}], or give a list of its values in [sweep]"),
        )
    })
}

pub(crate) fn positive_count(key: &'static str, count: u64) -> Result<(), TrainError> {
    match count {
        0 => Err(value(
            key,
            format!("expected 1 or more for `{key}`, found 0"),
        )),
        _ => Ok(()),
    }
}

pub(crate) fn positive(key: &'static str, number: f64) -> Result<(), TrainError> {
    if number.is_finite() && number > 0.0 {
        return Ok(());
    }
    // `{number:?}` keeps a tiny number short where `{number}` would write its zeros out.
    Err(value(
        key,
        format!("expected a finite number above 0 for `{key}`, found {number:?}"),
    ))
}

pub(crate) fn not_negative(key: &'static str, number: Option<f64>) -> Result<(), TrainError> {
    match number.filter(|number| !(number.is_finite() && *number >= 0.0)) {
        None => Ok(()),
        Some(number) => Err(value(
            key,
            format!("expected a finite number, 0 or more, for `{key}`, found {number:?}"),
        )),
    }
}
