//! What becomes of rows that are too long.

pub use mezo_spec::Cut;

/// One piece of a row in tokens.
pub(crate) struct Piece {
    pub(crate) ids: Vec<u32>,
    pub(crate) sentence: bool,
}

/// Shortens sentences by [`Cut::Sentences`] until all pieces together have at most `whole` tokens, or no sentence has
/// any.
pub(crate) fn cut_sentences(pieces: &mut [Piece], whole: usize) {
    let total: usize = pieces.iter().map(|piece| piece.ids.len()).sum();
    for _ in whole..total {
        let sentences = pieces.iter_mut().filter(|piece| piece.sentence);
        if let Some(longest) = sentences.max_by_key(|piece| piece.ids.len()) {
            longest.ids.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, cut_sentences};
    use proptest::prelude::*;

    fn cut(lengths: &[(bool, usize)], whole: usize) -> Vec<usize> {
        let piece = |&(sentence, length): &(bool, usize)| Piece {
            ids: (0..length as u32).collect(),
            sentence,
        };
        let mut pieces: Vec<Piece> = lengths.iter().map(piece).collect();
        cut_sentences(&mut pieces, whole);
        for piece in &pieces {
            assert!(piece.ids.iter().copied().eq(0..piece.ids.len() as u32));
        }
        pieces.iter().map(|piece| piece.ids.len()).collect()
    }

    #[test]
    fn the_longest_goes_first_and_of_equals_the_later() {
        let pair = [(false, 1), (true, 9), (false, 3), (true, 5), (false, 1)];
        assert_eq!(cut(&pair, 19), [1, 9, 3, 5, 1]);
        assert_eq!(cut(&pair, 16), [1, 6, 3, 5, 1]);
        assert_eq!(cut(&pair, 14), [1, 5, 3, 4, 1]);
        assert_eq!(cut(&pair, 13), [1, 4, 3, 4, 1]);
        assert_eq!(cut(&pair, 5), [1, 0, 3, 0, 1]);
        assert_eq!(cut(&pair, 4), [1, 0, 3, 0, 1]);
    }

    proptest! {
        #[test]
        fn what_is_left_fits_and_no_more_is_cut(
            lengths in prop::collection::vec((any::<bool>(), 0usize..40), 0..7),
            whole in 0usize..150,
        ) {
            let left = cut(&lengths, whole);
            let total: usize = lengths.iter().map(|(_, length)| length).sum();
            let own: usize = lengths.iter().filter(|piece| !piece.0).map(|piece| piece.1).sum();
            prop_assert_eq!(left.iter().sum::<usize>(), total.min(whole.max(own)));
            for (&(sentence, length), &left) in lengths.iter().zip(&left) {
                prop_assert!(left == length || sentence && left < length);
            }
        }
    }
}
