//! Handing a sweep to Slurm: with programs that play Slurm's, always; with a real one where it is installed.
#![allow(clippy::unwrap_used, missing_docs)]
#![cfg(target_os = "linux")]

mod common;
#[path = "slurm/pretended.rs"]
mod pretended;
#[path = "slurm/real.rs"]
mod real;
