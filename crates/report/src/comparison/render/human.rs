//! For a terminal: ours over the paper's.

use super::texts::rows;
use crate::comparison::Comparison;
use crate::format::human_table;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = format!("{}: {}\n", comparison.sweeps, comparison.heading);
    for block in &comparison.blocks {
        let mut table = human_table();
        let mut header = vec!["method".to_owned()];
        header.extend(block.tasks.iter().cloned());
        table.set_header(header);
        for row in rows(comparison, block) {
            let mut texts = vec![row.method.replace(", ", "\n")];
            texts.extend(row.entries.iter().map(|entry| match &entry.papers {
                Some(papers) => format!("{}\n/ {papers}", entry.ours),
                None => entry.ours.clone(),
            }));
            table.add_row(texts);
        }
        let title = block.title(&comparison.blocks);
        text.push_str(&format!("\n{title}\n{}\n", table.trim_fmt()));
    }
    text.push('\n');
    for line in comparison.lines() {
        text.push_str(&format!("- {line}\n"));
    }
    text
}
