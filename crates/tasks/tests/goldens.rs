//! Token ids against the reference code's, row by row, over every file of them that there is.
#![allow(clippy::unwrap_used)]

#[path = "support/shared.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _; // straight to stderr: what a passing test prints is not shown
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mezo_tasks::{Place, Row, Task, TaskError, Tokenizer};
use serde_json::Value;
use support::{beside_project, shared};

struct Golden {
    tokenizer: Tokenizer,
    data: PathBuf,
    files: BTreeMap<PathBuf, Option<Vec<Row>>>,
}

impl Golden {
    /// The rows of the file that a golden row is of, or none where the file is absent.
    fn rows(&mut self, task: &Task, split: &str) -> Option<&[Row]> {
        let csv = ["mr", "cr", "mpqa"].contains(&task.name());
        let folder = if csv {
            self.data.join("lmbff").join(task.folder())
        } else {
            self.data.join("kshot16").join(task.folder()).join("16-42")
        };
        let names = match (task.name(), split) {
            ("mnli", "dev") => vec!["dev_matched.tsv".to_owned()],
            _ => vec![format!("{split}.tsv"), format!("{split}.csv")],
        };
        let path = names
            .iter()
            .map(|name| folder.join(name))
            .find(|path| path.exists())
            .unwrap_or_else(|| folder.join(&names[0]));
        let rows = self
            .files
            .entry(path.clone())
            .or_insert_with(|| path.exists().then(|| task.read_file(&path).unwrap()));
        if rows.is_none() {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: {} rows of {} (absent)",
                task.name(),
                path.display()
            );
        }
        rows.as_deref()
    }

    /// Compares one golden row; false where its data is absent.
    fn check(&mut self, golden: &Value, name: &str) -> bool {
        let task = task_of_folder(golden["task"].as_str().unwrap());
        let row = match golden.get("text") {
            Some(text) => row_of(text),
            None => {
                let split = golden["split"].as_str().unwrap();
                let at = golden["row"].as_u64().unwrap() as usize;
                let Some(rows) = self.rows(&task, split) else {
                    return false;
                };
                let row = rows[at].clone();
                assert_eq!(task.labels()[row.label], golden["label"].as_str().unwrap());
                row
            }
        };
        let found = task.encode(&self.tokenizer, std::slice::from_ref(&row));
        if golden.get("error").is_some() {
            let error = found.unwrap_err();
            assert!(
                matches!(error, TaskError::MaskCutOff { .. }),
                "{name}: {error}"
            );
            return true;
        }
        let example = found.unwrap().remove(0);
        let ids: Vec<u32> = serde_json::from_value(golden["input_ids"].clone()).unwrap();
        assert_eq!(example.ids, ids, "{name}: {golden}");
        assert_eq!(example.asked as u64, golden["mask_pos"].as_u64().unwrap());
        assert_eq!(example.label, row.label);
        true
    }
}

fn task_of_folder(folder: &str) -> Task {
    let found = Task::names()
        .into_iter()
        .map(|name| Task::by_name(name).unwrap())
        .find(|task| task.folder() == folder || task.name() == folder);
    found.unwrap_or_else(|| panic!("no task has the folder {folder}"))
}

fn row_of(text: &Value) -> Row {
    Row {
        sentences: serde_json::from_value(text.clone()).unwrap(),
        label: 0,
        origin: Place {
            path: Arc::from(Path::new("golden")),
            line: 1,
            column: 1,
        },
    }
}

#[test]
fn golden_prompt_ids() {
    let Some(folder) = shared("reference/goldens", "golden token ids") else {
        return;
    };
    // Goldens of one's own, put elsewhere by MEZO_SHARED, need not bring the data along.
    let data = [folder.join("../../data"), beside_project().join("data")]
        .into_iter()
        .find(|data| data.join("roberta-tokenizer").exists());
    let Some(data) = data else {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: golden token ids (no data/roberta-tokenizer)"
        );
        return;
    };
    let mut golden = Golden {
        tokenizer: Tokenizer::from_folder(&data.join("roberta-tokenizer")).unwrap(),
        data,
        files: BTreeMap::new(),
    };
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with("prompt_ids") && name.ends_with(".json"))
        .collect();
    names.sort();
    if names.is_empty() {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: golden token ids (no prompt_ids*.json in {})",
            folder.display()
        );
    }
    for name in names {
        let rows: Vec<Value> =
            serde_json::from_slice(&fs::read(folder.join(&name)).unwrap()).unwrap();
        let checked = rows.iter().filter(|row| golden.check(row, &name)).count();
        let _ = writeln!(
            std::io::stderr(),
            "{name}: {checked} of {} rows equal",
            rows.len()
        );
    }
}
