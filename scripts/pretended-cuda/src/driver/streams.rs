//! Streams and events: all is done when it is asked for.

use std::ffi::{c_int, c_uint, c_void};
use std::time::Instant;

use super::Handle;
use crate::code::{Code, OK};
use crate::stats;

/// Something that is not at the same address as anything else.
fn unique() -> Handle {
    Box::into_raw(Box::new(0_u8)).cast()
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuStreamCreate(stream: *mut Handle, _flags: c_uint) -> Code {
    // SAFETY: the caller's.
    unsafe { *stream = unique() };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuStreamCreateWithPriority(
    stream: *mut Handle,
    _flags: c_uint,
    _priority: c_int,
) -> Code {
    // SAFETY: the caller's.
    unsafe { *stream = unique() };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamDestroy_v2(_stream: Handle) -> Code {
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamSynchronize(_stream: Handle) -> Code {
    stats::WAITS.add(1);
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamQuery(_stream: Handle) -> Code {
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuStreamWaitEvent(_stream: Handle, _event: Handle, _flags: c_uint) -> Code {
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuStreamIsCapturing(_stream: Handle, is: *mut c_int) -> Code {
    // SAFETY: the caller's.
    unsafe { *is = 0 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuLaunchHostFunc(
    _stream: Handle,
    function: extern "C" fn(*mut c_void),
    data: *mut c_void,
) -> Code {
    function(data);
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuEventCreate(event: *mut Handle, _flags: c_uint) -> Code {
    // SAFETY: the caller's.
    unsafe { *event = Box::into_raw(Box::new(Instant::now())).cast() };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuEventDestroy_v2(event: Handle) -> Code {
    // SAFETY: the caller's: `cuEventCreate` made it, and it is not used again.
    drop(unsafe { Box::from_raw(event.cast::<Instant>()) });
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuEventRecord(event: Handle, _stream: Handle) -> Code {
    // SAFETY: the caller's.
    unsafe { *event.cast() = Instant::now() };
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuEventSynchronize(_event: Handle) -> Code {
    stats::WAITS.add(1);
    OK
}

#[unsafe(no_mangle)]
extern "C" fn cuEventQuery(_event: Handle) -> Code {
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuEventElapsedTime_v2(ms: *mut f32, from: Handle, to: Handle) -> Code {
    // SAFETY: the caller's.
    let (from, to) = unsafe { (*from.cast::<Instant>(), *to.cast::<Instant>()) };
    // A time that is not zero, as no device is so quick.
    unsafe { *ms = to.saturating_duration_since(from).as_secs_f32() * 1e3 + 1e-3 };
    OK
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cuEventElapsedTime(ms: *mut f32, from: Handle, to: Handle) -> Code {
    // SAFETY: the caller's.
    unsafe { cuEventElapsedTime_v2(ms, from, to) }
}
