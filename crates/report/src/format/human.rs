//! For a terminal: plain text without colour. Columns that say the same in every row are left to the
//! heading, and headers stand on several lines, so that the table fits a wide terminal.

use comfy_table::{LineStyle, TableStyle};

use super::text_grid::{Columns, TextGrid};
use crate::table::Table;

/// Lines above, under the header and below; none between rows.
const STYLE: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

/// An empty table in the terminal's style.
pub(crate) fn human_table() -> comfy_table::Table {
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(STYLE);
    drawn
}

pub(super) fn render(table: &Table) -> String {
    let TextGrid { headers, rows } = TextGrid::new(table, Columns::Telling);
    let mut drawn = human_table();
    drawn.set_header(
        headers
            .iter()
            .map(|header| header.replace(", ", "\n").replace(" (", "\n(")),
    );
    for mut texts in rows {
        texts[0] = texts[0].replace(", ", "\n");
        drawn.add_row(texts);
    }
    let mut text = format!("{}: {}\n{}\n", table.sweep, table.heading, drawn.trim_fmt());
    for note in &table.notes {
        text.push_str(&format!("- {note}\n"));
    }
    text
}
