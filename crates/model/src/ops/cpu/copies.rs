//! Numbers with a leading probe axis, read.

use std::ops::Range;

use crate::ops::copies::CopyIndex;
use crate::ops::host::Host;

/// `[P or 1, rows, width]`: a copy for each probe, or one that several share.
#[derive(Clone, Copy)]
pub(crate) struct Copies<'a> {
    values: &'a [f32],
    pub(crate) count: usize,
    pub(crate) rows: usize,
    pub(crate) width: usize,
}

impl<'a> Copies<'a> {
    pub(crate) fn of(host: &'a Host<3>) -> Self {
        let [count, rows, width] = host.dims();
        let values = host.values();
        Self {
            values,
            count,
            rows,
            width,
        }
    }

    /// As a probe sees them.
    pub(crate) fn copy(&self, probe: CopyIndex) -> &'a [f32] {
        self.some(probe, 0..self.rows)
    }

    /// Some rows as a probe sees them.
    pub(crate) fn some(&self, probe: CopyIndex, rows: Range<usize>) -> &'a [f32] {
        let first = probe.among(self.count) * self.rows;
        &self.values[(first + rows.start) * self.width..(first + rows.end) * self.width]
    }
}
