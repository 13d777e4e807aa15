//! `protocol`, at the top of a spec.

use crate::key::{Default, Key};
use crate::value::{Value, words};

words! {
    /// The rules that decide what is trained (docs/protocols.md).
    pub enum Protocol {
        /// What the paper says.
        Paper = "paper",
        /// What the paper's public code does.
        ReferenceCode = "reference-code",
    }
}

/// The rules that decide what is trained.
pub const PROTOCOL: Key = Key {
    default: Default::Word("paper"),
    short: Some("protocol"),
    ..Key::new(
        "protocol",
        "The rules that decide what is trained ([protocols.md](protocols.md)).",
        Protocol::KIND,
    )
};
