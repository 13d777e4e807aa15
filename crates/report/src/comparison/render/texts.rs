//! A block as rounded texts, for the forms that people read.

use super::letters;
use crate::comparison::{Block, Comparison, Entry, MethodRow, State, has_papers};
use crate::paper::SEEDS;
use crate::rows::Row;

/// The tasks as headers, and the rows.
pub(super) struct TextBlock {
    pub(super) tasks: Vec<String>,
    pub(super) rows: Vec<TextRow>,
}

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

/// The texts of a block. Footnotes that all of a column have stand at its task, those that all of a row have at its
/// method, and no number repeats them.
pub(super) fn text_block(comparison: &Comparison, block: &Block) -> TextBlock {
    let with_paper = has_papers(&comparison.blocks);
    let column = |at: usize| {
        let entries = block.methods.iter().map(|row| &row.entries[at]);
        shared(entries.map(|entry| (entry, entry.marks.clone())))
    };
    let columns: Vec<Vec<usize>> = (0..block.tasks.len()).map(column).collect();
    let row = |row: &MethodRow| {
        let entries = row.entries.iter().zip(&columns);
        let entries: Vec<(&Entry, Vec<usize>)> = entries
            .map(|(entry, column)| (entry, without(&entry.marks, column)))
            .collect();
        let of_row = shared(entries.iter().cloned());
        let entry = |(entry, marks): &(&Entry, Vec<usize>)| TextEntry {
            ours: ours(entry, &without(marks, &of_row)),
            papers: with_paper.then(|| papers(entry)),
        };
        TextRow {
            method: marked(&row.method, &of_row),
            entries: entries.iter().map(entry).collect(),
        }
    };
    TextBlock {
        tasks: block
            .tasks
            .iter()
            .zip(&columns)
            .map(|(task, marks)| marked(task, marks))
            .collect(),
        rows: block.methods.iter().map(row).collect(),
    }
}

/// The marks that all results among some entries have, where there are two or more.
fn shared<'a>(entries: impl Iterator<Item = (&'a Entry, Vec<usize>)>) -> Vec<usize> {
    let results = entries.filter(|(entry, _)| entry.row.is_some());
    let all: Vec<Vec<usize>> = results.map(|(_, marks)| marks).collect();
    let Some((first, others)) = all.split_first().filter(|(_, others)| !others.is_empty()) else {
        return Vec::new();
    };
    let in_all = |mark: &&usize| others.iter().all(|marks| marks.contains(mark));
    first.iter().filter(in_all).copied().collect()
}

fn without(marks: &[usize], others: &[usize]) -> Vec<usize> {
    let own = marks.iter().filter(|mark| !others.contains(mark));
    own.copied().collect()
}

fn marked(name: &str, marks: &[usize]) -> String {
    if marks.is_empty() {
        return name.to_owned();
    }
    format!("{name} [{}]", all_letters(marks))
}

fn all_letters(marks: &[usize]) -> String {
    let marks: Vec<String> = marks.iter().copied().map(letters).collect();
    marks.join(",")
}

/// `90.5 (1.2)`, and in brackets the seeds where they are not five, and the footnotes' letters. One
/// seed has no deviation.
fn ours(entry: &Entry, marks: &[usize]) -> String {
    let mut more: Vec<String> = Vec::new();
    let number = match entry.accuracy() {
        Some(spread) if is_seedless(entry) => format!("{:.1}", spread.mean),
        Some(spread) => {
            if spread.n != SEEDS.len() {
                let seeds = if spread.n == 1 { "seed" } else { "seeds" };
                more.push(format!("{} {seeds}", spread.n));
            }
            match spread.n {
                1 => format!("{:.1}", spread.mean),
                _ => format!("{:.1} ({:.1})", spread.mean, spread.std),
            }
        }
        None if entry.state == State::NotThere => "-".to_owned(),
        None => entry.state_word().to_owned(),
    };
    if let State::Outstanding { ended, runs } = entry.state {
        more.push(format!("{ended} of {runs} runs"));
    }
    if !marks.is_empty() {
        more.push(all_letters(marks));
    }
    if more.is_empty() {
        number
    } else {
        format!("{number} [{}]", more.join("; "))
    }
}

fn is_seedless(entry: &Entry) -> bool {
    entry.row.as_ref().is_some_and(Row::is_seedless)
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
