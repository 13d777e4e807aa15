//! Runs that are trained together: each ends with the bytes that it has alone, whatever becomes of those beside it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "together/runs.rs"]
mod runs;

use std::fs;
use std::path::PathBuf;

use common::{carry_on, journal};
use mezo_run::Lease;
use mezo_run::{RunResult, Status, Step};
use mezo_train::{BatchedRun, Control, Ending, TrainError, run_together};
use runs::{LORA, PREFIX, Runs, Seen, files, text, train, train_dirs};

#[track_caller]
fn all_finished(ends: &[Result<Ending, TrainError>]) {
    for (number, ended) in ends.iter().enumerate() {
        assert!(matches!(ended, Ok(Ending::Finished)), "{number}: {ended:?}");
    }
}

fn three(method: &str) -> Vec<String> {
    [
        train(13, 1e-2, 1e-2, 4),
        train(21, 1e-3, 1e-2, 5),
        train(13, 1e-2, 1e-1, 4),
    ]
    .iter()
    .map(|train| text(method, train))
    .collect()
}

#[test]
fn eight_runs_of_lora() {
    let mut texts = Vec::new();
    for seed in [13, 21] {
        for lr in [1e-3, 1e-2] {
            for (eps, batch_size) in [(1e-3, 4), (1e-2, 7)] {
                texts.push(text(LORA, &train(seed, lr, eps, batch_size)));
            }
        }
    }
    let runs = Runs::of(&texts);
    let mut seen: Vec<Seen> = (0..8).map(|_| Seen::default()).collect();
    all_finished(&runs.train_seen(&mut seen));
    runs.are_as_alone();
    for seen in seen {
        assert!(seen.steps.into_inner().into_iter().eq(1..=12));
        let ended = seen.ended.into_inner();
        assert_eq!(ended.as_deref(), Some("Ok(Finished)"));
    }
}

#[test]
fn prefixes_of_either_kind() {
    for init in ["activations", "random"] {
        let method = PREFIX.replace("tokens = 2", &format!("tokens = 2, init = \"{init}\""));
        let runs = Runs::of(&three(&method));
        all_finished(&runs.train());
        runs.are_as_alone();
    }
}

#[test]
fn several_estimates_a_step_and_one_point_ones() {
    for rest in [
        "estimates = { count = 2 }",
        "estimates = { count = 4, schedule = \"linear\" }",
        "estimator = \"one-point\"",
    ] {
        let runs = Runs::of(&three(&format!("{LORA}\n{rest}")));
        all_finished(&runs.train());
        runs.are_as_alone();
    }
}

#[test]
fn scales_heads_and_the_reference_s_protocol() {
    for scale in ["gradient-norm", "parameter-norm"] {
        let scaled = format!("{LORA}\nscale = {{ by = \"{scale}\" }}");
        let runs = Runs::of(&three(&scaled)[..2]);
        all_finished(&runs.train());
        runs.are_as_alone();
    }
    // A head of each run's own, and in the end a decoder.
    for (what, becomes) in [
        ("k = 6", "k = 6\nprompt = false"),
        ("model.", "protocol = \"reference-code\"\nmodel."),
    ] {
        let texts: Vec<String> = three(LORA)
            .iter()
            .map(|text| text.replacen(what, becomes, 1))
            .collect();
        let runs = Runs::of(&texts);
        all_finished(&runs.train());
        runs.are_as_alone();
    }
}

#[test]
fn runs_may_differ_in_length_optimiser_and_schedule() {
    let short = train(13, 1e-3, 1e-2, 4).replace("steps = 12", "steps = 5");
    let runs = Runs::of(&[
        text(LORA, &short),
        text(
            LORA,
            &format!("{}\noptimizer = \"adam\"", train(13, 1e-3, 1e-2, 4)),
        ),
        text(
            LORA,
            &format!(
                "{}\nschedule = \"linear\"\nmomentum = 0.9",
                train(21, 1e-3, 1e-2, 4)
            ),
        ),
        // Of other data.
        text(LORA, &train(13, 1e-3, 1e-2, 4)).replace("k = 6", "k = 3"),
    ]);
    all_finished(&runs.train());
    runs.are_as_alone();
}

#[test]
fn one_that_is_stopped_leaves_the_others_and_goes_on_alone() {
    let runs = Runs::of(&three(LORA));
    let mut seen: Vec<Seen> = (0..3).map(|_| Seen::default()).collect();
    seen[1].stop_after = Some(5);
    let ends = runs.train_seen(&mut seen);
    assert!(matches!(ends[1], Ok(Ending::Stopped { step: 5 })));
    assert!(matches!(
        (&ends[0], &ends[2]),
        (Ok(Ending::Finished), Ok(Ending::Finished))
    ));
    let end = runs.last_attempt(1);
    assert_eq!(
        (&end["reason"], &end["steps"]),
        (&"stopped".into(), &5.into())
    );
    assert_eq!(journal(&runs.dir(1)).len(), 5);
    assert!(!runs.dir(1).join("result.json").exists());
    assert_eq!(carry_on(&runs.dir(1), None), Ending::Finished);
    runs.are_as_alone();
}

#[test]
fn runs_that_are_at_different_steps_go_together() {
    let runs = Runs::of(&three(LORA));
    // One has a snapshot and two lines more, one nothing but lines, one nothing.
    carry_on(&runs.dir(0), Some(6));
    carry_on(&runs.dir(2), Some(3));
    let mut seen: Vec<Seen> = (0..3).map(|_| Seen::default()).collect();
    all_finished(&runs.train_seen(&mut seen));
    let firsts: Vec<u64> = seen.iter().map(|seen| seen.steps.borrow()[0]).collect();
    assert_eq!(firsts, [7, 1, 4]);
    runs.are_as_alone();
}

#[test]
fn one_that_diverges_leaves_the_others_as_they_are() {
    let mut texts = three(LORA);
    texts.insert(1, text(LORA, &train(13, 1e300, 1e-2, 4)));
    let runs = Runs::of(&texts);
    let ends = runs.train();
    assert!(matches!(ends[1], Ok(Ending::Diverged)), "{ends:?}");
    for number in [0, 2, 3] {
        assert!(matches!(ends[number], Ok(Ending::Finished)), "{ends:?}");
    }
    let result = fs::read(runs.dir(1).join("result.json")).unwrap();
    let result: RunResult = serde_json::from_slice(&result).unwrap();
    assert_eq!(result.status, Status::Diverged);
    runs.are_as_alone();
}

#[test]
fn one_that_is_held_or_done_or_broken_leaves_the_others_as_they_are() {
    let mut texts = three(LORA);
    for seed in [42, 87] {
        texts.push(text(LORA, &train(seed, 1e-3, 1e-2, 4)));
    }
    let runs = Runs::of(&texts);
    let lease = Lease::take(&runs.dir(0)).unwrap();
    carry_on(&runs.dir(1), None);
    fs::write(runs.dir(2).join("manifest.json"), "{").unwrap();
    // A journal that cannot be: the run's own error, when its attempt has begun.
    fs::write(runs.dir(3).join("steps.jsonl"), "{}\n").unwrap();
    let ends = runs.train();
    assert!(ends[0].as_ref().is_err_and(TrainError::is_held), "{ends:?}");
    assert!(matches!(ends[1], Ok(Ending::Finished)), "{ends:?}");
    let said = |number: usize| ends[number].as_ref().unwrap_err().to_string();
    assert!(said(2).contains("manifest.json:1: "), "{ends:?}");
    assert!(said(3).contains("steps.jsonl:1: "), "{ends:?}");
    assert!(matches!(ends[4], Ok(Ending::Finished)), "{ends:?}");
    assert!(!runs.dir(0).join("attempts.jsonl").exists());
    assert!(!runs.dir(2).join("attempts.jsonl").exists());
    let end = runs.last_attempt(3);
    assert_eq!(end["reason"], "failed");
    assert_eq!(end["error"], said(3));
    runs.is_as_alone(4);

    drop(lease);
    fs::remove_file(runs.dir(3).join("steps.jsonl")).unwrap();
    carry_on(&runs.dir(0), None);
    carry_on(&runs.dir(3), None);
    runs.is_as_alone(0);
    runs.is_as_alone(3);
}

#[test]
fn one_that_loses_its_lease_ends_alone() {
    /// Takes the run away after some steps, as a process would that does not see the lock.
    struct Robbed {
        lock: PathBuf,
        at: u64,
    }

    impl Control for Robbed {
        fn stop(&self) -> bool {
            false
        }

        fn step(&self, step: &Step, _: u64) {
            if step.step == self.at {
                let other = r#"{"attempt":2,"host":"other","pid":7}"#;
                fs::write(&self.lock, other).unwrap();
            }
        }

        fn warn(&self, _: &str) {}
    }

    let runs = Runs::of(&three(LORA)[..2]);
    let dirs = [runs.dir(0), runs.dir(1)];
    let lock = dirs[0].join("lock");
    let robbed = Robbed { lock, at: 6 };
    let other = Seen::default();
    let batch = [
        BatchedRun {
            dir: &dirs[0],
            control: &robbed,
        },
        BatchedRun {
            dir: &dirs[1],
            control: &other,
        },
    ];
    let ends = run_together(&batch, "cpu").unwrap();
    assert!(ends[0].as_ref().is_err_and(TrainError::is_held), "{ends:?}");
    assert!(matches!(ends[1], Ok(Ending::Finished)), "{ends:?}");
    assert_eq!(journal(&dirs[0]).len(), 6);
    // Its files are the other's now: no end is written.
    assert_eq!(runs.last_attempt(0)["event"], "start");
    runs.is_as_alone(1);
}

#[test]
fn one_that_breaks_down_ends_alone() {
    let runs = Runs::of(&three(LORA));
    let mut seen: Vec<Seen> = (0..3).map(|_| Seen::default()).collect();
    seen[0].break_down_at = Some(4);
    let ends = runs.train_seen(&mut seen);
    let error = ends[0].as_ref().unwrap_err().to_string();
    // Its words are those of the process's last panic, which a test beside this one may have had.
    assert!(error.starts_with("broke down: "), "{error}");
    let end = runs.last_attempt(0);
    assert_eq!(
        (&end["reason"], &end["steps"]),
        (&"failed".into(), &4.into())
    );
    assert_eq!(end["error"], error);
    all_finished(&ends[1..]);
    carry_on(&runs.dir(0), None);
    runs.are_as_alone();
}

#[test]
fn runs_that_cannot_go_together_are_refused_before_anything_is_written() {
    let texts = three(LORA);
    let other = texts[2].replace("r = 2", "r = 4");
    let full = text("tuning = \"full\"", &train(13, 1e-3, 1e-3, 4));
    for (third, expected) in [
        (
            other,
            "cannot be trained together, they differ in the method",
        ),
        (full, "together-2: cannot be trained beside other runs"),
    ] {
        let runs = Runs::of(&[texts[0].clone(), texts[1].clone(), third]);
        let dirs: Vec<PathBuf> = (0..3).map(|number| runs.dir(number)).collect();
        let before: Vec<_> = dirs.iter().map(|dir| files(dir)).collect();
        let seen: Vec<Seen> = (0..3).map(|_| Seen::default()).collect();
        let error = train_dirs(&dirs, &seen).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        for (dir, before) in dirs.iter().zip(before) {
            assert!(files(dir) == before);
            assert!(!dir.join("lock").exists() && !dir.join("attempts.jsonl").exists());
        }
        assert!(seen.iter().all(|seen| seen.ended.borrow().is_none()));
    }
}
