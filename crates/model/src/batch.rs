//! The sentences of one forward pass, end to end without padding.

use crate::ops::sentences::{Mask, Sentences};

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
    /// The token of each sentence that is read: the mask where a label word is predicted, the first for a classifier, the last of
    /// the prompt in a decoder.
    pub asked: &'a [usize],
}

impl Batch<'_> {
    /// B, the number of sentences.
    pub fn sentences(&self) -> usize {
        self.asked.len()
    }

    /// Position of every token within its sentence, from 0.
    fn positions(&self) -> impl Iterator<Item = usize> {
        self.starts.windows(2).flat_map(|pair| 0..pair[1] - pair[0])
    }
}

/// What a pass sees: one batch that is every probe's, or one for each of batched runs.
///
/// Side by side, the shorter ones are filled up to the longest with rows that belong to no sentence, which nobody reads.
#[derive(Clone, Copy)]
pub(crate) struct Batches<'a> {
    all: &'a [Batch<'a>],
    /// What T is filled up to a multiple of.
    multiple: usize,
}

impl<'a> Batches<'a> {
    pub(crate) fn new(all: &'a [Batch<'a>]) -> Self {
        Self { all, multiple: 1 }
    }

    /// The same, T filled up to a multiple of this: a GPU has kernels and their sizes ready that it has met before.
    pub(crate) fn in_multiples_of(self, multiple: usize) -> Self {
        Self { multiple, ..self }
    }

    /// How many there are.
    pub(crate) fn count(self) -> usize {
        self.all.len()
    }

    /// T vocabulary ids of each.
    pub(crate) fn ids(self) -> Vec<usize> {
        // Any word does: one that a batch has already costs no row of the table.
        let other = self.all.iter().find_map(|batch| batch.ids.first());
        let other = other.map_or(0, |&id| id as usize);
        let ids = |batch: &'a Batch<'a>| batch.ids.iter().map(|&id| id as usize);
        self.filled(self.tokens(), other, ids)
    }

    /// T positions of tokens within their sentences for each.
    pub(crate) fn positions(self) -> Vec<usize> {
        self.filled(self.tokens(), 0, |batch| batch.positions())
    }

    /// B numbers of asked tokens for each.
    pub(crate) fn asked(self) -> Vec<usize> {
        let most = self.all.iter().map(Batch::sentences).max().unwrap_or(0);
        self.filled(most, 0, |batch| batch.asked.iter().copied())
    }

    /// Where the sentences of each lie, and which of their tokens see each other.
    pub(crate) fn sentences(self, mask: Mask) -> Sentences<'a> {
        let starts = self.all.iter().map(|batch| batch.starts).collect();
        let asked = self.all.iter().map(|batch| batch.asked).collect();
        Sentences::new(starts, asked, mask)
    }

    /// T, the tokens of the longest.
    fn tokens(self) -> usize {
        let tokens = self.all.iter().map(|batch| batch.ids.len());
        tokens.max().unwrap_or(0).next_multiple_of(self.multiple)
    }

    /// The items of each, filled up to `length`.
    fn filled<T: Copy, I: Iterator<Item = T>>(
        self,
        length: usize,
        with: T,
        items: impl Fn(&'a Batch<'a>) -> I,
    ) -> Vec<T> {
        let each = self.all.iter();
        each.flat_map(|batch| items(batch).chain(std::iter::repeat(with)).take(length))
            .collect()
    }
}
