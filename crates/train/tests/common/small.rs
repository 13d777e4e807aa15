//! A model small enough that a run of it takes milliseconds, in a folder of its own.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use mezo_model::{ModelFiles, NamedTensor, to_safetensors};
use serde_json::Value;

const HIDDEN: usize = 8;
const INNER: usize = 16;
const VOCAB: usize = 8192;
const POSITIONS: usize = 130;

/// Writes it, with what the built-in model's tokenizer needs for letters and the label words: reading all of it takes longer
/// than a run.
pub fn write_model(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let ModelFiles::Builtin(builtin) = ModelFiles::builtin("roberta-imdb-tiny").unwrap() else {
        panic!("the built-in model is in the binary");
    };
    let tokenizer = without_most_words(builtin.tokenizer_json());
    fs::write(folder.join("tokenizer.json"), tokenizer).unwrap();
    let config = format!(
        r#"{{"architectures":["RobertaForMaskedLM"],"model_type":"roberta","hidden_act":"gelu","hidden_size":{HIDDEN},
        "intermediate_size":{INNER},"num_attention_heads":2,"num_hidden_layers":1,"vocab_size":{VOCAB},
        "max_position_embeddings":{POSITIONS},"type_vocab_size":1,"layer_norm_eps":1e-5,"pad_token_id":1}}"#
    );
    fs::write(folder.join("config.json"), config).unwrap();
    fs::write(folder.join("model.safetensors"), to_safetensors(&tensors())).unwrap();
}

/// A byte-level tokenizer with the words that a label may be.
fn without_most_words(tokenizer: &[u8]) -> String {
    let mut tokenizer: Value = serde_json::from_slice(tokenizer).unwrap();
    let merges: Vec<[String; 2]> =
        serde_json::from_value(tokenizer["model"]["merges"].take()).unwrap();
    let mut kept = BTreeSet::new();
    keep("\u{120}terrible", &merges, &mut kept);
    keep("\u{120}great", &merges, &mut kept);
    let vocab = tokenizer["model"]["vocab"].as_object_mut().unwrap();
    let special = |word: &str| word.starts_with('<');
    vocab.retain(|word, _| kept.contains(word) || word.chars().count() == 1 || special(word));
    let merges: Vec<_> = merges
        .into_iter()
        .filter(|[a, b]| kept.contains(&format!("{a}{b}")))
        .collect();
    tokenizer["model"]["merges"] = serde_json::to_value(merges).unwrap();
    tokenizer.to_string()
}

/// Keeps a word and those that it is merged of.
fn keep(word: &str, merges: &[[String; 2]], kept: &mut BTreeSet<String>) {
    let made = merges.iter().find(|[a, b]| word == format!("{a}{b}"));
    if let Some(parts) = made.filter(|_| kept.insert(word.to_owned())) {
        parts.iter().for_each(|part| keep(part, merges, kept));
    }
}

fn tensors() -> Vec<NamedTensor> {
    let mut state = 1_u32;
    let mut draw = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 - 0.5
    };
    let mut all = Vec::new();
    let mut add = |name: &str, shape: &[usize]| {
        let length = shape.iter().product();
        all.push(NamedTensor {
            name: name.into(),
            shape: shape.into(),
            values: (0..length).map(|_| draw()).collect(),
        });
    };
    let embeddings = "roberta.embeddings";
    add(
        &format!("{embeddings}.word_embeddings.weight"),
        &[VOCAB, HIDDEN],
    );
    add(
        &format!("{embeddings}.position_embeddings.weight"),
        &[POSITIONS, HIDDEN],
    );
    add(
        &format!("{embeddings}.token_type_embeddings.weight"),
        &[1, HIDDEN],
    );
    let layer = "roberta.encoder.layer.0";
    let mut with_bias = |name: &str, shape: &[usize]| {
        add(&format!("{name}.weight"), shape);
        add(&format!("{name}.bias"), &shape[..1]);
    };
    with_bias(&format!("{embeddings}.LayerNorm"), &[HIDDEN]);
    for part in ["query", "key", "value"] {
        with_bias(&format!("{layer}.attention.self.{part}"), &[HIDDEN, HIDDEN]);
    }
    with_bias(
        &format!("{layer}.attention.output.dense"),
        &[HIDDEN, HIDDEN],
    );
    with_bias(&format!("{layer}.attention.output.LayerNorm"), &[HIDDEN]);
    with_bias(&format!("{layer}.intermediate.dense"), &[INNER, HIDDEN]);
    with_bias(&format!("{layer}.output.dense"), &[HIDDEN, INNER]);
    with_bias(&format!("{layer}.output.LayerNorm"), &[HIDDEN]);
    with_bias("lm_head.dense", &[HIDDEN, HIDDEN]);
    with_bias("lm_head.layer_norm", &[HIDDEN]);
    add("lm_head.bias", &[VOCAB]);
    all
}
