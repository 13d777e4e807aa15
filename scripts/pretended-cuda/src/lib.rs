//! A CUDA driver that computes on the CPU: `libcuda.so.1` for programs that are to be shown right where there is no GPU. Memory
//! is the host's, and a launch interprets the kernel's PTX, a warp at a time, watching every access to memory.
//!
//! ```text
//! PRETENDED_PTX=FOLDER    keep every module that is loaded
//! PRETENDED_STATS=1       say at the end what was asked
//! PRETENDED_KERNELS=N     and which N kernels took the most time
//! PRETENDED_COMPUTE=0     only count launches, to time the host's part; numbers then mean nothing
//! PRETENDED_RACES=0       do not look for races in shared memory
//! ```
//!
//! It is as strict as it can be: an instruction that it does not know is refused when its module is loaded, by name and line,
//! and an access to what was not allocated ends its launch with an error.

mod allocations;
mod code;
mod decode;
mod driver;
mod machine;
mod matrix;
mod number;
mod ptx;
mod settings;
mod stats;

#[cfg(test)]
mod tests;
