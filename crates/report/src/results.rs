//! From runs to their results table.

use crate::notes;
use crate::rows::{Baselines, cell_rows, choice_rows};
use crate::searches::{heading, searches};
use crate::slope_rows::slope_rows;
use crate::sweep_runs::SweepRuns;
use crate::table::Table;

/// The results table of a sweep.
pub fn table(runs: &SweepRuns) -> Table {
    let searches = searches(runs);
    let baselines = Baselines::of(runs);
    let mut rows = Vec::new();
    for search in &searches {
        rows.extend(cell_rows(search, &baselines));
        rows.extend(choice_rows(search, &baselines));
    }
    let slopes = slope_rows(runs);
    Table {
        sweep: runs.sweep.clone(),
        heading: heading(&searches, runs.made_data()),
        made_data: runs.made_data(),
        notes: notes::notes(runs, &rows, &slopes),
        rows,
        slopes,
    }
}
