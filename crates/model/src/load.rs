//! From files to a model, every tensor checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use burn::tensor::{Device, Tensor};
use half::{bf16, f16};
use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use sha2::{Digest, Sha256};

use crate::config::RobertaConfig;
use crate::error::{ModelError, TensorProblem};
use crate::folder::ModelFiles;
use crate::parameters::{NamedTensor, is_lora, is_prefix};
use crate::roberta::Roberta;
use crate::weight::Weight;

/// Tensors that files of this architecture carry and a masked-word model has no use for.
const UNUSED: [&str; 3] = [
    "roberta.embeddings.position_ids",
    "roberta.pooler.",
    "classifier.",
];
/// The decoder's own matrix; absent where it is the word table.
pub(crate) const DECODER: &str = "lm_head.decoder.weight";
/// How many tensors a layer is in a file.
const TENSORS_OF_A_LAYER: usize = 16;
/// A second name of `lm_head.bias` in some files.
pub(crate) const DECODER_BIAS: &str = "lm_head.decoder.bias";
pub(crate) const HEAD_BIAS: &str = "lm_head.bias";
pub(crate) const WORDS: &str = "roberta.embeddings.word_embeddings.weight";

/// A model as it was loaded, and what identifies it.
#[derive(Debug)]
pub struct Loaded {
    /// The model, nothing of it marked as trained.
    pub model: Roberta,
    /// Its sizes.
    pub config: RobertaConfig,
    /// SHA-256 over names, shapes and f32 values of the weights in use: the same for the same numbers, however they were
    /// split over files or what else lay beside them.
    pub sha256: String,
}

/// Loads a model onto a device.
///
/// An absent `lm_head.decoder.weight` is the word table, and so is one with the same values; another one is kept apart.
///
/// # Errors
/// If a file is missing, broken or a Git LFS pointer, or a tensor is missing, unknown, misshapen, of another dtype or
/// not finite. The error names the file and the tensor.
pub fn load(files: &ModelFiles, device: &Device) -> Result<Loaded, ModelError> {
    // Memory of just its size: what a device lends for a moment comes in pieces as large as the largest weight.
    device.memory_persistent_allocations((), |()| read(files, device))
}

fn read(files: &ModelFiles, device: &Device) -> Result<Loaded, ModelError> {
    let (config_path, text) = files.config()?;
    let config = RobertaConfig::parse(&config_path, &text)?;
    let mut tensors = read_all(files)?;
    take_aliases(&mut tensors)?;
    check_size(&config, &config_path, &tensors)?;
    let mut model = Roberta::zeros(&config, device);
    if let Some((path, decoder)) = tensors.get(DECODER) {
        let dims = [config.vocab_size, config.hidden_size];
        check_shape(path, decoder, &dims)?;
        model.head.decoder = Some(Weight::new(Tensor::zeros(dims, device)));
    }
    let sha256 = fill(&mut model, tensors, &files.listing()?)?;
    Ok(Loaded {
        model,
        config,
        sha256,
    })
}

/// Refuses sizes far beyond what the files hold, before memory is asked for. Smaller differences are named by tensor.
fn check_size(
    config: &RobertaConfig,
    path: &Path,
    tensors: &FileTensors,
) -> Result<(), ModelError> {
    let held: usize = tensors
        .values()
        .map(|(_, tensor)| tensor.values.len())
        .sum();
    let (scalars, layers) = (config.scalars(), config.num_hidden_layers);
    let message = if scalars > 4 * (held as u128 + 1_000_000) {
        format!("its sizes make {scalars} numbers, the weights beside it hold {held}")
    } else if layers > tensors.len() / TENSORS_OF_A_LAYER + 100 {
        // A layer takes room beside its numbers, of which there may be very few.
        let held = tensors.len();
        format!("it has {layers} layers, the weights beside it are {held} tensors")
    } else {
        return Ok(());
    };
    Err(ModelError::Config {
        path: path.into(),
        message,
    })
}

type FileTensors = BTreeMap<String, (PathBuf, NamedTensor)>;

/// All tensors in use, from one file or several.
fn read_all(files: &ModelFiles) -> Result<FileTensors, ModelError> {
    let mut all = FileTensors::new();
    for path in files.weights()? {
        let file = files.read(path)?;
        for tensor in parse(&file.path, &file.bytes, |name| !is_unused(name))? {
            check_finite(&file.path, &tensor)?;
            let name = tensor.name.clone();
            if all
                .insert(name.clone(), (file.path.clone(), tensor))
                .is_some()
            {
                return Err(problem(&file.path, &name, TensorProblem::Twice));
            }
        }
    }
    Ok(all)
}

fn is_unused(name: &str) -> bool {
    UNUSED.iter().any(|prefix| name.starts_with(prefix))
}

/// Folds second names into first ones: the decoder's bias, and a decoder that equals the word table.
fn take_aliases(tensors: &mut FileTensors) -> Result<(), ModelError> {
    if let Some((path, bias)) = tensors.remove(DECODER_BIAS) {
        // Where a file has both, the decoder's is the one that Hugging Face's forward pass adds.
        if let Some((path, unused)) = tensors.insert(HEAD_BIAS.into(), (path, bias.clone())) {
            check_shape(&path, &unused, &bias.shape)?;
        }
    }
    let same = match (tensors.get(DECODER), tensors.get(WORDS)) {
        (Some((_, decoder)), Some((_, words))) => {
            decoder.shape == words.shape && decoder.values == words.values
        }
        _ => false,
    };
    if same {
        tensors.remove(DECODER);
    }
    Ok(())
}

/// Puts every tensor in its place; none may be left over or lacking.
fn fill(
    model: &mut Roberta,
    mut tensors: FileTensors,
    listing: &Path,
) -> Result<String, ModelError> {
    let mut failed = None;
    let mut hash = Sha256::new();
    model.each_mut("", &mut |name, stored, weight| {
        if failed.is_some() {
            return;
        }
        let Some((path, tensor)) = tensors.remove(&name) else {
            failed = Some(problem(listing, &name, TensorProblem::Missing));
            return;
        };
        if let Err(error) = check_shape(&path, &tensor, &weight.file_shape(stored)) {
            failed = Some(error);
            return;
        }
        digest(&mut hash, &name, &tensor);
        weight.set_from_file(stored, tensor.values);
    });
    if let Some(error) = failed {
        return Err(error);
    }
    match tensors.into_iter().next() {
        Some((name, (path, _))) => Err(problem(&path, &name, TensorProblem::Unknown)),
        None => Ok(hex(&hash.finalize())),
    }
}

fn digest(hash: &mut Sha256, name: &str, tensor: &NamedTensor) {
    hash.update(name.as_bytes());
    hash.update([0]);
    for size in &tensor.shape {
        hash.update((*size as u64).to_le_bytes());
    }
    for value in &tensor.values {
        hash.update(value.to_le_bytes());
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn problem(path: &Path, name: &str, problem: TensorProblem) -> ModelError {
    ModelError::Tensor {
        path: path.into(),
        name: name.into(),
        problem,
    }
}

pub(crate) fn check_shape(
    path: &Path,
    tensor: &NamedTensor,
    expected: &[usize],
) -> Result<(), ModelError> {
    if tensor.shape == expected {
        return Ok(());
    }
    let shape = TensorProblem::Shape {
        found: tensor.shape.clone(),
        expected: expected.into(),
    };
    Err(problem(path, &tensor.name, shape))
}

/// The tensors of a safetensors file that `wanted` picks, as f32, sorted by name, all finite.
fn parse(
    path: &Path,
    bytes: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<NamedTensor>, ModelError> {
    let broken = |error: safetensors::SafeTensorError| ModelError::Broken {
        path: path.into(),
        bytes: bytes.len(),
        message: error.to_string(),
    };
    if reaches_beyond(bytes) {
        return Err(broken(SafeTensorError::MetadataIncompleteBuffer));
    }
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let names: BTreeSet<String> = file
        .names()
        .into_iter()
        .filter(|name| wanted(name))
        .map(String::from)
        .collect();
    let mut tensors = Vec::with_capacity(names.len());
    for name in names {
        let view = file.tensor(&name).map_err(broken)?;
        let values = to_f32(&view).map_err(|found| problem(path, &name, found))?;
        tensors.push(NamedTensor {
            name,
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

fn to_f32(view: &TensorView<'_>) -> Result<Vec<f32>, TensorProblem> {
    let data = view.data();
    let values: Vec<f32> = match view.dtype() {
        Dtype::F32 => data
            .as_chunks()
            .0
            .iter()
            .map(|four| f32::from_le_bytes(*four))
            .collect(),
        Dtype::F16 => data
            .as_chunks()
            .0
            .iter()
            .map(|two| f16::from_le_bytes(*two).to_f32())
            .collect(),
        Dtype::BF16 => data
            .as_chunks()
            .0
            .iter()
            .map(|two| bf16::from_le_bytes(*two).to_f32())
            .collect(),
        other => return Err(TensorProblem::Dtype(format!("{other:?}"))),
    };
    Ok(values)
}

/// A model with a weight that is no number can say nothing.
fn check_finite(path: &Path, tensor: &NamedTensor) -> Result<(), ModelError> {
    match tensor.values.iter().position(|value| !value.is_finite()) {
        None => Ok(()),
        Some(element) => {
            let value = tensor.values[element];
            let found = TensorProblem::NotFinite { element, value };
            Err(problem(path, &tensor.name, found))
        }
    }
}

/// Reads a safetensors file whole, by [`tensors_of`].
///
/// # Errors
/// As [`load`](fn@crate::load) for its files.
pub fn read_tensors(path: &Path) -> Result<Vec<NamedTensor>, ModelError> {
    let file = ModelFiles::Folder(PathBuf::new()).read(path.into())?;
    tensors_of(&file.path, &file.bytes)
}

/// The tensors of a safetensors file as they are: a run that diverges keeps some that are not finite. `path` is named in
/// errors.
///
/// # Errors
/// If the bytes are no such file.
pub fn tensors_of(path: &Path, bytes: &[u8]) -> Result<Vec<NamedTensor>, ModelError> {
    parse(path, bytes, |_| true)
}

impl Roberta {
    /// Takes the values of the trained tensors from a file's.
    ///
    /// # Errors
    /// If one is missing, misshapen, or not among the trained ones; `path` is named in the error.
    pub fn set_trainable(
        &mut self,
        tensors: Vec<NamedTensor>,
        path: &Path,
    ) -> Result<(), ModelError> {
        let mut by_name: BTreeMap<String, NamedTensor> = tensors
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        let mut failed = None;
        self.each_mut("", &mut |name, stored, weight| {
            if weight.parameter.is_none() || failed.is_some() {
                return;
            }
            let Some(tensor) = by_name.remove(&name) else {
                failed = Some(problem(path, &name, TensorProblem::Missing));
                return;
            };
            match check_shape(path, &tensor, &weight.file_shape(stored)) {
                Ok(()) => weight.set_from_file(stored, tensor.values),
                Err(error) => failed = Some(error),
            }
        });
        if let Some(error) = failed {
            return Err(error);
        }
        match by_name.into_keys().next() {
            Some(name) => Err(problem(path, &name, TensorProblem::Unknown)),
            None => Ok(()),
        }
    }

    /// Whether a name belongs to the whole model as files hold it, and not to an adapter.
    pub(crate) fn is_base(name: &str) -> bool {
        !is_lora(name) && !is_prefix(name)
    }
}
