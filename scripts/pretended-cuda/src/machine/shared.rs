//! Shared memory of a block.

use super::address::{Addresses, extent};
use super::global::misaligned;
use super::kind::Kind;
use super::race::{Accessor, Races};
use super::registers::{Mask, Row, lanes};
use super::trouble::Trouble;
use crate::code::ILLEGAL_ADDRESS;

/// What nobody wrote: numbers that are none, so that it shows where they are used.
const UNWRITTEN: u32 = u32::MAX;

#[derive(Default)]
pub struct Shared {
    rows: Vec<Row<u32>>,
    bytes: usize,
    pub races: Option<Races>,
}

impl Shared {
    /// Makes it as large as a launch needs.
    pub fn resize(&mut self, bytes: usize, races: bool) {
        self.bytes = bytes;
        self.rows
            .resize(bytes.div_ceil(size_of::<Row<u32>>()), Row([UNWRITTEN; 32]));
        if !races {
            self.races = None;
            return;
        }
        self.races.get_or_insert_default().resize(bytes.div_ceil(4));
    }

    /// Begins a block.
    pub fn begin(&mut self) {
        self.rows.fill(Row([UNWRITTEN; 32]));
        self.barrier();
    }

    /// What comes from here on cannot race with what was before.
    pub fn barrier(&mut self) {
        if let Some(races) = &mut self.races {
            races.barrier();
        }
    }

    /// Holds an access against the memory's size and what other warps did, and makes the host's addresses of the
    /// device's.
    pub fn reach(
        &mut self,
        addresses: &mut Addresses,
        mask: Mask,
        bytes: u64,
        kind: Kind,
        by: Accessor,
    ) -> Result<(), Trouble> {
        let (low, high, bits) = extent(addresses);
        if bits & (bytes - 1) != 0 {
            return Err(misaligned(addresses, mask, bytes, "shared"));
        }
        if low.max(high.saturating_add(bytes)) > self.bytes as u64 {
            return Err(self.outside(addresses, mask, bytes));
        }
        if let Some(races) = &mut self.races {
            races.lanes(addresses, mask, bytes, kind, by);
        }
        let base = self.rows.as_mut_ptr() as u64;
        addresses.iter_mut().for_each(|address| *address += base);
        Ok(())
    }

    /// The same for one stretch of any length, by a whole warp; gives the host's address.
    pub fn stretch(
        &mut self,
        address: u64,
        bytes: u64,
        kind: Kind,
        by: Accessor,
    ) -> Result<u64, Trouble> {
        if address.saturating_add(bytes) > self.bytes as u64 {
            return Err(self.outside(&[address; 32], u32::MAX, bytes));
        }
        if let Some(races) = &mut self.races {
            races.stretch(address, bytes, kind, by);
        }
        Ok(self.rows.as_mut_ptr() as u64 + address)
    }

    fn outside(&self, addresses: &Addresses, mask: Mask, bytes: u64) -> Trouble {
        let all = self.bytes;
        let outside = |&lane: &usize| addresses[lane].saturating_add(bytes) > all as u64;
        let lane = lanes(mask).find(outside).unwrap_or(0);
        let address = addresses[lane];
        let what = format!(
            "{bytes} bytes of shared memory at {address:#x}, of which there are {all} bytes"
        );
        Trouble::new(ILLEGAL_ADDRESS, lane, what)
    }
}
