//! What loads, what is refused and with which words.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use mezo_model::Tuning;
use safetensors::Dtype;
use tiny::{
    BIAS, CONFIG, DECODER, DECODER_BIAS, Folder, INDEX, Raw, RawFile, WHOLE, WORD_TABLE,
    assert_same, edited, raw_tiny, scores, tiny,
};

const QUERY: &str = "roberta.encoder.layer.0.attention.self.query.weight";

fn all_as(dtype: Dtype, change: impl Fn(f32) -> f32) -> RawFile {
    raw_tiny()
        .into_iter()
        .map(|(name, raw)| (name, raw.map(dtype, &change)))
        .collect()
}

#[test]
fn f32_f16_and_bf16_load() {
    let original = tiny();
    assert_same(&Folder::with(&raw_tiny()).load().unwrap(), &original);
    assert_same(
        &Folder::with(&all_as(Dtype::F32, |x| x)).load().unwrap(),
        &original,
    );

    let rounded = |x| half::bf16::from_f32(x).to_f32();
    let short = Folder::with(&all_as(Dtype::BF16, |x| x)).load().unwrap();
    assert_same(
        &short,
        &Folder::with(&all_as(Dtype::F32, rounded)).load().unwrap(),
    );
    assert_ne!(short.sha256, original.sha256);

    let mixed = edited(|tensors| {
        let query = tensors[QUERY].map(Dtype::F32, |x| x);
        tensors.insert(QUERY.into(), query);
    });
    assert_same(&Folder::with(&mixed).load().unwrap(), &original);
}

/// A folder with the tensors dealt out to two shards.
fn sharded(first: &RawFile, second: &RawFile) -> Folder {
    let folder = Folder::new();
    let names = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];
    let mut map = serde_json::Map::new();
    for (file, shard) in names.into_iter().zip([first, second]) {
        folder.weights(file, shard);
        map.extend(shard.keys().map(|name| (name.clone(), file.into())));
    }
    let index = serde_json::json!({ "metadata": { "total_size": 1 }, "weight_map": map });
    folder.write(INDEX, index.to_string().as_bytes());
    folder
}

fn dealt_out() -> (RawFile, RawFile) {
    let (mut first, mut second) = (RawFile::new(), RawFile::new());
    for (number, (name, tensor)) in raw_tiny().into_iter().enumerate() {
        if number % 2 == 0 {
            &mut first
        } else {
            &mut second
        }
        .insert(name, tensor);
    }
    (first, second)
}

#[test]
fn shards_equal_the_whole() {
    let (first, second) = dealt_out();
    assert_same(&sharded(&first, &second).load().unwrap(), &tiny());
}

#[test]
fn bad_shards_are_named() {
    let (first, mut second) = dealt_out();
    second.insert(BIAS.into(), first[BIAS].clone());
    let twice = sharded(&first, &second).error();
    assert_eq!(
        twice,
        "model-00002-of-00002.safetensors: tensor `lm_head.bias` is in two files"
    );

    let (mut first, second) = dealt_out();
    first.remove(BIAS);
    let missing = sharded(&first, &second).error();
    assert_eq!(
        missing,
        "model.safetensors.index.json: tensor `lm_head.bias` is missing"
    );

    let folder = sharded(&first, &second);
    std::fs::remove_file(folder.path().join("model-00002-of-00002.safetensors")).unwrap();
    let absent = folder.error();
    assert!(
        absent.starts_with("model-00002-of-00002.safetensors: cannot be read: "),
        "{absent}"
    );

    for name in ["../other.safetensors", "/etc/passwd", "a/../../b", "", "."] {
        let index = serde_json::json!({ "weight_map": { "x": "a.safetensors", "y": name } });
        folder.write(INDEX, index.to_string().as_bytes());
        let expected =
            format!("{INDEX}: names the file {name:?}, expected one inside its own folder");
        assert_eq!(folder.error(), expected);
    }

    folder.write(INDEX, b"{\n  \"weight_map\": [1]\n}");
    let broken = folder.error();
    assert!(
        broken.starts_with("model.safetensors.index.json:2:"),
        "{broken}"
    );
}

#[test]
fn a_decoder_that_equals_the_word_table_is_tied() {
    let equal = edited(|tensors| {
        let words = tensors[WORD_TABLE].clone();
        tensors.insert(DECODER.into(), words);
    });
    let mut loaded = Folder::with(&equal).load().unwrap();
    assert_same(&loaded, &tiny());
    loaded.model.train_only(Tuning::Full, false);
    assert!(!loaded.model.trainable_names().contains(&DECODER.to_owned()));
}

#[test]
fn another_decoder_is_kept_apart() {
    let twice = |tensors: &mut RawFile| {
        let decoder = tensors[WORD_TABLE].map(Dtype::F32, |x| 2.0 * x);
        tensors.insert(DECODER.into(), decoder);
        let bias = tensors[BIAS].map(Dtype::F32, |_| 0.0);
        tensors.insert(BIAS.into(), bias);
    };
    let tied = Folder::with(&edited(|tensors| {
        twice(tensors);
        tensors.remove(DECODER);
    }));
    let tied = tied.load().unwrap();
    let mut apart = Folder::with(&edited(twice)).load().unwrap();
    assert_ne!(apart.sha256, tied.sha256);
    let doubled: Vec<f64> = scores(&tied.model)
        .into_iter()
        .map(|score| 2.0 * score)
        .collect();
    assert_eq!(scores(&apart.model), doubled);
    apart.model.train_only(Tuning::Full, false);
    assert!(apart.model.trainable_names().contains(&DECODER.to_owned()));
}

#[test]
fn the_decoders_bias_has_two_names() {
    let renamed = edited(|tensors| {
        let bias = tensors.remove(BIAS).unwrap();
        tensors.insert(DECODER_BIAS.into(), bias);
    });
    assert_same(&Folder::with(&renamed).load().unwrap(), &tiny());
    // Of two, the decoder's own is the one that the forward pass adds.
    let both = edited(|tensors| {
        let bias = tensors[BIAS].clone();
        tensors.insert(BIAS.into(), bias.map(Dtype::F16, |x| x + 1.0));
        tensors.insert(DECODER_BIAS.into(), bias);
    });
    assert_same(&Folder::with(&both).load().unwrap(), &tiny());
}

#[test]
fn known_extra_tensors_are_left_alone() {
    let more = edited(|tensors| {
        let mut add = |name: &str, raw| tensors.insert(name.into(), raw);
        add(
            "roberta.embeddings.position_ids",
            Raw::zeros(Dtype::I64, &[1, 130]),
        );
        add(
            "roberta.pooler.dense.weight",
            Raw::new(Dtype::F32, &[2], &[f32::NAN, 1.0]),
        );
        add("roberta.pooler.dense.bias", Raw::zeros(Dtype::F16, &[3]));
        add("classifier.dense.weight", Raw::zeros(Dtype::F32, &[2, 2]));
        add("classifier.out_proj.bias", Raw::zeros(Dtype::F32, &[2]));
    });
    assert_same(&Folder::with(&more).load().unwrap(), &tiny());
}

#[test]
fn bad_tensors_are_named() {
    let query = || Raw::zeros(Dtype::F32, &[128, 128]);
    let holding = |value: f32| {
        let mut values = vec![0.0; 128 * 128];
        values[300] = value;
        Raw::new(Dtype::F16, &[128, 128], &values)
    };
    let shaped = |shape: &[usize]| Raw::zeros(Dtype::F32, shape);
    let deep = "roberta.encoder.layer.2.attention.self.query.weight";
    let cases: [(&str, Option<Raw>, &str); 14] = [
        (QUERY, None, "is missing"),
        (BIAS, None, "is missing"),
        (WORD_TABLE, None, "is missing"),
        (deep, Some(query()), "is not part of this model"),
        (
            "lm_head.dense.extra",
            Some(query()),
            "is not part of this model",
        ),
        ("query.lora_A", Some(query()), "is not part of this model"),
        (
            QUERY,
            Some(shaped(&[128, 127])),
            "has shape [128, 127], expected [128, 128]",
        ),
        (
            BIAS,
            Some(shaped(&[8192, 1])),
            "has shape [8192, 1], expected [8192]",
        ),
        (
            DECODER_BIAS,
            Some(shaped(&[8191])),
            "has shape [8192], expected [8191]",
        ),
        (
            DECODER,
            Some(shaped(&[128, 8192])),
            "has shape [128, 8192], expected [8192, 128]",
        ),
        (
            QUERY,
            Some(Raw::zeros(Dtype::I64, &[128, 128])),
            "has dtype I64, expected F32, F16 or BF16",
        ),
        (QUERY, Some(holding(f32::NAN)), "holds NaN at element 300"),
        (
            QUERY,
            Some(holding(f32::INFINITY)),
            "holds inf at element 300",
        ),
        (
            QUERY,
            Some(holding(f32::NEG_INFINITY)),
            "holds -inf at element 300",
        ),
    ];
    for (name, tensor, problem) in cases {
        let tensors = edited(|tensors| {
            tensors.remove(name);
            tensors.extend(tensor.map(|tensor| (name.to_owned(), tensor)));
        });
        // Of two biases that disagree, the one that would be set aside is named.
        let named = if name == DECODER_BIAS { BIAS } else { name };
        let expected = format!("model.safetensors: tensor `{named}` {problem}");
        assert_eq!(Folder::with(&tensors).error(), expected);
    }
}

#[test]
fn a_second_name_is_named_as_the_file_has_it() {
    let tensors = edited(|tensors| {
        tensors.remove(BIAS);
        tensors.insert(DECODER_BIAS.into(), Raw::zeros(Dtype::F32, &[7]));
    });
    let expected =
        "model.safetensors: tensor `lm_head.decoder.bias` has shape [7], expected [8192]";
    assert_eq!(Folder::with(&tensors).error(), expected);
}

/// Tensors of as many bytes as there are numbers for, and none of them there.
fn endless() -> Vec<u8> {
    let most = (1_u64 << 61) - 1;
    let tensor = |number: u64| {
        let (from, to) = (number * most, (number + 1) * most);
        format!(r#""{number}":{{"dtype":"U8","shape":[{most}],"data_offsets":[{from},{to}]}}"#)
    };
    let tensors: Vec<String> = (0..8).map(tensor).collect();
    let header = format!("{{{}}}", tensors.join(","));
    let length = (header.len() as u64).to_le_bytes();
    [&length[..], header.as_bytes()].concat()
}

#[test]
fn weights_that_are_none() {
    let folder = Folder::with(&raw_tiny());
    let whole = std::fs::read(folder.path().join(WHOLE)).unwrap();
    for bytes in [0, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        folder.write(WHOLE, &whole[..bytes]);
        let expected =
            format!("model.safetensors: is not a whole safetensors file ({bytes} bytes): ");
        let error = folder.error();
        assert!(error.starts_with(&expected), "{error}");
        assert!(
            folder
                .load()
                .unwrap_err()
                .hint()
                .unwrap()
                .contains("cut off")
        );
    }
    let endless = endless();
    folder.write(WHOLE, &endless);
    let expected = format!(
        "model.safetensors: is not a whole safetensors file ({} bytes): incomplete metadata",
        endless.len()
    );
    let error = folder.error();
    assert!(error.starts_with(&expected), "{error}");

    folder.write(
        WHOLE,
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0123456789abcdef\nsize 2980000\n",
    );
    assert_eq!(
        folder.error(),
        "model.safetensors: is a Git LFS pointer, not the weights themselves"
    );
    assert!(
        folder
            .load()
            .unwrap_err()
            .hint()
            .unwrap()
            .contains("git lfs pull")
    );

    std::fs::remove_file(folder.path().join(WHOLE)).unwrap();
    let error = folder.load().unwrap_err().to_string();
    let expected = "holds neither model.safetensors nor model.safetensors.index.json";
    assert_eq!(error, format!("{}: {expected}", folder.path().display()));
}

#[test]
fn configurations_that_are_none() {
    let sizes = |from: &str, to: &str| {
        assert!(CONFIG.contains(from), "{from}");
        CONFIG.replace(from, to)
    };
    let folder = Folder::with(&raw_tiny());
    let cases = [
        (
            "{\n  \"model_type\": \"roberta\",\n  oops\n}".into(),
            "config.json:3:3: ",
        ),
        (
            CONFIG.split_once("\"hidden_size\"").unwrap().0.to_owned(),
            "config.json:13:2: EOF",
        ),
        (
            sizes("\"hidden_size\": 128", "\"hidden_size\": \"128\""),
            "config.json:13:22: invalid type: string",
        ),
        (
            sizes("\"hidden_size\": 128,", ""),
            "config.json:28:1: missing field `hidden_size`",
        ),
        (
            sizes("\"roberta\"", "\"bert\""),
            "config.json: model_type is `bert`, expected `roberta`",
        ),
        (
            sizes("\"gelu\"", "\"relu\""),
            "config.json: hidden_act is `relu`, expected `gelu`",
        ),
        (
            sizes("_heads\": 4", "_heads\": 3"),
            "config.json: hidden_size 128 is not a multiple of num_attention_heads 3",
        ),
        (
            sizes("_heads\": 4", "_heads\": 0"),
            "config.json: num_attention_heads is 0",
        ),
        (
            sizes("embeddings\": 130", "embeddings\": 2"),
            "config.json: max_position_embeddings leaves no position",
        ),
        // No memory is asked for.
        (
            sizes("_size\": 128", "_size\": 1000000000000000000"),
            "config.json: its sizes make 8",
        ),
        (
            sizes("_size\": 128", "_size\": 4").replace("_layers\": 2", "_layers\": 500"),
            "config.json: it has 500 layers, the weights beside it are ",
        ),
        // The weights of another model.
        (
            sizes("8192", "8000"),
            "model.safetensors: tensor `roberta.embeddings.word_embeddings.weight` has shape",
        ),
    ];
    for (config, expected) in cases {
        folder.write("config.json", config.as_bytes());
        let error = folder.error();
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
    }
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    assert!(folder.error().starts_with("config.json: cannot be read: "));
}
