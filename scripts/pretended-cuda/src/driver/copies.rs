//! Copies. What they touch of the device must be allocated.

use std::ffi::c_void;
use std::ptr;

use super::{Address, Handle};
use crate::allocations;
use crate::code::{Code, INVALID_VALUE, OK};
use crate::stats;

/// Whether a stretch of the device's memory is allocated; says so where it is not.
fn allocated(what: &str, address: Address, bytes: usize) -> bool {
    let holds = allocations::live().holds(address, bytes as u64);
    if !holds {
        eprintln!("pretended: {what} of {bytes} bytes at {address:#x}, which are not allocated");
    }
    holds
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyHtoDAsync_v2(
    to: Address,
    from: *const c_void,
    bytes: usize,
    _stream: Handle,
) -> Code {
    stats::UP.add(1);
    stats::UP_BYTES.add(bytes as u64);
    if !allocated("a copy up", to, bytes) {
        return INVALID_VALUE;
    }
    // SAFETY: the one is allocated, the other is the caller's.
    unsafe { ptr::copy(from, to as *mut c_void, bytes) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyDtoHAsync_v2(
    to: *mut c_void,
    from: Address,
    bytes: usize,
    _stream: Handle,
) -> Code {
    stats::DOWN.add(1);
    stats::DOWN_BYTES.add(bytes as u64);
    if !allocated("a copy down", from, bytes) {
        return INVALID_VALUE;
    }
    // SAFETY: the one is allocated, the other is the caller's.
    unsafe { ptr::copy(from as *const c_void, to, bytes) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpyDtoDAsync_v2(
    to: Address,
    from: Address,
    bytes: usize,
    _stream: Handle,
) -> Code {
    stats::ACROSS.add(1);
    if !allocated("a copy across", from, bytes) || !allocated("a copy across", to, bytes) {
        return INVALID_VALUE;
    }
    // SAFETY: both are allocated.
    unsafe { ptr::copy(from as *const c_void, to as *mut c_void, bytes) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemsetD8Async(
    to: Address,
    value: u8,
    bytes: usize,
    _stream: Handle,
) -> Code {
    if !allocated("a filling", to, bytes) {
        return INVALID_VALUE;
    }
    // SAFETY: it is allocated.
    unsafe { ptr::write_bytes(to as *mut u8, value, bytes) };
    OK
}

/// One side of a copy of rows, as the driver lays it out.
#[repr(C)]
struct Side {
    x: usize,
    y: usize,
    kind: u32,
    host: Address,
    device: Address,
    array: Handle,
    pitch: usize,
}

#[repr(C)]
struct Copy {
    from: Side,
    to: Side,
    width: usize,
    height: usize,
}

const ON_HOST: u32 = 1;

impl Side {
    /// Where a row begins, if it may be touched.
    fn row(&self, row: usize, width: usize) -> Option<Address> {
        let at = (self.y + row) * self.pitch + self.x;
        if self.kind == ON_HOST {
            return Some(self.host + at as u64);
        }
        let address = self.device + at as u64;
        allocated("a row of a copy", address, width).then_some(address)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemcpy2DAsync_v2(copy: *const Copy, _stream: Handle) -> Code {
    // SAFETY: the caller's.
    let Copy {
        from,
        to,
        width,
        height,
    } = unsafe { &*copy };
    let bytes = (width * height) as u64;
    if from.kind == ON_HOST {
        stats::UP.add(1);
        stats::UP_BYTES.add(bytes);
    } else if to.kind == ON_HOST {
        stats::DOWN.add(1);
        stats::DOWN_BYTES.add(bytes);
    } else {
        stats::ACROSS.add(1);
    }
    for row in 0..*height {
        let (Some(from), Some(to)) = (from.row(row, *width), to.row(row, *width)) else {
            return INVALID_VALUE;
        };
        // SAFETY: what is the device's is allocated, the rest is the caller's.
        unsafe { ptr::copy(from as *const u8, to as *mut u8, *width) };
    }
    OK
}
