//! GitHub's Markdown.

use super::text_grid::{Columns, TextGrid};
use crate::rows::RowKind;
use crate::table::Table;

pub(super) fn render(table: &Table) -> String {
    let grid = TextGrid::new(table, Columns::Usual);
    let mut text = format!("# {}\n\n{}\n\n", table.sweep, table.heading);
    text.push_str(&line(&grid.headers));
    text.push_str(&line(&vec!["---".to_owned(); grid.headers.len()]));
    for (row, texts) in table.rows.iter().zip(grid.rows) {
        let bold = |text: String| {
            if text == "-" {
                text
            } else {
                format!("**{text}**")
            }
        };
        let texts: Vec<String> = texts.into_iter().map(|text| markdown_text(&text)).collect();
        text.push_str(&line(&match row.kind {
            RowKind::Selected => texts.into_iter().map(bold).collect(),
            _ => texts,
        }));
    }
    text.push('\n');
    for note in &table.notes {
        text.push_str(&format!("- {}\n", markdown_text(note)));
    }
    text
}

fn line(texts: &[String]) -> String {
    format!("| {} |\n", texts.join(" | "))
}

/// A template's stars and underscores, and bars, would else become Markdown.
pub(crate) fn markdown_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '|' | '*' | '_' | '<' | '\\' | '`') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}
