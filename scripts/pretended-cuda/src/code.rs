//! What the driver's functions answer: `CUresult`.

use std::ffi::c_int;

pub type Code = c_int;

pub const OK: Code = 0;
pub const INVALID_VALUE: Code = 1;
pub const OUT_OF_MEMORY: Code = 2;
pub const INVALID_DEVICE: Code = 101;
pub const INVALID_PTX: Code = 218;
pub const NOT_FOUND: Code = 500;
pub const ILLEGAL_ADDRESS: Code = 700;
pub const MISALIGNED_ADDRESS: Code = 716;
pub const LAUNCH_FAILED: Code = 719;
