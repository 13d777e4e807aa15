//! Comma-separated text.

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
