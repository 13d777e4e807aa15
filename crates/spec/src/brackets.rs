//! Where a bracket opens that is never closed. A TOML reader says only where it noticed.

/// A bracket that is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unclosed {
    /// The byte at which it opens.
    pub(crate) at: usize,
    pub(crate) open: char,
    pub(crate) close: char,
}

impl Unclosed {
    fn new(at: usize, open: char) -> Self {
        let close = if open == '[' { ']' } else { '}' };
        Self { at, open, close }
    }
}

/// The bracket of a text that is never closed, where there is one; of those that are open together, the innermost.
pub(crate) fn unclosed(text: &str) -> Option<Unclosed> {
    let mut open: Vec<Unclosed> = Vec::new();
    let mut at = 0;
    let mut fresh = true;
    while let Some(next) = text[at..].chars().next() {
        // A list holds no keys: a line that sets one, or that begins a table, stands behind the list's missing end.
        if fresh
            && !next.is_whitespace()
            && let Some(list) = open.last().filter(|list| list.open == '[')
            && begins_anew(line_at(text, at))
        {
            return Some(*list);
        }
        fresh = next == '\n' || (fresh && next.is_whitespace());
        match next {
            '#' => {
                at += line_at(text, at).len();
                continue;
            }
            '"' | '\'' => {
                at += string_length(&text[at..]);
                continue;
            }
            '[' | '{' => open.push(Unclosed::new(at, next)),
            ']' | '}' => match open.pop() {
                Some(last) if last.close == next => {}
                other => return other,
            },
            _ => {}
        }
        at += next.len_utf8();
    }
    open.pop()
}

/// The rest of the line that a byte is in.
fn line_at(text: &str, at: usize) -> &str {
    text[at..].split('\n').next().unwrap_or_default()
}

/// Whether a line sets a key or begins a table.
fn begins_anew(line: &str) -> bool {
    let line = line.trim();
    if let Some((key, _)) = line.split_once('=') {
        return is_key(key);
    }
    let line = line.split('#').next().unwrap_or_default().trim_end();
    let header = line
        .strip_prefix('[')
        .and_then(|line| line.strip_suffix(']'));
    header.is_some_and(|name| {
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let word = name.starts_with(|c: char| c.is_ascii_alphabetic());
        word && is_key(name) && !matches!(name, "true" | "false" | "nan" | "inf")
    })
}

/// Whether a text is a key: bare words and strings with dots between them.
fn is_key(text: &str) -> bool {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let mut text = text.trim();
    loop {
        let part = match text.chars().next() {
            Some(quote @ ('"' | '\'')) => text[1..].find(quote).map_or(0, |length| length + 2),
            _ => text.len() - text.trim_start_matches(bare).len(),
        };
        if part == 0 {
            return false;
        }
        let rest = text[part..].trim_start();
        match rest.strip_prefix('.') {
            Some(more) => text = more.trim_start(),
            None => return rest.is_empty(),
        }
    }
}

/// How long the string at the start of a text is; one that has no end goes to the end of its line.
fn string_length(text: &str) -> usize {
    let quote = &text[..1];
    let long = quote.repeat(3);
    let (start, end) = match text.starts_with(&long) {
        true => (3, long.as_str()),
        false => (1, quote),
    };
    let mut at = start;
    while let Some(next) = text[at..].chars().next() {
        if text[at..].starts_with(end) {
            return at + end.len();
        }
        if next == '\n' && end.len() == 1 {
            return at;
        }
        at += next.len_utf8();
        if next == '\\' && quote == "\"" {
            at += text[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Option<usize> {
        unclosed(text).map(|unclosed| unclosed.at)
    }

    #[test]
    fn a_list_ends_before_the_next_key() {
        assert_eq!(place("a = 1\nb = [1, 2\nc = [3]\n"), Some(10));
        assert_eq!(place("b = [1, 2\n\n[train]\nlr = 1\n"), Some(4));
        assert_eq!(place("b = [[1, 2], [3\n"), Some(13));
        assert_eq!(place("b = [1,\n\"task.k\" = [2]\n"), Some(4));
        assert_eq!(place("b = [1,\n[train] # of it\n"), Some(4));
        assert_eq!(place("[train\nlr = 1\n"), Some(0));
        assert_eq!(place("b = { c = [1, 2 }\n"), Some(10));
        assert_eq!(place("b = { c = 1\n"), Some(4));
    }

    #[test]
    fn what_is_closed_is_not_told() {
        assert_eq!(place("a = [1,\n [2],\n { b = 3 },\n]\n[t]\n"), None);
        assert_eq!(
            place("a = \"[\" # [\nb = '['\nc = \"\"\"\n[\n\"\"\"\nd = \"\\\"[\"\n"),
            None
        );
        assert_eq!(place("a = [\n  \"x = 1\",\n  1e-4,\n]\n"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_gone_through(text in "[\\[\\]{}\"'#a=\n\\\\é]*") {
            unclosed(&text);
        }
    }
}
