//! Parameters for other libraries.

use std::fs;

use serde_json::{Map, Value, json};

use super::small_done;
use crate::common::{Done, Place, ended, files, json, spec};

#[test]
fn an_exported_model_scores_as_its_run_did() {
    let done = small_done();
    let place = Place::new();
    for (number, dir) in done.place.trained("small").iter().enumerate() {
        let out = place.path(format!("model-{number}"));
        ended(place.mezo(["export"]).args([dir, &out]), 0);
        let written = files(&out);
        let names: Vec<&String> = written.keys().collect();
        assert_eq!(
            names,
            ["config.json", "model.safetensors", "tokenizer.json"]
        );
        let name = format!("again-{number}");
        let again = spec(&name, "", "", "")
            .replace(
                r#"builtin = "roberta-imdb-tiny""#,
                &format!(r#"path = "model-{number}""#),
            )
            .replace(r#""mezo""#, r#""zero-shot""#);
        let (bare, _) = again.split_once("[train]").unwrap();
        place.write(format!("{name}.toml"), bare);
        place.exits(0, &format!("sweep run {name}.toml"));
        let runs = place.runs(&name);
        assert_eq!(runs.len(), 1);
        let (found, run) = (
            json(&runs[0].join("result.json")),
            json(&dir.join("result.json")),
        );
        let base = json(&done.place.path("results/small/table.json"));
        let entropy = |of: &Value| of["best"]["test_cross_entropy"].as_f64().unwrap();
        let accuracy = |of: &Value| of["best"]["test_accuracy"].as_f64().unwrap();
        let untrained = base["rows"][0]["test_at_best_dev"]["cross_entropy"]["mean"]
            .as_f64()
            .unwrap();
        assert!(
            (entropy(&run) - untrained).abs() > 1e-3,
            "the run moved nothing that could be seen"
        );
        assert!(
            (entropy(&found) - entropy(&run)).abs() < 1e-6,
            "{found} {run}"
        );
        assert!(
            (accuracy(&found) - accuracy(&run)).abs() < 1e-6,
            "{found} {run}"
        );
    }
}

#[test]
fn an_exported_adapter_is_in_the_layout_of_peft() {
    let train = "lr = 1e-4\nsteps = 4\nbatch_size = 4\neval_every = 2";
    let done = Done::new(
        "lora",
        &spec("lora", r#"tuning = "lora""#, train, "seed = [13]"),
        "2",
    );
    let out = done.place.path("adapter");
    ended(
        done.place
            .mezo(["export"])
            .args([&done.place.trained("lora")[0], &out]),
        0,
    );
    assert_eq!(
        files(&out).keys().collect::<Vec<_>>(),
        ["adapter_config.json", "adapter_model.safetensors"]
    );
    let config = json(&out.join("adapter_config.json"));
    assert_eq!(
        (&config["peft_type"], &config["r"]),
        (&"LORA".into(), &8.into())
    );
    assert_eq!(config["lora_alpha"].as_f64(), Some(16.0));
    assert_eq!(config["target_modules"], json!(["query", "value"]));
    let bytes = fs::read(out.join("adapter_model.safetensors")).unwrap();
    let header = usize::try_from(u64::from_le_bytes(bytes[..8].try_into().unwrap())).unwrap();
    let tensors: Map<String, Value> = serde_json::from_slice(&bytes[8..8 + header]).unwrap();
    let names: Vec<&String> = tensors
        .keys()
        .filter(|name| *name != "__metadata__")
        .collect();
    assert!(!names.is_empty());
    for name in names {
        let known = [
            "query.lora_A.weight",
            "query.lora_B.weight",
            "value.lora_A.weight",
            "value.lora_B.weight",
        ];
        assert!(
            name.starts_with("base_model.model.") && known.iter().any(|end| name.ends_with(end)),
            "{name}"
        );
    }
}
