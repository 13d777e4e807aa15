//! A LaTeX table that needs no package.

use super::text_grid::{Columns, TextGrid};
use crate::table::Table;

pub(super) fn render(table: &Table) -> String {
    let grid = TextGrid::new(table, Columns::Usual);
    let columns = "l".to_owned() + &"r".repeat(grid.headers.len() - 1);
    let mut text =
        format!("\\begin{{table}}\n\\centering\n\\begin{{tabular}}{{{columns}}}\n\\hline\n");
    text.push_str(&line(&grid.headers));
    text.push_str("\\hline\n");
    let mut choice_before = false;
    for (row, texts) in table.rows.iter().zip(&grid.rows) {
        let choice = row.kind.is_choice();
        if choice_before && !choice {
            text.push_str("\\hline\n");
        }
        text.push_str(&line(texts));
        choice_before = choice;
    }
    text.push_str(&format!(
        "\\hline\n\\end{{tabular}}\n\\caption{{{}: {}.}}\n\\par\\footnotesize\n",
        latex_text(&table.sweep),
        latex_text(&table.heading)
    ));
    for note in &table.notes {
        text.push_str(&format!("\\par\\noindent {}.\n", latex_text(note)));
    }
    text.push_str("\\end{table}\n");
    text
}

fn line(texts: &[String]) -> String {
    let escaped: Vec<String> = texts.iter().map(|text| latex_text(text)).collect();
    format!("{} \\\\\n", escaped.join(" & "))
}

/// Text with what LaTeX would read as its own made harmless.
pub(crate) fn latex_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(character);
            }
            '\\' => escaped.push_str("\\textbackslash{}"),
            '~' => escaped.push_str("\\textasciitilde{}"),
            '^' => escaped.push_str("\\textasciicircum{}"),
            '<' => escaped.push_str("\\textless{}"),
            '>' => escaped.push_str("\\textgreater{}"),
            _ => escaped.push(character),
        }
    }
    escaped
}
