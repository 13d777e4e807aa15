//! PTX as text: modules, entries and their statements.

mod entry;
mod operand;
mod parse;
mod tokens;

pub use entry::{Body, Declared, Entry, Guard, Parameter, Statement, Variable};
pub use operand::Operand;
pub use parse::parse;

/// What is wrong with a text, and in which of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub line: u32,
    pub why: String,
}

impl Refused {
    pub fn new(line: u32, why: impl Into<String>) -> Self {
        Self {
            line,
            why: why.into(),
        }
    }
}
