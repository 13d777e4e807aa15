//! The driver's functions, as programs find them in `libcuda.so.1`. Pointers that they are given are taken to be right, as the
//! driver itself takes them.

mod copies;
mod device;
mod launch;
mod memory;
mod modules;
mod streams;

use std::ffi::c_void;

/// What the program keeps and does not look into.
pub type Handle = *mut c_void;
/// Where device memory is.
pub type Address = u64;
