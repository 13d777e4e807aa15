//! Reading the end of a file of lines that another process appends to.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// How much is read at once from the end of a file, doubled until a whole line is in it.
const CHUNK: u64 = 8 * 1024;

/// The last complete line of a file (without its line end) and the offset at which it ends. A torn
/// line behind it, still being written, is left out. None where the file or the line is not there.
pub(crate) fn last_line(path: &Path) -> io::Result<Option<(Vec<u8>, u64)>> {
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
            Some(before) => {
                return Ok(Some((
                    bytes[before + 1..end].to_vec(),
                    start + end as u64 + 1,
                )));
            }
            None if start == 0 => return Ok(Some((bytes[..end].to_vec(), end as u64 + 1))),
            None => chunk *= 2,
        }
    }
}

/// What a file holds from `from` on, at most its last `most` bytes, as text.
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

/// How far a journal has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The last step.
    pub step: u64,
    /// The mean of the step's losses; none where one of them is not a number.
    pub loss: Option<f64>,
}

#[derive(Deserialize)]
struct StepLine {
    step: u64,
    #[serde(default)]
    estimates: Vec<EstimateLine>,
    /// The step's own loss, where its estimates do not tell it.
    loss: Option<f64>,
}

#[derive(Deserialize)]
struct EstimateLine {
    loss_plus: Option<f64>,
    loss_minus: Option<f64>,
}

impl Progress {
    /// The progress a line of `steps.jsonl` tells of; none where it is no such line.
    fn of(line: &[u8]) -> Option<Self> {
        let line: StepLine = serde_json::from_slice(line).ok()?;
        let losses: Option<Vec<f64>> = line
            .estimates
            .iter()
            .flat_map(|estimate| [estimate.loss_plus, estimate.loss_minus])
            .collect();
        let mean = |losses: Vec<f64>| {
            (!losses.is_empty()).then(|| losses.iter().sum::<f64>() / losses.len() as f64)
        };
        Some(Self {
            step: line.step,
            loss: line.loss.or_else(|| losses.and_then(mean)),
        })
    }
}

/// Where the journal at `path` stands: its last complete line.
pub(crate) fn last_step(path: &Path) -> io::Result<Option<Progress>> {
    Ok(last_line(path)?.and_then(|(line, _)| Progress::of(&line)))
}

/// Follows a journal that is being written.
#[derive(Debug)]
pub(crate) struct Tail {
    path: PathBuf,
    /// Where the last line that was seen ends.
    seen: u64,
}

impl Tail {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, seen: 0 }
    }

    /// The newest progress since the last call. A journal that cannot be read just now has none:
    /// watching must never disturb a run.
    pub(crate) fn news(&mut self) -> Option<Progress> {
        let (line, end) = last_line(&self.path).ok().flatten()?;
        if end == self.seen {
            return None;
        }
        self.seen = end;
        Progress::of(&line)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    fn line_of(text: &str) -> Option<(String, u64)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lines");
        fs::write(&path, text).unwrap();
        last_line(&path)
            .unwrap()
            .map(|(line, end)| (String::from_utf8(line).unwrap(), end))
    }

    #[test]
    fn the_last_line_is_the_last_complete_one() {
        assert_eq!(line_of(""), None);
        assert_eq!(line_of("torn"), None);
        assert_eq!(line_of("one\n"), Some(("one".into(), 4)));
        assert_eq!(line_of("one\ntorn"), Some(("one".into(), 4)));
        assert_eq!(line_of("one\ntwo\ntorn"), Some(("two".into(), 8)));
        assert_eq!(line_of("\n"), Some((String::new(), 1)));
    }

    #[test]
    fn lines_longer_than_a_chunk_are_found() {
        let long = "x".repeat(3 * CHUNK as usize);
        assert_eq!(line_of(&format!("{long}\n")).unwrap().0, long);
        assert_eq!(line_of(&format!("short\n{long}\n{long}")).unwrap().0, long);
        assert_eq!(line_of(&format!("short\n{long}")).unwrap().0, "short");
    }

    #[test]
    fn a_file_that_is_not_there_has_no_line() {
        assert!(
            last_line(Path::new("/nowhere/steps.jsonl"))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn the_loss_is_the_mean_over_all_probes() {
        let line = br#"{"step":7,"lr":1e-4,"estimates":[{"seed":1,"loss_plus":0.5,"loss_minus":0.7,"projected_grad":-1.5},{"seed":2,"loss_plus":0.1,"loss_minus":0.3,"projected_grad":1}]}"#;
        assert_eq!(
            Progress::of(line),
            Some(Progress {
                step: 7,
                loss: Some(0.4)
            })
        );
        let diverged =
            br#"{"step":8,"status":"diverged","estimates":[{"loss_plus":0.5,"loss_minus":null}]}"#;
        assert_eq!(
            Progress::of(diverged),
            Some(Progress {
                step: 8,
                loss: None
            })
        );
        assert_eq!(
            Progress::of(br#"{"step":9}"#),
            Some(Progress {
                step: 9,
                loss: None
            })
        );
        assert_eq!(Progress::of(b"no json"), None);
    }

    #[test]
    fn news_are_told_once_and_survive_a_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps.jsonl");
        let mut tail = Tail::new(path.clone());
        assert_eq!(tail.news(), None);
        fs::write(&path, "{\"step\":1}\n{\"step\":2}\n{\"st").unwrap();
        assert_eq!(tail.news().unwrap().step, 2);
        assert_eq!(tail.news(), None);
        fs::write(&path, "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n").unwrap();
        assert_eq!(tail.news().unwrap().step, 3);
        fs::write(&path, "{\"step\":1}\n").unwrap();
        assert_eq!(tail.news().unwrap().step, 1);
    }
}
