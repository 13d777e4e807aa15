//! Where fetched data come from, beside them.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// The file's name.
pub(crate) const PROVENANCE: &str = "PROVENANCE.json";

const NOTE: &str = "Made from the hub's Parquet files, rows in their order. A k-shot split drawn from these files follows \
                    the published procedure; it is not certainly the published split.";

#[derive(Debug, Serialize)]
pub(crate) struct Provenance<'a> {
    pub(crate) task: &'a str,
    /// The repository under the hub's address.
    pub(crate) repository: String,
    pub(crate) revision: &'a str,
    pub(crate) commit: &'a str,
    pub(crate) files: Vec<Origin<'a>>,
    pub(crate) note: &'a str,
}

/// One file and what it was made from.
#[derive(Debug, Serialize)]
pub(crate) struct Origin<'a> {
    pub(crate) name: &'a str,
    pub(crate) sha256: String,
    pub(crate) rows: usize,
    pub(crate) from: &'a str,
    pub(crate) from_sha256: String,
    pub(crate) unlabelled_rows_left_out: usize,
    pub(crate) sentences_with_breaks_made_blanks: usize,
}

impl<'a> Provenance<'a> {
    pub(crate) fn new(
        task: &'a str,
        repository: String,
        revision: &'a str,
        commit: &'a str,
        files: Vec<Origin<'a>>,
    ) -> Self {
        Self {
            task,
            repository,
            revision,
            commit,
            files,
            note: NOTE,
        }
    }

    /// Pretty JSON with a newline at its end.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).expect("texts and numbers are JSON");
        text.push(b'\n');
        text
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hash = Sha256::digest(bytes);
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
