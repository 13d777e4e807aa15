//! What a fetch tells while it goes on.

use std::time::Duration;

use crate::error::HubError;

/// Something that happened during a fetch. Files that the cache already has are not spoken of.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// So much of a file is here.
    Bytes {
        /// The file's name in its repository.
        file: &'a str,
        /// Bytes that are here, those of earlier attempts among them.
        done: u64,
        /// Bytes that the file has.
        of: u64,
    },
    /// Another process is fetching the file; it is waited for.
    Waiting {
        /// The file's name in its repository.
        file: &'a str,
    },
    /// Something failed and is tried again.
    Again {
        /// What failed.
        error: &'a HubError,
        /// How long it is waited before the next attempt.
        pause: Duration,
    },
    /// The file is whole, checked and in its place.
    Done {
        /// The file's name in its repository.
        file: &'a str,
        /// Its size in bytes.
        size: u64,
    },
}

/// Who is told.
pub trait Progress {
    /// Takes notice.
    fn event(&mut self, event: Event<'_>);
}

/// Tells nobody.
impl Progress for () {
    fn event(&mut self, _: Event<'_>) {}
}
