//! The configurations in manifests that 0.1 wrote are read: it left out what was at its default.

use std::fs;

use mezo_spec::{
    DecayOn, Estimator, Literal, MethodName, ModelSource, Objective, Optimizer, Precision,
    Protocol, RunConfig, Schedule, TuningName, Values, key,
};
use serde_json::{Value as Json, json};

use crate::support::{default, files_below, repository};

/// The configuration of a manifest.
fn read(manifest: &Json) -> RunConfig {
    let word = |key: &str| manifest[key].as_str().unwrap();
    let protocol = Protocol::by_name(word("protocol")).unwrap();
    let precision = Precision::by_name(word("precision")).unwrap();
    let values = Values::of_json(&manifest["config"]);
    let model = ModelSource::read(&values).unwrap();
    RunConfig::of_values(protocol, precision, model, &values).unwrap()
}

/// Whether two values are the same, be one of them written as a whole number.
fn same(one: &Literal, other: &Literal) -> bool {
    one == other
        || one
            .as_f64()
            .is_some_and(|number| other.as_f64() == Some(number))
}

/// What a manifest says is what is read, and what it leaves out is at its default.
fn check(manifest: &Json) {
    let config = read(manifest);
    let written = Values::of_json(&manifest["config"]);
    let values = config.values();
    for (path, value) in written
        .iter()
        .filter(|(path, _)| !path.starts_with("model."))
    {
        let key = key(path).unwrap_or_else(|| panic!("0.1 wrote {path}"));
        let read = values.get(key);
        assert!(
            read.is_some_and(|read| same(read, value)),
            "{path}: {read:?}"
        );
    }
    for (path, value) in values.iter() {
        let key = key(path).unwrap();
        let default = default(key, config.method_name());
        let left_out = written.get(key).is_none();
        assert!(
            !left_out || default.as_ref() == Some(value),
            "{path} is {value:?}"
        );
    }
}

#[test]
fn the_manifests_of_the_repository_are_read() {
    let paths = files_below(&repository("results"), "manifests.json");
    assert!(paths.len() > 10, "only {}", paths.len());
    for path in paths {
        let manifests: Vec<Json> = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        assert!(!manifests.is_empty());
        manifests.iter().for_each(check);
    }
}

/// A manifest of 0.1 with this method and training.
fn manifest(method: Json, train: Json) -> Json {
    json!({
        "protocol": "paper",
        "precision": "f16",
        "config": {
            "model": { "hub": "roberta-large@0123456789abcdef" },
            "task": {
                "data": "../../data",
                "k": 16,
                "label_words": { "0": "terrible", "1": "great" },
                "max_length": 128,
                "name": "sst-2",
                "template": "*cls**sent_0*_It_was*mask*.*sep+*",
                "test_cap": 1000,
            },
            "method": method,
            "train": train,
        },
    })
}

fn train() -> Json {
    json!({
        "batch_size": 64, "eps": 0.001, "eval_every": 100, "lr": 1e-6, "seed": 42, "steps": 1000,
        "weight_decay": 0.0,
    })
}

#[test]
fn what_is_left_out_is_at_its_default() {
    let manifest = manifest(json!({ "name": "mezo", "tuning": "full" }), train());
    check(&manifest);
    let config = read(&manifest);
    let ModelSource::Hub(model) = &config.model else {
        panic!("{:?} is not on the hub", config.model);
    };
    assert_eq!(
        (model.repo.as_str(), config.model.name()),
        ("roberta-large", "roberta-large")
    );
    assert!(config.task.prompt);
    let mezo = config.method.mezo().unwrap();
    assert_eq!(mezo.objective, Objective::CrossEntropy);
    assert_eq!(mezo.estimator, Estimator::TwoSided);
    assert_eq!((&mezo.estimates, &mezo.scale), (&None, &None));
    let train = &mezo.train;
    assert_eq!(
        (train.optimizer, train.schedule),
        (Optimizer::Sgd, Schedule::Constant)
    );
    assert_eq!(
        (train.momentum, train.warmup, train.decay_on),
        (0.0, 0, None)
    );
}

#[test]
fn what_is_there_is_read() {
    let mut long = train();
    for (key, value) in [
        ("weight_decay", json!(0.1)),
        ("decay_on", json!("all")),
        ("optimizer", json!("adam")),
        ("schedule", json!("linear")),
        ("warmup", json!(10)),
    ] {
        long[key] = value;
    }
    let method = json!({
        "name": "lp-mezo",
        "tuning": "prefix",
        "prefix": { "tokens": 3, "init": "random" },
        "objective": "accuracy",
        "estimates": { "count": 4, "schedule": "linear", "scale_lr": true },
        "scale": { "by": "gradient-norm", "modifies": "expectation", "measured": "each-epoch" },
    });
    let manifest = manifest(method, long);
    check(&manifest);
    let config = read(&manifest);
    assert_eq!(config.method_name(), MethodName::LpMezo);
    let mezo = config.method.mezo().unwrap();
    assert_eq!(mezo.tuning.prefix().unwrap().tokens, 3);
    assert_eq!(mezo.estimates.as_ref().unwrap().count, 4);
    assert!(mezo.scale.is_some());
    assert_eq!(mezo.train.decay_on, Some(DecayOn::All));
}

#[test]
fn methods_without_steps_are_read() {
    let probe = manifest(json!({ "name": "lp" }), json!({ "seed": 42 }));
    check(&probe);
    assert_eq!(read(&probe).method.seed(), Some(42));
    let zero_shot = manifest(json!({ "name": "zero-shot" }), Json::Null);
    check(&zero_shot);
    assert_eq!(read(&zero_shot).method.seed(), None);
    let mut bare = manifest(json!({ "name": "zero-shot" }), json!({ "seed": 42 }));
    let task = &mut bare["config"]["task"];
    task["prompt"] = false.into();
    task["template"] = "".into();
    task["label_words"] = json!({});
    check(&bare);
    assert_eq!(read(&bare).method.seed(), Some(42));
}

#[test]
fn fine_tuning_is_read() {
    let mut train = train();
    let own = train.as_object_mut().unwrap();
    own.remove("eps");
    own.extend(
        [
            ("optimizer", json!("sgd")),
            ("schedule", json!("constant")),
            ("dropout", json!(0.0)),
            ("clip", json!(1.0)),
            ("momentum", json!(0.9)),
        ]
        .map(|(key, value)| (key.to_owned(), value)),
    );
    let method = json!({ "name": "ft", "tuning": "lora", "lora": { "r": 8, "alpha": 16.0 } });
    let manifest = manifest(method, train);
    check(&manifest);
    let config = read(&manifest);
    assert_eq!(config.method.tuning().unwrap().name(), TuningName::Lora);
    assert_eq!(
        config.method.training().unwrap().schedule,
        Schedule::Constant
    );
}
