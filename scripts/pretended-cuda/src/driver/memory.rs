//! Memory: the host's, for the device as well.

use std::ffi::{c_int, c_uint, c_void};

use super::{Address, Handle};
use crate::allocations;
use crate::code::{Code, INVALID_VALUE, OK, OUT_OF_MEMORY};
use crate::settings::SETTINGS;

/// Of the device, filled with what is no number, unless nothing is computed; of the host as it comes.
unsafe fn allocate(memory: *mut Address, bytes: usize, device: bool) -> Code {
    match allocations::allocate(bytes, device && SETTINGS.compute) {
        Some(start) => {
            // SAFETY: the caller's.
            unsafe { *memory = start };
            OK
        }
        None => OUT_OF_MEMORY,
    }
}

fn free(memory: Address) -> Code {
    if memory == 0 || allocations::free(memory) {
        return OK;
    }
    eprintln!("pretended: {memory:#x} is freed but was not allocated");
    INVALID_VALUE
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemAlloc_v2(memory: *mut Address, bytes: usize) -> Code {
    // SAFETY: the caller's.
    unsafe { allocate(memory, bytes, true) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemAllocAsync(memory: *mut Address, bytes: usize, _stream: Handle) -> Code {
    // SAFETY: the caller's.
    unsafe { allocate(memory, bytes, true) }
}

#[unsafe(no_mangle)]
extern "C" fn cuMemFree_v2(memory: Address) -> Code {
    free(memory)
}

#[unsafe(no_mangle)]
extern "C" fn cuMemFreeAsync(memory: Address, _stream: Handle) -> Code {
    free(memory)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemAllocHost_v2(memory: *mut Address, bytes: usize) -> Code {
    // SAFETY: the caller's.
    unsafe { allocate(memory, bytes, false) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemHostAlloc(memory: *mut Address, bytes: usize, _flags: c_uint) -> Code {
    // SAFETY: the caller's.
    unsafe { allocate(memory, bytes, false) }
}

#[unsafe(no_mangle)]
extern "C" fn cuMemFreeHost(memory: Address) -> Code {
    free(memory)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetDefaultMemPool(pool: *mut Handle, _device: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *pool = 32 as Handle };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuMemPoolSetAttribute(_pool: Handle, _attribute: c_int, _value: *mut c_void) -> Code {
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuMemPoolTrimTo(_pool: Handle, _bytes: usize) -> Code {
    OK
}
