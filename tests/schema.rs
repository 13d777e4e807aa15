//! The schema that editors read: every spec of the repository keeps to it, and one that is plainly wrong does not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "schema/validate.rs"]
mod validate;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Place, text};
use serde_json::Value;
use validate::Validator;

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

fn validator() -> Validator {
    let output = Place::new().exits(0, "sweep schema");
    Validator::new(serde_json::from_str(&text(&output.stdout)).unwrap())
}

/// Where a spec does not keep to the schema, and why.
fn faults(validator: &Validator, spec: &str) -> Vec<String> {
    let spec: Value = toml::from_str(spec).unwrap();
    validator.faults(&spec)
}

fn specs_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let all = paths.flat_map(|path| {
        if path.is_dir() {
            specs_in(&path)
        } else {
            vec![path]
        }
    });
    all.filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "toml")
    })
    .collect()
}

#[test]
fn every_spec_of_the_repository_keeps_to_it() {
    let validator = validator();
    let specs = specs_in(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments"));
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
