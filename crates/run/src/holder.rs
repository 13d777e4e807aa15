//! Who holds a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who holds a run, as its lock says. It may have died since: only the lock itself tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The number of its attempt, from 1.
    pub attempt: u64,
    /// Its machine.
    pub host: String,
    /// Its process there.
    pub pid: u32,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attempt, host, pid } = self;
        write!(f, "attempt {attempt}, process {pid} on {host}")
    }
}
