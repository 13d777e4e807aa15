//! A block as rounded texts, for the forms that people read.

use super::letters;
use crate::comparison::{Block, Comparison, Entry, MethodRow, State, has_papers};
use crate::paper::SEEDS;
use crate::table::RowKind;

/// A row's name and an entry a column: what is ours, and what is the paper's.
pub(super) struct TextRow {
    pub(super) method: String,
    pub(super) entries: Vec<TextEntry>,
}

/// One entry.
pub(super) struct TextEntry {
    pub(super) ours: String,
    /// None where the paper has no number of any entry.
    pub(super) papers: Option<String>,
}

impl TextEntry {
    /// Both on one line.
    pub(super) fn line(&self) -> String {
        match &self.papers {
            Some(papers) => format!("{} / {papers}", self.ours),
            None => self.ours.clone(),
        }
    }
}

pub(super) fn rows(comparison: &Comparison, block: &Block) -> Vec<TextRow> {
    let with_paper = has_papers(&comparison.blocks);
    let row = |row: &MethodRow| TextRow {
        method: row.method.clone(),
        entries: row
            .entries
            .iter()
            .map(|entry| TextEntry {
                ours: ours(entry),
                papers: with_paper.then(|| papers(entry)),
            })
            .collect(),
    };
    block.methods.iter().map(row).collect()
}

/// `90.5 (1.2)`, and in brackets the seeds where they are not five, and the footnotes' letters.
fn ours(entry: &Entry) -> String {
    let mut more: Vec<String> = Vec::new();
    let number = match entry.accuracy() {
        Some(spread) if is_zero_shot(entry) => format!("{:.1}", spread.mean),
        Some(spread) => {
            if spread.n != SEEDS.len() {
                let seeds = if spread.n == 1 { "seed" } else { "seeds" };
                more.push(format!("{} {seeds}", spread.n));
            }
            format!("{:.1} ({:.1})", spread.mean, spread.std)
        }
        None if entry.state == State::NotThere => "-".to_owned(),
        None => entry.state_word().to_owned(),
    };
    if let State::Outstanding { ended, runs } = entry.state {
        more.push(format!("{ended} of {runs} runs"));
    }
    let marks: Vec<String> = entry.marks.iter().copied().map(letters).collect();
    if !marks.is_empty() {
        more.push(marks.join(","));
    }
    if more.is_empty() {
        number
    } else {
        format!("{number} [{}]", more.join("; "))
    }
}

fn is_zero_shot(entry: &Entry) -> bool {
    let row = entry.row.as_ref();
    row.is_some_and(|row| row.kind == RowKind::ZeroShot)
}

fn papers(entry: &Entry) -> String {
    let Some(paper) = entry.paper else {
        return "-".to_owned();
    };
    match paper.std {
        Some(std) => format!("{:.1} ({std:.1})", paper.mean),
        None => format!("{:.1}", paper.mean),
    }
}
