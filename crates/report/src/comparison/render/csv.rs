//! Comma-separated, a line an entry, numbers unrounded.

use crate::comparison::{Block, Comparison, Entry, MethodRow, State};
use crate::csv_text::csv_text;
use crate::statistics::Spread;

const HEADERS: [&str; 24] = [
    "k",
    "model",
    "protocol",
    "method",
    "task",
    "state",
    "runs",
    "runs_ended",
    "seeds",
    "accuracy_mean",
    "accuracy_std",
    "dev_accuracy_mean",
    "last_step_mean",
    "last_step_std",
    "fixed_mean",
    "fixed_std",
    "paper_mean",
    "paper_std",
    "difference",
    "grid",
    "differs_in",
    "tau",
    "tau_n",
    "made_data",
];

pub(super) fn render(comparison: &Comparison) -> String {
    let mut lines = vec![HEADERS.map(str::to_owned).to_vec()];
    for block in &comparison.blocks {
        for row in &block.methods {
            for at in 0..block.tasks.len() {
                let mut line = place(block, row, at);
                line.extend(numbers(&row.entries[at]));
                let agreement = block.agreement[at];
                line.push(number(agreement.and_then(|agreement| agreement.tau)));
                line.push(agreement.map_or(String::new(), |agreement| agreement.n.to_string()));
                line.push(comparison.made_data.to_string());
                lines.push(line);
            }
        }
    }
    csv_text(&lines)
}

fn place(block: &Block, row: &MethodRow, at: usize) -> Vec<String> {
    vec![
        block.k.to_string(),
        block.model.clone(),
        block.protocol.clone(),
        row.method.clone(),
        block.tasks[at].clone(),
    ]
}

fn numbers(entry: &Entry) -> Vec<String> {
    let (runs, ended) = match entry.state {
        State::NotThere => (0, 0),
        State::Ended { runs } => (runs, runs),
        State::Outstanding { ended, runs } => (runs, ended),
    };
    let mean = |spread: Option<Spread>| number(spread.map(|spread| spread.mean));
    let std = |spread: Option<Spread>| number(spread.map(|spread| spread.std));
    let row = entry.row.as_ref();
    let seeds = row.map(|row| row.seeds.iter().map(u64::to_string).collect::<Vec<_>>());
    vec![
        entry.state_word().to_owned(),
        runs.to_string(),
        ended.to_string(),
        seeds.unwrap_or_default().join(" "),
        mean(entry.accuracy()),
        std(entry.accuracy()),
        mean(row.and_then(|row| row.dev_accuracy)),
        mean(entry.last),
        std(entry.last),
        mean(entry.fixed),
        std(entry.fixed),
        number(entry.paper.map(|paper| paper.mean)),
        number(entry.paper.and_then(|paper| paper.std)),
        number(row.and_then(crate::rows::Row::difference)),
        row.map_or("", |row| row.grid_word()).to_owned(),
        entry.differs.join("; "),
    ]
}

fn number(value: Option<f64>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
