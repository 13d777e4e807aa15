//! From statements to what is run. What is not known is refused, with its name and line.

mod access;
mod allot;
mod atomic;
mod bits;
mod call;
mod class;
mod collective;
mod compare;
mod control;
mod convert;
mod float;
mod integer;
mod kind;
mod liveness;
mod matrix;
mod program;
mod scope;
mod transfer;

pub use program::program;
