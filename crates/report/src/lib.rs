//! From run directories to Parquet, tables and figures.
//!
//! A sweep's runs are known by their files only ([`SweepRuns::read`]): a file that is torn or broken
//! spoils its own run, which gets a status and a reason, and never the report. Everything made here can
//! be deleted and made again, byte for byte ([`build`]).
//!
//! - [`table()`] has a row a cell (all of a configuration but the seed), and a row a search as the paper
//!   selects and reports; beside them the paper's number and what differs from its grid.
//! - [`compare()`] lays several sweeps out as the paper's Table 18, from the same rows.
//! - [`slope()`] says whether a run's loss moved at all.

mod cell;
mod columns;
mod comparison;
mod csv_text;
mod digits;
mod error;
mod figure;
mod format;
mod grid;
mod method;
mod notes;
pub mod paper;
pub mod paper_grid;
mod parquet;
mod protocol;
mod results;
mod rows;
mod run_record;
mod search_notes;
mod searches;
mod selection;
mod settings;
mod slope;
mod slope_rows;
mod sources;
mod statistics;
mod sweep_runs;
mod table;
mod varied;
mod write;

pub use cell::Cell;
pub use comparison::{Agreement, Block, Comparison, Entry, MethodRow, State, compare};
pub use error::ReportError;
pub use format::Format;
pub use method::label as method_label;
pub use results::table;
pub use rows::{Choice, Measured, Row, RowKind};
pub use run_record::{Attempts, Estimated, RunManifest, RunRecord, Status};
pub use slope::{FEWEST_STEPS, Slope, Verdict, slope};
pub use slope_rows::{SlopeRow, slope_rows, slopes_csv, slopes_markdown};
pub use statistics::{Gain, Spread};
pub use sweep_runs::SweepRuns;
pub use table::Table;
pub use write::{Built, ReportOptions, build, write_comparison};
