//! A run whose files were damaged: what is lost is named, the last good state is used, and the end is that of a run that nothing
//! happened to.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/small.rs"]
mod small;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use common::{carry_on, resolve, spec};
use mezo_run::Step;
use mezo_train::{Control, Ending, export, run};

/// The bytes of files by their names.
type Files = BTreeMap<String, Vec<u8>>;

/// A run of six steps that is evaluated after every second, as it was at some moment, and as it ends.
struct Interrupted {
    root: tempfile::TempDir,
    /// Its files at that moment.
    then: Files,
    /// Its files at its end.
    end: Files,
}

impl Interrupted {
    /// After five steps: two snapshots, two evaluations.
    fn after_five_steps() -> Self {
        Self::new(|dir| assert_eq!(carry_on(dir, Some(5)), Ending::Stopped { step: 5 }))
    }

    /// All is done but the result.
    fn before_its_result() -> Self {
        Self::new(|dir| {
            assert_eq!(carry_on(dir, None), Ending::Finished);
            fs::remove_file(dir.join("result.json")).unwrap();
        })
    }

    fn new(until: impl Fn(&Path)) -> Self {
        let root = tempfile::tempdir().unwrap();
        small::write_model(&root.path().join("model"));
        let text = format!(
            r#"
model.path = "{}"
[task]
name = "made-sentiment"
k = 2
test_cap = 4
cut = "sentences"
[method]
name = "mezo"
tuning = "lora"
lora = {{ r = 1, alpha = 2 }}
[train]
seed = 13
steps = 6
batch_size = 2
eval_every = 2
lr = 0.3
eps = 1e-2
"#,
            root.path().join("model").display()
        );
        let manifest = resolve(&spec(&text));
        let dir = root.path().join("run");
        manifest.write(&dir).unwrap();
        until(&dir);
        let then = files(&dir);
        carry_on(&dir, None);
        let end = outcome(&dir);
        Self { root, then, end }
    }

    /// The run with one file changed, carried on to its end; what was warned of, and the first step that was measured.
    #[track_caller]
    fn goes_on_with(&self, file: &str, bytes: &[u8], what: &str) -> Told {
        let dir = self.root.path().join("again");
        if dir.exists() {
            fs::remove_dir_all(&dir).unwrap();
        }
        fs::create_dir(&dir).unwrap();
        for (name, there) in &self.then {
            let there = if name == file { bytes } else { there };
            fs::write(dir.join(name), there).unwrap();
        }
        let seen = Seen::default();
        let ended = run(&dir, "cpu", &seen);
        assert!(matches!(ended, Ok(Ending::Finished)), "{what}: {ended:?}");
        let found = outcome(&dir);
        let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(&self.end), "{what}");
        for (name, bytes) in &found {
            assert!(bytes == &self.end[name], "{what}: {name} is another");
        }
        seen.0.into_inner()
    }
}

/// What a run said on its way.
#[derive(Default)]
struct Told {
    warnings: Vec<String>,
    first: Option<u64>,
}

/// Keeps it.
#[derive(Default)]
struct Seen(RefCell<Told>);

impl Control for Seen {
    fn stop(&self) -> bool {
        false
    }

    fn step(&self, step: &Step, _: u64) {
        self.0.borrow_mut().first.get_or_insert(step.step);
    }

    fn warn(&self, what: &str) {
        self.0.borrow_mut().warnings.push(what.to_owned());
    }
}

fn files(dir: &Path) -> Files {
    let paths = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        (name, fs::read(&path).unwrap())
    };
    paths.map(read).collect()
}

/// The files that are a function of the spec.
fn outcome(dir: &Path) -> Files {
    let mut files = files(dir);
    files.retain(|name, _| !["attempts.jsonl", "lock"].contains(&name.as_str()));
    files
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|&&byte| byte == b'\n').count() as u64
}

#[test]
fn a_journal_that_is_cut_anywhere() {
    let run = Interrupted::after_five_steps();
    let journal = run.then["steps.jsonl"].clone();
    for cut in 0..journal.len() {
        let what = format!("steps.jsonl cut at {cut}");
        let seen = run.goes_on_with("steps.jsonl", &journal[..cut], &what);
        let left = lines(&journal[..cut]);
        assert_eq!(seen.first, Some(left + 1), "{what}");
        // There is a snapshot of step 4, which a crash of this program writes after line 4 is safe.
        let told = seen
            .warnings
            .iter()
            .any(|told| told.contains("steps.jsonl: has lost lines"));
        assert_eq!(told, left < 4, "{what}: {:?}", seen.warnings);
    }
}

#[test]
fn evaluations_that_are_cut_anywhere() {
    let run = Interrupted::before_its_result();
    let evals = run.then["evals.jsonl"].clone();
    // Accuracy and cross-entropy on dev after steps 2, 4 and 6, and on test.
    assert!(lines(&evals) >= 8);
    for cut in 0..evals.len() {
        let what = format!("evals.jsonl cut at {cut}");
        let seen = run.goes_on_with("evals.jsonl", &evals[..cut], &what);
        assert_eq!(seen.first, None, "{what}: the journal has every step");
        let told = seen
            .warnings
            .iter()
            .any(|told| told.contains("evals.jsonl: has lost lines"));
        assert_eq!(
            told,
            lines(&evals[..cut]) < 4,
            "{what}: {:?}",
            seen.warnings
        );
    }
}

#[test]
fn a_snapshot_with_any_byte_changed() {
    let run = Interrupted::after_five_steps();
    for step in [2, 4] {
        let name = format!("snapshot-{step}.safetensors");
        let bytes = run.then[&name].clone();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            let what = format!("{name} with byte {at} changed");
            let seen = run.goes_on_with(&name, &flipped, &what);
            assert_eq!(seen.first, Some(6), "{what}: the journal has five steps");
            let damaged = format!("{name}: is damaged");
            assert!(
                seen.warnings[0].contains(&damaged),
                "{what}: {:?}",
                seen.warnings
            );
            let from = match step {
                2 => "going on from the start, by the 5 steps that the journal has",
                _ => "going on from the snapshot of step 2",
            };
            assert_eq!(seen.warnings[1], from, "{what}");
        }
    }
}

#[test]
fn snapshots_that_are_damaged_when_all_steps_are_done() {
    let run = Interrupted::before_its_result();
    let snapshots: Vec<String> = run
        .then
        .keys()
        .filter(|name| name.starts_with("snapshot-"))
        .cloned()
        .collect();
    assert!(snapshots.len() >= 2, "{snapshots:?}");
    for name in snapshots {
        let bytes = &run.then[&name];
        for length in [0, 7, 8, 100, bytes.len() - 1] {
            let what = format!("{name} cut at {length}");
            let seen = run.goes_on_with(&name, &bytes[..length], &what);
            assert!(seen.warnings[0].contains("is damaged"), "{what}");
        }
    }
}

#[test]
fn an_undamaged_run_warns_of_nothing() {
    for run in [
        Interrupted::after_five_steps(),
        Interrupted::before_its_result(),
    ] {
        let manifest = run.then["manifest.json"].clone();
        let seen = run.goes_on_with("manifest.json", &manifest, "nothing changed");
        assert!(seen.warnings.is_empty(), "{:?}", seen.warnings);
    }
}

#[test]
fn a_best_step_that_is_in_no_file_is_not_exported() {
    let run = Interrupted::before_its_result();
    let dir = run.root.path().join("run");
    for step in [2, 4, 6] {
        let _ = fs::remove_file(dir.join(format!("snapshot-{step}.safetensors")));
    }
    let path = dir.join("steps.jsonl");
    let journal = fs::read_to_string(&path).unwrap();
    let first = journal.split_inclusive('\n').next().unwrap();
    fs::write(&path, first).unwrap();
    let error = export(&dir, &run.root.path().join("out")).unwrap_err();
    let expected = "steps.jsonl:1: expected a line for each step up to ";
    assert!(error.to_string().contains(expected), "{error}");
}
