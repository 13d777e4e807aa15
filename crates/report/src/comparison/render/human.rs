//! For a terminal: ours over the paper's.

use super::texts::text_block;
use crate::comparison::Comparison;
use crate::format::human_table;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = format!("{}: {}\n", comparison.sweeps, comparison.heading);
    for block in &comparison.blocks {
        let mut table = human_table();
        let texts = text_block(comparison, block);
        let mut header = vec!["method".to_owned()];
        header.extend(texts.tasks);
        table.set_header(header);
        for row in texts.rows {
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
