//! The template grammar (MEZO.md, section 3), parsed into typed parts.
//!
//! A template is split at `*`; what is empty between two stars is nothing. A part is `cls` or `bos`, `mask`, `sep`,
//! `sep+` or `eos`, a sentence, or literal text in which `_` means a space. A sentence is
//! `[+]sent[l|u][-]_<number>`: `+` puts one space before it, `l` and `u` turn its first character into a small or a
//! capital letter, `-` drops its last character.

use std::fmt;

use crate::template_error::{TemplateError, TemplateProblem};

static FIXED: [(&str, Part); 6] = [
    ("cls", Part::Start),
    ("bos", Part::Start),
    ("mask", Part::Mask),
    ("sep", Part::End),
    ("sep+", Part::End),
    ("eos", Part::End),
];

/// A parsed template, with its text as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    text: String,
    parts: Vec<Part>,
}

/// One part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// `<s>`.
    Start,
    /// `</s>`.
    End,
    /// `<mask>`.
    Mask,
    /// Text of the template's own, underscores already turned into spaces.
    Literal(String),
    /// A sentence of the row.
    Sentence(SentencePart),
}

/// A sentence of the row and what is done to its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SentencePart {
    /// Which sentence, from 0.
    pub index: usize,
    /// Whether one space is put before it.
    pub space: bool,
    /// What becomes of its first character.
    pub case: Case,
    /// Whether its last character is dropped.
    pub drop_last: bool,
}

/// What becomes of a sentence's first character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// It stays as it is.
    Keep,
    /// It becomes a small letter.
    Lower,
    /// It becomes a capital letter.
    Upper,
}

impl Template {
    /// Parses a template for rows of `sentences` sentences.
    pub fn parse(text: &str, sentences: usize) -> Result<Self, TemplateError> {
        let fail = |column, problem| TemplateError {
            template: text.to_owned(),
            column,
            problem,
        };
        let end = text.chars().count() + 1;
        let mut column = 1;
        let mut parts = Vec::new();
        for piece in text.split('*') {
            if !piece.is_empty() {
                let part = parse_part(piece).map_err(|problem| fail(column, problem))?;
                if part == Part::Mask && parts.contains(&Part::Mask) {
                    return Err(fail(column, TemplateProblem::SecondMask));
                }
                if let Part::Sentence(SentencePart { index, .. }) = part
                    && index >= sentences
                {
                    return Err(fail(
                        column,
                        TemplateProblem::SentenceIndex { index, sentences },
                    ));
                }
                parts.push(part);
            }
            column += piece.chars().count() + 1;
        }
        if !parts.contains(&Part::Mask) {
            return Err(fail(end, TemplateProblem::NoMask));
        }
        if !parts.iter().any(|part| matches!(part, Part::Sentence(_))) {
            return Err(fail(end, TemplateProblem::NoSentence));
        }
        Ok(Self {
            text: text.to_owned(),
            parts,
        })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_part(piece: &str) -> Result<Part, TemplateProblem> {
    if let Some((_, part)) = FIXED.iter().find(|(name, _)| *name == piece) {
        return Ok(part.clone());
    }
    if let Some(sentence) = parse_sentence(piece) {
        return Ok(Part::Sentence(sentence));
    }
    match meant(piece) {
        Some(nearest) => Err(TemplateProblem::UnknownPart {
            part: piece.to_owned(),
            nearest,
        }),
        None => Ok(Part::Literal(piece.replace('_', " "))),
    }
}

fn parse_sentence(piece: &str) -> Option<SentencePart> {
    let (space, rest) = strip(piece, "+");
    let rest = rest.strip_prefix("sent")?;
    let (lower, rest) = strip(rest, "l");
    let (upper, rest) = if lower {
        (false, rest)
    } else {
        strip(rest, "u")
    };
    let (drop_last, rest) = strip(rest, "-");
    let digits = rest.strip_prefix('_')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let case = match (lower, upper) {
        (true, _) => Case::Lower,
        (_, true) => Case::Upper,
        _ => Case::Keep,
    };
    Some(SentencePart {
        index: digits.parse().ok()?,
        space,
        case,
        drop_last,
    })
}

fn strip<'a>(text: &'a str, prefix: &str) -> (bool, &'a str) {
    match text.strip_prefix(prefix) {
        Some(rest) => (true, rest),
        None => (false, text),
    }
}

/// The special part that a literal was perhaps meant to be. The grammar takes anything unknown as text, so that a
/// slip of the pen would silently become part of the prompt; text that begins with a space is never taken for one.
fn meant(piece: &str) -> Option<String> {
    if piece.starts_with(['_', ' ']) {
        return None;
    }
    let bare = piece.trim_matches(['<', '>', '[', ']']).to_lowercase();
    let close = FIXED
        .iter()
        .find(|(name, _)| strsim::osa_distance(name, &bare) <= 1);
    if let Some((name, _)) = close {
        return Some((*name).to_owned());
    }
    let stem = bare.trim_start_matches('+');
    let number: String = stem.chars().filter(char::is_ascii_digit).collect();
    let number = if number.is_empty() { "0" } else { &number };
    let sentence = format!("sent_{number}");
    let sentence_like = stem.starts_with("sent")
        || stem.starts_with("label_")
        || stem.starts_with("labelx_")
        || strsim::osa_distance(&sentence, stem) <= 1;
    sentence_like.then_some(sentence)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Case, Part, SentencePart, Template};

    fn sentence(index: usize, space: bool, case: Case, drop_last: bool) -> Part {
        Part::Sentence(SentencePart {
            index,
            space,
            case,
            drop_last,
        })
    }

    #[test]
    fn published_templates_parse() {
        let template = Template::parse("*cls**sent-_0*?*mask*,*+sentl_1**sep+*", 2).unwrap();
        let expected = [
            Part::Start,
            sentence(0, false, Case::Keep, true),
            Part::Literal("?".to_owned()),
            Part::Mask,
            Part::Literal(",".to_owned()),
            sentence(1, true, Case::Lower, false),
            Part::End,
        ];
        assert_eq!(template.parts(), expected);
        let template = Template::parse("*cls**sent_0*_It_was*mask*.*sep+*", 1).unwrap();
        assert_eq!(template.parts()[2], Part::Literal(" It was".to_owned()));
    }

    #[test]
    fn every_sentence_form_parses() {
        for (form, space, case, drop_last) in [
            ("sent_0", false, Case::Keep, false),
            ("+sent_0", true, Case::Keep, false),
            ("sent-_0", false, Case::Keep, true),
            ("sentl_0", false, Case::Lower, false),
            ("sentl-_0", false, Case::Lower, true),
            ("+sentl_0", true, Case::Lower, false),
            ("sentu_0", false, Case::Upper, false),
            ("+sentu_0", true, Case::Upper, false),
            ("+sentu-_0", true, Case::Upper, true),
        ] {
            let template = Template::parse(&format!("*{form}**mask*"), 1).unwrap();
            assert_eq!(
                template.parts()[0],
                sentence(0, space, case, drop_last),
                "{form}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (text, expected) in [
            (
                "*cls**sent_0*_It_was*maks*.",
                "character 22: unknown part \"maks\", expected perhaps \"mask\"",
            ),
            (
                "*cls**sent_0*_It_was*<mask>*.",
                "character 22: unknown part \"<mask>\", expected perhaps \"mask\"",
            ),
            (
                "*CLS**sent_0**mask*",
                "character 2: unknown part \"CLS\", expected perhaps \"cls\"",
            ),
            (
                "*cls**snet_0**mask*",
                "character 7: unknown part \"snet_0\", expected perhaps \"sent_0\"",
            ),
            (
                "*cls**sent_**mask*",
                "character 7: unknown part \"sent_\", expected perhaps \"sent_0\"",
            ),
            (
                "*cls**label_1**mask*",
                "character 7: unknown part \"label_1\", expected perhaps \"sent_1\"",
            ),
            (
                "*cls**sent_0*_It_was.",
                "character 22: no mask, expected exactly one *mask*",
            ),
            (
                "*mask**sent_0**mask*",
                "character 16: a second mask, expected exactly one *mask*",
            ),
            (
                "*cls*_It_was*mask*",
                "character 19: no sentence, expected *sent_0* or another",
            ),
            (
                "*sent_1**mask*",
                "character 2: sentence 1, expected less than 1: rows of this task have 1",
            ),
        ] {
            let error = Template::parse(text, 1).unwrap_err();
            assert_eq!(error.to_string(), format!("template {text:?}, {expected}"));
        }
    }

    #[test]
    fn ordinary_text_stays_text() {
        for literal in [
            ".",
            "?",
            "_mask_",
            "_sent_0",
            "_set",
            "This_film",
            ":_",
            "it",
        ] {
            let template = Template::parse(&format!("*sent_0*{literal}*mask*"), 1).unwrap();
            assert_eq!(
                template.parts()[1],
                Part::Literal(literal.replace('_', " "))
            );
        }
    }
}
