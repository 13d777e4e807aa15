//! Global memory: what was allocated, which is the host's memory at the same addresses.

use super::address::{Addresses, extent};
use super::registers::{Mask, lanes};
use super::trouble::Trouble;
use crate::allocations::Ranges;
use crate::code::{ILLEGAL_ADDRESS, MISALIGNED_ADDRESS};

/// Where shared memory begins among generic addresses: where no host has memory.
pub const SHARED_WINDOW: u64 = 1 << 56;

pub struct Global<'a> {
    ranges: &'a Ranges,
    /// The range that was met last.
    hit: (u64, u64),
}

impl<'a> Global<'a> {
    pub fn new(ranges: &'a Ranges) -> Self {
        Self {
            ranges,
            hit: (0, 0),
        }
    }

    /// Whether all lanes stay within what is allocated.
    pub fn check(&mut self, addresses: &Addresses, mask: Mask, bytes: u64) -> Result<(), Trouble> {
        let (low, high, bits) = extent(addresses);
        if bits & (bytes - 1) != 0 {
            return Err(misaligned(addresses, mask, bytes, "global"));
        }
        if self.holds(low, high, bytes) {
            return Ok(());
        }
        self.hit = self.ranges.around(low);
        if self.holds(low, high, bytes) {
            return Ok(());
        }
        let outside = |&lane: &usize| {
            let address = addresses[lane];
            let (start, end) = self.ranges.around(address);
            address < start || address.saturating_add(bytes) > end
        };
        match lanes(mask).find(outside) {
            Some(lane) => Err(self.outside(addresses[lane], lane, bytes)),
            None => Ok(()),
        }
    }

    fn holds(&self, low: u64, high: u64, bytes: u64) -> bool {
        low >= self.hit.0 && high.saturating_add(bytes) <= self.hit.1
    }

    fn outside(&self, address: u64, lane: usize, bytes: u64) -> Trouble {
        let near = match self.ranges.before(address) {
            Some((start, end)) => format!(
                "the allocation before it has {} bytes and begins {} bytes before",
                end - start,
                address - start
            ),
            None => "there is no allocation before it".to_owned(),
        };
        let what =
            format!("{bytes} bytes of global memory at {address:#x} are not allocated; {near}");
        Trouble::new(ILLEGAL_ADDRESS, lane, what)
    }
}

/// Tells which lane's address is no multiple of the access's size.
pub fn misaligned(addresses: &Addresses, mask: Mask, bytes: u64, space: &str) -> Trouble {
    let odd = lanes(mask).find(|&lane| addresses[lane] & (bytes - 1) != 0);
    let lane = odd.unwrap_or(0);
    let address = addresses[lane];
    let what =
        format!("{bytes} bytes of {space} memory at {address:#x}, which is no multiple of that");
    Trouble::new(MISALIGNED_ADDRESS, lane, what)
}

impl Global<'_> {
    /// Whether a stretch of any length is allocated.
    pub fn check_stretch(&self, address: u64, bytes: u64) -> Result<(), Trouble> {
        let (start, end) = self.ranges.around(address);
        if address >= start && address.saturating_add(bytes) <= end {
            return Ok(());
        }
        Err(self.outside(address, 0, bytes))
    }
}
