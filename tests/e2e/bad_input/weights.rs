//! What is wrong with a model's weights: the built-in model's own files in a folder, damaged.

use std::fs;
use std::path::{Path, PathBuf};

use insta::assert_snapshot;
use serde_json::{Map, Value, json};

use super::world::World;

/// The model's folder in its world.
pub const MODEL: &str = "models/tiny";

/// A world whose spec names a sound model folder.
pub fn world() -> World {
    let world = World::with(&[(
        "builtin = \"roberta-imdb-tiny\"",
        "path = \"../models/tiny\"",
    )]);
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        world.write(format!("{MODEL}/{file}"), fs::read(asset(file)).unwrap());
    }
    world
}

fn asset(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../weights/assets/roberta-imdb-tiny")
        .join(file)
}

struct Tensor {
    name: String,
    dtype: String,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

/// The tensors of the built-in model.
fn tensors() -> Vec<Tensor> {
    let file = fs::read(asset("model.safetensors")).unwrap();
    let (length, rest) = file.split_first_chunk().unwrap();
    let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
    let header: Map<String, Value> = serde_json::from_slice(header).unwrap();
    let tensors = header
        .into_iter()
        .filter(|(name, _)| name != "__metadata__");
    tensors
        .map(|(name, entry)| {
            let [from, to] = serde_json::from_value(entry["data_offsets"].clone()).unwrap();
            let bytes: &[u8] = &data[from..to];
            Tensor {
                name,
                dtype: entry["dtype"].as_str().unwrap().into(),
                shape: serde_json::from_value(entry["shape"].clone()).unwrap(),
                bytes: bytes.into(),
            }
        })
        .collect()
}

/// A safetensors file: the header's length, the header, the tensors one behind the other.
fn safetensors(tensors: &[Tensor]) -> Vec<u8> {
    let mut header = Map::new();
    let mut data = Vec::new();
    for tensor in tensors {
        let from = data.len();
        data.extend_from_slice(&tensor.bytes);
        let entry = json!({"dtype": tensor.dtype, "shape": tensor.shape, "data_offsets": [from, data.len()]});
        header.insert(tensor.name.clone(), entry);
    }
    let header = serde_json::to_vec(&header).unwrap();
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], &header, &data].concat()
}

/// What is said of weights whose tensors were changed so.
fn changed(change: impl FnOnce(&mut Vec<Tensor>)) -> String {
    let mut tensors = tensors();
    change(&mut tensors);
    spoilt(&safetensors(&tensors))
}

/// What is said of these bytes in place of the weights.
fn spoilt(bytes: &[u8]) -> String {
    let world = world();
    world.write(format!("{MODEL}/model.safetensors"), bytes);
    world.refused()
}

fn tensor<'t>(tensors: &'t mut [Tensor], name: &str) -> &'t mut Tensor {
    tensors
        .iter_mut()
        .find(|tensor| tensor.name == name)
        .unwrap()
}

const QUERY: &str = "roberta.encoder.layer.1.attention.self.query.weight";
const BIAS: &str = "lm_head.bias";

#[test]
fn sound_weights_written_by_hand_are_taken() {
    let world = world();
    let weights = safetensors(&tensors());
    assert_ne!(
        weights,
        fs::read(asset("model.safetensors")).unwrap(),
        "another order or header"
    );
    world.write(format!("{MODEL}/model.safetensors"), weights);
    let ended = world.mezo(&["sweep", "plan", super::world::SPEC]);
    let said = world.said(&ended);
    assert_snapshot!(said.lines().next().unwrap(), @"3 runs, 3 finished, 0 outstanding");
}

#[test]
fn weights_are_whole() {
    let whole = fs::read(asset("model.safetensors")).unwrap();
    assert_snapshot!(spoilt(&whole[..whole.len() / 2]), @r"
    error: experiments/../models/tiny/model.safetensors: is not a whole safetensors file (1489456 bytes): incomplete metadata, file not fully covered
    hint: download the file again: it was probably cut off
    ");
    assert_snapshot!(spoilt(&whole[..1000]), @r"
    error: experiments/../models/tiny/model.safetensors: is not a whole safetensors file (1000 bytes): invalid header length
    hint: download the file again: it was probably cut off
    ");
    assert_snapshot!(spoilt(&[]), @r"
    error: experiments/../models/tiny/model.safetensors: is not a whole safetensors file (0 bytes): header too small
    hint: download the file again: it was probably cut off
    ");
}

#[test]
fn weights_are_not_their_pointer() {
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:9f86d081\nsize 2978912\n";
    assert_snapshot!(spoilt(pointer.as_bytes()), @r"
    error: experiments/../models/tiny/model.safetensors: is a Git LFS pointer, not the weights themselves
    hint: run `git lfs pull` in the model's repository, or download the file
    ");
}

#[test]
fn a_missing_tensor_is_named() {
    assert_snapshot!(changed(|tensors| tensors.retain(|tensor| tensor.name != QUERY)), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `roberta.encoder.layer.1.attention.self.query.weight` is missing
    hint: the weights must be those of a whole masked-word model (RobertaForMaskedLM), not of a bare encoder or a classifier
    ");
}

#[test]
fn an_extra_tensor_is_named() {
    let extra = |tensors: &mut Vec<Tensor>| {
        let name = "roberta.encoder.layer.2.attention.self.query.bias".into();
        tensors.push(Tensor {
            name,
            dtype: "F32".into(),
            shape: vec![2],
            bytes: vec![0; 8],
        });
    };
    assert_snapshot!(changed(extra), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `roberta.encoder.layer.2.attention.self.query.bias` is not part of this model
    hint: config.json and the weights must come from the same model
    ");
}

#[test]
fn a_misshapen_tensor_is_named() {
    assert_snapshot!(changed(|tensors| tensor(tensors, QUERY).shape = vec![64, 256]), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `roberta.encoder.layer.1.attention.self.query.weight` has shape [64, 256], expected [128, 128]
    hint: config.json and the weights must come from the same model
    ");
}

#[test]
fn a_tensor_is_finite() {
    let put = |bits: u16| {
        changed(|tensors| {
            let bias = tensor(tensors, BIAS);
            assert_eq!(bias.dtype, "F16");
            bias.bytes[2 * 37..2 * 38].copy_from_slice(&bits.to_le_bytes());
        })
    };
    assert_snapshot!(put(0x7e00), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `lm_head.bias` holds NaN at element 37
    hint: the weights are of no use: take them from their source again
    ");
    assert_snapshot!(put(0xfc00), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `lm_head.bias` holds -inf at element 37
    hint: the weights are of no use: take them from their source again
    ");
}

#[test]
fn a_tensor_has_a_dtype_that_is_read() {
    assert_snapshot!(changed(|tensors| tensor(tensors, BIAS).dtype = "I16".into()), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `lm_head.bias` has dtype I16, expected F32, F16 or BF16
    hint: save the weights as one of these
    ");
}
