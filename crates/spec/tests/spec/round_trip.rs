//! A configuration is read back as it was written, from its values and from JSON.

use mezo_spec::{ConfigError, Method, MethodName, RunConfig, Spec, Values, keys};

use crate::support::{
    beside, config, config_of, files_below, of_method, repository, runs, toml, values,
};

fn read_back(config: &RunConfig, values: &Values) -> Result<RunConfig, ConfigError> {
    let model = config.model.clone();
    RunConfig::of_values(config.protocol, config.precision, model, values)
}

#[track_caller]
fn round_trip(config: &RunConfig) {
    let values = config.values();
    assert_eq!(read_back(config, &values).as_ref(), Ok(config));
    let json = serde_json::to_value(&values).unwrap();
    let read: Values = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(read, values);
    assert_eq!(Values::of_json(&json), values);
    let back = read_back(config, &read).unwrap();
    assert_eq!(&back, config);
    assert_eq!(back.identity(), config.identity());
    // Through text too, as a file has it.
    let read: Values = serde_json::from_str(&json.to_string()).unwrap();
    assert_eq!(read, values);
    assert_eq!(values.differing(&read).len(), 0);
}

#[test]
fn every_method_and_value_is_read_back() {
    for method in &MethodName::ALL {
        round_trip(&config_of(&of_method(*method, "")));
        let task = keys().iter().copied().filter(|key| key.table() == "task");
        for key in task.chain(Method::keys_of(*method)) {
            for value in values(key) {
                let more = format!("{}{} = {}\n", beside(key), key.path, toml(&value));
                let seed = match more.contains("prompt = false") && *method == MethodName::ZeroShot
                {
                    true => "train.seed = 13\n",
                    false => "",
                };
                round_trip(&config_of(&of_method(*method, &(more + seed))));
            }
        }
    }
}

#[test]
fn every_run_of_the_repository_is_read_back() {
    let paths = files_below(&repository("experiments"), ".toml");
    assert!(paths.len() > 40, "only {} specs", paths.len());
    for path in paths {
        let spec = Spec::read(&path).unwrap_or_else(|errors| panic!("{errors}"));
        let runs = runs(&spec);
        assert!(!runs.is_empty(), "{}", path.display());
        for run in &runs {
            round_trip(&config(run));
        }
        // Without a prompt there is no zero-shot run beside the others.
        if let Some(run) = runs.first().filter(|run| run.task.prompt) {
            round_trip(&config(run).zero_shot());
        }
    }
}

#[test]
fn numbers_keep_their_bits() {
    for lr in [
        "0.1",
        "5e-324",
        "1e-4",
        "3.0000000000000004e-5",
        "1",
        "1e300",
    ] {
        round_trip(&config_of(&of_method(
            MethodName::Ft,
            &format!("train.lr = {lr}\n"),
        )));
    }
    let steps = "train.steps = 9007199254740993\n";
    round_trip(&config_of(&of_method(MethodName::Mezo, steps)));
}

#[test]
fn what_cannot_be_read_is_named() {
    let config = config_of(&of_method(MethodName::Mezo, "method.tuning = \"lora\"\n"));
    let without = |path: &str| {
        let mut values = config.values();
        values.retain(|known| known != path);
        read_back(&config, &values).unwrap_err().to_string()
    };
    let said = |path: &str| format!("`{path}` is missing, or not of this version");
    for path in ["method.name", "train.lr", "train.eps"] {
        assert_eq!(without(path), said(path));
    }
    assert_eq!(without("task.template"), said("task"));
    let mut json = serde_json::to_value(config.values()).unwrap();
    json["method"]["tuning"] = "quantised".into();
    let changed = read_back(&config, &Values::of_json(&json)).unwrap_err();
    assert_eq!(changed.to_string(), said("method.tuning"));
    let mut json = serde_json::to_value(config.values()).unwrap();
    json["train"]["lr"] = 0.into();
    let changed = read_back(&config, &Values::of_json(&json)).unwrap_err();
    assert_eq!(changed.to_string(), said("train.lr"));
}

#[test]
fn keys_of_a_later_version_are_kept_and_not_read() {
    let config = config_of(&of_method(MethodName::Mezo, ""));
    let mut json = serde_json::to_value(config.values()).unwrap();
    json["method"]["later"] = serde_json::json!({ "key": 3 });
    json["list"] = serde_json::json!([1, 2]);
    let values = Values::of_json(&json);
    assert_eq!(read_back(&config, &values).as_ref(), Ok(&config));
    assert_eq!(values.table("method")["later"]["key"], 3);
    let later = ["list", "method.later.key"];
    assert_eq!(values.differing(&config.values()), later.into());
}
