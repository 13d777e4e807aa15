//! What Python has downloaded is found, and only when it is whole.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use mezo_hub::{Hub, Repo, Settings, Snapshot};
use tempfile::TempDir;

const COMMIT: &str = "722cf37b1afa9454edce342e7895e588b6ff1d59";

/// A cache as Python leaves it.
struct Python {
    dir: TempDir,
}

impl Python {
    fn new() -> Self {
        let dir = TempDir::new().unwrap();
        Self { dir }
    }

    fn repo(&self) -> PathBuf {
        self.dir.path().join("hub/models--roberta-large")
    }

    fn put(&self, path: impl AsRef<Path>, text: &str) {
        let path = self.repo().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A file of the commit: a blob by its hash and a link to it by its name.
    fn file(&self, name: &str, blob: &str, text: &str) {
        self.put(Path::new("blobs").join(blob), text);
        let link = self.repo().join("snapshots").join(COMMIT).join(name);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(format!("../../blobs/{blob}"), link).unwrap();
    }

    fn hub(&self) -> Hub {
        let vars = [("HF_HOME".to_owned(), self.dir.path().into())];
        Hub::new(Settings::from(&vars.into()).unwrap())
    }

    fn locate(&self, revision: &str) -> Option<Snapshot> {
        let repo = Repo::model("roberta-large").unwrap();
        self.hub().locate(&repo, revision)
    }
}

#[test]
fn a_model_that_python_downloaded_is_found_by_branch_and_by_commit() {
    let python = Python::new();
    python.put("refs/main", COMMIT);
    python.put("refs/refs/pr/1", &format!("{COMMIT}\n"));
    for (at, name) in ["config.json", "tokenizer.json", "model.safetensors"]
        .into_iter()
        .enumerate()
    {
        assert_eq!(python.locate("main"), None, "{name} is not there yet");
        python.file(name, &format!("{at:040}"), "x");
    }
    let found = Snapshot {
        commit: COMMIT.into(),
        folder: python.repo().join("snapshots").join(COMMIT),
    };
    for revision in ["main", "refs/pr/1", COMMIT] {
        assert_eq!(python.locate(revision), Some(found.clone()), "{revision}");
    }
    let repo = Repo::model("roberta-large").unwrap();
    assert_eq!(python.hub().snapshot(&repo, COMMIT), Some(found.folder));
    assert_eq!(python.hub().snapshot(&repo, "main"), None);
    for revision in ["v1", "../main", "", &COMMIT.replace('7', "8")] {
        assert_eq!(python.locate(revision), None, "{revision:?}");
    }
}

#[test]
fn a_link_without_its_blob_is_no_file() {
    let python = Python::new();
    python.file("config.json", "a", "{}");
    python.file("vocab.json", "b", "{}");
    python.file("merges.txt", "c", "");
    python.file("model.safetensors", "d", "x");
    assert!(python.locate(COMMIT).is_some());
    fs::remove_file(python.repo().join("blobs/d")).unwrap();
    assert_eq!(python.locate(COMMIT), None);
}

#[test]
fn weights_in_parts_are_whole_with_every_part() {
    let python = Python::new();
    python.file("config.json", "a", "{}");
    python.file("tokenizer.json", "b", "{}");
    let index = r#"{"weight_map": {"x": "one.safetensors", "y": "two.safetensors", "z": "one.safetensors"}}"#;
    python.file("model.safetensors.index.json", "c", index);
    python.file("one.safetensors", "d", "x");
    assert_eq!(python.locate(COMMIT), None);
    python.file("two.safetensors", "e", "x");
    assert!(python.locate(COMMIT).is_some());
}

#[test]
fn an_index_that_leads_out_of_the_commit_makes_no_model() {
    let python = Python::new();
    python.file("config.json", "a", "{}");
    python.file("tokenizer.json", "b", "{}");
    python.file("in.safetensors", "d", "x");
    python.put(Path::new("snapshots/out.safetensors"), "x");
    let absolute = python.repo().join("snapshots/out.safetensors");
    for (at, (name, whole)) in [
        ("in.safetensors", true),
        ("../out.safetensors", false),
        (absolute.to_str().unwrap(), false),
    ]
    .into_iter()
    .enumerate()
    {
        let index = python
            .repo()
            .join("snapshots")
            .join(COMMIT)
            .join("model.safetensors.index.json");
        let _ = fs::remove_file(index);
        let text = format!("{{\"weight_map\": {{\"x\": {name:?}}}}}");
        python.file("model.safetensors.index.json", &format!("{at:040}"), &text);
        assert_eq!(python.locate(COMMIT).is_some(), whole, "{name}");
    }
}

#[test]
fn pickled_weights_are_none() {
    let python = Python::new();
    python.file("config.json", "a", "{}");
    python.file("tokenizer.json", "b", "{}");
    python.file("pytorch_model.bin", "c", "x");
    assert_eq!(python.locate(COMMIT), None);
}
