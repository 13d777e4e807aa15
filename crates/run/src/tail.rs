//! The end of a file that another process may be appending to.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

/// How much is read at once from the end of a file, doubled until a whole line is in it.
const CHUNK: u64 = 8 * 1024;

/// The last whole line of a file, without its line end. A torn line behind it is left out. None where the file or the line is
/// missing.
pub(crate) fn last_line(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.seek(SeekFrom::End(0))?;
    let mut chunk = CHUNK;
    loop {
        let start = length.saturating_sub(chunk);
        let bytes = read_range(&mut file, start, length)?;
        let Some(end) = bytes.iter().rposition(|byte| *byte == b'\n') else {
            if start == 0 {
                return Ok(None);
            }
            chunk *= 2;
            continue;
        };
        match bytes[..end].iter().rposition(|byte| *byte == b'\n') {
            Some(before) => return Ok(Some(bytes[before + 1..end].to_vec())),
            None if start == 0 => return Ok(Some(bytes[..end].to_vec())),
            None => chunk *= 2,
        }
    }
}

/// The text of a file from the offset `from` on, at most its last `most` bytes.
pub(crate) fn text_from(path: &Path, from: u64, most: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.seek(SeekFrom::End(0))?;
    let start = from.max(length.saturating_sub(most)).min(length);
    let bytes = read_range(&mut file, start, length)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_range(file: &mut File, start: u64, end: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    // The file may grow or be cut meanwhile; only what it had is wanted.
    file.take(end - start).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn line_of(text: &str) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        fs::write(&path, text).unwrap();
        let line = last_line(&path).unwrap();
        line.map(|line| String::from_utf8(line).unwrap())
    }

    #[test]
    fn the_last_line_is_the_last_complete_one() {
        assert_eq!(line_of(""), None);
        assert_eq!(line_of("torn"), None);
        assert_eq!(line_of("one\n"), Some("one".into()));
        assert_eq!(line_of("one\ntorn"), Some("one".into()));
        assert_eq!(line_of("one\ntwo\ntorn"), Some("two".into()));
        assert_eq!(line_of("\n"), Some(String::new()));
    }

    #[test]
    fn lines_longer_than_a_chunk_are_found() {
        let long = "x".repeat(3 * CHUNK as usize);
        assert_eq!(line_of(&format!("{long}\n")).unwrap(), long);
        assert_eq!(line_of(&format!("short\n{long}\n{long}")).unwrap(), long);
        assert_eq!(line_of(&format!("short\n{long}")).unwrap(), "short");
    }

    #[test]
    fn a_file_that_is_not_there_has_no_line() {
        assert!(
            last_line(Path::new("/nowhere/steps.jsonl"))
                .unwrap()
                .is_none()
        );
    }
}
