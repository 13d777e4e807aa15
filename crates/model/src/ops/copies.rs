//! Copies along the probe axis, and which copy of an argument a copy of a result sees.

/// A copy of a result: a number below `of`, the count of them all.
///
/// The copies of a run's probes follow each other. So the copies of an argument that has fewer, one for each run or one for
/// all, are each seen by as many neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyIndex {
    pub(crate) number: usize,
    pub(crate) of: usize,
}

impl CopyIndex {
    /// All copies of a result.
    pub(crate) fn all(of: usize) -> impl Iterator<Item = Self> {
        (0..of).map(move |number| Self { number, of })
    }

    /// Which of an argument's `count` copies it sees; `count` divides the number of all.
    pub(crate) fn among(self, count: usize) -> usize {
        self.number * count / self.of
    }
}
