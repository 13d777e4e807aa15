//! What makes a run's id, and what does not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use common::resolve;
use mezo_model::{LoraConfig, ModelFiles, Tuning};
use mezo_train::{ModelSpec, Resolver, RunSpec, TrainError, TuningName};

/// One value of the spec, changed.
type Change = fn(&mut RunSpec);

fn spec() -> RunSpec {
    common::spec(
        r#"
model.builtin = "roberta-imdb-tiny"
task = { name = "made-sentiment", k = 16 }
method = { name = "mezo", tuning = "lora" }
train = { seed = 13, steps = 10, batch_size = 64, eval_every = 5, lr = 1e-3, eps = 1e-3 }
"#,
    )
}

#[test]
fn every_value_that_changes_a_number_changes_the_id() {
    let changes: [Change; 11] = [
        |spec| spec.train.seed = Some(21),
        |spec| spec.train.steps = Some(11),
        |spec| spec.train.batch_size = Some(8),
        |spec| spec.train.eval_every = Some(10),
        |spec| spec.train.lr = Some(2e-3),
        |spec| spec.train.eps = Some(2e-3),
        |spec| spec.train.weight_decay = Some(0.1),
        |spec| spec.task.k = 8,
        |spec| spec.task.test_cap = 100,
        |spec| spec.task.template = Some("*cls**sent_0*_this_movie_is*mask*.*sep+*".into()),
        |spec| spec.method.tuning = TuningName::Full,
    ];
    let mut ids = vec![resolve(&spec()).id];
    for change in changes {
        let mut changed = spec();
        change(&mut changed);
        ids.push(resolve(&changed).id);
    }
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn a_copy_of_the_model_elsewhere_makes_the_same_id() {
    let dir = tempfile::tempdir().unwrap();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/assets/roberta-imdb-tiny");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(assets.join(file), dir.path().join(file)).unwrap();
    }
    let mut copied = spec();
    copied.model = ModelSpec {
        builtin: None,
        path: Some(dir.path().into()),
        ..ModelSpec::default()
    };
    assert_eq!(resolve(&copied).id, resolve(&spec()).id);

    // The same weights again, through our own writer, in another number format.
    let loaded = mezo_model::load(
        &ModelFiles::Folder(dir.path().into()),
        &mezo_model::device::open("cpu").unwrap(),
    )
    .unwrap();
    let saved = tempfile::tempdir().unwrap();
    loaded
        .model
        .save(&ModelFiles::Folder(dir.path().into()), saved.path())
        .unwrap();
    std::fs::copy(
        dir.path().join("tokenizer.json"),
        saved.path().join("tokenizer.json"),
    )
    .unwrap();
    copied.model.path = Some(saved.path().into());
    assert_eq!(resolve(&copied).id, resolve(&spec()).id);
}

#[test]
fn what_lora_trains_is_counted() {
    let manifest = resolve(&spec());
    let files = ModelFiles::builtin("roberta-imdb-tiny").unwrap();
    let mut model = mezo_model::load(&files, &mezo_model::device::open("cpu").unwrap())
        .unwrap()
        .model;
    model.attach_lora(
        LoraConfig {
            rank: 8,
            alpha: 16.0,
        },
        0,
    );
    model.train_only(Tuning::Lora, false);
    assert_eq!(manifest.trainable_parameters, model.trainable_scalars());
    // Two layers, query and value, A and B of 128 x 8.
    assert_eq!(manifest.trainable_parameters, 2 * 2 * 2 * 128 * 8);
    assert_eq!((manifest.train_examples, manifest.dev_examples), (32, 32));
    let mut full = spec();
    full.method.tuning = TuningName::Full;
    assert_eq!(resolve(&full).trainable_parameters, 1_487_104);
}

#[test]
fn values_that_cannot_be_are_refused_by_their_key() {
    let changes: [(&str, Change); 8] = [
        ("train.lr", |spec| spec.train.lr = Some(-1e-4)),
        ("train.lr", |spec| spec.train.lr = Some(f64::NAN)),
        ("train.eps", |spec| spec.train.eps = Some(0.0)),
        ("train.eps", |spec| spec.train.eps = Some(f64::INFINITY)),
        ("train.weight_decay", |spec| {
            spec.train.weight_decay = Some(-0.1)
        }),
        ("train.steps", |spec| spec.train.steps = Some(0)),
        ("train.seed", |spec| spec.train.seed = Some(1 << 32)),
        ("task.max_length", |spec| spec.task.max_length = Some(129)),
    ];
    for (expected, change) in changes {
        let mut changed = spec();
        change(&mut changed);
        let resolved = Resolver::new("a-sweep", Path::new(".")).resolve(&changed, Vec::new());
        match resolved {
            Err(TrainError::Value { key, .. }) => assert_eq!(key, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
}
