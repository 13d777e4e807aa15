//! Where the sentences of a pass lie, and which tokens a token sees.

use std::ops::Range;
#[cfg(feature = "cube")]
use std::sync::OnceLock;

use super::copies::CopyIndex;
#[cfg(feature = "cube")]
use super::gpu::Spans;
use crate::dropout::Site;

/// Which tokens of its own sentence a token sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mask {
    /// All of them, as in an encoder.
    Sentence,
    /// Itself and those before it, as in a decoder.
    #[cfg_attr(not(test), expect(dead_code, reason = "no family is a decoder yet"))]
    Causal,
}

/// The sentences of each batch: made once for all layers of a pass.
pub(crate) struct Sentences<'a> {
    starts: Vec<&'a [usize]>,
    asked: Vec<&'a [usize]>,
    mask: Mask,
    /// The same on the device, once a layer there has asked.
    #[cfg(feature = "cube")]
    there: OnceLock<Spans>,
}

impl<'a> Sentences<'a> {
    /// For each batch the first token of each sentence with the number of tokens at the end, and each sentence's asked token.
    pub(crate) fn new(starts: Vec<&'a [usize]>, asked: Vec<&'a [usize]>, mask: Mask) -> Self {
        Self {
            starts,
            asked,
            mask,
            #[cfg(feature = "cube")]
            there: OnceLock::new(),
        }
    }

    /// The starts of each batch.
    pub(crate) fn starts(&self) -> &[&'a [usize]] {
        &self.starts
    }

    /// The starts of the batch that a copy sees.
    pub(crate) fn seen_by(&self, copy: CopyIndex) -> &'a [usize] {
        self.starts[copy.among(self.starts.len())]
    }

    pub(crate) fn mask(&self) -> Mask {
        self.mask
    }

    /// Which rows the queries of `tokens` tokens see, on the device.
    #[cfg(feature = "cube")]
    pub(crate) fn there(&self, tokens: usize) -> &Spans {
        self.there.get_or_init(|| {
            let most = self.starts.iter().map(|starts| starts.len() - 1).max();
            let sizes = [tokens, most.unwrap_or(0)];
            let asked = match self.mask {
                Mask::Sentence => None,
                Mask::Causal => Some(self.asked.as_slice()),
            };
            Spans::new(&self.starts, asked, sizes)
        })
    }
}

/// Which of the sentences' tokens ask, and how. Rows that belong to no sentence give zeros.
#[derive(Clone, Copy)]
pub(crate) struct Layout<'a> {
    /// In the batch that all probes see, or in that of each run.
    pub(crate) sentences: &'a Sentences<'a>,
    /// True when every token asks, false when one row a sentence does (the last layer's asked tokens).
    pub(crate) every_token: bool,
    /// Attention heads.
    pub(crate) heads: usize,
    /// Where some of the weights are dropped; only the plain version can.
    pub(crate) dropout: Option<Site>,
}

impl Layout<'_> {
    /// The rows of the queries that belong to some sentences with these starts.
    pub(crate) fn queries(&self, starts: &[usize], sentences: Range<usize>) -> Range<usize> {
        match self.every_token {
            true => starts[sentences.start]..starts[sentences.end],
            false => sentences,
        }
    }

    /// How many tokens of its sentence, from the first on, a query sees. `query` is its place among the sentence's queries.
    pub(crate) fn sees(&self, copy: CopyIndex, sentence: usize, query: usize) -> usize {
        let starts = self.sentences.seen_by(copy);
        match (self.sentences.mask, self.every_token) {
            (Mask::Sentence, _) => starts[sentence + 1] - starts[sentence],
            (Mask::Causal, true) => query + 1,
            (Mask::Causal, false) => {
                let asked = &self.sentences.asked;
                asked[copy.among(asked.len())][sentence] + 1 - starts[sentence]
            }
        }
    }
}
