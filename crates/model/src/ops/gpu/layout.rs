//! Where sentences lie, on the device.

use std::sync::OnceLock;

use cubecl::client::Client;
use cubecl::prelude::*;

use super::{Words, upload};

/// Where the sentences of some batches lie. Made once for all layers; what the device needs of it goes up at the first use.
pub(crate) struct Layout {
    pub(super) batches: usize,
    pub(super) tokens: Spans,
    pub(super) sentences: Spans,
}

/// For each row that asks, the tokens it sees: from the first one to behind the last. A row of no sentence sees none.
pub(super) struct Spans {
    pub(super) rows: usize,
    words: Vec<u32>,
    uploaded: OnceLock<Words>,
}

impl Spans {
    fn new(rows: usize, batches: impl Iterator<Item = Vec<[usize; 2]>>) -> Self {
        let of_batch = |mut spans: Vec<[usize; 2]>| {
            assert!(spans.len() <= rows, "more rows that ask than {rows}");
            spans.resize(rows, [0, 0]);
            spans
        };
        let words = batches.flat_map(of_batch).flatten();
        Self {
            rows,
            words: words.map(|word| word as u32).collect(),
            uploaded: OnceLock::new(),
        }
    }

    /// The words on the device, from the second time on those of the first.
    pub(super) fn arg(&self, client: &Client) -> BufferArg {
        let upload = || upload(client, &self.words);
        self.uploaded.get_or_init(upload).arg()
    }
}

impl Layout {
    /// Batches with the first token of each sentence and the number of tokens at the end, filled up to so many tokens and
    /// sentences. With the asked token of each sentence a token sees itself and those before it; without, all of its sentence.
    ///
    /// # Panics
    /// If a batch has more of them.
    pub(crate) fn new(
        starts: &[&[usize]],
        asked: Option<&[&[usize]]>,
        [tokens, sentences]: [usize; 2],
    ) -> Self {
        let of_sentences = |batch: usize| -> Vec<[usize; 2]> {
            let spans = starts[batch].windows(2).enumerate();
            let end = |sentence, end| asked.map_or(end, |asked| asked[batch][sentence] + 1);
            spans
                .map(|(sentence, pair)| [pair[0], end(sentence, pair[1])])
                .collect()
        };
        let of_tokens = |batch: usize| {
            let starts = starts[batch];
            let before = starts.first().map_or(0, |&first| first);
            let mut spans = vec![[0, 0]; before];
            for pair in starts.windows(2) {
                let end = |token| if asked.is_some() { token + 1 } else { pair[1] };
                spans.extend((pair[0]..pair[1]).map(|token| [pair[0], end(token)]));
            }
            spans
        };
        let each = || 0..starts.len();
        Self {
            batches: starts.len(),
            tokens: Spans::new(tokens, each().map(of_tokens)),
            sentences: Spans::new(sentences, each().map(of_sentences)),
        }
    }

    /// Those of the rows that ask.
    pub(super) fn spans(&self, every_token: bool) -> &Spans {
        match every_token {
            true => &self.tokens,
            false => &self.sentences,
        }
    }
}
