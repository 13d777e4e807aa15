//! The words of a text.

use super::Refused;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    pub line: u32,
}

fn of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'$' | b'%')
}

/// Words and single signs; comments and spaces are left out. A text in quotes is one word.
pub fn tokens(text: &str) -> Result<Vec<Token<'_>>, Refused> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let length = match rest[0] {
            b'/' if rest.starts_with(b"//") => until(rest, b"\n").unwrap_or(rest.len()),
            b'/' if rest.starts_with(b"/*") => {
                until(rest, b"*/").ok_or_else(|| Refused::new(line, "a comment without an end"))?
                    + 2
            }
            b'"' => {
                until(&rest[1..], b"\"")
                    .ok_or_else(|| Refused::new(line, "a text without an end"))?
                    + 2
            }
            byte if of_word(byte) => rest.iter().take_while(|&&byte| of_word(byte)).count(),
            byte if byte.is_ascii() => 1,
            _ => return Err(Refused::new(line, "a sign that is none of PTX's")),
        };
        let token = &text[at..at + length];
        let left_out = rest[0].is_ascii_whitespace() || (rest[0] == b'/' && length > 1);
        if !left_out {
            found.push(Token { text: token, line });
        }
        line += token.matches('\n').count() as u32;
        at += length;
    }
    Ok(found)
}

fn until(bytes: &[u8], end: &[u8]) -> Option<usize> {
    bytes.windows(end.len()).position(|window| window == end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_know_their_lines() {
        let text = "// no\n@!%p1 bra /* a\n b */ $L_1; // no\n.pragma \"x y\";[%rd1+-4]";
        let found = tokens(text).expect("tokens");
        let texts: Vec<_> = found.iter().map(|token| token.text).collect();
        let expected = "@ ! %p1 bra $L_1 ; .pragma \"x_y\" ; [ %rd1 + - 4 ]";
        let expected: Vec<_> = expected
            .split(' ')
            .map(|word| word.replace('_', if word.starts_with('"') { " " } else { "_" }))
            .collect();
        assert_eq!(texts, expected);
        assert_eq!((found[0].line, found[4].line, found[6].line), (2, 3, 4));
        assert!(tokens("/* no end").is_err());
    }
}
