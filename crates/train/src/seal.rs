//! Safetensors files that tell whether they are whole: a checksum of all other bytes stands in their metadata.

use mezo_model::{NamedTensor, to_safetensors_with};
use sha2::{Digest, Sha256};

const KEY: &str = "sha256";
/// Stands in the place of the digest while that is made.
const BLANK: [u8; 64] = [b'0'; 64];
/// The longest header that is looked for a checksum; a snapshot's has a few hundred tensors.
const HEADER: usize = 1 << 20;

/// The bytes of a file with these tensors and their checksum.
pub(crate) fn sealed(tensors: &[NamedTensor]) -> Vec<u8> {
    let blank = String::from_utf8_lossy(&BLANK);
    let mut bytes = to_safetensors_with(tensors, KEY, &blank);
    let at = place(&bytes).expect("the key that was just written is there");
    let digest = digest(&bytes, at);
    bytes[at..at + BLANK.len()].copy_from_slice(digest.as_bytes());
    bytes
}

/// Whether the bytes are those of a sealed file, every one of them.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    let Some(at) = place(bytes) else {
        return false;
    };
    digest(bytes, at).as_bytes() == &bytes[at..at + BLANK.len()]
}

/// Where the digest stands.
fn place(bytes: &[u8]) -> Option<usize> {
    let mark = format!("\"{KEY}\":\"");
    let header = &bytes[..bytes.len().min(HEADER)];
    let mut windows = header.windows(mark.len());
    let at = windows.position(|window| window == mark.as_bytes())? + mark.len();
    (at + BLANK.len() <= bytes.len()).then_some(at)
}

/// The digest of all bytes but the one's own at `at`.
fn digest(bytes: &[u8], at: usize) -> String {
    let parts = [&bytes[..at], &BLANK, &bytes[at + BLANK.len()..]];
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors() -> Vec<NamedTensor> {
        let tensor = |name: &str, values: Vec<f32>| NamedTensor {
            name: name.into(),
            shape: vec![values.len()],
            values,
        };
        vec![tensor("a", vec![1.0, 2.0]), tensor("sha256", vec![0.5])]
    }

    #[test]
    fn every_other_byte_is_a_broken_seal() {
        let bytes = sealed(&tensors());
        assert!(is_whole(&bytes));
        for at in 0..bytes.len() {
            for flip in [1, 0x20, 0xff] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                assert!(!is_whole(&other), "byte {at} with {flip:#x}");
            }
            assert!(!is_whole(&bytes[..at]), "cut at {at}");
        }
    }

    #[test]
    fn a_file_without_a_seal_is_not_whole() {
        assert!(!is_whole(&mezo_model::to_safetensors(&tensors())));
        assert!(!is_whole(b""));
    }
}
