//! The report from run directories made here, as its readers see it.
#![allow(clippy::unwrap_used, missing_docs)]

mod broken;
mod cells;
mod fixture;
mod formats;
mod rebuild;
mod slopes;
mod tables;
