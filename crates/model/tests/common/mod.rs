//! The recorded cases of the reference, where they are.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeMap;
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use mezo_model::{Loaded, Model, ModelFiles, NamedTensor, Noise, load, read_tensors};
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Cases {
    pub input_ids: Vec<Vec<u32>>,
    pub mask_pos: Vec<usize>,
    pub label_words: Vec<usize>,
    pub labels: Vec<usize>,
    pub loss: f64,
    pub label_logits: Vec<Vec<f64>>,
    pub mask_logits: Option<Vec<Vec<f64>>>,
    pub hidden_layer_sums: Option<Vec<f64>>,
    pub hidden_case0_last: Option<Vec<Vec<f64>>>,
    pub spsa_full_tied: Option<Spsa>,
    pub lora_loss: Option<f64>,
    pub spsa_lora: Option<Spsa>,
    pub prefix_loss: Option<f64>,
    pub spsa_prefix: Option<Spsa>,
}

#[derive(Deserialize, Clone)]
pub struct Spsa {
    pub r: Option<usize>,
    pub alpha: Option<f64>,
    pub num_prefix: Option<usize>,
    pub eps: f64,
    pub lr: f64,
    pub weight_decay: f64,
    pub loss_plus: f64,
    pub loss_minus: f64,
    pub projected_grad: f64,
    pub loss_after: f64,
}

/// A batch that owns its parts.
pub struct Packed {
    pub ids: Vec<u32>,
    pub starts: Vec<usize>,
    pub masks: Vec<usize>,
}

impl Packed {
    pub fn new(sentences: &[Vec<u32>], masks: &[usize]) -> Self {
        let mut packed = Self {
            ids: vec![],
            starts: vec![0],
            masks: vec![],
        };
        for (sentence, mask) in sentences.iter().zip(masks) {
            packed.masks.push(packed.ids.len() + mask);
            packed.ids.extend(sentence);
            packed.starts.push(packed.ids.len());
        }
        packed
    }

    pub fn batch(&self) -> mezo_model::Batch<'_> {
        mezo_model::Batch {
            ids: &self.ids,
            starts: &self.starts,
            asked: &self.masks,
        }
    }
}

/// The shared folder: `MEZO_SHARED`, or the one beside the project.
pub fn shared() -> PathBuf {
    match std::env::var_os("MEZO_SHARED") {
        Some(path) => path.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    }
}

/// Every model folder with a `cases.json`; an empty list says that it is skipped.
pub fn golden_folders(what: &str) -> Vec<(PathBuf, Cases)> {
    let root = shared().join("reference/goldens");
    let Ok(entries) = std::fs::read_dir(&root) else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {what} (no recorded cases at {})",
            root.display()
        );
        return vec![];
    };
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("cases.json").exists())
        .collect();
    folders.sort();
    folders
        .into_iter()
        .map(|folder| {
            let _ = writeln!(std::io::stderr(), "{what}: {}", folder.display());
            let text = std::fs::read_to_string(folder.join("cases.json")).unwrap();
            (folder, serde_json::from_str(&text).unwrap())
        })
        .collect()
}

pub fn model(folder: &Path) -> Loaded {
    load(&ModelFiles::Folder(folder.into()), &Device::flex()).unwrap()
}

/// Recorded numbers in the place of the generator's, by the name of the tensor.
pub struct Recorded {
    by_parameter: Vec<Vec<f32>>,
}

impl Recorded {
    /// The numbers of a file, brought into the order in which the model keeps its trained tensors.
    pub fn new(model: &Model, path: &Path) -> Self {
        let mut by_name: BTreeMap<String, NamedTensor> = read_tensors(path)
            .unwrap()
            .into_iter()
            .map(|tensor| (tensor.name.clone(), tensor))
            .collect();
        let by_parameter = model
            .trainable_names()
            .iter()
            .map(|name| in_our_order(by_name.remove(name).unwrap()))
            .collect();
        assert!(by_name.is_empty(), "unused: {:?}", by_name.keys());
        Self { by_parameter }
    }
}

/// Linear weights lie as `[out, in]` in files and as `[in, out]` in the model.
fn in_our_order(tensor: NamedTensor) -> Vec<f32> {
    let as_stored = ["embeddings", "decoder", "prefix"];
    let table = as_stored.iter().any(|part| tensor.name.contains(part));
    let linear = tensor.shape.len() == 2 && !table;
    if !linear {
        return tensor.values;
    }
    let (rows, columns) = (tensor.shape[0], tensor.shape[1]);
    (0..columns)
        .flat_map(|column| (0..rows).map(move |row| (row, column)))
        .map(|(row, column)| tensor.values[row * columns + column])
        .collect()
}

impl Noise for Recorded {
    fn fill(&self, _seed: u64, parameter: usize, first: usize, out: &mut [f32]) {
        out.copy_from_slice(&self.by_parameter[parameter][first..first + out.len()]);
    }
}

#[track_caller]
pub fn close(what: &str, ours: f64, theirs: f64, tolerance: f64) {
    let off = (ours - theirs).abs();
    println!("  {what}: {ours:.9} (recorded {theirs:.9}, off by {off:.1e})");
    assert!(off <= tolerance, "{what}: {ours} and {theirs}");
}
