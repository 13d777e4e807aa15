//! Letting a failed run be tried again.

use mezo_run::{Lease, RunError, add_retry};

use crate::state::Run;

/// Lets a failed run be resumed by whoever comes next; what failed stays on record.
///
/// # Errors
/// If another process has resumed it meanwhile, or it cannot be written down.
pub fn retry(run: &Run) -> Result<(), RunError> {
    // Held for this moment, so that nobody reads the attempts while they change.
    let _lease = Lease::take(&run.dir)?;
    add_retry(&run.dir)
}
