//! The text of a spec and its path: what turns a place into an error.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeTable;

use crate::brackets;
use crate::error::SpecError;
use crate::excerpt::Excerpt;
use crate::problem::Problem;

/// The text of a spec and its path.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Source {
    pub(crate) fn error(&self, span: Option<Range<usize>>, problem: Problem) -> SpecError {
        let excerpt = span.map(|span| Excerpt::new(&self.text, span));
        SpecError::new(&self.path, excerpt, problem)
    }

    /// The line of a byte, counted from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.text
            .bytes()
            .take(at)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1
    }

    pub(crate) fn slice(&self, span: Range<usize>) -> &str {
        self.text.get(span).unwrap_or_default()
    }

    /// The tables of the text.
    ///
    /// # Errors
    /// With everything that is no TOML. Of a bracket that is never closed, where it opens and nothing that follows from it.
    pub(crate) fn parse(&self) -> Result<DeTable<'_>, Vec<SpecError>> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        if errors.is_empty() {
            return Ok(Spanned::into_inner(table));
        }
        let unclosed = brackets::unclosed(&self.text);
        let before = |error: &&toml::de::Error| match (&unclosed, error.span()) {
            (Some(unclosed), Some(span)) => span.start < unclosed.at,
            (Some(_), None) => false,
            (None, _) => true,
        };
        // The reader goes on behind what is wrong, and what it makes of the rest of the line is no other fault.
        let mut lines = BTreeSet::new();
        let mut first_of_line = |error: &&toml::de::Error| {
            let line = error.span().map(|span| self.line(span.start));
            line.is_none_or(|line| lines.insert(line))
        };
        let mut said: Vec<SpecError> = errors
            .iter()
            .filter(before)
            .filter(|error| first_of_line(error))
            .map(|error| self.syntax_error(error))
            .collect();
        said.extend(unclosed.map(|unclosed| {
            let span = unclosed.at..unclosed.at + 1;
            let (open, close) = (unclosed.open, unclosed.close);
            self.error(Some(span), Problem::Unclosed { open, close })
        }));
        Err(said)
    }

    fn syntax_error(&self, error: &toml::de::Error) -> SpecError {
        let key = error.span().map(|span| self.slice(span));
        let message = match (error.message(), key) {
            ("duplicate key", Some(key)) => format!("`{key}` is set twice"),
            (message, _) => message.to_owned(),
        };
        self.error(error.span(), Problem::Syntax { message })
    }
}
