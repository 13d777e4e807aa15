//! What an access does.

/// What an access does, for what it may meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
    /// What several may do at once.
    Atomic,
}
