//! What the built binary says of bad input, and that it then starts nothing and touches nothing.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "bad_input/command.rs"]
mod command;
#[path = "bad_input/data.rs"]
mod data;
#[path = "bad_input/method.rs"]
mod method;
#[path = "bad_input/model.rs"]
mod model;
#[path = "bad_input/prompt.rs"]
mod prompt;
#[path = "bad_input/spec.rs"]
mod spec;
#[path = "bad_input/weights.rs"]
mod weights;
#[path = "bad_input/world.rs"]
mod world;
