//! A grid that is to be computed.

use std::sync::Arc;

use super::program::Program;
use crate::allocations::Ranges;

pub struct Launch<'a> {
    pub program: &'a Program,
    pub grid: [u32; 3],
    pub block: [u32; 3],
    /// Bytes of shared memory besides the kernel's own.
    pub shared: usize,
    pub parameters: Arc<[u8]>,
    pub ranges: Arc<Ranges>,
}

impl Launch<'_> {
    pub fn threads(&self) -> usize {
        self.block.iter().map(|&size| size as usize).product()
    }

    pub(super) fn blocks(&self) -> u64 {
        self.grid.iter().map(|&size| u64::from(size)).product()
    }

    pub(super) fn block_at(&self, index: u64) -> [u32; 3] {
        let [x, y, _] = self.grid.map(u64::from);
        [index % x, index / x % y, index / x / y].map(|at| at as u32)
    }
}
