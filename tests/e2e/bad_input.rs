//! What the built binary says of bad input, and that it then starts nothing and touches nothing.

mod command;
mod data;
mod method;
mod model;
mod prompt;
mod spec;
mod weights;
mod world;
