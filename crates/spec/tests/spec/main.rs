//! What a spec may say, what is said of one that is wrong, and what a run is resolved to.
#![allow(clippy::unwrap_used, missing_docs)]

mod bad_combinations;
mod bad_runs;
mod bad_sweeps;
mod bad_values;
mod brackets;
mod combinations;
mod docs;
mod every_error;
mod grids;
mod identity;
mod keys;
mod manifests;
mod near_words;
mod paper;
mod round_trip;
mod schema;
mod specs;
mod support;
mod unread;
#[path = "../../../../tests/e2e/schema/validate.rs"]
mod validate;
