//! File operations fail, every one of a fresh run in its turn and every second or third of other runs and of sweeps: what went
//! wrong is told, what is there is whole, and once the fault is gone all ends with the same bytes as if it had never been.
#![cfg(all(
    target_os = "linux",
    target_env = "gnu",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]

mod fault;
mod full_disk;
mod no_locks;
mod sweep;
mod train;
