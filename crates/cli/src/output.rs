//! What goes to stdout: the data a command was asked for.

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
