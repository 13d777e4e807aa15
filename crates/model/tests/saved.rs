//! What is saved: nothing is lost on the way, and the names are those that other libraries read.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::path::Path;

use mezo_model::{
    LoraConfig, Model, ModelFiles, NamedTensor, PrefixConfig, PrefixInit, Tuning, read_tensors,
    to_safetensors,
};
use safetensors::Dtype;
use tiny::{
    BIAS, CONFIG, DECODER, DECODER_BIAS, Folder, WHOLE, WORD_TABLE, assert_same, builtin, descend,
    edited, raw, raw_tiny, scores, tiny,
};

const LORA: LoraConfig = LoraConfig {
    rank: 8,
    alpha: 16.0,
};

/// The tiny model after a few steps, so that no value is one of a shorter format.
fn moved(mut model: Model) -> Model {
    model.train_only(Tuning::Full, false);
    descend(&mut model, &[(7, 1e-3), (8, -2e-3)], 1e-4);
    model
}

fn bits(tensors: Vec<NamedTensor>) -> Vec<(String, Vec<usize>, Vec<u32>)> {
    tensors
        .into_iter()
        .map(|tensor| {
            let bits = tensor.values.iter().map(|value| value.to_bits()).collect();
            (tensor.name, tensor.shape, bits)
        })
        .collect()
}

/// Saves the model, loads it, and compares every bit; the folder is handed on.
fn there_and_back(model: &Model, files: &ModelFiles) -> Folder {
    let folder = Folder::new();
    model.save(files, &folder.path()).unwrap();
    let mut again = folder.load().unwrap().model;
    assert_eq!(scores(&again), scores(model));
    again.train_only(Tuning::Full, false);
    assert_eq!(
        bits(again.trainable_tensors()),
        bits(model.trainable_tensors())
    );
    folder
}

fn json(path: &Path) -> serde_json::Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn what_is_saved_loads_with_the_same_bits() {
    let folder = there_and_back(&moved(tiny().model), &builtin());
    let config = json(&folder.path().join("config.json"));
    // The weights came in f16; a loader that believes the file must not round them again.
    assert_eq!(config["dtype"], "float32");
    assert_eq!(config["tie_word_embeddings"], true);
    assert_eq!(config["layer_norm_eps"], 1e-5);
    let names: Vec<String> = raw(&folder.path().join(WHOLE)).into_keys().collect();
    let expected: Vec<String> = raw_tiny().into_keys().collect();
    assert_eq!(names, expected);
    let ModelFiles::Builtin(tiny) = builtin() else {
        unreachable!()
    };
    assert_eq!(
        std::fs::read(folder.path().join("tokenizer.json")).unwrap(),
        tiny.tokenizer_json()
    );
}

#[test]
fn a_decoder_kept_apart_is_saved_apart() {
    let source = Folder::with(&edited(|tensors| {
        let decoder = tensors[WORD_TABLE].map(Dtype::F32, |x| x + 0.125);
        tensors.insert(DECODER.into(), decoder);
    }));
    source.write(
        "config.json",
        CONFIG.replace("\"dtype\"", "\"torch_dtype\"").as_bytes(),
    );
    source.write("vocab.json", b"{}");
    source.write("merges.txt", b"a b\n");
    let folder = there_and_back(&moved(source.load().unwrap().model), &source.files());
    let config = json(&folder.path().join("config.json"));
    assert_eq!(config["tie_word_embeddings"], false);
    assert_eq!(
        (&config["dtype"], config.get("torch_dtype")),
        (&"float32".into(), None)
    );
    // Untied, Hugging Face's decoder has a bias of its own.
    let tensors = raw(&folder.path().join(WHOLE));
    assert_eq!(tensors[DECODER_BIAS].bytes, tensors[BIAS].bytes);
    assert!(tensors.contains_key(DECODER));
    assert_eq!(
        std::fs::read(folder.path().join("merges.txt")).unwrap(),
        b"a b\n"
    );
    assert!(folder.path().join("vocab.json").exists());
}

#[test]
fn lora_is_no_part_of_the_whole_model() {
    let mut model = tiny().model;
    model.attach_lora(LORA, 3);
    let folder = Folder::new();
    model.save(&builtin(), &folder.path()).unwrap();
    assert_same(&folder.load().unwrap(), &tiny());
}

#[test]
fn adapters_are_in_pefts_layout() {
    let mut model = tiny().model;
    model.attach_lora(LORA, 3);
    model.train_only(Tuning::Lora, false);
    descend(&mut model, &[(1, 0.01)], 0.0);
    let folder = Folder::new();
    let out = folder.path().join("adapter");
    model.save_adapter(LORA, "some/base", &out).unwrap();

    let config = json(&out.join("adapter_config.json"));
    assert_eq!(config["peft_type"], "LORA");
    assert_eq!(config["base_model_name_or_path"], "some/base");
    assert_eq!(
        (&config["r"], &config["lora_alpha"]),
        (&8.into(), &16.0.into())
    );
    assert_eq!(
        config["target_modules"],
        serde_json::json!(["query", "value"])
    );

    let path = out.join("adapter_model.safetensors");
    let tensors = read_tensors(&path).unwrap();
    let ours: Vec<(&str, &[usize])> = tensors
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice()))
        .collect();
    let mut expected = Vec::new();
    for layer in [0, 1] {
        for side in ["query", "value"] {
            for (part, shape) in [("A", [8, 128]), ("B", [128, 8])] {
                let place = format!("roberta.encoder.layer.{layer}.attention.self.{side}");
                expected.push((
                    format!("base_model.model.{place}.lora_{part}.weight"),
                    shape,
                ));
            }
        }
    }
    let expected: Vec<(&str, &[usize])> = expected
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.as_slice()))
        .collect();
    assert_eq!(ours, expected);
    assert!(raw(&path).values().all(|tensor| tensor.dtype == Dtype::F32));
    let values = |tensors: Vec<NamedTensor>| -> Vec<Vec<f32>> {
        tensors.into_iter().map(|tensor| tensor.values).collect()
    };
    assert_eq!(values(tensors), values(model.trainable_tensors()));
}

/// What is written for a LoRA run of `model`: the configuration, and the names and tensors of the file.
fn adapter(model: &Model, out: &Path) -> (serde_json::Value, Vec<NamedTensor>) {
    model.save_adapter(LORA, "some/base", out).unwrap();
    let tensors = read_tensors(&out.join("adapter_model.safetensors")).unwrap();
    (json(&out.join("adapter_config.json")), tensors)
}

#[test]
fn a_head_trained_beside_lora_is_saved_beside_it() {
    let mut model = tiny().model;
    model.attach_lora(LORA, 3);
    let folder = Folder::new();
    model.train_only(Tuning::Lora, false);
    let (config, terms) = adapter(&model, &folder.path().join("terms"));
    assert_eq!(config.get("modules_to_save"), None);

    let heads = |tensors: Vec<NamedTensor>| -> Vec<String> {
        let new = tensors.into_iter().filter(|tensor| !terms.contains(tensor));
        new.map(|tensor| {
            let name = tensor.name.strip_prefix("base_model.model.").unwrap();
            name.to_owned()
        })
        .collect()
    };
    // PEFT asks for the whole module, and has a decoder there even where it is the word table.
    for untied in [false, true] {
        if untied {
            model.untie_decoder();
        }
        model.train_only(Tuning::Lora, true);
        let (config, with_head) = adapter(&model, &folder.path().join("words"));
        assert_eq!(config["modules_to_save"], serde_json::json!(["lm_head"]));
        assert_eq!(
            heads(with_head),
            [
                BIAS,
                DECODER_BIAS,
                DECODER,
                "lm_head.dense.bias",
                "lm_head.dense.weight",
                "lm_head.layer_norm.bias",
                "lm_head.layer_norm.weight"
            ]
        );
    }
    model.attach_classifier(2, 1);
    model.train_only(Tuning::Lora, true);
    let (config, with_head) = adapter(&model, &folder.path().join("classes"));
    assert_eq!(config["modules_to_save"], serde_json::json!(["classifier"]));
    assert_eq!(heads(with_head), CLASSIFIER);
}

const CLASSIFIER: [&str; 4] = [
    "classifier.dense.bias",
    "classifier.dense.weight",
    "classifier.out_proj.bias",
    "classifier.out_proj.weight",
];

/// The tensors of a head in the order of a file, without what PEFT puts before their names.
fn only_heads(tensors: Vec<NamedTensor>) -> Vec<NamedTensor> {
    let bare = tensors.into_iter().map(|tensor| NamedTensor {
        name: tensor.name.replace("base_model.model.", ""),
        ..tensor
    });
    bare.filter(|tensor| {
        tensor.name.starts_with("lm_head") || tensor.name.starts_with("classifier")
    })
    .collect()
}

/// What a prefix run of `model` leaves of its head.
fn beside_a_prefix(mut model: Model, out: &Path) -> Vec<NamedTensor> {
    let init = PrefixInit::Random;
    model.attach_prefix(PrefixConfig { tokens: 2, init }, 1);
    model.train_only(Tuning::Prefix, false);
    model.save_prefix("some/base", out).unwrap();
    only_heads(read_tensors(&out.join("prefix.safetensors")).unwrap())
}

/// What a LoRA run of `model` leaves of its head.
fn beside_lora(mut model: Model, out: &Path) -> Vec<NamedTensor> {
    model.attach_lora(LORA, 3);
    model.train_only(Tuning::Lora, false);
    only_heads(adapter(&model, out).1)
}

#[test]
fn a_frozen_head_is_saved_where_the_base_model_lacks_it() {
    let folder = Folder::new();
    let base = tiny().model;
    let mut copied = base.clone();
    copied.untie_decoder();
    // What is there already, or a copy of it, is not written once more.
    for model in [base.clone(), copied] {
        assert_eq!(beside_lora(model.clone(), &folder.path().join("as")), []);
        assert_eq!(beside_a_prefix(model, &folder.path().join("it was")), []);
    }

    let mut probed = base.clone();
    let rows = [vec![0.5; 128], vec![-0.25; 128]];
    probed.set_head_rows(&[1497, 573], &rows, &[0.125, -1.0]);
    let mut classified = base;
    classified.attach_classifier(2, 5);
    for (model, bias, decoder) in [
        (probed, BIAS, DECODER),
        (classified, CLASSIFIER[2], CLASSIFIER[3]),
    ] {
        let mut all = model.clone();
        all.train_only(Tuning::Head, false);
        let mut expected = all.trainable_tensors();
        expected.sort_by(|one, other| one.name.cmp(&other.name));
        assert!(expected.iter().any(|tensor| tensor.name == bias));
        assert!(expected.iter().any(|tensor| tensor.name == decoder));
        let prefix = beside_a_prefix(model.clone(), &folder.path().join(decoder));
        assert_eq!(bits(prefix), bits(expected.clone()));
        let mut lora = beside_lora(model, &folder.path().join(bias));
        lora.retain(|tensor| tensor.name != DECODER_BIAS);
        assert_eq!(bits(lora), bits(expected));
    }
}

#[test]
fn a_classifier_is_saved_in_the_place_of_the_head() {
    let mut model = tiny().model;
    model.attach_classifier(3, 1);
    let mut model = moved(model);
    let folder = Folder::new();
    model.save(&builtin(), &folder.path()).unwrap();
    let config = json(&folder.path().join("config.json"));
    assert_eq!(
        config["architectures"],
        serde_json::json!(["RobertaForSequenceClassification"])
    );
    let labels = serde_json::json!({ "0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2" });
    assert_eq!(config["id2label"], labels);
    let mut expected = raw_tiny();
    expected.retain(|name, _| !name.starts_with("lm_head"));
    let expected: Vec<String> = expected.into_keys().collect();
    let path = folder.path().join(WHOLE);
    let tensors = read_tensors(&path).unwrap();
    let names: Vec<&str> = tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(names[..4], CLASSIFIER);
    assert_eq!(names[4..], expected);
    // There and back: the trained tensors are the file's.
    let trained = bits(model.trainable_tensors());
    model.attach_classifier(3, 2);
    let model = &mut moved(model);
    assert_ne!(bits(model.trainable_tensors()), trained);
    model.set_trainable(tensors, &path).unwrap();
    assert_eq!(bits(model.trainable_tensors()), trained);
}

#[test]
fn prefixes_are_in_a_layout_of_their_own() {
    let mut model = tiny().model;
    let init = PrefixInit::Activations;
    model.attach_prefix(PrefixConfig { tokens: 3, init }, 1);
    model.train_only(Tuning::Prefix, false);
    let folder = Folder::new();
    let out = folder.path().join("prefix");
    model.save_prefix("some/base", &out).unwrap();
    assert_eq!(
        json(&out.join("prefix_config.json")),
        serde_json::json!({ "base_model_name_or_path": "some/base", "tokens": 3 })
    );
    let tensors = read_tensors(&out.join("prefix.safetensors")).unwrap();
    assert_eq!(bits(tensors), bits(model.trainable_tensors()));
    // The whole model goes without them.
    let whole = Folder::new();
    model.save(&builtin(), &whole.path()).unwrap();
    assert_same(&whole.load().unwrap(), &tiny());
}

#[test]
fn the_bytes_are_a_function_of_the_tensors() {
    let mut model = moved(tiny().model);
    model.train_only(Tuning::Full, false);
    let mut tensors = model.trainable_tensors();
    let bytes = to_safetensors(&tensors);
    assert_eq!(bytes, to_safetensors(&tensors.clone()));
    tensors.reverse();
    assert_eq!(bytes, to_safetensors(&tensors));
    tensors[0].values[0] += 1.0;
    assert_ne!(bytes, to_safetensors(&tensors));
}
