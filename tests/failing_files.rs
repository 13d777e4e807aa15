//! File operations fail, every one of a fresh run in its turn and every second or third of other runs and of sweeps: what went
//! wrong is told, what is there is whole, and once the fault is gone all ends with the same bytes as if it had never been.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "failing_files/fault.rs"]
mod fault;
#[path = "failing_files/full_disk.rs"]
mod full_disk;
#[path = "failing_files/no_locks.rs"]
mod no_locks;
#[path = "failing_files/sweep.rs"]
mod sweep;
#[path = "failing_files/train.rs"]
mod train;
