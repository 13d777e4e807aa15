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

/// A number of bytes as a person reads it.
pub fn size(bytes: u64) -> String {
    const MIB: f64 = 1_048_576.0;
    let mib = bytes as f64 / MIB;
    match mib {
        0.0..1.0 => format!("{:.0} KiB", mib * 1024.0),
        1.0..1024.0 => format!("{mib:.0} MiB"),
        _ => format!("{:.1} GiB", mib / 1024.0),
    }
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

    #[test]
    fn sizes_are_for_people() {
        assert_eq!(size(5 << 10), "5 KiB");
        assert_eq!(size(100 << 20), "100 MiB");
        assert_eq!(size(3 << 29), "1.5 GiB");
    }
}
