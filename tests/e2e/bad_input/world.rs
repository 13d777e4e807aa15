//! A folder with a sound spec, its data, and the finished runs and results of that very spec: what a test spoils.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;

use tempfile::TempDir;

/// The spec, from the world's folder.
pub const SPEC: &str = "experiments/small.toml";

const SOUND: &str = r#"name = "small"

[model]
builtin = "roberta-imdb-tiny"

[task]
name = "sst-2"
data = "../data"
k = 2

[method]
name = "mezo"
tuning = "lora"

[train]
steps = 2
batch_size = 4
eval_every = 1

[sweep]
seed = [13]
lr = [1e-4, 3e-4]
eps = [1e-3]
"#;

const TRAIN: &str = "sentence\tlabel
a warm and funny film .\t1
dull from start to end .\t0
it works , mostly .\t1
nobody needed this .\t0
a small wonder .\t1
two hours of nothing .\t0
the cast is a delight .\t1
loud , long and empty .\t0
";

const DEV: &str = "sentence\tlabel
better than it has to be .\t1
worse than it sounds .\t0
";

/// Every file below a folder by its path from there.
pub type Files = BTreeMap<PathBuf, Vec<u8>>;

pub struct World(TempDir);

impl World {
    /// The sound spec, carried out to its end.
    pub fn finished() -> Self {
        static FILES: OnceLock<Files> = OnceLock::new();
        let files = FILES.get_or_init(|| {
            let world = Self::of(&Files::from([
                (SPEC.into(), SOUND.into()),
                ("data/SST-2/train.tsv".into(), TRAIN.into()),
                ("data/SST-2/dev.tsv".into(), DEV.into()),
            ]));
            let ended = world.mezo(&["sweep", "run", SPEC]);
            assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
            let files = world.files();
            let results = files.keys().filter(|path| path.ends_with("result.json"));
            assert_eq!(results.count(), 3, "one zero-shot run and two trained ones");
            assert!(files.contains_key(Path::new("results/small/table.md")));
            files
        });
        Self::of(files)
    }

    /// The same after the sound spec was given other words.
    pub fn with(edits: &[(&str, &str)]) -> Self {
        let world = Self::finished();
        let edited = edits.iter().fold(SOUND.to_owned(), |spec, (old, new)| {
            assert!(spec.contains(old), "the sound spec has no {old}");
            spec.replace(old, new)
        });
        world.write(SPEC, edited);
        world
    }

    fn of(files: &Files) -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        for (path, bytes) in files {
            world.write(path, bytes);
        }
        world
    }

    pub fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(path)
    }

    pub fn write(&self, path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// Puts other words into a file that has the old ones.
    pub fn edit(&self, path: &str, old: &str, new: &str) {
        let was = fs::read_to_string(self.path(path)).unwrap();
        assert!(was.contains(old), "{path} has no {old:?}");
        self.write(path, was.replace(old, new));
    }

    pub fn remove(&self, path: &str) {
        let path = self.path(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// The program, run in the world's folder.
    pub fn mezo(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_mezo"))
            .args(args)
            .current_dir(self.0.path())
            .env_clear()
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// What is said of the spec, which must be refused: by `plan` and `run` alike, on stderr alone, with exit code 3,
    /// before anything is made or changed.
    pub fn refused(&self) -> String {
        self.refused_with(&[])
    }

    /// The same with more arguments.
    pub fn refused_with(&self, args: &[&str]) -> String {
        let planned = self.refuses(&[&["sweep", "plan", SPEC], args].concat());
        let run = self.refuses(&[&["sweep", "run", SPEC], args].concat());
        assert_eq!(planned, run);
        run
    }

    /// What is said of the spec when it is to run and what it names is not there. A plan shows its runs nevertheless, as
    /// unresolved, for the same reason.
    pub fn unresolved(&self) -> String {
        self.unresolved_with(&[])
    }

    /// The same with more arguments.
    pub fn unresolved_with(&self, args: &[&str]) -> String {
        let before = (self.files(), self.times());
        let planned = self.mezo(&[&["sweep", "plan", SPEC], args].concat());
        let shown = self.said(&planned);
        assert_eq!(planned.status.code(), Some(0), "{shown}");
        assert_eq!(text(&planned.stdout).matches("  unresolved  ").count(), 3);
        assert!(
            before == (self.files(), self.times()),
            "something was written"
        );
        let run = self.refuses(&[&["sweep", "run", SPEC], args].concat());
        let reason = shown
            .lines()
            .find_map(|line| line.strip_prefix("unresolved, 3 runs: "));
        assert!(reason.is_some_and(|reason| run.contains(reason)), "{shown}");
        run
    }

    /// What is said of the arguments, which must be refused as bad input.
    pub fn refuses(&self, args: &[&str]) -> String {
        let before = (self.files(), self.times());
        let ended = self.mezo(args);
        let said = self.said(&ended);
        assert_eq!(ended.status.code(), Some(3), "{said}");
        assert_eq!(text(&ended.stdout), "");
        let after = (self.files(), self.times());
        assert!(
            before.0.keys().eq(after.0.keys()),
            "files came or went: {:?}",
            after.0.keys()
        );
        assert!(before == after, "something was written");
        said
    }

    /// What was written on stderr, this world's own folder named by a stable word.
    pub fn said(&self, ended: &Output) -> String {
        text(&ended.stderr).replace(self.0.path().to_str().unwrap(), "<here>")
    }

    pub fn files(&self) -> Files {
        let files = self
            .entries()
            .into_iter()
            .filter(|path| self.path(path).is_file());
        files
            .map(|path| (path.clone(), fs::read(self.path(path)).unwrap()))
            .collect()
    }

    /// When every file and folder last changed: a file that came and went shows in its folder's time.
    fn times(&self) -> BTreeMap<PathBuf, SystemTime> {
        let time = |path: &PathBuf| fs::metadata(self.path(path)).unwrap().modified().unwrap();
        self.entries()
            .into_iter()
            .map(|path| (path.clone(), time(&path)))
            .collect()
    }

    /// Everything below the world's folder, and the folder itself.
    fn entries(&self) -> Vec<PathBuf> {
        let mut found = vec![PathBuf::new()];
        let mut next = 0;
        while next < found.len() {
            let path = found[next].clone();
            next += 1;
            if self.path(&path).is_dir() {
                let inner = fs::read_dir(self.path(&path)).unwrap();
                found.extend(inner.map(|entry| path.join(entry.unwrap().file_name())));
            }
        }
        found
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
