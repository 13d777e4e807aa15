//! A line of a source text with a caret under the part that is meant.

use std::fmt;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// The widest line that is shown whole, in characters.
const SHOWN: usize = 100;

/// Where in a text something is wrong, and the line to show for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    line: usize,
    column: usize,
    drawn: String,
}

impl Excerpt {
    /// The excerpt of `text` for the bytes of `span`, wherever that may point.
    pub(crate) fn new(text: &str, span: Range<usize>) -> Self {
        let start = caret_position(text, span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let rest = &text[line_start..];
        let content = rest.split('\n').next().unwrap_or(rest);
        let content = content.strip_suffix('\r').unwrap_or(content);
        let end = text.floor_char_boundary(span.end).max(start);
        let marked =
            start - line_start..(end - line_start).min(content.len().max(start - line_start));
        let line = text[..line_start].matches('\n').count() + 1;
        Self {
            line,
            column: text[line_start..start].chars().count() + 1,
            drawn: drawn(content, line, marked),
        }
    }

    /// The line, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in characters, counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.drawn)
    }
}

/// The line with its number and carets below the part that is marked.
fn drawn(content: &str, line: usize, marked: Range<usize>) -> String {
    let snippet = Snippet::source(content)
        .line_start(line)
        .annotation(AnnotationKind::Primary.span(marked));
    let group = Group::with_level(Level::ERROR).element(snippet);
    let gutter = line.to_string().len() + 3;
    let renderer = Renderer::plain().term_width(SHOWN + gutter);
    let drawn = renderer.render(&[group]);
    let lines: Vec<&str> = drawn.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// The end of a text is shown behind its last character, not on the empty line that follows it.
fn caret_position(text: &str, wanted: usize) -> usize {
    let start = text.floor_char_boundary(wanted);
    if start < text.len() {
        return start;
    }
    text.trim_end_matches(['\n', '\r']).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, span: Range<usize>) -> String {
        let excerpt = Excerpt::new(text, span);
        format!("{}:{}\n{excerpt}", excerpt.line(), excerpt.column())
    }

    #[test]
    fn marks_the_span_and_no_more_than_its_line() {
        insta::assert_snapshot!(at("a = 1\nbb = [2,\n3]\n", 11..17), @r"
        2:6
          |
        2 | bb = [2,
          |      ^^^
        ");
    }

    #[test]
    fn columns_are_characters_and_tabs_do_not_shift_the_caret() {
        insta::assert_snapshot!(at("\té = x\n", 6..7), @"
        1:6
          |
        1 |     é = x
          |         ^
        ");
    }

    #[test]
    fn the_end_of_the_text_is_behind_its_last_character() {
        insta::assert_snapshot!(at("a = 1\nb = [\n", 12..12), @r"
        2:6
          |
        2 | b = [
          |      ^
        ");
        insta::assert_snapshot!(at("", 7..9), @r"
        1:1
          |
        1 |
          | ^
        ");
    }

    #[test]
    fn windows_line_ends_are_not_shown() {
        insta::assert_snapshot!(at("a = 1\r\nb = 2\r\n", 4..40), @r"
        1:5
          |
        1 | a = 1
          |     ^
        ");
    }

    #[test]
    fn a_long_line_is_cut_around_the_caret() {
        let text = format!("lr = [{}9{}]", "1, ".repeat(100), ", 2".repeat(100));
        insta::assert_snapshot!(at(&text, 306..307), @"
        1:307
          |
        1 | ... 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 9, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, ...
          |                                                  ^
        ");
    }

    proptest::proptest! {
        #[test]
        fn any_span_of_any_text_can_be_shown(text in "\\PC*[\n\r\t]*\\PC*", from in 0usize..60, to in 0usize..60) {
            let excerpt = Excerpt::new(&text, from..to);
            proptest::prop_assert!(excerpt.line() >= 1 && excerpt.column() >= 1);
            proptest::prop_assert!(!excerpt.to_string().is_empty());
        }
    }
}
