//! In what numbers differ from the paper's, each difference said once.

/// The differences among some results.
pub(super) struct Footnotes {
    /// Those that all results have.
    pub(super) everywhere: Vec<String>,
    /// The others, in the order in which they are met.
    pub(super) marked: Vec<String>,
}

impl Footnotes {
    /// Of what each result differs in.
    pub(super) fn of<'f>(results: impl Iterator<Item = &'f [String]>) -> Self {
        let all: Vec<&[String]> = results.collect();
        let mut notes = Self {
            everywhere: Vec::new(),
            marked: Vec::new(),
        };
        for difference in all.iter().copied().flatten() {
            let into = if all.iter().all(|own| own.contains(difference)) {
                &mut notes.everywhere
            } else {
                &mut notes.marked
            };
            if !into.contains(difference) {
                into.push(difference.clone());
            }
        }
        notes
    }

    /// The marks of a result, as places among the marked differences.
    pub(super) fn marks(&self, differs: &[String]) -> Vec<usize> {
        let place = |difference: &String| self.marked.iter().position(|known| known == difference);
        let mut marks: Vec<usize> = differs.iter().filter_map(place).collect();
        marks.sort_unstable();
        marks
    }
}

/// The letters of a mark: a to z, then aa, ab and so on.
pub(super) fn letters(mut mark: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(b'a' + (mark % 26) as u8);
        if mark < 26 {
            break;
        }
        mark = mark / 26 - 1;
    }
    letters
        .iter()
        .rev()
        .map(|letter| char::from(*letter))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::letters;

    #[test]
    fn marks_go_on_after_z() {
        assert_eq!(
            [0, 25, 26, 27, 51, 52, 701, 702].map(letters),
            ["a", "z", "aa", "ab", "az", "ba", "zz", "aaa"]
        );
    }
}
