//! What can be wrong with a template, and where.

use std::fmt;

/// A template that cannot be used, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {template:?}, character {column}: {problem}")]
pub struct TemplateError {
    /// The template as it was written.
    pub template: String,
    /// The character, from 1, at which the trouble begins.
    pub column: usize,
    /// What is wrong.
    pub problem: TemplateProblem,
}

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateProblem {
    /// A part that looks like a special one and is none.
    UnknownPart {
        /// The part as written.
        part: String,
        /// What it was perhaps meant to be.
        nearest: String,
    },
    /// No mask anywhere.
    NoMask,
    /// A second mask.
    SecondMask,
    /// No sentence anywhere: all prompts would be the same.
    NoSentence,
    /// A sentence that the rows of the task have not.
    SentenceIndex {
        /// The sentence asked for, from 0.
        index: usize,
        /// How many sentences a row has.
        sentences: usize,
    },
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownPart { part, nearest } => {
                write!(f, "unknown part {part:?}, expected perhaps {nearest:?}")
            }
            Self::NoMask => write!(f, "no mask, expected exactly one *mask*"),
            Self::SecondMask => write!(f, "a second mask, expected exactly one *mask*"),
            Self::NoSentence => write!(f, "no sentence, expected *sent_0* or another"),
            Self::SentenceIndex { index, sentences } => write!(
                f,
                "sentence {index}, expected less than {sentences}: rows of this task have {sentences}"
            ),
        }
    }
}

impl TemplateError {
    /// The way out.
    pub fn hint(&self) -> String {
        match &self.problem {
            TemplateProblem::UnknownPart { .. } => {
                "parts are cls, mask, sep, sep+ and [+]sent[l|u][-]_0; text that looks like one of them needs a \
                 space (written _) before it"
                    .to_owned()
            }
            TemplateProblem::NoMask | TemplateProblem::SecondMask => {
                "the published template of SST-2 is *cls**sent_0*_It_was*mask*.*sep+*".to_owned()
            }
            TemplateProblem::NoSentence | TemplateProblem::SentenceIndex { .. } => {
                "sentences count from 0: *sent_0* is the first".to_owned()
            }
        }
    }
}
