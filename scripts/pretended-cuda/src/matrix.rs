//! What the 32 lanes of a warp do with matrices.

mod fragment;
mod ldmatrix;
mod multiply;
mod transfer;

pub use fragment::{Number, Part, Scratch, Shape};
pub use ldmatrix::Rows;
pub use multiply::{Layout, Multiply};
pub use transfer::{Direction, Transfer};

use crate::machine::registers::{Mask, Registers};
use crate::machine::{Memory, Trouble};

pub enum Matrix {
    Multiply(Multiply),
    Transfer(Transfer),
    Rows(Rows),
}

impl Matrix {
    /// Whether a part of a warp may do it. That is not defined, but devices load and store what these lanes have.
    pub fn takes_some(&self) -> bool {
        matches!(self, Self::Transfer(_))
    }

    pub fn run(
        &self,
        registers: &mut Registers,
        mask: Mask,
        memory: &mut Memory<'_>,
    ) -> Result<(), Trouble> {
        match self {
            Self::Multiply(multiply) => {
                multiply.run(registers, memory.scratch);
                Ok(())
            }
            Self::Transfer(transfer) => transfer.run(registers, mask, memory),
            Self::Rows(rows) => rows.run(registers, memory),
        }
    }
}
