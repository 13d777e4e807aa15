//! What makes a run's id, and what does not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use common::{resolve, resolver, try_spec};
use mezo_model::{LoraConfig, ModelFiles, Tuning};
use mezo_run::{Manifest, RunPlan};
use mezo_spec::{DeviceKind, Precision, RunSpec};
use mezo_sweep::plan::{ResolveError, Resolver};

/// A key's path and its value in a spec; without a value the key is left out.
type Set = (&'static str, &'static str);

const BASE: [Set; 11] = [
    ("model.builtin", "\"roberta-imdb-tiny\""),
    ("task.name", "\"made-sentiment\""),
    ("task.k", "16"),
    ("method.name", "\"mezo\""),
    ("method.tuning", "\"lora\""),
    ("train.seed", "13"),
    ("train.steps", "10"),
    ("train.batch_size", "64"),
    ("train.eval_every", "5"),
    ("train.lr", "1e-3"),
    ("train.eps", "1e-3"),
];

/// The base with some keys set otherwise.
fn with(changes: &[Set]) -> RunSpec {
    let changed = |key: &str| changes.iter().any(|(other, _)| *other == key);
    let kept = BASE.iter().filter(|(key, _)| !changed(key));
    let lines: Vec<String> = kept
        .chain(changes)
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    try_spec(&lines.join("\n")).unwrap_or_else(|errors| panic!("{errors}"))
}

const PREFIX: Set = ("method.tuning", "\"prefix\"");
const FOUR: Set = ("method.estimates.count", "4");
const BY_GRADIENT: Set = ("method.scale.by", "\"gradient-norm\"");
const FT: [Set; 2] = [("method.name", "\"ft\""), ("train.eps", "")];

#[test]
fn every_value_that_changes_a_number_changes_the_id() {
    let changes: Vec<Vec<Set>> = vec![
        vec![("train.seed", "21")],
        vec![("train.steps", "11")],
        vec![("train.batch_size", "8")],
        vec![("train.eval_every", "10")],
        vec![("train.lr", "2e-3")],
        vec![("train.eps", "2e-3")],
        vec![("train.weight_decay", "0.1")],
        vec![("task.k", "8")],
        vec![("task.test_cap", "100")],
        vec![(
            "task.template",
            "\"*cls**sent_0*_this_movie_is*mask*.*sep+*\"",
        )],
        vec![("method.tuning", "\"full\"")],
        vec![("protocol", "\"reference-code\"")],
        vec![("task.prompt", "false")],
        vec![("task.cut", "\"sentences\"")],
        vec![("task.max_length", "64")],
        vec![("task.label_words.1", "\"good\"")],
        vec![("method.lora.r", "4")],
        vec![("method.lora.alpha", "8")],
        vec![PREFIX],
        vec![PREFIX, ("method.prefix.tokens", "4")],
        vec![PREFIX, ("method.prefix.init", "\"random\"")],
        vec![("method.name", "\"lp-mezo\"")],
        vec![("method.objective", "\"accuracy\"")],
        vec![("method.estimator", "\"one-point\"")],
        vec![FOUR],
        vec![FOUR, ("method.estimates.scale_lr", "true")],
        vec![FOUR, ("method.estimates.schedule", "\"linear\"")],
        vec![("method.scale.by", "\"parameter-norm\"")],
        vec![BY_GRADIENT],
        vec![BY_GRADIENT, ("method.scale.modifies", "\"expectation\"")],
        vec![BY_GRADIENT, ("method.scale.measured", "\"each-epoch\"")],
        vec![("train.optimizer", "\"adam\"")],
        vec![("train.momentum", "0.9")],
        vec![("train.schedule", "\"linear\"")],
        vec![("train.warmup", "2")],
        vec![("train.weight_decay", "0.1"), ("train.decay_on", "\"all\"")],
        FT.to_vec(),
        [&FT[..], &[("train.dropout", "0.2")]].concat(),
        [&FT[..], &[("train.clip", "2.0")]].concat(),
    ];
    let mut ids = vec![resolve(&with(&[])).manifest.id];
    ids.extend(
        changes
            .iter()
            .map(|change| resolve(&with(change)).manifest.id),
    );
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count);
}

#[test]
fn a_key_at_its_default_changes_no_id() {
    let id = resolve(&with(&[])).manifest.id;
    for set in [
        ("method.objective", "\"cross-entropy\""),
        ("method.estimator", "\"two-sided\""),
        ("method.estimates.count", "1"),
        ("train.momentum", "0"),
        ("train.optimizer", "\"sgd\""),
        ("train.schedule", "\"constant\""),
        ("train.warmup", "0"),
        ("train.weight_decay", "0"),
        ("task.cut", "\"tail\""),
        ("task.prompt", "true"),
        ("protocol", "\"paper\""),
    ] {
        assert_eq!(resolve(&with(&[set])).manifest.id, id, "{set:?}");
    }
}

/// The run and the zero-shot run beside it, with a precision asked for, on a kind of device.
fn planned(precision: Option<Precision>, device: DeviceKind) -> [RunPlan; 2] {
    let mut changed = with(&[]);
    changed.model.precision = precision;
    let mut resolver = Resolver::new("a-sweep", Path::new("."), device);
    let trained = resolver.resolve(&changed, Vec::new()).unwrap();
    let beside = resolver.zero_shot(&trained).unwrap().unwrap();
    [trained, beside]
}

#[test]
fn each_precision_makes_an_id_on_a_gpu_and_one_is_the_default() {
    let named = Precision::ALL.map(|precision| planned(Some(precision), DeviceKind::Gpu));
    for (precision, runs) in Precision::ALL.into_iter().zip(&named) {
        assert!(runs.iter().all(|run| run.config.precision == precision));
    }
    let mut ids: Vec<&str> = named.iter().flatten().map(RunPlan::id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2 * Precision::ALL.len());
    // The key at its default says no more than no key.
    assert!(named.contains(&planned(None, DeviceKind::Gpu)));
}

#[test]
fn the_processor_multiplies_in_f32_and_its_runs_are_no_gpus() {
    let on_cpu = planned(None, DeviceKind::Cpu);
    assert!(
        on_cpu
            .iter()
            .all(|run| run.manifest.precision == "f32" && run.config.precision == Precision::F32)
    );
    for precision in Precision::ALL {
        assert_eq!(planned(Some(precision), DeviceKind::Cpu), on_cpu);
    }
    let [trained, _] = &planned(None, DeviceKind::Gpu);
    assert_ne!(trained.id(), on_cpu[0].id());
}

#[test]
fn a_run_that_was_planned_for_a_gpu_is_not_computed_on_the_processor() {
    let dir = tempfile::tempdir().unwrap();
    let [trained, _] = planned(Some(Precision::Bf16), DeviceKind::Gpu);
    trained.write(dir.path()).unwrap();
    let said = common::try_carry_on(dir.path()).unwrap_err().to_string();
    assert_eq!(
        said,
        "this run multiplies in bf16, and cpu multiplies in f32"
    );
    assert!(!dir.path().join("steps.jsonl").exists());
}

#[test]
fn a_manifest_of_another_precision_is_not_computed() {
    let dir = tempfile::tempdir().unwrap();
    let [trained, _] = planned(Some(Precision::Bf16), DeviceKind::Gpu);
    trained.write(dir.path()).unwrap();
    let path = dir.path().join(Manifest::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""precision": "bf16""#), "{text}");
    let said = |word: &str| {
        let edited = text.replace(
            r#""precision": "bf16""#,
            &format!(r#""precision": "{word}""#),
        );
        std::fs::write(&path, edited).unwrap();
        RunPlan::read(dir.path()).unwrap_err().to_string()
    };
    let unknown = said("f64");
    let expected = "`precision` is missing, or not of this version";
    assert!(unknown.contains(expected), "{unknown}");
    let another = said("f32");
    assert!(another.contains("was changed"), "{another}");
}

#[test]
fn a_manifest_of_an_earlier_layout_is_read_and_not_computed() {
    let dir = tempfile::tempdir().unwrap();
    resolve(&with(&[])).write(dir.path()).unwrap();
    let path = dir.path().join(Manifest::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace(r#""schema": 2"#, r#""schema": 1"#)).unwrap();
    assert!(Manifest::read(dir.path()).unwrap().is_earlier());
    let said = RunPlan::read(dir.path()).unwrap_err().to_string();
    assert!(
        said.contains("was made by an earlier version of mezo"),
        "{said}"
    );
    let said = common::try_carry_on(dir.path()).unwrap_err().to_string();
    assert!(said.contains("cannot be resumed"), "{said}");
}

#[test]
fn a_copy_of_the_model_elsewhere_makes_the_same_id() {
    let dir = tempfile::tempdir().unwrap();
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../weights/assets/roberta-imdb-tiny");
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        std::fs::copy(assets.join(file), dir.path().join(file)).unwrap();
    }
    let mut copied = with(&[]);
    copied.model.builtin = None;
    copied.model.path = Some(dir.path().into());
    assert_eq!(resolve(&copied).id(), resolve(&with(&[])).id());

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
    assert_eq!(resolve(&copied).id(), resolve(&with(&[])).id());
}

#[test]
fn what_lora_trains_is_counted() {
    let manifest = resolve(&with(&[])).manifest;
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
    let trained = manifest.trainable_parameters.unwrap();
    assert_eq!(trained, model.trainable_scalars() as u64);
    // Two layers, query and value, A and B of 128 x 8.
    assert_eq!(trained, 2 * 2 * 2 * 128 * 8);
    let rows = (manifest.train_examples, manifest.dev_examples);
    assert_eq!(rows, (Some(32), Some(32)));
    let full = resolve(&with(&[("method.tuning", "\"full\"")]));
    assert_eq!(full.manifest.trainable_parameters, Some(1_487_104));
}

#[test]
fn more_tokens_than_the_model_has_positions_are_refused_by_their_key() {
    let changed = with(&[("task.max_length", "129")]);
    match resolver().resolve(&changed, Vec::new()) {
        Err(ResolveError::Value { key, .. }) => assert_eq!(key, "task.max_length"),
        other => panic!("{other:?}"),
    }
}
