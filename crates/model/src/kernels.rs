//! The tensor operations of the forward pass.
//!
//! Each has a CPU version that works on the tensor's memory with all threads, and a plain one in burn's own operations
//! for every other device; the tests hold the two equal. On the CPU every row of a result is summed in a fixed order
//! that depends on nothing beside it: not its position, its neighbours, the number of probes or of threads.

pub(crate) mod attention;
pub(crate) mod embed;
pub(crate) mod host;
pub(crate) mod linear;
pub(crate) mod math;
pub(crate) mod norm;
pub(crate) mod perturb;
pub(crate) mod rowwise;
pub(crate) mod score;
pub(crate) mod simd;
pub(crate) mod update;
