//! The schema that editors read: every spec of the repository keeps to it.

mod validate;

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::{Place, text};
use serde_json::Value;
use validate::Validator;

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
