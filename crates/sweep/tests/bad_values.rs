//! What is said of a spec whose keys or values its reader does not take.
#![allow(clippy::unwrap_used)]

use insta::assert_snapshot;
use mezo_sweep::{Spec, SpecError};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Tables {
    task: Task,
    method: Option<Method>,
    train: Train,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Task {
    name: String,
    k: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Method {
    tuning: Tuning,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tuning {
    Full,
    Lora,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Train {
    seed: Option<u64>,
    steps: u64,
    lr: f64,
    eps: Option<f64>,
    shuffle: Option<bool>,
}

fn said(error: &SpecError) -> String {
    match error.hint() {
        Some(hint) => format!("error: {error}\nhint: {hint}"),
        None => format!("error: {error}"),
    }
}

/// What is said of the first point that is refused.
fn refused(text: &str) -> String {
    let spec = Spec::parse("spec.toml", text).unwrap();
    let points = spec.points().unwrap();
    let refusals = points
        .iter()
        .filter_map(|point| point.deserialize::<Tables>().err());
    refusals.map(|error| said(&error)).next().unwrap()
}

/// A sound spec with `sweep` as the lines of its `[sweep]`.
fn swept(sweep: &str) -> String {
    refused(&format!(
        "name = \"demo\"\n[task]\nname = \"sst-2\"\n[train]\nsteps = 10\n[sweep]\n{sweep}\n"
    ))
}

/// A sound spec with `train` as further lines of its `[train]`.
fn trained(train: &str) -> String {
    refused(&format!(
        "name = \"demo\"\n[task]\nname = \"sst-2\"\n[train]\nlr = 1e-3\n{train}\n"
    ))
}

#[test]
fn unknown_keys() {
    assert_snapshot!(trained("steps = 10\nepss = 1e-3"), @r"
    error: spec.toml:7:1: unknown key `epss` in [train]
      |
    7 | epss = 1e-3
      | ^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `lr`, `eps`, `shuffle`
    ");
    assert_snapshot!(trained("steps = 10\nmomentum = 0.9"), @r"
    error: spec.toml:7:1: unknown key `momentum` in [train]
      |
    7 | momentum = 0.9
      | ^^^^^^^^
    hint: [train] has: `seed`, `steps`, `lr`, `eps`, `shuffle`
    ");
    assert_snapshot!(swept("lr = [1e-3]\n\"train.epz\" = [1e-3, 1e-2]"), @r#"
    error: spec.toml:8:1: unknown key `epz` in [train]
      |
    8 | "train.epz" = [1e-3, 1e-2]
      | ^^^^^^^^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `lr`, `eps`, `shuffle`
    "#);
    assert_snapshot!(refused("name = \"demo\"\n[taks]\nname = \"sst-2\"\n"), @r"
    error: spec.toml:2:2: unknown key `taks`
      |
    2 | [taks]
      |  ^^^^
    hint: did you mean `task`? a spec has: `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(refused("name = \"demo\"\n[swep]\nseed = [13]\n"), @r"
    error: spec.toml:2:2: unknown key `swep`
      |
    2 | [swep]
      |  ^^^^
    hint: did you mean `sweep`? a spec has: `task`, `method`, `train`, `name`, `sweep`
    ");
}

#[test]
fn unknown_words() {
    assert_snapshot!(trained("steps = 10\n[method]\ntuning = \"lorra\""), @r#"
    error: spec.toml:8:10: unknown value `lorra` for `method.tuning`
      |
    8 | tuning = "lorra"
      |          ^^^^^^^
    hint: did you mean `lora`? it is one of: `full`, `lora`
    "#);
    assert_snapshot!(swept("lr = [1e-3]\nmethod.tuning = [\"lora\", \"adapter\"]"), @r#"
    error: spec.toml:8:26: unknown value `adapter` for `method.tuning`
      |
    8 | method.tuning = ["lora", "adapter"]
      |                          ^^^^^^^^^
    hint: it is one of: `full`, `lora`
    "#);
    assert_snapshot!(trained("steps = 10\n[method]\ntuning = 3"), @r"
    error: spec.toml:8:10: expected a string for `method.tuning`, found 3
      |
    8 | tuning = 3
      |          ^
    ");
}

#[test]
fn wrong_types() {
    assert_snapshot!(trained("steps = 10\neps = \"small\""), @r#"
    error: spec.toml:7:7: expected a number for `train.eps`, found the string "small"
      |
    7 | eps = "small"
      |       ^^^^^^^
    "#);
    assert_snapshot!(trained("steps = 10.5"), @r"
    error: spec.toml:6:9: expected a whole number (0 or more) for `train.steps`, found the number 10.5
      |
    6 | steps = 10.5
      |         ^^^^
    ");
    assert_snapshot!(trained("steps = -10"), @r"
    error: spec.toml:6:9: expected a whole number (0 or more) for `train.steps`, found the number -10
      |
    6 | steps = -10
      |         ^^^
    ");
    assert_snapshot!(trained("steps = [10]"), @r"
    error: spec.toml:6:9: expected a whole number (0 or more) for `train.steps`, found a list
      |
    6 | steps = [10]
      |         ^^^^
    ");
    assert_snapshot!(trained("steps = 10\nshuffle = 1"), @r"
    error: spec.toml:7:11: expected `true` or `false` for `train.shuffle`, found the number 1
      |
    7 | shuffle = 1
      |           ^
    ");
    assert_snapshot!(trained("steps = 99999999999999999999999999999999999999999"), @r"
    error: spec.toml:6:9: `train.steps`: integer number overflowed
      |
    6 | steps = 99999999999999999999999999999999999999999
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(refused("name = \"demo\"\ntask = \"sst-2\"\n"), @r#"
    error: spec.toml:2:8: expected a table for `task`, found the string "sst-2"
      |
    2 | task = "sst-2"
      |        ^^^^^^^
    "#);
}

#[test]
fn wrong_types_in_a_sweep() {
    assert_snapshot!(swept("lr = [1e-3]\n\"task.k\" = [16, 5000000000]"), @r#"
    error: spec.toml:8:17: expected a whole number (0 to 4294967295) for `task.k`, found the number 5000000000
      |
    8 | "task.k" = [16, 5000000000]
      |                 ^^^^^^^^^^
    "#);
    assert_snapshot!(swept("lr = [\n  \"1e-3\",\n]"), @r#"
    error: spec.toml:8:3: expected a number for `train.lr`, found the string "1e-3"
      |
    8 |   "1e-3",
      |   ^^^^^^
    "#);
}

#[test]
fn missing_keys() {
    assert_snapshot!(trained("seed = 1"), @r"
    error: spec.toml:4:1: missing key `steps` in [train]
      |
    4 | [train]
      | ^^^^^^^
    hint: set `steps` in [train], or give a list of its values in [sweep]
    ");
    assert_snapshot!(refused("name = \"demo\"\n[task]\nname = \"sst-2\"\n"), @r"
    error: spec.toml: missing key `train`
    ");
    assert_snapshot!(refused("name = \"demo\"\n[task]\nname = \"sst-2\"\n[sweep]\nlr = [1e-3]\n"), @r"
    error: spec.toml:5:1: missing key `steps` in [train]
      |
    5 | lr = [1e-3]
      | ^^
    hint: set `steps` in [train], or give a list of its values in [sweep]
    ");
    assert_snapshot!(refused("name = \"demo\"\n[task]\nname = \"sst-2\"\n[trian]\nsteps = 9\n[sweep]\nlr = [1e-3]\n"), @r"
    error: spec.toml:4:2: unknown key `trian`
      |
    4 | [trian]
      |  ^^^^^
    hint: did you mean `train`? a spec has: `task`, `method`, `train`, `name`, `sweep`
    ");
}

#[test]
fn refused_by_the_caller() {
    let text =
        "name = \"demo\"\n[train]\nsteps = 0\n[sweep]\nseed = [13, 21]\nlr = [1e-3, -1e-4]\n";
    let spec = Spec::parse("spec.toml", text).unwrap();
    let points = spec.points().unwrap();
    let at = |point, key, message: &str| said(&spec.error_at(point, key, message, None));
    let hint = Some("a learning rate is positive".to_owned());
    let negative = spec.error_at(
        Some(&points[3]),
        "train.lr",
        "expected a positive `lr`, found -1e-4",
        hint,
    );
    assert_snapshot!(said(&negative), @r"
    error: spec.toml:6:13: expected a positive `lr`, found -1e-4
      |
    6 | lr = [1e-3, -1e-4]
      |             ^^^^^
    hint: a learning rate is positive
    ");
    assert_snapshot!(at(Some(&points[2]), "lr", "the swept value is meant"), @r"
    error: spec.toml:6:7: the swept value is meant
      |
    6 | lr = [1e-3, -1e-4]
      |       ^^^^
    ");
    assert_snapshot!(at(None, "lr", "no one value is meant"), @r"
    error: spec.toml:6:1: no one value is meant
      |
    6 | lr = [1e-3, -1e-4]
      | ^^
    ");
    assert_snapshot!(at(Some(&points[0]), "train.steps", "expected at least one step"), @r"
    error: spec.toml:3:9: expected at least one step
      |
    3 | steps = 0
      |         ^
    ");
    assert_snapshot!(at(Some(&points[0]), "train.eps", "needs an `eps`"), @r"
    error: spec.toml:2:1: needs an `eps`
      |
    2 | [train]
      | ^^^^^^^
    ");
    assert_snapshot!(at(Some(&points[0]), "model.path", "needs a model"), @r"
    error: spec.toml: needs a model
    ");
}
