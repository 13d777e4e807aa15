//! Hashes of rows, whatever files they came from.

use sha2::{Digest, Sha256};

use crate::read::{Row, hex};

/// The SHA-256 of the sentences and classes of these rows, as [`Split::sha256`](crate::Split::sha256) makes it of all.
pub fn rows_sha256(rows: &[Row]) -> String {
    sha256([rows])
}

pub(crate) fn sha256<'a, P: AsRef<[Row]> + ?Sized + 'a>(
    parts: impl IntoIterator<Item = &'a P>,
) -> String {
    let mut hash = Sha256::new();
    for rows in parts {
        let rows = rows.as_ref();
        hash_number(&mut hash, rows.len());
        rows.iter().for_each(|row| hash_row(&mut hash, row));
    }
    hex(&hash.finalize())
}

/// The SHA-256 of rows that lie apart from each other.
pub(crate) fn hash_of<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let mut hash = Sha256::new();
    rows.for_each(|row| hash_row(&mut hash, row));
    hex(&hash.finalize())
}

fn hash_row(hash: &mut Sha256, row: &Row) {
    hash_number(hash, row.label);
    hash_number(hash, row.sentences.len());
    for sentence in &row.sentences {
        hash_number(hash, sentence.len());
        hash.update(sentence);
    }
}

fn hash_number(hash: &mut Sha256, number: usize) {
    hash.update((number as u64).to_le_bytes());
}
