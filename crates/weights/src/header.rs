//! One safetensors file, of which the header is read and the values where they are asked for.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use half::{bf16, f16};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, SafeTensorError};
use serde_json::error::Category;

use crate::error::{ModelError, TensorProblem, problem};

/// The longest header that is read; the format allows no longer one.
const LONGEST: u64 = 100_000_000;
/// What a Git LFS pointer begins with.
const LFS: &[u8] = b"version https://git-lfs";
/// Bytes that are converted at once.
const CHUNK: usize = 1 << 20;

/// A file's header, and the file itself.
pub(crate) struct Shard {
    pub(crate) path: PathBuf,
    data: Data,
    /// Where the values begin.
    start: u64,
    pub(crate) header: Metadata,
}

/// Where the bytes of a file are.
enum Data {
    Memory(&'static [u8]),
    File(File),
}

impl Data {
    fn read(&self, at: u64, bytes: &mut [u8]) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.read_exact_at(bytes, at),
            Self::Memory(all) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX);
                let found = all.get(at..).and_then(|rest| rest.get(..bytes.len()));
                let found = found.ok_or(std::io::ErrorKind::UnexpectedEof)?;
                bytes.copy_from_slice(found);
                Ok(())
            }
        }
    }
}

impl Shard {
    /// Opens a file on disk.
    pub(crate) fn open(path: PathBuf) -> Result<Self, ModelError> {
        let read = |source| ModelError::Read {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(read)?;
        let length = file.metadata().map_err(read)?.len();
        Self::new(path, Data::File(file), length)
    }

    /// The file of a model that is part of the binary.
    pub(crate) fn in_memory(path: PathBuf, bytes: &'static [u8]) -> Result<Self, ModelError> {
        Self::new(path, Data::Memory(bytes), bytes.len() as u64)
    }

    fn new(path: PathBuf, data: Data, length: u64) -> Result<Self, ModelError> {
        let read = |at, bytes: &mut [u8]| {
            data.read(at, bytes).map_err(|source| ModelError::Read {
                path: path.clone(),
                source,
            })
        };
        let mut first = vec![0; LFS.len().min(usize::try_from(length).unwrap_or(usize::MAX))];
        read(0, &mut first)?;
        if first == LFS {
            return Err(ModelError::LfsPointer { path });
        }
        let broken = |error: SafeTensorError| ModelError::Broken {
            path: path.clone(),
            bytes: length,
            message: error.to_string(),
        };
        let Some(size) = first.first_chunk() else {
            return Err(broken(SafeTensorError::HeaderTooSmall));
        };
        let size = u64::from_le_bytes(*size);
        if size > LONGEST {
            return Err(broken(SafeTensorError::HeaderTooLarge));
        }
        let start = 8 + size;
        if start > length {
            return Err(broken(SafeTensorError::InvalidHeaderLength));
        }
        let mut bytes = vec![0; size as usize];
        read(8, &mut bytes)?;
        let text = std::str::from_utf8(&bytes)
            .map_err(|error| broken(SafeTensorError::InvalidHeader(error)))?;
        let header: Metadata =
            serde_json::from_str(text).map_err(|error| match error.classify() {
                // What the format forbids is said as the format's reader says it.
                Category::Data => ModelError::Broken {
                    path: path.clone(),
                    bytes: length,
                    message: bare(&error),
                },
                _ => broken(SafeTensorError::InvalidHeaderDeserialization(error)),
            })?;
        // The end of a tensor may be the largest number there is.
        if start.checked_add(header.data_len() as u64) != Some(length) {
            return Err(broken(SafeTensorError::MetadataIncompleteBuffer));
        }
        Ok(Self {
            path,
            data,
            start,
            header,
        })
    }

    /// Hands the values of a tensor on, in order and in pieces, as f32.
    ///
    /// # Errors
    /// If they cannot be read, or one is not finite.
    pub(crate) fn values(
        &self,
        name: &str,
        info: &TensorInfo,
        each: &mut dyn FnMut(&[f32]),
    ) -> Result<(), ModelError> {
        let (from, to) = info.data_offsets;
        let (mut bytes, mut values) = (vec![0; CHUNK.min(to - from)], Vec::new());
        let (mut at, mut element) = (from, 0);
        while at < to {
            let piece = &mut bytes[..CHUNK.min(to - at)];
            self.data
                .read(self.start + at as u64, piece)
                .map_err(|source| ModelError::Read {
                    path: self.path.clone(),
                    source,
                })?;
            to_f32(info.dtype, piece, &mut values);
            check_finite(&self.path, name, element, &values)?;
            each(&values);
            at += piece.len();
            element += values.len();
        }
        Ok(())
    }
}

/// An error without its place, which in a header of one line says nothing.
fn bare(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).unwrap_or(&text).to_owned()
}

/// Whether values of this type can be read.
pub(crate) fn is_known(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16)
}

/// Reads bytes as numbers of a type that [`is_known`].
pub(crate) fn to_f32(dtype: Dtype, bytes: &[u8], values: &mut Vec<f32>) {
    values.clear();
    match dtype {
        Dtype::F16 => {
            let all = bytes.as_chunks().0.iter();
            values.extend(all.map(|two| f16::from_le_bytes(*two).to_f32()));
        }
        Dtype::BF16 => {
            let all = bytes.as_chunks().0.iter();
            values.extend(all.map(|two| bf16::from_le_bytes(*two).to_f32()));
        }
        _ => {
            let all = bytes.as_chunks().0.iter();
            values.extend(all.map(|four| f32::from_le_bytes(*four)));
        }
    }
}

/// A model with a weight that is no number can say nothing. `first` is the place of the first value in its tensor.
fn check_finite(path: &Path, name: &str, first: usize, values: &[f32]) -> Result<(), ModelError> {
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(at) => {
            let (element, value) = (first + at, values[at]);
            let found = TensorProblem::NotFinite { element, value };
            Err(problem(path, name, found))
        }
    }
}
