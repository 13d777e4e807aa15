//! Weights, and a model's folder.

use std::path::Path;

use mezo_model::{ModelError, ModelFiles, NamedTensor, load, tensors_of, to_safetensors};

use super::{passed, refused, scratch, write};

/// Weights, and after the first NUL those of a folder whose `config.json` is what stands before it.
pub fn safetensors(bytes: &[u8]) {
    let alone = tensors(bytes);
    let end = bytes.iter().position(|byte| *byte == 0);
    let beside = end.is_some_and(|end| folder_of(&bytes[..end], &bytes[end + 1..]));
    if alone || beside {
        passed();
    }
}

/// Whether bytes are a file of tensors; then they are one again when they are written.
fn tensors(bytes: &[u8]) -> bool {
    let path = Path::new("folder/model.safetensors");
    let tensors = match tensors_of(path, bytes) {
        Ok(tensors) => tensors,
        Err(error) => {
            refused(&error, path, error.hint());
            return false;
        }
    };
    for NamedTensor { shape, values, .. } in &tensors {
        let size = shape
            .iter()
            .try_fold(1, |size: usize, &axis| size.checked_mul(axis));
        assert_eq!(size, Some(values.len()));
    }
    let again = tensors_of(path, &to_safetensors(&tensors)).unwrap();
    assert!(again.iter().map(told).eq(tensors.iter().map(told)));
    true
}

/// Name, shape and values, these by their bits: some may be no number.
fn told(tensor: &NamedTensor) -> (&str, &[usize], Vec<u32>) {
    let bits = tensor.values.iter().map(|value| value.to_bits());
    (
        tensor.name.as_str(),
        tensor.shape.as_slice(),
        bits.collect(),
    )
}

/// Whether there is a model in a folder with these files; then it is the same when it is saved.
fn folder_of(config: &[u8], weights: &[u8]) -> bool {
    tensors(weights);
    let folder = scratch();
    let first = folder.path().join("model");
    write(&first.join("config.json"), config);
    write(&first.join("model.safetensors"), weights);
    let device = mezo_model::device::open("cpu").unwrap();
    let open = |path: &Path| load(&ModelFiles::Folder(path.to_owned()), &device);
    let no = |error: &ModelError| refused(error, &first, error.hint());
    let loaded = match open(&first) {
        Ok(loaded) => loaded,
        Err(error) => {
            no(&error);
            return false;
        }
    };
    let second = folder.path().join("saved");
    let files = ModelFiles::Folder(first.clone());
    match loaded.model.save(&files, &second) {
        Ok(()) => assert_eq!(open(&second).unwrap().sha256, loaded.sha256),
        Err(error) => no(&error),
    }
    true
}
