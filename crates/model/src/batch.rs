//! The sentences of one forward pass, end to end without padding.

/// A packed batch, borrowed from whoever made it.
///
/// # Shapes
/// T tokens, B sentences: `ids` T, `starts` B + 1 (the last is T), `asked` B token numbers
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// Vocabulary ids of all tokens.
    pub ids: &'a [u32],
    /// First token of each sentence, and T at the end.
    pub starts: &'a [usize],
    /// The token of each sentence that is read: the mask where a label word is predicted, the first for a classifier.
    pub asked: &'a [usize],
}

impl Batch<'_> {
    /// B, the number of sentences.
    pub fn sentences(&self) -> usize {
        self.asked.len()
    }

    /// Position of every token within its sentence, from 0.
    pub(crate) fn positions(&self) -> impl Iterator<Item = usize> {
        self.starts.windows(2).flat_map(|pair| 0..pair[1] - pair[0])
    }
}
