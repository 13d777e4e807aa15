//! A LaTeX table that needs no package: a tabular a block.

use super::latex_text;
use super::texts::{TextEntry, text_block};
use crate::comparison::Comparison;

pub(super) fn render(comparison: &Comparison) -> String {
    let mut text = "\\begin{table}\n\\centering\n".to_owned();
    for block in &comparison.blocks {
        let columns = "l".repeat(1 + block.tasks.len());
        let title = block.title(&comparison.blocks);
        let texts = text_block(comparison, block);
        text.push_str(&format!(
            "\\begin{{tabular}}{{{columns}}}\n\\hline\n{} & {} \\\\\n\\hline\n",
            latex_text(&title),
            escaped(&texts.tasks)
        ));
        for row in texts.rows {
            let entries: Vec<String> = row.entries.iter().map(TextEntry::line).collect();
            let method = latex_text(&row.method);
            text.push_str(&format!("{method} & {} \\\\\n", escaped(&entries)));
        }
        text.push_str("\\hline\n\\end{tabular}\n\n");
    }
    text.push_str(&format!(
        "\\caption{{{}: {}.}}\n\\par\\footnotesize\n",
        latex_text(&comparison.sweeps),
        latex_text(&comparison.heading)
    ));
    for line in comparison.lines() {
        text.push_str(&format!("\\par\\noindent {}.\n", latex_text(&line)));
    }
    text.push_str("\\end{table}\n");
    text
}

fn escaped(texts: &[String]) -> String {
    let escaped: Vec<String> = texts.iter().map(|text| latex_text(text)).collect();
    escaped.join(" & ")
}
