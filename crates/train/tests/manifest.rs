//! What makes a run's id, and what does not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::path::Path;

use common::resolve;
use mezo_model::{LoraConfig, ModelFiles, Precision, Tuning};
use mezo_tasks::Cut;
use mezo_train::{
    DecayName, EstimatesSchedule, EstimatesSpec, Estimator, LoraSpec, Manifest, MethodName,
    ModelSpec, Modifies, Objective, OptimizerName, PrefixInitName, PrefixSpec, ProtocolName,
    Resolver, RunSpec, ScaleBy, ScaleMeasured, ScaleSpec, Schedule, TrainError, TuningName,
};

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

fn prefix(spec: &mut RunSpec, prefix: PrefixSpec) {
    spec.method.tuning = TuningName::Prefix;
    spec.method.prefix = Some(prefix);
}

fn estimates(spec: &mut RunSpec, schedule: EstimatesSchedule, scale_lr: bool) {
    spec.method.estimates = Some(EstimatesSpec {
        count: 4,
        schedule,
        scale_lr,
    });
}

fn scale(spec: &mut RunSpec, by: ScaleBy, modifies: Modifies, measured: ScaleMeasured) {
    spec.method.scale = Some(ScaleSpec {
        by,
        modifies,
        measured,
    });
}

fn fine_tuned(spec: &mut RunSpec, dropout: Option<f64>, clip: Option<f64>) {
    spec.method.name = MethodName::Ft;
    spec.train.eps = None;
    spec.train.dropout = dropout;
    spec.train.clip = clip;
}

#[test]
fn every_value_that_changes_a_number_changes_the_id() {
    let changes: Vec<Change> = vec![
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
        |spec| spec.protocol = ProtocolName::ReferenceCode,
        |spec| spec.task.prompt = false,
        |spec| spec.task.cut = Cut::Sentences,
        |spec| spec.task.max_length = Some(64),
        |spec| spec.task.label_words = Some([("1".to_owned(), "good".to_owned())].into()),
        |spec| spec.method.lora = Some(LoraSpec { r: 4, alpha: 16.0 }),
        |spec| spec.method.lora = Some(LoraSpec { r: 8, alpha: 8.0 }),
        |spec| prefix(spec, PrefixSpec::default()),
        |spec| {
            let tokens = 4;
            prefix(
                spec,
                PrefixSpec {
                    tokens,
                    ..PrefixSpec::default()
                },
            );
        },
        |spec| {
            let init = PrefixInitName::Random;
            prefix(
                spec,
                PrefixSpec {
                    init,
                    ..PrefixSpec::default()
                },
            );
        },
        |spec| spec.method.name = MethodName::LpMezo,
        |spec| spec.method.objective = Objective::Accuracy,
        |spec| spec.method.estimator = Estimator::OnePoint,
        |spec| estimates(spec, EstimatesSchedule::Constant, false),
        |spec| estimates(spec, EstimatesSchedule::Constant, true),
        |spec| estimates(spec, EstimatesSchedule::Linear, false),
        |spec| {
            scale(
                spec,
                ScaleBy::ParameterNorm,
                Modifies::Variance,
                ScaleMeasured::Once,
            )
        },
        |spec| {
            scale(
                spec,
                ScaleBy::GradientNorm,
                Modifies::Variance,
                ScaleMeasured::Once,
            )
        },
        |spec| {
            scale(
                spec,
                ScaleBy::GradientNorm,
                Modifies::Expectation,
                ScaleMeasured::Once,
            )
        },
        |spec| {
            scale(
                spec,
                ScaleBy::GradientNorm,
                Modifies::Variance,
                ScaleMeasured::EachEpoch,
            )
        },
        |spec| spec.train.optimizer = Some(OptimizerName::Adam),
        |spec| spec.train.momentum = Some(0.9),
        |spec| spec.train.schedule = Some(Schedule::Linear),
        |spec| spec.train.warmup = Some(2),
        |spec| {
            spec.train.weight_decay = Some(0.1);
            spec.train.decay_on = Some(DecayName::All);
        },
        |spec| fine_tuned(spec, None, None),
        |spec| fine_tuned(spec, Some(0.2), None),
        |spec| fine_tuned(spec, None, Some(2.0)),
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
fn each_precision_makes_an_id_and_one_is_the_default() {
    let resolved = |precision| {
        let mut changed = spec();
        changed.model.precision = precision;
        let mut resolver = Resolver::new("a-sweep", Path::new("."));
        let trained = resolver.resolve(&changed, Vec::new()).unwrap();
        let beside = resolver.zero_shot(&trained).unwrap().unwrap();
        [trained, beside]
    };
    let named = Precision::ALL.map(|precision| resolved(Some(precision)));
    for (precision, runs) in Precision::ALL.into_iter().zip(&named) {
        assert!(runs.iter().all(|run| run.precision == precision));
    }
    let mut ids: Vec<&str> = named.iter().flatten().map(|run| run.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2 * Precision::ALL.len());
    // The key at its default says no more than no key.
    let unnamed = resolved(None);
    assert!(named.contains(&unnamed));
}

#[test]
fn runs_of_before_there_was_a_precision_to_choose_keep_their_ids() {
    let mut quickstart = common::spec(
        r#"
model.builtin = "roberta-imdb-tiny"
task = { name = "made-sentiment", k = 512, template = "*cls**sent_0*_this_movie_is*mask*.*sep+*" }
method = { name = "mezo", tuning = "full" }
train = { seed = 21, steps = 800, batch_size = 64, eval_every = 100, lr = 1e-4, eps = 1e-3 }
"#,
    );
    quickstart.model.precision = Some(Precision::F32);
    // As results/quickstart/manifests.json has it.
    assert_eq!(resolve(&quickstart).id, "21a28ebbc48782ff");
}

#[test]
fn a_manifest_of_another_precision_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut named = spec();
    named.model.precision = Some(Precision::Bf16);
    resolve(&named).write(dir.path()).unwrap();
    let path = dir.path().join(Manifest::FILE);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(r#""precision": "bf16""#), "{text}");
    let said = |word: &str| {
        let edited = text.replace(
            r#""precision": "bf16""#,
            &format!(r#""precision": "{word}""#),
        );
        std::fs::write(&path, edited).unwrap();
        Manifest::read(dir.path()).unwrap_err().to_string()
    };
    let unknown = said("f64");
    let expected = "unknown variant `f64`, expected one of `f32`, `tf32`, `f16`, `bf16`";
    assert!(unknown.contains(expected), "{unknown}");
    let another = said("f32");
    assert!(another.contains("was changed"), "{another}");
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
