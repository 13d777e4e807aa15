//! The schema that editors read: every spec of the repository keeps to it, and one that is plainly wrong does not.

use std::fs;

use mezo_spec::{Names, keys, schema};
use serde_json::Value;

use crate::support::{files_below, repository, values};
use crate::validate::Validator;

/// Keeps to the schema, with all that a `[sweep]` may hold; that it is a sweep of sense is another matter.
const SPEC: &str = r#"name = "my-sweep"

[model]
builtin = "roberta-imdb-tiny"

[task]
name = "made-sentiment"
label_words = { 0 = "bad", 1 = "good" }

[method]
name = "mezo"
tuning = "lora"

[train]
steps = 400
weight_decay = 0.1

[[sweep]]
seed = [13, 21]
lr = [1e-4, 3e-4]
eps = [1e-3, 3e-3]
"task.k" = [16, 512]
train.batch_size = [8, 64]
zip = [["lr", "eps"]]
exclude = [{ lr = 1e-4, "task.k" = 16, train.batch_size = 8 }]

[[sweep]]
list = [{ seed = 13, method.objective = "accuracy" }, { seed = 21, method.objective = "f1" }]
"task.label_words.1" = ["great"]
"#;

fn names() -> Names {
    Names {
        tasks: [
            "made-sentiment",
            "glue-sst2",
            "sst-2",
            "sst-5",
            "snli",
            "mnli",
            "rte",
            "trec",
        ]
        .map(str::to_owned)
        .to_vec(),
        models: vec!["roberta-imdb-tiny".into()],
    }
}

fn validator() -> Validator {
    Validator::new(schema(&names()))
}

/// Where a spec does not keep to the schema, and why.
fn faults(validator: &Validator, spec: &str) -> Vec<String> {
    let spec: Value = toml::from_str(spec).unwrap();
    validator.faults(&spec)
}

#[test]
fn every_spec_of_the_repository_keeps_to_it() {
    let validator = validator();
    let specs = files_below(&repository("experiments"), ".toml");
    assert!(specs.len() > 40, "only {} specs", specs.len());
    for path in specs {
        let faults = faults(&validator, &fs::read_to_string(&path).unwrap());
        assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
    }
}

#[test]
fn what_is_wrong_does_not() {
    let validator = validator();
    assert_eq!(faults(&validator, SPEC), Vec::<String>::new());
    // What is written instead of what, and where it is wrong.
    let wrong = [
        ("[train]", "[trian]", ""),
        ("steps = 400", "stepz = 400", "/train"),
        ("steps = 400", "steps = \"400\"", "/train/steps"),
        ("tuning = \"lora\"", "tuning = \"loar\"", "/method/tuning"),
        ("\"made-sentiment\"", "\"made-sentimnt\"", "/task/name"),
        ("1 = \"good\"", "1 = 1", "/task/label_words/1"),
        ("name = \"my-sweep\"\n", "", ""),
        ("\"my-sweep\"", "\"My sweep\"", "/name"),
        ("seed = [13, 21]", "seed = []", "/sweep/0/seed"),
        ("seed = [13, 21]", "seed = 13", "/sweep/0/seed"),
        ("seed = [13, 21]", "sede = [13, 21]", "/sweep/0/sede"),
        ("seed = [13, 21]", "seed = [[13], [21]]", "/sweep/0/seed/0"),
        ("[16, 512]", "[\"16\", \"512\"]", "/sweep/0/task.k/0"),
        (
            "train.batch_size = [8, 64]",
            "train.batch_size = 8",
            "/sweep/0/train/batch_size",
        ),
        ("[[\"lr\", \"eps\"]]", "[[\"lr\"]]", "/sweep/0/zip/0"),
        (
            "[{ lr = 1e-4, ",
            "[{ lr = [1e-4], ",
            "/sweep/0/exclude/0/lr",
        ),
        (
            "\"accuracy\" }",
            "\"acuracy\" }",
            "/sweep/1/list/0/method/objective",
        ),
    ];
    for (right, written, place) in wrong {
        let spec = SPEC.replacen(right, written, 1);
        assert_ne!(spec, SPEC, "no {right}");
        let faults = faults(&validator, &spec);
        let there = |fault: &String| fault.starts_with(&format!("{place}: "));
        assert!(faults.iter().any(there), "{written}: {faults:#?}");
    }
}

#[test]
fn every_key_is_there_with_its_values() {
    let schema = schema(&names());
    for key in keys() {
        let pointer = format!("/properties/{}", key.path.replace('.', "/properties/"));
        let found = schema
            .pointer(&pointer)
            .unwrap_or_else(|| panic!("no {}", key.path));
        assert_eq!(found["description"], key.doc.trim(), "{}", key.path);
        let named = ["task.name", "model.builtin"].contains(&key.path);
        let part = Validator::new(found.clone());
        for value in values(key).iter().filter(|_| !named) {
            let value: toml::Table =
                toml::from_str(&format!("value = {}", crate::support::toml(value))).unwrap();
            let faults = part.faults(&serde_json::to_value(&value["value"]).unwrap());
            assert!(faults.is_empty(), "{}: {faults:?}", key.path);
        }
    }
    let names = &schema["properties"]["task"]["properties"]["name"]["enum"];
    assert_eq!(names[0], "made-sentiment");
}

#[test]
fn what_is_out_of_range_does_not_keep_to_it() {
    let validator = validator();
    for (line, place) in [
        ("task.k = 0", "/task/k"),
        ("train.lr = 0", "/train/lr"),
        ("train.seed = 4294967296", "/train/seed"),
        ("train.momentum = 1", "/train/momentum"),
        ("train.weight_decay = -1", "/train/weight_decay"),
        ("train.dropout = 1.0", "/train/dropout"),
        ("method.lora.r = 0", "/method/lora/r"),
    ] {
        let faults = faults(&validator, &format!("name = \"a\"\n{line}\n"));
        assert_eq!(faults.len(), 1, "{line}: {faults:?}");
        assert!(faults[0].starts_with(&format!("{place}: ")), "{faults:?}");
    }
}
