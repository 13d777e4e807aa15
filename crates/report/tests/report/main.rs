//! The report from run directories made here, as its readers see it.
#![allow(clippy::unwrap_used, missing_docs)]

mod broken;
mod cells;
mod compare;
mod fixture;
mod formats;
mod methods;
mod rebuild;
mod searches;
mod selection;
mod slopes;
mod tables;
