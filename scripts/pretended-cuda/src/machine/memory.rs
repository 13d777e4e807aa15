//! The memories that a block reaches.

use super::address::Addresses;
use super::global::{Global, SHARED_WINDOW};
use super::kind::Kind;
use super::race::Accessor;
use super::registers::{Mask, lanes};
use super::shared::Shared;
use super::trouble::Trouble;
use crate::matrix::Scratch;

/// Which memory an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Space {
    Global,
    Shared,
    /// The address tells.
    Generic,
}

pub struct Memory<'a> {
    pub global: Global<'a>,
    pub shared: &'a mut Shared,
    pub scratch: &'a mut Scratch,
    /// Who runs now.
    pub by: Accessor,
    /// What is not defined but does no harm: the line and what it was.
    pub oddity: Option<(u32, String)>,
}

impl Memory<'_> {
    /// Holds an access against all that is known, and makes the host's addresses of the device's.
    pub fn reach(
        &mut self,
        space: Space,
        addresses: &mut Addresses,
        mask: Mask,
        bytes: u64,
        kind: Kind,
    ) -> Result<(), Trouble> {
        match space {
            Space::Global => self.global.check(addresses, mask, bytes),
            Space::Shared => self.shared.reach(addresses, mask, bytes, kind, self.by),
            Space::Generic => self.reach_either(addresses, mask, bytes, kind),
        }
    }

    fn reach_either(
        &mut self,
        addresses: &mut Addresses,
        mask: Mask,
        bytes: u64,
        kind: Kind,
    ) -> Result<(), Trouble> {
        let of_shared = lanes(mask)
            .filter(|&lane| addresses[lane] >= SHARED_WINDOW)
            .fold(0, |found, lane| found | 1 << lane);
        for (space, part) in [
            (Space::Shared, of_shared),
            (Space::Global, mask & !of_shared),
        ] {
            if part == 0 {
                continue;
            }
            let window = if space == Space::Shared {
                SHARED_WINDOW
            } else {
                0
            };
            let one = addresses[part.trailing_zeros() as usize];
            let mut these = [one - window; 32];
            for lane in lanes(part) {
                these[lane] = addresses[lane] - window;
            }
            self.reach(space, &mut these, part, bytes, kind)?;
            for lane in lanes(part) {
                addresses[lane] = these[lane];
            }
        }
        // Where loops do not ask, they must find what can be read.
        let one = addresses[mask.trailing_zeros() as usize % 32];
        for lane in lanes(!mask) {
            addresses[lane] = one;
        }
        Ok(())
    }

    /// One stretch of any length that a whole warp accesses; gives the host's address.
    pub fn stretch(
        &mut self,
        space: Space,
        address: u64,
        bytes: u64,
        kind: Kind,
    ) -> Result<u64, Trouble> {
        match space {
            Space::Shared => self.shared.stretch(address, bytes, kind, self.by),
            Space::Generic if address >= SHARED_WINDOW => {
                self.shared
                    .stretch(address - SHARED_WINDOW, bytes, kind, self.by)
            }
            // Its ends lie in the same allocation only if all between does.
            Space::Global | Space::Generic => {
                self.global.check_stretch(address, bytes)?;
                Ok(address)
            }
        }
    }
}
