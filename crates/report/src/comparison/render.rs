//! The forms of a comparison.

use super::Comparison;
use super::footnotes::letters;
use crate::format::{Format, latex_text, markdown_text};

mod csv;
mod human;
mod json;
mod latex;
mod markdown;
mod texts;

impl Comparison {
    /// The whole comparison in one form, ending in a line break.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Human => human::render(self),
            Format::Markdown => markdown::render(self),
            Format::Csv => csv::render(self),
            Format::Latex => latex::render(self),
            Format::Json => json::render(self),
        }
    }

    /// Notes, and footnotes each after its letters.
    fn lines(&self) -> Vec<String> {
        let footnotes = self.footnotes.iter().enumerate();
        let footnotes = footnotes.map(|(mark, text)| format!("{}: {text}", letters(mark)));
        self.notes.iter().cloned().chain(footnotes).collect()
    }
}
