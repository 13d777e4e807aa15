//! A run that was killed at any instant ends with the same bytes as one that was not.

mod moments;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::common::{
    Files, Place, Shared, assert_same, json_lines, line_count, manifest, outcome, spec, wait_until,
};
use tempfile::TempDir;

const SIGKILL: i32 = 9;
const STEPS: u64 = 30;
const EVERY: u64 = 5;

/// Runs that nobody disturbed, full and LoRA: of 30 steps and of every shorter length at which the longer ones keep
/// a snapshot; of 200 steps; and of batches large enough for several threads.
struct Undisturbed(Place);

fn undisturbed() -> Arc<Undisturbed> {
    static SHARED: Shared<Undisturbed> = Shared::new();
    SHARED.get(|| {
        let place = Place::new();
        let short = format!("seed = 42\nlr = 1e-3\nbatch_size = 4\neval_every = {EVERY}");
        let long = "seed = 21\nlr = 1e-4\nbatch_size = 4\nsteps = 200\neval_every = 20";
        let wide = "seed = 13\nlr = 1e-4\nbatch_size = 32\nsteps = 6\neval_every = 3";
        let both = r#""method.tuning" = ["full", "lora"]"#;
        let lengths: Vec<u64> = (1..=STEPS / EVERY).map(|count| count * EVERY).collect();
        place.write(
            "short.toml",
            &spec(
                "short",
                "",
                &short,
                &format!("{both}\n\"train.steps\" = {lengths:?}"),
            ),
        );
        place.write("long.toml", &spec("long", "", long, both));
        place.write("wide.toml", &spec("wide", "", wide, both));
        for name in ["short", "long", "wide"] {
            place.exits(0, &format!("sweep run {name}.toml --jobs 2"));
        }
        Undisturbed(place)
    })
}

impl Undisturbed {
    fn dir(&self, sweep: &str, tuning: &str, steps: u64) -> PathBuf {
        let is_it = |dir: &PathBuf| {
            let config = &manifest(dir)["config"];
            config["method"]["tuning"] == tuning && config["train"]["steps"] == steps
        };
        self.0.trained(sweep).into_iter().find(is_it).unwrap()
    }

    fn short(&self, tuning: &str) -> Files {
        outcome(&self.dir("short", tuning, STEPS))
    }

    fn long(&self, tuning: &str) -> Files {
        outcome(&self.dir("long", tuning, 200))
    }

    /// A directory with nothing but the manifest of another.
    fn fresh(of: &Files) -> TempDir {
        let dir = TempDir::new().unwrap();
        fs::write(dir.path().join("manifest.json"), &of["manifest.json"]).unwrap();
        dir
    }

    fn start(&self, dir: &Path) -> Child {
        let mut command = self.0.mezo(["train", "--threads", "1"]);
        command.arg(dir).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Carries a run on to its end.
    fn go_on(&self, dir: &Path, threads: &str) -> Files {
        crate::common::ended(self.0.mezo(["train", "--threads", threads]).arg(dir), 0);
        outcome(dir)
    }
}

#[test]
fn the_newest_two_snapshots_and_the_best_are_left() {
    let runs = undisturbed();
    let mut older = 0;
    for (sweep, tuning, steps, every) in [
        ("short", "full", STEPS, EVERY),
        ("short", "lora", STEPS, EVERY),
        ("long", "full", 200, 20),
        ("long", "lora", 200, 20),
    ] {
        let dir = runs.dir(sweep, tuning, steps);
        let best = crate::common::json(&dir.join("result.json"))["best"]["step"]
            .as_u64()
            .unwrap();
        older += usize::from(best < steps - every);
        let expected = BTreeSet::from([best, steps - every, steps]);
        let expected = expected
            .iter()
            .map(|step| format!("snapshot-{step}.safetensors"));
        let mut found = outcome(&dir);
        found.retain(|name, _| name.ends_with(".safetensors"));
        let found: BTreeSet<String> = found.into_keys().collect();
        assert_eq!(found, expected.collect(), "{sweep}, {tuning}");
    }
    assert!(older > 0, "no best was older than the newest two");
}

/// Kills a process; whether that was its end, and not that it was done.
fn killed(mut child: Child) -> bool {
    child.kill().unwrap();
    child.wait().unwrap().signal() == Some(SIGKILL)
}

fn killed_at_every_step(tuning: &str) {
    let runs = undisturbed();
    let expected = runs.short(tuning);
    for step in 1..=STEPS as usize {
        // A busy machine may let the run slip through; then it is caught at a later try.
        let dir = (0..50).find_map(|_| {
            let dir = Undisturbed::fresh(&expected);
            let child = runs.start(dir.path());
            let journal = dir.path().join("steps.jsonl");
            wait_until("the journal grows", Duration::from_secs(60), || {
                line_count(&journal) >= step
            });
            killed(child).then_some(dir)
        });
        let dir = dir.expect("a run to kill before its end");
        assert!(!dir.path().join("result.json").exists());
        let found = runs.go_on(dir.path(), "1");
        assert_same(
            &found,
            &expected,
            &format!("{tuning}, killed at step {step}"),
        );
        let attempts = json_lines(&dir.path().join("attempts.jsonl"));
        let events: Vec<&str> = attempts
            .iter()
            .filter_map(|line| line["event"].as_str())
            .collect();
        assert_eq!(
            events,
            ["start", "start", "end"],
            "an attempt without an end was killed"
        );
    }
}

#[test]
fn full_tuning_killed_at_every_step() {
    killed_at_every_step("full");
}

#[test]
fn lora_killed_at_every_step() {
    killed_at_every_step("lora");
}

/// Numbers that look random, the same ones each time (Steele, Lea, Flood, 2014: SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % end
    }
}

/// Kills runs at 20 random instants, several to a run, and each is some steps and some time after it was taken up: in
/// the midst of a step, a snapshot, an evaluation, or the loading of the model.
fn killed_at_random_instants(tuning: &str, seed: u64) {
    let runs = undisturbed();
    let expected = runs.long(tuning);
    let mut random = Random(seed);
    let mut kills = 0;
    while kills < 20 {
        let dir = Undisturbed::fresh(&expected);
        let journal = dir.path().join("steps.jsonl");
        let mut told = Vec::new();
        while told.len() < 5 {
            let lines = line_count(&journal) + random.below(50) as usize;
            let then = Duration::from_micros(random.below(20_000));
            if lines >= 200 {
                break;
            }
            let child = runs.start(dir.path());
            wait_until("the journal grows", Duration::from_secs(60), || {
                line_count(&journal) >= lines
            });
            sleep(then);
            if !killed(child) {
                break;
            }
            told.push((line_count(&journal), then));
        }
        kills += told.len();
        let found = runs.go_on(dir.path(), "1");
        assert_same(&found, &expected, &format!("{tuning}, killed at {told:?}"));
    }
}

#[test]
fn full_tuning_killed_at_random_instants() {
    killed_at_random_instants("full", 1);
}

#[test]
fn lora_killed_at_random_instants() {
    killed_at_random_instants("lora", 2);
}

#[test]
fn the_journal_alone_gives_the_tensors_again() {
    let runs = undisturbed();
    for tuning in ["full", "lora"] {
        let expected = runs.long(tuning);
        for with_evals in [true, false] {
            let dir = Undisturbed::fresh(&expected);
            fs::write(dir.path().join("steps.jsonl"), &expected["steps.jsonl"]).unwrap();
            if with_evals {
                fs::write(dir.path().join("evals.jsonl"), &expected["evals.jsonl"]).unwrap();
            }
            let found = runs.go_on(dir.path(), "1");
            assert_same(
                &found,
                &expected,
                &format!("{tuning}, replayed, evaluations known: {with_evals}"),
            );
        }
    }
}

/// The counterpart: a replay believes the journal, it does not measure again.
#[test]
fn another_journal_gives_other_tensors() {
    let runs = undisturbed();
    for tuning in ["full", "lora"] {
        let expected = runs.short(tuning);
        let dir = Undisturbed::fresh(&expected);
        let mut lines = json_lines(&runs.dir("short", tuning, STEPS).join("steps.jsonl"));
        let grad = &mut lines[3]["estimates"][0]["projected_grad"];
        *grad = (grad.as_f64().unwrap() + 1.0).into();
        let journal: String = lines.iter().map(|line| format!("{line}\n")).collect();
        fs::write(dir.path().join("steps.jsonl"), &journal).unwrap();
        let found = runs.go_on(dir.path(), "1");
        assert_eq!(crate::common::text(&found["steps.jsonl"]), journal);
        let last = format!("snapshot-{STEPS}.safetensors");
        assert!(
            found[&last] != expected[&last],
            "{tuning}: the same tensors"
        );
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let runs = undisturbed();
    for tuning in ["full", "lora"] {
        let expected = outcome(&runs.dir("wide", tuning, 6));
        for threads in ["1", "2", "3"] {
            let dir = Undisturbed::fresh(&expected);
            let found = runs.go_on(dir.path(), threads);
            assert_same(&found, &expected, &format!("{tuning}, {threads} threads"));
            let start = &json_lines(&dir.path().join("attempts.jsonl"))[0];
            assert_eq!(start["threads"].to_string(), threads);
        }
    }
}

#[test]
fn a_finished_run_is_left_alone() {
    let runs = undisturbed();
    let dir = runs.dir("short", "lora", STEPS);
    let before = crate::common::files(&dir);
    runs.go_on(&dir, "1");
    assert_same(
        &crate::common::files(&dir),
        &before,
        "a finished run, started again",
    );
}
