//! Handing a sweep to Slurm: with programs that play Slurm's, always; with a real one where it is installed.
#![cfg(target_os = "linux")]

mod pretended;
mod real;
