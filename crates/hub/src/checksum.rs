//! The hashes by which the hub names files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha1::Sha1;
use sha2::Sha256;
use sha2::digest::Digest;

/// A file's hash as its etag gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Of a file in Git LFS: sha256 of its bytes.
    Sha256(String),
    /// Of any other file: git's own hash of a blob, sha1 of `blob <size>\0` and its bytes.
    Git(String),
}

impl Checksum {
    /// The hash in an etag such as `W/"abc"`, if it holds one of the two. Nothing else may name a file of the cache.
    pub(crate) fn of_etag(etag: &str) -> Option<Self> {
        let hash = etag.trim_start_matches("W/").trim_matches('"');
        if !hash
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        {
            return None;
        }
        match hash.len() {
            64 => Some(Self::Sha256(hash.to_owned())),
            40 => Some(Self::Git(hash.to_owned())),
            _ => None,
        }
    }

    /// The hash in hexadecimal; the blob's name.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Sha256(hash) | Self::Git(hash) => hash,
        }
    }

    /// What messages call it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Sha256(_) => "sha256",
            Self::Git(_) => "git hash",
        }
    }

    /// The same kind of hash of a file on disk.
    pub(crate) fn of_file(&self, path: &Path) -> io::Result<String> {
        let file = File::open(path)?;
        match self {
            Self::Sha256(_) => hash(Sha256::new(), file),
            Self::Git(_) => {
                let size = file.metadata()?.len();
                hash(Sha1::new_with_prefix(format!("blob {size}\0")), file)
            }
        }
    }
}

fn hash(mut digest: impl Digest, mut file: File) -> io::Result<String> {
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        digest.update(&buffer[..count]);
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Checksum;

    #[test]
    fn etags_are_hashes_or_nothing() {
        let sha256 = "a".repeat(64);
        let git = "0".repeat(40);
        let of = Checksum::of_etag;
        assert_eq!(of(&format!("\"{sha256}\"")), Some(Checksum::Sha256(sha256)));
        assert_eq!(of(&format!("W/\"{git}\"")), Some(Checksum::Git(git)));
        for other in [
            "",
            "\"abc\"",
            "../../../../../../../../../../../../../etc",
            &"g".repeat(40),
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn files_hash_as_git_and_sha256sum_have_them() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "hello\n").unwrap();
        let of = |length| {
            Checksum::of_etag(&"0".repeat(length))
                .unwrap()
                .of_file(file.path())
        };
        assert_eq!(of(40).unwrap(), "ce013625030ba8dba906f756967f9e9ca394464a");
        assert_eq!(
            of(64).unwrap(),
            "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
        );
    }
}
