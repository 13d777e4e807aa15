//! The door `data` under libFuzzer.
#![no_main]

#[path = "../doors.rs"]
mod doors;
#[path = "../memory.rs"]
mod memory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    memory::within(&doors::DATA, bytes);
});
