//! What an instruction works with.

/// An operand as it is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A register, a label, or what has an address.
    Name(String),
    /// `!name`
    Not(String),
    /// `name|name`
    Pair(String, String),
    Whole(i128),
    /// `0f`: the bits of an f32.
    Single(u32),
    /// `0d`, and what is written with a point: the bits of an f64.
    Double(u64),
    /// `{a, b}`
    List(Vec<Operand>),
    /// `[base+offset]`
    Address(Box<Operand>, i64),
}

/// A number as it is written, without a sign before it.
pub fn number(text: &str) -> Option<Operand> {
    if !text.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let based = |digits: &str, base| i128::from_str_radix(digits, base).ok().map(Operand::Whole);
    let bytes = text.as_bytes();
    let rest = text.get(2..).unwrap_or_default();
    match (bytes[0], bytes.get(1).map(u8::to_ascii_lowercase)) {
        (b'0', Some(b'f')) => u32::from_str_radix(rest, 16).ok().map(Operand::Single),
        (b'0', Some(b'd')) => u64::from_str_radix(rest, 16).ok().map(Operand::Double),
        (b'0', Some(b'x')) => based(rest.trim_end_matches(['U', 'u']), 16),
        (b'0', Some(b'b')) => based(rest.trim_end_matches(['U', 'u']), 2),
        (b'0', Some(b'0'..=b'7')) => based(&text[1..], 8),
        _ if text.contains('.') => text
            .parse()
            .ok()
            .map(|value: f64| Operand::Double(value.to_bits())),
        _ => based(text.trim_end_matches(['U', 'u']), 10),
    }
}

impl Operand {
    /// The number with its sign turned; none of what is no number.
    pub fn negative(self) -> Option<Self> {
        match self {
            Self::Whole(value) => Some(Self::Whole(-value)),
            Self::Single(bits) => Some(Self::Single(bits ^ 1 << 31)),
            Self::Double(bits) => Some(Self::Double(bits ^ 1 << 63)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_every_way_of_writing() {
        assert_eq!(number("12U"), Some(Operand::Whole(12)));
        assert_eq!(number("0xFFu"), Some(Operand::Whole(255)));
        assert_eq!(number("017"), Some(Operand::Whole(15)));
        assert_eq!(number("0b101"), Some(Operand::Whole(5)));
        assert_eq!(number("0f3F800000"), Some(Operand::Single(0x3F80_0000)));
        assert_eq!(
            number("0d3FF0000000000000"),
            Some(Operand::Double(1.0_f64.to_bits()))
        );
        assert_eq!(number("0.5"), Some(Operand::Double(0.5_f64.to_bits())));
        assert_eq!(number("0"), Some(Operand::Whole(0)));
        assert_eq!(number("x1"), None);
        assert_eq!(Operand::Whole(3).negative(), Some(Operand::Whole(-3)));
    }
}
