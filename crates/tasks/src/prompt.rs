//! From a row to token ids: the template filled in, cut to length, with the place of its mask.

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
}

/// A template with its own text already in tokens.
pub(crate) struct Prompt<'a> {
    tokenizer: &'a Tokenizer,
    pieces: Vec<Piece>,
    limits: Limits,
}

enum Piece {
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
        let pieces = template
            .parts()
            .iter()
            .map(|part| {
                Ok(match part {
                    Part::Start => Piece::Ids(vec![special.start]),
                    Part::End => Piece::Ids(vec![special.end]),
                    Part::Mask => Piece::Mask,
                    Part::Literal(text) => Piece::Ids(literal_ids(tokenizer, text)?),
                    Part::Sentence(sentence) => Piece::Sentence(*sentence),
                })
            })
            .collect::<Result<_, TaskError>>()?;
        Ok(Self {
            tokenizer,
            pieces,
            limits,
        })
    }

    /// No prompt: `<s>`, and each sentence as it is with `</s>` after it.
    pub(crate) fn none(sentences: usize, tokenizer: &'a Tokenizer, whole: usize) -> Self {
        let special = tokenizer.special();
        let as_it_is = |index| {
            Piece::Sentence(SentencePart {
                index,
                space: false,
                case: Case::Keep,
                drop_last: false,
            })
        };
        let ended = |index| [as_it_is(index), Piece::Ids(vec![special.end])];
        let start = Piece::Ids(vec![special.start]);
        Self {
            tokenizer,
            pieces: std::iter::once(start)
                .chain((0..sentences).flat_map(ended))
                .collect(),
            limits: Limits {
                first_sentence: None,
                other_sentence: None,
                whole,
            },
        }
    }

    pub(crate) fn encode(&self, row: &Row) -> Result<Example, TaskError> {
        let mut ids = Vec::new();
        // Without a mask the first token is read.
        let mut asked = 0;
        for piece in &self.pieces {
            match piece {
                Piece::Ids(own) => ids.extend_from_slice(own),
                Piece::Mask => {
                    asked = ids.len();
                    ids.push(self.tokenizer.special().mask);
                }
                Piece::Sentence(part) => {
                    let text = shaped(part, &row.sentences[part.index]);
                    let mut tokens = self.tokenizer.encode(&text)?;
                    if let Some(limit) = self.sentence_limit(part.index) {
                        tokens.truncate(limit);
                    }
                    ids.append(&mut tokens);
                }
            }
        }
        if asked >= self.limits.whole {
            return Err(TaskError::MaskCutOff {
                place: row.origin.clone(),
                mask: asked + 1,
                length: ids.len(),
                max_length: self.limits.whole,
            });
        }
        ids.truncate(self.limits.whole);
        Ok(Example {
            ids,
            asked,
            label: row.label,
        })
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
