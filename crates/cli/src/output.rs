//! What goes to stdout: the data a command was asked for, and how sizes are said.

use std::io::{ErrorKind, Write};

use crate::exit::Exit;
use crate::failure::Failure;

/// Writes text to stdout. A reader that has seen enough (`| head`) is no failure.
pub fn put(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure {
            message: format!("cannot write to stdout: {error}"),
            hint: None,
            exit: Exit::Failed,
        }),
        _ => Ok(()),
    }
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
    fn sizes_are_for_people() {
        assert_eq!(size(5 << 10), "5 KiB");
        assert_eq!(size(100 << 20), "100 MiB");
        assert_eq!(size(3 << 29), "1.5 GiB");
    }
}
