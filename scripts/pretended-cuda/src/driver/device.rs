//! The device and its context.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::sync::Once;

use super::Handle;
use crate::code::{Code, INVALID_DEVICE, OK};
use crate::stats;

const NAME: &[u8] = b"pretended H200\0";
const BUS: &[u8] = b"0000:01:00.0\0";
const MEMORY: usize = 141 << 30;
const CONTEXT: Handle = 16 as Handle;

#[unsafe(no_mangle)]
extern "C" fn cuInit(_flags: c_uint) -> Code {
    static ONCE: Once = Once::new();
    ONCE.call_once(stats::tell_at_exit);
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *version = 13000 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *count = 1 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGet(device: *mut c_int, index: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *device = index };
    if index == 0 { OK } else { INVALID_DEVICE }
}

/// Writes as much of a text as there is room for.
unsafe fn write(text: &[u8], to: *mut c_char, size: c_int) {
    let length = text.len().min(usize::try_from(size).unwrap_or(0));
    if length > 0 {
        // SAFETY: the caller's: there is room for `size` bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, length);
            *to.add(length - 1) = 0;
        }
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, size: c_int, _device: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { write(NAME, name, size) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetPCIBusId(id: *mut c_char, size: c_int, _device: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { write(BUS, id, size) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetUuid_v2(id: *mut c_void, _device: c_int) -> Code {
    // SAFETY: the caller's: an identity has 16 bytes.
    unsafe { id.write_bytes(7, 16) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, _device: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *bytes = MEMORY };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuMemGetInfo_v2(left: *mut usize, all: *mut usize) -> Code {
    // SAFETY: the caller's.
    unsafe { (*left, *all) = (MEMORY, MEMORY) };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceCanAccessPeer(can: *mut c_int, _one: c_int, _other: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *can = 0 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDeviceGetAttribute(
    value: *mut c_int,
    attribute: c_int,
    _device: c_int,
) -> Code {
    let found = match attribute {
        1..=3 => 1024,      // threads of a block, its x and y
        4 => 64,            // its z
        5 => 2_147_483_647, // blocks in x
        6 | 7 => 65535,     // in y and z
        8 => 49152,         // shared memory of a block
        10 => 32,           // a warp
        12 => 65536,        // registers of a block
        16 => 132,          // multiprocessors
        38 => 52_428_800,   // L2
        39 => 2048,         // threads of a multiprocessor
        75 => 9,            // compute capability
        76 => 0,
        81 => 233_472, // shared memory of a multiprocessor
        97 => 232_448, // of a block that asks for it
        _ => 1,
    };
    // SAFETY: the caller's.
    unsafe { *value = found };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuDevicePrimaryCtxRetain(context: *mut Handle, _device: c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *context = CONTEXT };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuDevicePrimaryCtxRelease_v2(_device: c_int) -> Code {
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSetCurrent(_context: Handle) -> Code {
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuCtxGetCurrent(context: *mut Handle) -> Code {
    // SAFETY: the caller's.
    unsafe { *context = CONTEXT };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuCtxGetDevice(device: *mut c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *device = 0 };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSetLimit(_limit: c_int, _value: usize) -> Code {
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuCtxGetStreamPriorityRange(least: *mut c_int, most: *mut c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { (*least, *most) = (0, -5) };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuCtxSynchronize() -> Code {
    stats::WAITS.add(1);
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuGetErrorString(_error: Code, text: *mut *const c_char) -> Code {
    // SAFETY: the caller's.
    unsafe { *text = c"a pretended error".as_ptr() };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuGetErrorName(_error: Code, text: *mut *const c_char) -> Code {
    // SAFETY: the caller's.
    unsafe { *text = c"CUDA_ERROR_PRETENDED".as_ptr() };
    OK
}
