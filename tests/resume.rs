//! A run that was killed at any instant ends with the same bytes as one that was not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use common::{
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
        let short = format!("seed = 13\nlr = 3e-4\nbatch_size = 4\neval_every = {EVERY}");
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
        common::ended(self.0.mezo(["train", "--threads", threads]).arg(dir), 0);
        outcome(dir)
    }
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

/// What a crash leaves: everything in the order in which it is written, up to some point.
struct Moment<'a> {
    /// Whole lines of the journal.
    steps: u64,
    /// Whole lines of `evals.jsonl`.
    evals: usize,
    /// Steps of the snapshots that are there.
    snapshots: Vec<u64>,
    /// Bytes behind the last whole line of a file, or of a file that never got to its place.
    torn: Option<(&'a str, &'a [u8])>,
}

/// A run of 30 steps, and all that was ever in its directory.
struct Story {
    runs: Arc<Undisturbed>,
    tuning: &'static str,
    end: Files,
    /// By their place, from the first evaluation on.
    snapshots: Vec<Vec<u8>>,
}

impl Story {
    fn new(tuning: &'static str) -> Self {
        let runs = undisturbed();
        let of = |length: u64| {
            let dir = runs.dir("short", tuning, length);
            fs::read(dir.join(format!("snapshot-{length}.safetensors"))).unwrap()
        };
        let snapshots = (1..=STEPS / EVERY).map(|count| of(count * EVERY)).collect();
        let end = runs.short(tuning);
        Self {
            runs,
            tuning,
            end,
            snapshots,
        }
    }

    fn snapshot(&self, step: u64) -> &[u8] {
        &self.snapshots[(step / EVERY - 1) as usize]
    }

    fn lines(&self, file: &str) -> Vec<&[u8]> {
        self.end[file]
            .split_inclusive(|&byte| byte == b'\n')
            .collect()
    }

    /// The snapshots that are kept once the evaluation after `step` is done: the newest two and the best.
    fn kept(&self, step: u64) -> Vec<u64> {
        let mut best = (0, 0.0);
        for line in self.lines("evals.jsonl") {
            let eval: serde_json::Value = serde_json::from_slice(line).unwrap();
            let (at, value) = (
                eval["step"].as_u64().unwrap(),
                eval["value"].as_f64().unwrap(),
            );
            if eval["split"] == "dev"
                && eval["metric"] == "accuracy"
                && at <= step
                && value > best.1
            {
                best = (at, value);
            }
        }
        let mut kept = vec![best.0, step.saturating_sub(EVERY), step];
        kept.sort_unstable();
        kept.dedup();
        kept.retain(|&step| step > 0);
        kept
    }

    /// Puts the directory into that moment, goes on from there, and holds the end against the undisturbed one.
    fn goes_on(&self, moment: &Moment<'_>, what: &str) {
        let dir = Undisturbed::fresh(&self.end);
        let put = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).unwrap();
        put(
            "steps.jsonl",
            &self.lines("steps.jsonl")[..moment.steps as usize].concat(),
        );
        put(
            "evals.jsonl",
            &self.lines("evals.jsonl")[..moment.evals].concat(),
        );
        for &step in &moment.snapshots {
            put(&format!("snapshot-{step}.safetensors"), self.snapshot(step));
        }
        if let Some((name, bytes)) = moment.torn {
            let before = fs::read(dir.path().join(name)).unwrap_or_default();
            put(name, &[&before, bytes].concat());
        }
        let what = format!("{}, after {} steps, {what}", self.tuning, moment.steps);
        assert_same(&self.runs.go_on(dir.path(), "1"), &self.end, &what);
    }
}

fn half(bytes: &[u8]) -> &[u8] {
    &bytes[..bytes.len() / 2]
}

/// Every step with a torn line after it.
fn torn_after_every_step(tuning: &'static str) {
    let story = Story::new(tuning);
    let lines = story.lines("steps.jsonl");
    assert_eq!(lines.len() as u64, STEPS);
    for steps in 0..=STEPS {
        let evaluated = steps / EVERY;
        let torn = lines
            .get(steps as usize)
            .map(|line| ("steps.jsonl", half(line)));
        let snapshots = story.kept(evaluated * EVERY);
        let moment = Moment {
            steps,
            evals: 2 * evaluated as usize,
            snapshots,
            torn,
        };
        story.goes_on(&moment, "a torn line in the journal");
    }
}

/// Everything that can be half done around an evaluation and at the end.
fn half_done(tuning: &'static str) {
    let story = Story::new(tuning);
    let evals = story.lines("evals.jsonl");
    for step in (EVERY..=STEPS).step_by(EVERY as usize) {
        let before = 2 * (step / EVERY - 1) as usize;
        let older = story.kept(step - EVERY);
        let with_new = [&older[..], &[step]].concat();
        let part = format!("snapshot-{step}.part");
        let moment = |evals, snapshots: &[u64], torn| Moment {
            steps: step,
            evals,
            snapshots: snapshots.to_vec(),
            torn,
        };
        story.goes_on(
            &moment(before, &older, Some((&part, half(story.snapshot(step))))),
            "half a snapshot",
        );
        story.goes_on(&moment(before, &with_new, None), "no evaluation");
        story.goes_on(&moment(before + 1, &with_new, None), "half an evaluation");
        let torn = Some(("evals.jsonl", half(evals[before + 1])));
        story.goes_on(
            &moment(before + 1, &with_new, torn),
            "a torn line in the evaluation",
        );
        story.goes_on(
            &moment(before + 2, &with_new, None),
            "old snapshots not yet removed",
        );
    }
    let dev = 2 * (STEPS / EVERY) as usize;
    assert!(evals.len() > dev, "test lines follow those on dev");
    for known in dev + 1..=evals.len() {
        let torn = Some(("result.part", half(&story.end["result.json"])));
        let moment = Moment {
            steps: STEPS,
            evals: known,
            snapshots: story.kept(STEPS),
            torn,
        };
        story.goes_on(
            &moment,
            &format!("{} of the test lines, half a result", known - dev),
        );
    }
}

#[test]
fn full_tuning_with_a_torn_journal() {
    torn_after_every_step("full");
}

#[test]
fn lora_with_a_torn_journal() {
    torn_after_every_step("lora");
}

#[test]
fn full_tuning_with_things_half_done() {
    half_done("full");
}

#[test]
fn lora_with_things_half_done() {
    half_done("lora");
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
        assert_eq!(common::text(&found["steps.jsonl"]), journal);
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
    let before = common::files(&dir);
    let since = Instant::now();
    runs.go_on(&dir, "1");
    assert_same(
        &common::files(&dir),
        &before,
        "a finished run, started again",
    );
    assert!(since.elapsed() < Duration::from_secs(10));
}
