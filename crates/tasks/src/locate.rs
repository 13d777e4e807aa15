//! Lines and columns of a text, counted as the published readers count lines.

/// Where the lines of a text begin. A line ends at `\n`, `\r` or `\r\n`, and at nothing else: Python's text files
/// do the same, and other Unicode separators do occur inside sentences.
pub(crate) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub(crate) fn of(text: &'a str) -> Self {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                starts.push(at + 1);
            }
        }
        Self { text, starts }
    }

    /// The lines without their ends; no empty line after the last end.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &'a str> + '_ {
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        self.starts
            .iter()
            .zip(ends)
            .filter(|(start, _)| **start < self.text.len())
            .map(|(start, end)| self.text[*start..end].trim_end_matches(['\n', '\r']))
    }

    /// The line and column, from 1, of the character at a byte offset.
    pub(crate) fn position(&self, offset: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        (line, self.text[start..offset].chars().count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_end_as_in_python_text_files() {
        let text = "a\r\nb\rc\n\nd\u{2028}e\u{85}f";
        assert_eq!(
            Lines::of(text).iter().collect::<Vec<_>>(),
            ["a", "b", "c", "", "d\u{2028}e\u{85}f"]
        );
        assert_eq!(Lines::of("a\n").iter().count(), 1);
        assert_eq!(Lines::of("").iter().count(), 0);
    }

    #[test]
    fn positions_count_characters_from_one() {
        let lines = Lines::of("é\tb\nxy");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(3), (1, 3));
        assert_eq!(lines.position(6), (2, 2));
        assert_eq!(lines.position(7), (2, 3));
    }
}
