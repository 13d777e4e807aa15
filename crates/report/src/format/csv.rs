//! Comma-separated, a column a number, numbers unrounded.

use crate::sources;
use crate::statistics::{Gain, Spread};
use crate::table::{Row, Table};

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

/// Lines of fields, quoted where they must be.
pub(crate) fn csv_text(lines: &[Vec<String>]) -> String {
    let mut text = String::new();
    for line in lines {
        let quoted: Vec<String> = line.iter().map(|field| quote(field)).collect();
        text.push_str(&quoted.join(","));
        text.push('\n');
    }
    text
}

fn quote(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

fn headers() -> Vec<String> {
    let mut headers = vec!["row".to_owned()];
    headers.extend(SETTINGS.map(str::to_owned));
    headers.push("method_label".to_owned());
    headers.extend(sources::NAMES.map(str::to_owned));
    headers.push("seeds".to_owned());
    headers.extend(["n", "mean", "std"].map(|part| format!("dev_accuracy_{part}")));
    for place in ["best", "last"] {
        for metric in ["accuracy", "cross_entropy"] {
            headers
                .extend(["n", "mean", "std"].map(|part| format!("test_{metric}_{place}_{part}")));
        }
    }
    for metric in ["accuracy", "cross_entropy"] {
        headers.extend(
            ["mean", "standard_error", "ratio"].map(|part| format!("{metric}_gain_{part}")),
        );
    }
    headers.extend(
        [
            "paper_mean",
            "paper_std",
            "difference",
            "grid",
            "differs_in",
            "dev_only",
            "zero_estimates",
            "made_data",
        ]
        .map(str::to_owned),
    );
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
    fields.extend(spread(row.dev_accuracy));
    for scores in [&row.best, &row.last] {
        fields.extend(spread(scores.accuracy));
        fields.extend(spread(scores.cross_entropy));
    }
    fields.extend(gain(row.accuracy_gain));
    fields.extend(gain(row.cross_entropy_gain));
    fields.push(number(row.paper.map(|paper| paper.mean)));
    fields.push(number(row.paper.and_then(|paper| paper.std)));
    fields.push(number(row.difference()));
    fields.push(row.grid_word().to_owned());
    fields.push(row.partial_grid.join("; "));
    fields.push(row.dev_only.to_string());
    fields.push(number(row.zero_estimates));
    fields.push(made_data.to_string());
    fields
}

fn spread(spread: Option<Spread>) -> [String; 3] {
    let count = spread
        .map(|spread| spread.n.to_string())
        .unwrap_or_default();
    [
        count,
        number(spread.map(|spread| spread.mean)),
        number(spread.map(|spread| spread.std)),
    ]
}

fn gain(gain: Option<Gain>) -> [String; 3] {
    [
        number(gain.map(|gain| gain.mean)),
        number(gain.and_then(|gain| gain.standard_error)),
        number(gain.and_then(|gain| gain.ratio)),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
