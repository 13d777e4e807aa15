//! Every moment at which a crash can leave the files of a run, put together by hand.

use std::fs;
use std::sync::Arc;

use super::{EVERY, STEPS, Undisturbed, undisturbed};
use crate::common::{Files, assert_same};

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
