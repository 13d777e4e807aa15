//! The model in the binary, the tensors of its file, and sentences for it.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its part

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use half::{bf16, f16};
use mezo_model::{
    Decay, DecayOn, Estimates, Loaded, Model, ModelError, ModelFiles, Optimizer, Philox, Probes,
    Rule, Term, load,
};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use tempfile::TempDir;

use super::common::Packed;

pub const CONFIG: &str = include_str!("../../../weights/assets/roberta-imdb-tiny/config.json");
pub const WHOLE: &str = "model.safetensors";
pub const INDEX: &str = "model.safetensors.index.json";
pub const WORD_TABLE: &str = "roberta.embeddings.word_embeddings.weight";
pub const DECODER: &str = "lm_head.decoder.weight";
pub const BIAS: &str = "lm_head.bias";
pub const DECODER_BIAS: &str = "lm_head.decoder.bias";
/// Two words whose scores are asked for.
pub const WORDS: [usize; 2] = [100, 2000];

pub fn builtin() -> ModelFiles {
    ModelFiles::builtin("roberta-imdb-tiny").unwrap()
}

pub fn tiny() -> Loaded {
    load(&builtin(), &Device::flex()).unwrap()
}

/// Sentences of 1 to 30 words, each with its mask somewhere.
pub fn sentences(count: usize) -> (Vec<Vec<u32>>, Vec<usize>) {
    let mut state = 12345u32;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    (0..count)
        .map(|number| {
            // The first few are the shortest there can be.
            let length = if number < 3 { number + 1 } else { 1 + draw(30) };
            let ids = (0..length).map(|_| 5 + draw(8000) as u32).collect();
            (ids, draw(length))
        })
        .unzip()
}

/// Scores of a few sentences.
pub fn scores(model: &Model) -> Vec<f64> {
    let (sentences, masks) = sentences(6);
    let packed = Packed::new(&sentences, &masks);
    let scores = model.scores(packed.batch(), &WORDS, &Probes::unperturbed());
    (0..6).flat_map(|row| scores.row(0, row).to_vec()).collect()
}

/// `theta <- theta - (sum of coefficient * z(seed) + decay * theta)` on every trained tensor.
pub fn descend(model: &mut Model, terms: &[(u64, f64)], decay: f64) {
    let term = |&(seed, coefficient)| Term { seed, coefficient };
    let gradient = Estimates {
        noise: &Philox,
        terms: terms.iter().map(term).collect(),
        factors: None,
    };
    let decay = Decay {
        rate: decay,
        on: DecayOn::All,
    };
    Optimizer::new(Rule::Sgd { momentum: 0.0 }, decay).update(model, &gradient, 1.0);
}

/// A tensor as a file holds it.
#[derive(Clone)]
pub struct Raw {
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// A file's tensors by name.
pub type RawFile = BTreeMap<String, Raw>;

impl Raw {
    pub fn new(dtype: Dtype, shape: &[usize], values: &[f32]) -> Self {
        let bytes = values
            .iter()
            .flat_map(|&value| match dtype {
                Dtype::F32 => value.to_le_bytes().to_vec(),
                Dtype::F16 => f16::from_f32(value).to_le_bytes().to_vec(),
                Dtype::BF16 => bf16::from_f32(value).to_le_bytes().to_vec(),
                Dtype::I64 => (value as i64).to_le_bytes().to_vec(),
                other => panic!("no {other:?} in these tests"),
            })
            .collect();
        Self {
            dtype,
            shape: shape.into(),
            bytes,
        }
    }

    pub fn zeros(dtype: Dtype, shape: &[usize]) -> Self {
        Self::new(dtype, shape, &vec![0.0; shape.iter().product()])
    }

    /// The same values after `change`, in another dtype.
    pub fn map(&self, dtype: Dtype, change: impl Fn(f32) -> f32) -> Self {
        let values: Vec<f32> = match self.dtype {
            Dtype::F16 => self
                .bytes
                .as_chunks()
                .0
                .iter()
                .map(|two| f16::from_le_bytes(*two).to_f32())
                .collect(),
            Dtype::F32 => self
                .bytes
                .as_chunks()
                .0
                .iter()
                .map(|four| f32::from_le_bytes(*four))
                .collect(),
            other => panic!("{other:?} is not read in these tests"),
        };
        let values: Vec<f32> = values.into_iter().map(change).collect();
        Self::new(dtype, &self.shape, &values)
    }
}

/// The tensors of a file.
pub fn raw(path: &Path) -> RawFile {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter()
        .map(|(name, view)| {
            let (dtype, shape) = (view.dtype(), view.shape().to_vec());
            (
                name.to_owned(),
                Raw {
                    dtype,
                    shape,
                    bytes: view.data().to_vec(),
                },
            )
        })
        .collect()
}

/// The tensors of the model in the binary, f16.
pub fn raw_tiny() -> RawFile {
    raw(&Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../weights/assets/roberta-imdb-tiny")
        .join(WHOLE))
}

/// The tiny model's tensors after an edit.
pub fn edited(edit: impl FnOnce(&mut RawFile)) -> RawFile {
    let mut tensors = raw_tiny();
    edit(&mut tensors);
    tensors
}

#[track_caller]
pub fn assert_same(ours: &Loaded, theirs: &Loaded) {
    assert_eq!(ours.sha256, theirs.sha256);
    assert_eq!(scores(&ours.model), scores(&theirs.model));
}

/// A model folder of a test's own.
pub struct Folder(TempDir);

impl Folder {
    /// With the tiny model's `config.json` and nothing else.
    pub fn new() -> Self {
        let folder = Self(TempDir::new().unwrap());
        folder.write("config.json", CONFIG.as_bytes());
        folder
    }

    /// With these weights too.
    pub fn with(weights: &RawFile) -> Self {
        let folder = Self::new();
        folder.weights(WHOLE, weights);
        folder
    }

    pub fn path(&self) -> PathBuf {
        self.0.path().into()
    }

    pub fn files(&self) -> ModelFiles {
        ModelFiles::Folder(self.path())
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.0.path().join(name), bytes).unwrap();
    }

    pub fn weights(&self, name: &str, weights: &RawFile) {
        let views = weights.iter().map(|(name, raw)| {
            (
                name,
                TensorView::new(raw.dtype, raw.shape.clone(), &raw.bytes).unwrap(),
            )
        });
        self.write(name, &safetensors::serialize(views, None).unwrap());
    }

    pub fn load(&self) -> Result<Loaded, ModelError> {
        load(&self.files(), &Device::flex())
    }

    /// The text of the error that loading ends in, the folder left out.
    #[track_caller]
    pub fn error(&self) -> String {
        let text = self.load().expect_err("expected an error").to_string();
        let folder = format!("{}/", self.0.path().display());
        let rest = text.strip_prefix(&folder);
        rest.unwrap_or_else(|| panic!("names no file of {folder}: {text}"))
            .to_owned()
    }
}
