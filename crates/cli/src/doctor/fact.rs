//! One line of the report.

/// How a fact stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing fails for it.
    Note,
    /// Something will fail for it.
    Wrong,
}

impl Word {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Wrong => "wrong",
        }
    }
}

/// Something that was found out.
#[derive(Debug, PartialEq, Eq)]
pub struct Fact {
    /// How it stands.
    pub word: Word,
    /// What it is.
    pub text: String,
}

/// A fact that is as it should be.
pub fn ok(text: impl Into<String>) -> Fact {
    fact(Word::Ok, text)
}

/// A fact that is worth knowing.
pub fn note(text: impl Into<String>) -> Fact {
    fact(Word::Note, text)
}

/// A fact that something will fail for.
pub fn wrong(text: impl Into<String>) -> Fact {
    fact(Word::Wrong, text)
}

fn fact(word: Word, text: impl Into<String>) -> Fact {
    let text = text.into();
    Fact { word, text }
}

/// The facts of a section, a line each.
pub fn lines(section: &str, facts: &[Fact]) -> String {
    let mut all = String::new();
    for Fact { word, text } in facts {
        all += &format!("{:<5}  {section:<7}  {}\n", word.name(), in_one_line(text));
    }
    all
}

/// A variable's value, or a path, may hold anything, line ends and a terminal's commands too.
fn in_one_line(text: &str) -> String {
    let mut line = String::new();
    for letter in text.chars() {
        match letter.is_control() {
            true => line.extend(letter.escape_default()),
            false => line.push(letter),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_begins_with_its_word() {
        let facts = [ok("one"), note("two\nlines"), wrong("\u{1b}[31mred")];
        let expected = "ok     memory   one\n\
            note   memory   two\\nlines\n\
            wrong  memory   \\u{1b}[31mred\n";
        assert_eq!(lines("memory", &facts), expected);
    }
}
