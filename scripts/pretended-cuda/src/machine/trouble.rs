//! What a lane did that it must not, before it is known whose lane it was.

use crate::code::{Code, LAUNCH_FAILED};

#[derive(Debug)]
pub struct Trouble {
    pub code: Code,
    pub lane: usize,
    pub what: String,
}

impl Trouble {
    pub fn new(code: Code, lane: usize, what: impl Into<String>) -> Self {
        Self {
            code,
            lane,
            what: what.into(),
        }
    }

    /// What a whole warp did.
    pub fn of_warp(mask: u32, what: impl Into<String>) -> Self {
        Self::new(LAUNCH_FAILED, mask.trailing_zeros() as usize % 32, what)
    }
}
