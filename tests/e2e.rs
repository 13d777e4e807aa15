//! End-to-end tests of the built binary, all in one program.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[cfg(target_os = "linux")]
#[path = "kills/dice.rs"]
mod dice;

/// A file for what a user does or meets.
mod e2e {
    mod bad_input;
    mod bench;
    mod devices;
    mod doctor;
    mod failing_files;
    mod golden;
    mod hub;
    mod plan;
    mod resume;
    mod retries;
    mod scale;
    mod schema;
    mod slurm;
    mod stop;
    mod sweep;
    mod tasks;
    mod together;
    mod worker;
}
