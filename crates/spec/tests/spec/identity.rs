//! What makes a run another one: every key that decides a number, and no place.

use std::path::PathBuf;

use mezo_spec::{Kind, Method, MethodName, ModelSource, Precision, Protocol, RunConfig, key, keys};
use serde_json::Value as Json;

use crate::support::{beside, config_of, default, of_method, toml, values};

/// The keys of a method's runs that decide their numbers by a value in the configuration.
fn deciding(method: MethodName) -> Vec<&'static mezo_spec::Key> {
    let task = keys().iter().copied().filter(|key| key.table() == "task");
    let task = task.filter(|key| key.path != "task.data");
    task.chain(Method::keys_of(method)).collect()
}

#[test]
fn a_key_at_its_default_makes_no_other_run() {
    for method in &MethodName::ALL {
        for key in deciding(*method) {
            let Some(value) = default(key, *method) else {
                continue;
            };
            let without = of_method(*method, beside(key));
            let with = format!("{without}{} = {}\n", key.path, toml(&value));
            let [without, with] = [without, with].map(|text| config_of(&text).identity());
            assert_eq!(without, with, "{method} {}", key.path);
        }
    }
}

#[test]
fn what_the_protocol_decays_makes_no_other_run() {
    let usual = [
        ("paper", MethodName::Mezo, "no-bias-norm"),
        ("paper", MethodName::Ft, "no-bias-norm"),
        ("reference-code", MethodName::Mezo, "all"),
        ("reference-code", MethodName::Ft, "reference-optimizer"),
    ];
    for (protocol, method, word) in usual {
        let decay = format!("protocol = \"{protocol}\"\ntrain.weight_decay = 0.1\n");
        let with = format!("{decay}train.decay_on = \"{word}\"\n");
        let [without, with] = [decay, with].map(|more| config_of(&of_method(method, &more)));
        assert_eq!(without, with);
    }
}

#[test]
fn one_estimate_is_one_by_whatever_schedule() {
    let one = of_method(MethodName::Mezo, "");
    let counted = of_method(MethodName::Mezo, "method.estimates.count = 1\n");
    assert_eq!(config_of(&one).identity(), config_of(&counted).identity());
}

#[test]
fn every_other_value_of_every_key_makes_another_run() {
    for method in &MethodName::ALL {
        for key in deciding(*method) {
            let mut values = values(key);
            if let Some(default) = default(key, *method).filter(|value| !values.contains(value)) {
                values.push(default);
            }
            assert!(values.len() > 1, "{} has one value", key.path);
            let mut seen: Vec<Json> = Vec::new();
            for value in values {
                let more = format!("{}{} = {}\n", beside(key), key.path, toml(&value));
                // Without a prompt a seed draws the head, where the method has no seed already.
                let seed = match more.contains("prompt = false") && *method == MethodName::ZeroShot
                {
                    true => "train.seed = 13\n",
                    false => "",
                };
                let identity = config_of(&of_method(*method, &(more + seed))).identity();
                assert!(!seen.contains(&identity), "{method} {} {value:?}", key.path);
                seen.push(identity);
            }
        }
    }
}

#[test]
fn every_method_protocol_and_precision_makes_another_run() {
    let mut seen: Vec<Json> = Vec::new();
    for method in &MethodName::ALL {
        let config = config_of(&of_method(*method, ""));
        for protocol in &Protocol::ALL {
            for precision in &Precision::ALL {
                let config = RunConfig {
                    protocol: *protocol,
                    precision: *precision,
                    ..config.clone()
                };
                let identity = config.identity();
                assert!(!seen.contains(&identity), "{method} {protocol} {precision}");
                seen.push(identity);
            }
        }
    }
}

#[test]
fn no_place_makes_another_run() {
    let config = config_of(&of_method(MethodName::Mezo, ""));
    let mut moved = config.clone();
    moved.task.data = Some(PathBuf::from("../data"));
    moved.model = ModelSource::Path(PathBuf::from("../models/tiny"));
    assert_eq!(config.identity(), moved.identity());
    assert_eq!(key("task.data").unwrap().kind, Kind::Path);
}

#[test]
fn every_key_is_looked_at_here() {
    let looked_at: Vec<_> = MethodName::ALL
        .iter()
        .flat_map(|method| deciding(*method))
        .map(|key| key.path)
        .chain(["protocol", "model.precision", "method.name", "task.data"])
        .collect();
    for key in keys() {
        // Which model it is, the hash of its weights says.
        let model = ["model.builtin", "model.path", "model.hub", "model.revision"];
        let known = looked_at.contains(&key.path) || model.contains(&key.path);
        assert!(known, "{} decides nothing here", key.path);
    }
}
