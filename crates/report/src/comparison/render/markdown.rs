//! GitHub's Markdown.

use super::markdown_text;
use super::texts::text_block;
use crate::comparison::Comparison;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = format!("# {}\n\n{}\n", comparison.sweeps, comparison.heading);
    for block in &comparison.blocks {
        let title = block.title(&comparison.blocks);
        text.push_str(&format!("\n## {title}\n\n"));
        let texts = text_block(comparison, block);
        text.push_str(&format!("| method | {} |\n", texts.tasks.join(" | ")));
        text.push_str(&format!("|{}\n", " --- |".repeat(1 + block.tasks.len())));
        for row in texts.rows {
            let mut texts = vec![row.method];
            texts.extend(row.entries.iter().map(super::texts::TextEntry::line));
            let texts: Vec<String> = texts.iter().map(|text| markdown_text(text)).collect();
            text.push_str(&format!("| {} |\n", texts.join(" | ")));
        }
    }
    text.push('\n');
    for line in comparison.lines() {
        text.push_str(&format!("- {}\n", markdown_text(&line)));
    }
    text
}
