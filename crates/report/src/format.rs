//! The forms in which a results table is printed: one file a form.

use std::fmt;
use std::str::FromStr;

use crate::error::ReportError;
use crate::table::Table;

mod csv;
mod human;
mod json;
mod latex;
mod markdown;
mod text_grid;

pub(crate) use human::human_table;
pub(crate) use latex::latex_text;
pub(crate) use markdown::markdown_text;

/// A form of the results table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For a terminal.
    Human,
    /// GitHub's Markdown.
    Markdown,
    /// Comma-separated, numbers unrounded.
    Csv,
    /// A LaTeX table that needs no package.
    Latex,
    /// JSON, numbers unrounded.
    Json,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::Human,
        Self::Markdown,
        Self::Csv,
        Self::Latex,
        Self::Json,
    ];

    /// The word for it on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Markdown => "md",
            Self::Csv => "csv",
            Self::Latex => "latex",
            Self::Json => "json",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl FromStr for Format {
    type Err = ReportError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|format| format.word() == word);
        known.ok_or_else(|| ReportError::UnknownFormat {
            found: word.to_owned(),
            expected: "human, json, csv, md, latex",
        })
    }
}

impl Table {
    /// The whole table in one form, ending in a line break.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Human => human::render(self),
            Format::Markdown => markdown::render(self),
            Format::Csv => csv::render(self),
            Format::Latex => latex::render(self),
            Format::Json => json::render(self),
        }
    }
}
