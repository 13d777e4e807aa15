//! The results table: a row a cell, and for every search what is reported of it.

use crate::rows::Row;
use crate::slope_rows::SlopeRow;

/// The results of one sweep. Accuracies are in percent throughout.
#[derive(Debug)]
pub struct Table {
    /// The sweep's name.
    pub sweep: String,
    /// What all its rows have in common, in words.
    pub heading: String,
    /// Whether any number comes from made data.
    pub made_data: bool,
    /// Zero-shot rows, and for every search its cells and the selected row.
    pub rows: Vec<Row>,
    /// The slope of every trained run.
    pub slopes: Vec<SlopeRow>,
    /// What a reader must know beside the numbers.
    pub notes: Vec<String>,
}
