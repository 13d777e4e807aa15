//! What computes: warps with their registers, the memories that they reach, and grids of blocks.

pub mod access;
pub mod address;
mod block;
pub mod collective;
mod global;
mod grid;
pub mod kind;
pub mod lane;
mod launch;
pub mod memory;
pub mod program;
pub mod race;
pub mod registers;
pub mod shared;
mod trouble;
mod warp;

pub use global::SHARED_WINDOW;
pub use grid::{Found, launch};
pub use launch::Launch;
pub use memory::Memory;
pub use program::{Guard, Instruction, Operation, Program, Special};
pub use trouble::Trouble;
