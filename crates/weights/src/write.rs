//! Tensors and JSON into files.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;

use crate::error::ModelError;
use crate::tensors::NamedTensor;

/// The bytes of a safetensors file with these tensors in f32.
///
/// Only the tensors and their order by name decide the bytes.
///
/// # Panics
/// If a tensor's shape does not fit its values.
pub fn to_safetensors(tensors: &[NamedTensor]) -> Vec<u8> {
    to_safetensors_with(tensors, "format", "pt")
}

/// The same with one entry of metadata instead of the one that Hugging Face's libraries look for.
///
/// # Panics
/// If a tensor's shape does not fit its values.
pub fn to_safetensors_with(tensors: &[NamedTensor], key: &str, value: &str) -> Vec<u8> {
    let bytes: Vec<Vec<u8>> = tensors
        .iter()
        .map(|tensor| {
            tensor
                .values
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect()
        })
        .collect();
    let views: Vec<(&str, TensorView<'_>)> = tensors
        .iter()
        .zip(&bytes)
        .map(|(tensor, bytes)| {
            // A file that lacks a tensor without a word would be worse than an end here.
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)
                .expect("a tensor's shape fits its values");
            (tensor.name.as_str(), view)
        })
        .collect();
    let metadata = HashMap::from([(key.to_owned(), value.to_owned())]);
    safetensors::serialize(views, Some(metadata)).expect("whole tensors can be written to memory")
}

/// Writes a file, and the folders that lead to it.
///
/// # Errors
/// If that cannot be.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), ModelError> {
    let failed = |source| ModelError::Write {
        path: path.into(),
        source,
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    std::fs::write(path, bytes).map_err(failed)
}

/// The same for a JSON file.
///
/// # Errors
/// If it cannot be written.
pub fn write_json(path: &Path, value: &Value) -> Result<(), ModelError> {
    write(path, format!("{value:#}\n").as_bytes())
}
