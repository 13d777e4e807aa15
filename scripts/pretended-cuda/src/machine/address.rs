//! Where lanes access memory.

use super::registers::{Cell, LANES, Mask, Registers};

/// Addresses of lanes: those without an access have that of one with it, so that loops need not ask.
pub type Addresses = [u64; LANES];

/// What holds addresses before an offset is added.
#[derive(Debug, Clone, Copy)]
pub enum Base {
    Word(usize),
    Long(usize),
    /// The same for all.
    Fixed(u64),
}

impl Base {
    pub fn addresses(self, registers: &Registers, offset: i64, mask: Mask) -> Addresses {
        let mut addresses = [offset as u64; LANES];
        match self {
            Self::Word(at) => {
                let row = u32::row(registers, at);
                for (address, &word) in addresses.iter_mut().zip(row) {
                    *address = address.wrapping_add(u64::from(word));
                }
            }
            Self::Long(at) => {
                let row = u64::row(registers, at);
                for (address, &long) in addresses.iter_mut().zip(row) {
                    *address = address.wrapping_add(long);
                }
            }
            Self::Fixed(base) => return [base.wrapping_add_signed(offset); LANES],
        }
        if mask != u32::MAX {
            let one = addresses[mask.trailing_zeros() as usize % LANES];
            for (lane, address) in addresses.iter_mut().enumerate() {
                *address = if mask >> lane & 1 != 0 { *address } else { one };
            }
        }
        addresses
    }
}

/// The lowest and the highest, and all their bits.
pub fn extent(addresses: &Addresses) -> (u64, u64, u64) {
    let (mut low, mut high, mut bits) = (u64::MAX, 0, 0);
    for &address in addresses {
        low = low.min(address);
        high = high.max(address);
        bits |= address;
    }
    (low, high, bits)
}
