//! Tables of figures.

use mezo_train::gpu::{Outcome, Part};

use super::measured::{Entry, Measured};
use super::words::title;

/// Why there are no figures, where there are none.
pub fn unmeasured(outcome: &Outcome) -> Option<String> {
    // In a cell of a table.
    let plain = |words: &str| words.replace('|', "/").replace('\n', " ");
    match outcome {
        Outcome::OutOfTime => Some("not measured (out of time)".into()),
        Outcome::Skipped(why) => Some(format!("not measured ({})", plain(why))),
        Outcome::Failed(why) => Some(format!("FAILED ({})", plain(why))),
        _ => None,
    }
}

/// A table with a row or more for each part of a kind; of one that has no figures the row says why.
pub fn table(
    measured: &Measured,
    heads: &[&str],
    is_of: impl Fn(Part) -> bool,
    rows: impl Fn(&Entry) -> Vec<Vec<String>>,
) -> String {
    let columns = "--:|".repeat(heads.len() - 1);
    let mut text = format!("| {} |\n|---|{columns}\n", heads.join(" | "));
    for entry in measured.parts.iter().filter(|entry| is_of(entry.part)) {
        let found = match unmeasured(&entry.outcome) {
            Some(why) => vec![vec![title(entry.part), why]],
            None => rows(entry),
        };
        for mut cells in found {
            cells.resize(heads.len(), String::new());
            text += &format!("| {} |\n", cells.join(" | "));
        }
    }
    text
}
