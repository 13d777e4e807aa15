//! Every method and option: it runs, it moves what it should, and a run that was stopped ends as one that was not.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{carry_on, journal, resolve, spec};
use mezo_run::{RunResult, Status, Step};
use mezo_train::Ending;

/// Eight steps on the built-in model and the made task; `[method]` and the rest of `[train]` are the caller's.
fn text(method: &str, train: &str) -> String {
    format!(
        r#"
model.builtin = "roberta-imdb-tiny"
[task]
name = "made-sentiment"
k = 6
test_cap = 24
[method]
{method}
[train]
seed = 13
steps = 8
batch_size = 8
eval_every = 3
{train}
"#
    )
}

/// All of a run's files that are a function of its spec.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .filter(|name| name != "attempts.jsonl" && name != "lock")
        .map(|name| {
            let bytes = std::fs::read(dir.join(&name)).unwrap();
            (name, bytes)
        })
        .collect()
}

fn prepared(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    resolve(&spec(text)).write(dir.path()).unwrap();
    dir
}

fn result(dir: &Path) -> RunResult {
    serde_json::from_slice(&std::fs::read(dir.join("result.json")).unwrap()).unwrap()
}

/// The names in the last snapshot, as they stand in its bytes; a finished run keeps weights alone.
fn last_snapshot(dir: &Path) -> String {
    let bytes = std::fs::read(dir.join("snapshot-8.safetensors")).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The run whole; stopped at two places; and with its snapshots lost before the end. All end the same.
#[track_caller]
fn ends_the_same_when_stopped(method: &str, train: &str) -> Vec<Step> {
    let text = text(method, train);
    let whole = prepared(&text);
    assert_eq!(carry_on(whole.path(), None), Ending::Finished, "{method}");
    assert_eq!(result(whole.path()).status, Status::Finished);
    let expected = files(whole.path());
    assert!(!last_snapshot(whole.path()).contains("optimizer."));
    for stop in [2, 5] {
        let stopped = prepared(&text);
        assert_eq!(
            carry_on(stopped.path(), Some(stop)),
            Ending::Stopped { step: stop }
        );
        carry_on(stopped.path(), None);
        assert!(
            files(stopped.path()) == expected,
            "{method}, {train}: stopped after {stop}"
        );
    }
    let lost = prepared(&text);
    carry_on(lost.path(), Some(5));
    std::fs::remove_file(lost.path().join("snapshot-3.safetensors")).unwrap();
    carry_on(lost.path(), None);
    assert!(
        files(lost.path()) == expected,
        "{method}, {train}: snapshot lost"
    );
    journal(whole.path())
}

const MEZO: &str = "lr = 1e-4\neps = 1e-3";

#[test]
fn every_tuning_of_mezo() {
    for tuning in ["full", "lora", "head", "bias"] {
        ends_the_same_when_stopped(&format!("name = \"mezo\"\ntuning = \"{tuning}\""), MEZO);
    }
    for init in ["activations", "random"] {
        let method =
            format!("name = \"mezo\"\ntuning = \"prefix\"\nprefix = {{ init = \"{init}\" }}");
        ends_the_same_when_stopped(&method, "lr = 1e-3\neps = 1e-1");
    }
    ends_the_same_when_stopped("name = \"lp-mezo\"", MEZO);
}

#[test]
fn every_optimiser_and_schedule_of_mezo() {
    let train = |extra: &str| format!("{MEZO}\n{extra}");
    let method = "name = \"mezo\"";
    ends_the_same_when_stopped(method, &train("momentum = 0.9\nweight_decay = 0.1"));
    ends_the_same_when_stopped(
        method,
        &train("optimizer = \"adam\"\nweight_decay = 0.1\ndecay_on = \"all\""),
    );
    let lines = ends_the_same_when_stopped(method, &train("schedule = \"linear\"\nwarmup = 2"));
    let rates: Vec<f64> = lines.iter().map(|line| line.lr / 1e-4).collect();
    assert_eq!(rates[..3], [0.0, 0.5, 1.0]);
    assert!((rates[7] - 1.0 / 6.0).abs() < 1e-12);
}

#[test]
fn several_estimates_a_step() {
    let lines = ends_the_same_when_stopped(
        "name = \"mezo\"\nestimates = { count = 4, schedule = \"linear\" }",
        MEZO,
    );
    let counts: Vec<usize> = lines.iter().map(|line| line.estimates.len()).collect();
    assert_eq!(counts, [1, 1, 1, 1, 2, 2, 3, 3]);
    let scaled = "name = \"mezo\"\nestimates = { count = 2, scale_lr = true }";
    let lines = ends_the_same_when_stopped(scaled, MEZO);
    assert!(lines.iter().all(|line| line.estimates.len() == 2));
}

#[test]
fn objectives_that_are_counts() {
    for objective in ["accuracy", "f1"] {
        let method = format!("name = \"mezo\"\nobjective = \"{objective}\"");
        let lines = ends_the_same_when_stopped(&method, "lr = 1e-4\neps = 1e-2");
        for line in &lines {
            let plus = line.estimates[0].loss_plus.unwrap();
            assert!((0.0..=1.0).contains(&plus), "{objective} {plus}");
        }
    }
}

#[test]
fn scales_for_each_layer() {
    let by = ["parameter-norm", "gradient-norm", "backpropagated-norm"];
    for by in by {
        for rest in [
            "",
            ", modifies = \"expectation\", measured = \"each-epoch\"",
        ] {
            let method = format!("name = \"mezo\"\nscale = {{ by = \"{by}\"{rest} }}");
            ends_the_same_when_stopped(&method, "lr = 1e-6\neps = 1e-3");
        }
    }
}

#[test]
fn one_point_estimates_look_back_one_step() {
    let lines = ends_the_same_when_stopped("name = \"mezo\"\nestimator = \"one-point\"", MEZO);
    // The first step has nothing to look back at.
    assert!(lines[0].estimates.is_empty() && lines[0].loss.is_some());
    for pair in lines.windows(2) {
        let (before, now) = (&pair[0], pair[1].estimates[0]);
        assert_eq!((now.loss_minus, now.loss_plus), (before.loss, pair[1].loss));
        let width = now.loss_plus.unwrap() - now.loss_minus.unwrap();
        assert_eq!(now.projected_grad, Some(width / 1e-3));
    }
}

#[test]
fn fine_tuning_by_backpropagation() {
    for tuning in ["full", "lora", "prefix"] {
        let method = format!("name = \"ft\"\ntuning = \"{tuning}\"");
        let lines = ends_the_same_when_stopped(&method, "lr = 1e-3");
        assert!(
            lines
                .iter()
                .all(|line| line.estimates.is_empty() && line.loss.is_some())
        );
    }
    ends_the_same_when_stopped(
        "name = \"ft\"",
        "lr = 1e-2\noptimizer = \"sgd\"\nmomentum = 0.9\ndropout = 0.0\nclip = 0.5",
    );
}

#[test]
fn without_a_prompt_a_random_head_is_trained() {
    for (name, rest) in [("mezo", MEZO), ("lp-mezo", MEZO), ("ft", "lr = 1e-3")] {
        for tuning in ["full", "lora", "prefix", "head", "bias"] {
            let method = format!("name = \"{name}\"\ntuning = \"{tuning}\"");
            let text = text(&method, rest).replace("k = 6", "k = 6\nprompt = false");
            let dir = prepared(&text);
            assert_eq!(carry_on(dir.path(), None), Ending::Finished);
            let names = last_snapshot(dir.path());
            assert!(names.contains("classifier.out_proj.weight") || tuning == "bias");
            assert!(names.contains("classifier.out_proj.bias"), "{text}");
            assert!(!names.contains("lm_head"), "{text}");
        }
    }
}

#[test]
fn a_random_head_alone_is_one_evaluation_for_each_seed() {
    let accuracy = |seed: u64| {
        let text = format!(
            "model.builtin = \"roberta-imdb-tiny\"\n[task]\nname = \"made-sentiment\"\nk = 16\ntest_cap = 100\n\
             prompt = false\n[method]\nname = \"zero-shot\"\n[train]\nseed = {seed}\n"
        );
        let dir = prepared(&text);
        assert_eq!(carry_on(dir.path(), None), Ending::Finished);
        result(dir.path()).best.unwrap()
    };
    let (one, other) = (accuracy(13), accuracy(21));
    assert_ne!(one.test_cross_entropy, other.test_cross_entropy);
    // Near the logarithm of two: it knows nothing.
    assert!((one.test_cross_entropy.unwrap() - 2f64.ln()).abs() < 0.1);
}

#[test]
fn linear_probing_is_one_evaluation() {
    for prompt in ["", "\nprompt = false"] {
        let text = format!(
            "model.builtin = \"roberta-imdb-tiny\"\n[task]\nname = \"made-sentiment\"\nk = 16\ntest_cap = 100{prompt}\n\
             [method]\nname = \"lp\"\n[train]\nseed = 13\n"
        );
        let dir = prepared(&text);
        assert_eq!(carry_on(dir.path(), None), Ending::Finished);
        let result = result(dir.path());
        let best = result.best.unwrap();
        assert_eq!((result.steps, best.step), (0, 0));
        assert!(best.dev_accuracy.unwrap() > 0.5 && best.test_accuracy.unwrap() > 0.5);
    }
}

#[test]
fn the_protocol_decides_what_is_trained() {
    let trained = |head: &str, method: &str, rest: &str| {
        let text = format!("{head}\n{}", text(method, rest));
        resolve(&spec(&text)).manifest.trainable_parameters.unwrap()
    };
    let reference = "protocol = \"reference-code\"";
    let (full, lora) = ("name = \"mezo\"", "name = \"mezo\"\ntuning = \"lora\"");
    // 8,192 words of 128 numbers: the decoder of its own; 128 x 128 + 128: the pooler; 2 x 128 + 2: the unread classifier.
    let (decoder, pooler, classifier) = (8192 * 128, 128 * 129, 2 * 129);
    assert_eq!(
        trained(reference, full, MEZO),
        trained("", full, MEZO) + decoder + pooler + classifier
    );
    let head = 128 * 129 + 2 * 128 + 8192 + decoder;
    assert_eq!(
        trained(reference, lora, MEZO),
        trained("", lora, MEZO) + head + classifier
    );
    let prefix = "name = \"mezo\"\ntuning = \"prefix\"";
    assert_eq!(trained(reference, prefix, MEZO), 2 * 2 * 5 * 128);
    assert_eq!(trained("", prefix, MEZO), 2 * 2 * 5 * 128);

    let text = format!(
        "{reference}\n{}",
        text(lora, &format!("{MEZO}\nweight_decay = 0.1"))
    );
    let dir = prepared(&text);
    assert_eq!(carry_on(dir.path(), None), Ending::Finished);
    let names = last_snapshot(dir.path());
    assert!(names.contains("lm_head.decoder.weight") && names.contains("lora_A"));
    let manifest = std::fs::read_to_string(dir.path().join("manifest.json")).unwrap();
    assert!(manifest.contains("\"protocol\": \"reference-code\""));
    assert!(manifest.contains("\"decay_on\": \"all\""));
}
