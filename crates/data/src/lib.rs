//! Tasks' data from the hub to the files that `mezo-tasks` reads.
//!
//! The published results were made with the files of one archive. [`fetch`] makes files of the same layout from the
//! Parquet files on the hub, row by row in their order, and writes down where they come from. A k-shot split drawn
//! from them follows the same procedure; that it is the same split is not certain.

mod error;
mod fetch;
mod parquet;
mod provenance;
mod sources;
mod write;

pub use error::DataError;
pub use fetch::{check, fetch};
