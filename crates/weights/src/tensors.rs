//! Tensors with their names: those of a safetensors file that is read whole.

use std::path::Path;

use safetensors::tensor::Metadata;
use safetensors::{SafeTensorError, SafeTensors};

use crate::error::{ModelError, TensorProblem, problem};
use crate::header::{is_known, to_f32};

/// A weight as a file holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// The name in the file.
    pub name: String,
    /// The sizes in the file.
    pub shape: Vec<usize>,
    /// Row-major.
    pub values: Vec<f32>,
}

/// The tensors of a safetensors file as they are, as f32 and sorted by name: a run that diverges keeps some that are not
/// finite. `path` is named in errors.
///
/// # Errors
/// If the bytes are no such file.
pub fn tensors_of(path: &Path, bytes: &[u8]) -> Result<Vec<NamedTensor>, ModelError> {
    let broken = |error: SafeTensorError| ModelError::Broken {
        path: path.into(),
        bytes: bytes.len() as u64,
        message: error.to_string(),
    };
    if reaches_beyond(bytes) {
        return Err(broken(SafeTensorError::MetadataIncompleteBuffer));
    }
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let mut names: Vec<&str> = file.names().into_iter().collect();
    names.sort_unstable();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let view = file.tensor(name).map_err(broken)?;
        if !is_known(view.dtype()) {
            let found = TensorProblem::Dtype(format!("{:?}", view.dtype()));
            return Err(problem(path, name, found));
        }
        let mut values = Vec::new();
        to_f32(view.dtype(), view.data(), &mut values);
        tensors.push(NamedTensor {
            name: name.into(),
            shape: view.shape().to_vec(),
            values,
        });
    }
    Ok(tensors)
}

/// Whether a sound header speaks of tensors behind the end of the file. The reader finds the same, but adds to their end
/// first, which overflows where that is the largest number there is.
fn reaches_beyond(bytes: &[u8]) -> bool {
    let header = || {
        let (length, rest) = bytes.split_first_chunk()?;
        rest.get(..usize::try_from(u64::from_le_bytes(*length)).ok()?)
    };
    header()
        .and_then(|header| serde_json::from_slice::<Metadata>(header).ok())
        .is_some_and(|metadata| metadata.data_len() > bytes.len())
}
