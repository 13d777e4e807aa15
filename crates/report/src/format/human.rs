//! For a terminal: plain text without colour, as wide as it needs to be.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;

use super::text_grid::TextGrid;
use crate::table::Table;

pub(super) fn render(table: &Table) -> String {
    let TextGrid { headers, rows } = TextGrid::new(table);
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(UTF8_HORIZONTAL_ONLY);
    drawn.set_header(headers);
    drawn.add_rows(rows);
    let mut text = format!("{}: {}\n{}\n", table.sweep, table.heading, drawn.trim_fmt());
    for note in &table.notes {
        text.push_str(&format!("- {note}\n"));
    }
    text
}
