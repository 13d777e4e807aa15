//! Comma-separated, a column a number, numbers unrounded.

use crate::columns::{COLUMNS, Column, RARE};
use crate::csv_text::csv_text;
use crate::rows::Row;
use crate::sources;
use crate::table::Table;

const SETTINGS: [&str; 12] = [
    "model",
    "task",
    "k",
    "method",
    "tuning",
    "lr",
    "eps",
    "batch_size",
    "weight_decay",
    "steps",
    "template",
    "protocol",
];

pub(super) fn render(table: &Table) -> String {
    let mut lines = vec![headers()];
    lines.extend(table.rows.iter().map(|row| fields(row, table.made_data)));
    csv_text(&lines)
}

fn columns() -> impl Iterator<Item = &'static Column> {
    COLUMNS.iter().chain(&RARE)
}

fn headers() -> Vec<String> {
    let mut headers = vec!["row".to_owned()];
    headers.extend(SETTINGS.map(str::to_owned));
    headers.push("method_label".to_owned());
    headers.extend(sources::NAMES.map(str::to_owned));
    headers.push("seeds".to_owned());
    headers.extend(columns().flat_map(Column::names));
    headers.push("made_data".to_owned());
    headers
}

fn fields(row: &Row, made_data: bool) -> Vec<String> {
    let mut fields = vec![row.kind.word().to_owned()];
    fields.extend(SETTINGS.map(|name| row.setting_or(name, "").to_owned()));
    fields.push(row.method.clone());
    // Given only where rows would be alike without.
    fields.extend(sources::NAMES.map(|name| row.setting(name).unwrap_or("").to_owned()));
    fields.push(
        row.seeds
            .iter()
            .map(u64::to_string)
            .collect::<Vec<_>>()
            .join(" "),
    );
    fields.extend(columns().flat_map(|column| (column.of)(row).texts()));
    fields.push(made_data.to_string());
    fields
}
