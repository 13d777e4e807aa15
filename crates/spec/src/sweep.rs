//! `[sweep]`: which keys vary, through which values, and how they go together.

pub(crate) mod axis;
pub(crate) mod dimension;
mod entry;
mod exclude;
pub(crate) mod grid;
mod list;
mod zip;
