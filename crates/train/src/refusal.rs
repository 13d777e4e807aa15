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
