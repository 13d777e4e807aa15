//! A fake hub, a cache of its own, and what a fetch tells.

pub mod fake_hub;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fake_hub::{FakeHub, FakeRepo, sha256};
use mezo_hub::{Event, Hub, HubError, Progress, Repo, Settings, Snapshot, Wanted};
use tempfile::TempDir;

/// Weights of some length, every byte of which tells where it stands.
pub fn weights() -> Vec<u8> {
    (0..200_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect()
}

/// The files of `roberta-large` in small.
pub fn roberta() -> FakeRepo {
    let weights = weights();
    let files: [(&str, &[u8]); 6] = [
        ("README.md", b"a model"),
        ("config.json", b"{\"model_type\": \"roberta\"}"),
        ("merges.txt", b"#version: 0.2"),
        ("model.safetensors", &weights),
        ("tokenizer.json", b"{}"),
        ("vocab.json", b"{\"a\": 0}"),
    ];
    FakeRepo::new("main", &files)
}

pub const WEIGHTS: &str = "model.safetensors";

/// The repository of [`roberta`].
pub fn model() -> Repo {
    Repo::model("roberta-large").unwrap()
}

/// Where the weights lie until they are whole.
pub fn incomplete(world: &World) -> PathBuf {
    world.at(format!("blobs/{}.incomplete", sha256(&weights())))
}

/// The weights are in their place as the hub has them, and nothing is left beside them.
pub fn whole(world: &World) {
    let blob = world.at("blobs").join(sha256(&weights()));
    assert!(fs::read(blob).unwrap() == weights());
    assert!(!incomplete(world).exists());
}

/// A fake hub with `roberta-large`, and an empty cache.
pub struct World {
    pub fake: FakeHub,
    pub dir: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self::with("roberta-large", roberta())
    }

    pub fn with(path: &str, repo: FakeRepo) -> Self {
        Self {
            fake: FakeHub::new(vec![(path, repo)]),
            dir: TempDir::new().unwrap(),
        }
    }

    pub fn settings(&self, more: &[(&str, &str)]) -> Settings {
        let home = self.dir.path().to_str().unwrap();
        let vars = [("HF_HOME", home), ("HF_ENDPOINT", &self.fake.url)];
        let vars = vars.iter().chain(more);
        let vars = vars.map(|(name, value)| ((*name).to_owned(), (*value).into()));
        let mut settings = Settings::from(&vars.collect()).unwrap();
        settings.first_pause = Duration::from_millis(1);
        settings
    }

    pub fn hub(&self, more: &[(&str, &str)]) -> Hub {
        Hub::new(self.settings(more))
    }

    pub fn fetch(&self, told: &mut Told) -> Result<Snapshot, HubError> {
        self.fetch_at("main", told)
    }

    pub fn fetch_at(&self, revision: &str, told: &mut Told) -> Result<Snapshot, HubError> {
        let repo = Repo::model("roberta-large").unwrap();
        self.hub(&[]).fetch(&repo, revision, Wanted::Model, told)
    }

    /// Fails to fetch; what is said of it, with the hub's address and the cache's folder as `HUB` and `HOME`.
    pub fn fails(&self, more: &[(&str, &str)], repo: &Repo, wanted: Wanted<'_>) -> HubError {
        self.hub(more)
            .fetch(repo, "main", wanted, &mut ())
            .unwrap_err()
    }

    pub fn said(&self, error: &HubError) -> String {
        let home = self.dir.path().to_str().unwrap();
        error
            .to_string()
            .replace(&self.fake.url, "HUB")
            .replace(home, "HOME")
    }

    /// A path in the cache's folder of `roberta-large`.
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let repo = self.dir.path().join("hub/models--roberta-large");
        repo.join(path)
    }

    pub fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Every file and link under the cache: a file's bytes as text, a link's target after an arrow.
    pub fn tree(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        let root = self.dir.path().join("hub");
        walk(&root, &root, &mut found);
        found
    }
}

fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if path.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            found.insert(name, format!("-> {}", target.to_str().unwrap()));
        } else if path.is_dir() {
            walk(root, &path, found);
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(name, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

/// What a fetch told: the bytes of each file at each time, and everything else as lines.
#[derive(Default)]
pub struct Told {
    pub bytes: Vec<(String, u64, u64)>,
    pub lines: Vec<String>,
}

impl Progress for Told {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Bytes { file, done, of } => self.bytes.push((file.to_owned(), done, of)),
            Event::Waiting { file } => self.lines.push(format!("waiting {file}")),
            Event::Again { error, pause } => self.lines.push(format!("{error} {pause:?}")),
            Event::Done { file, size } => self.lines.push(format!("done {file} {size}")),
            _ => {}
        }
    }
}
