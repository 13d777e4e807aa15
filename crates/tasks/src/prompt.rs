//! From a row to token ids: the template filled in, cut to length, with the place of its mask.

use crate::cut::{Cut, Piece, cut_sentences};
use crate::error::TaskError;
use crate::read::Row;
use crate::template::{Case, Part, SentencePart, Template};
use crate::tokenizer::Tokenizer;

/// A row in token ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The tokens, `<s>` and `</s>` included, without padding.
    pub ids: Vec<u32>,
    /// Where in `ids` the token stands whose hidden state is read: the mask, or without prompt the first.
    pub asked: usize,
    /// The class, as an index into the task's classes.
    pub label: usize,
}

/// How long the parts of a prompt and the whole of it may be, in tokens.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) first_sentence: Option<usize>,
    pub(crate) other_sentence: Option<usize>,
    pub(crate) whole: usize,
    pub(crate) cut: Cut,
}

/// A template with its own text already in tokens.
pub(crate) struct Prompt<'a> {
    tokenizer: &'a Tokenizer,
    parts: Vec<Encoded>,
    limits: Limits,
}

/// A part of a template, in tokens where it is the same for every row.
enum Encoded {
    Ids(Vec<u32>),
    Mask,
    Sentence(SentencePart),
}

impl<'a> Prompt<'a> {
    pub(crate) fn new(
        template: &Template,
        tokenizer: &'a Tokenizer,
        limits: Limits,
    ) -> Result<Self, TaskError> {
        let special = tokenizer.special();
        let parts = template
            .parts()
            .iter()
            .map(|part| {
                Ok(match part {
                    Part::Start => Encoded::Ids(vec![special.start]),
                    Part::End => Encoded::Ids(vec![special.end]),
                    Part::Mask => Encoded::Mask,
                    Part::Literal(text) => Encoded::Ids(literal_ids(tokenizer, text)?),
                    Part::Sentence(sentence) => Encoded::Sentence(*sentence),
                })
            })
            .collect::<Result<_, TaskError>>()?;
        Ok(Self {
            tokenizer,
            parts,
            limits,
        })
    }

    /// No prompt: `<s>`, and each sentence as it is with `</s>` after it.
    pub(crate) fn none(sentences: usize, tokenizer: &'a Tokenizer, whole: usize, cut: Cut) -> Self {
        let special = tokenizer.special();
        let as_it_is = |index| {
            Encoded::Sentence(SentencePart {
                index,
                space: false,
                case: Case::Keep,
                drop_last: false,
            })
        };
        let ended = |index| [as_it_is(index), Encoded::Ids(vec![special.end])];
        let start = Encoded::Ids(vec![special.start]);
        Self {
            tokenizer,
            parts: std::iter::once(start)
                .chain((0..sentences).flat_map(ended))
                .collect(),
            limits: Limits {
                first_sentence: None,
                other_sentence: None,
                whole,
                cut,
            },
        }
    }

    pub(crate) fn encode(&self, row: &Row) -> Result<Example, TaskError> {
        let Limits { whole, cut, .. } = self.limits;
        let pieces = self.parts.iter().map(|part| self.piece(part, row));
        let mut pieces = pieces.collect::<Result<Vec<Piece>, TaskError>>()?;
        if cut == Cut::Sentences {
            cut_sentences(&mut pieces, whole);
        }
        let length = pieces.iter().map(|piece| piece.ids.len()).sum();
        if cut == Cut::Sentences && length > whole {
            return Err(TaskError::NoRoom {
                own: length,
                max_length: whole,
            });
        }
        let asked = self.asked(&pieces);
        if asked >= whole {
            return Err(TaskError::MaskCutOff {
                place: row.origin.clone(),
                mask: asked + 1,
                length,
                max_length: whole,
            });
        }
        let mut ids: Vec<u32> = pieces.into_iter().flat_map(|piece| piece.ids).collect();
        ids.truncate(whole);
        Ok(Example {
            ids,
            asked,
            label: row.label,
        })
    }

    fn piece(&self, part: &Encoded, row: &Row) -> Result<Piece, TaskError> {
        Ok(match part {
            Encoded::Ids(own) => Piece {
                ids: own.clone(),
                sentence: false,
            },
            Encoded::Mask => Piece {
                ids: vec![self.tokenizer.special().mask],
                sentence: false,
            },
            Encoded::Sentence(part) => {
                let text = shaped(part, &row.sentences[part.index]);
                let mut ids = self.tokenizer.encode(&text)?;
                ids.truncate(self.sentence_limit(part.index).unwrap_or(usize::MAX));
                Piece {
                    ids,
                    sentence: true,
                }
            }
        })
    }

    /// The tokens before the mask; without a mask the first token is the one that is read.
    fn asked(&self, pieces: &[Piece]) -> usize {
        let mask = self
            .parts
            .iter()
            .position(|part| matches!(part, Encoded::Mask));
        let before = &pieces[..mask.unwrap_or(0)];
        before.iter().map(|piece| piece.ids.len()).sum()
    }

    fn sentence_limit(&self, index: usize) -> Option<usize> {
        if index == 0 {
            self.limits.first_sentence
        } else {
            self.limits.other_sentence
        }
    }
}

/// The tokens of a template's own text. One character alone is a vocabulary entry without a space, as published;
/// where the vocabulary lacks it (the published code then takes `<unk>`, which no one wants) it is text like any other.
fn literal_ids(tokenizer: &Tokenizer, text: &str) -> Result<Vec<u32>, TaskError> {
    let single = text.chars().count() == 1;
    match tokenizer.token_id(text).filter(|_| single) {
        Some(id) => Ok(vec![id]),
        None => tokenizer.encode(text),
    }
}

/// A sentence as its part of the template wants it. Only the first character changes case; the last character is
/// dropped whatever it is.
fn shaped(part: &SentencePart, sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len() + 1);
    if part.space {
        text.push(' ');
    }
    let mut rest = sentence.chars();
    match part.case {
        Case::Keep => {}
        Case::Lower => text.extend(rest.next().into_iter().flat_map(char::to_lowercase)),
        Case::Upper => text.extend(rest.next().into_iter().flat_map(char::to_uppercase)),
    }
    text.push_str(rest.as_str());
    if part.drop_last && !sentence.is_empty() {
        text.pop();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::shaped;
    use crate::template::{Case, SentencePart};

    fn shape(space: bool, case: Case, drop_last: bool, text: &str) -> String {
        let part = SentencePart {
            index: 0,
            space,
            case,
            drop_last,
        };
        shaped(&part, text)
    }

    #[test]
    fn sentences_take_their_shape() {
        assert_eq!(shape(false, Case::Keep, false, "A b. "), "A b. ");
        assert_eq!(
            shape(true, Case::Lower, false, "Élan Vital."),
            " élan Vital."
        );
        assert_eq!(shape(false, Case::Upper, true, "élan."), "Élan");
        assert_eq!(shape(true, Case::Keep, true, ""), " ");
        assert_eq!(shape(false, Case::Lower, true, "A"), "");
        assert_eq!(shape(true, Case::Lower, true, ""), " ");
    }
}
