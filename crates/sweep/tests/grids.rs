//! Several grids in one spec, and swept keys of tables in tables.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use insta::assert_snapshot;
use mezo_sweep::{Point, Spec, SpecError};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Tables {
    #[serde(default)]
    task: Task,
    method: Option<Method>,
    train: Train,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Task {
    k: Option<u32>,
    label_words: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Method {
    lora: Lora,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lora {
    r: u32,
    alpha: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Train {
    seed: u64,
    lr: f64,
    batch_size: Option<u32>,
}

const TWO: &str = r#"name = "two"
[train]
lr = 1e-5
[[sweep]]
seed = [13, 21]
"task.k" = [16]
train.batch_size = [2, 4]
[[sweep]]
train.batch_size = [8]
"task.k" = [512]
seed = [13]
"#;

fn said(error: &SpecError) -> String {
    match error.hint() {
        Some(hint) => format!("error: {error}\nhint: {hint}"),
        None => format!("error: {error}"),
    }
}

fn spec(text: &str) -> Spec {
    Spec::parse("spec.toml", text).unwrap()
}

fn labels(text: &str) -> Vec<String> {
    let spec = spec(text);
    spec.points().unwrap().iter().map(Point::label).collect()
}

/// What is said of the text, or of the first of its points that is refused.
fn refused(text: &str) -> String {
    let spec = match Spec::parse("spec.toml", text) {
        Ok(spec) => spec,
        Err(error) => return said(&error),
    };
    let points = spec.points().unwrap();
    let error = points
        .iter()
        .find_map(|point| point.deserialize::<Tables>().err());
    said(&error.unwrap())
}

#[test]
fn grids_follow_each_other_in_the_order_of_the_file() {
    let expected = [
        "seed 13 k 16 batch_size 2",
        "seed 13 k 16 batch_size 4",
        "seed 21 k 16 batch_size 2",
        "seed 21 k 16 batch_size 4",
        "batch_size 8 k 512 seed 13",
    ];
    assert_eq!(labels(TWO), expected);
    let spec = spec(TWO);
    let points = spec.points().unwrap();
    let of = |point: &Point<'_>| {
        let tables: Tables = point.deserialize().unwrap();
        (
            tables.task.k.unwrap(),
            tables.train.batch_size.unwrap(),
            tables.train.seed,
        )
    };
    assert_eq!(of(&points[3]), (16, 4, 21));
    assert_eq!(of(&points[4]), (512, 8, 13));
}

#[test]
fn one_grid_in_either_form_is_the_same() {
    let body = "seed = [1, 2]\nlr = [1e-3]\n";
    assert_eq!(
        labels(&format!("name = \"a\"\n[[sweep]]\n{body}")),
        labels(&format!("name = \"a\"\n[sweep]\n{body}"))
    );
    assert_eq!(
        labels("name = \"a\"\nsweep = [{ seed = [1] }, {}]\n"),
        ["seed 1", ""]
    );
}

#[test]
fn a_key_of_one_grid_may_be_any_of_another() {
    // Swept in one, a table in another, in none of the third.
    let text = "name = \"a\"\n[[sweep]]\n\"a.b\" = [1]\n[[sweep]]\n\"a.b.c\" = [1, 2]\n[[sweep]]\n";
    assert_eq!(labels(text), ["b 1", "c 1", "c 2", ""]);
}

#[test]
fn an_error_is_shown_in_the_grid_it_is_of() {
    assert_snapshot!(refused(&TWO.replace("train.batch_size = [8]", "train.batch_size = [-8]")), @"
    error: spec.toml:9:21: expected a whole number (0 to 4294967295) for `train.batch_size`, found the number -8
      |
    9 | train.batch_size = [-8]
      |                     ^^
    ");
    let two = spec(TWO);
    let points = two.points().unwrap();
    assert_snapshot!(said(&two.error_at(Some(&points[4]), "seed", "not this seed", None)), @"
    error: spec.toml:11:9: not this seed
       |
    11 | seed = [13]
       |         ^^
    ");
    // Its own table where this grid does not sweep it and another does.
    let text = "name = \"a\"\n[train]\nlr = 1\n[[sweep]]\n\"train.seed\" = [1]\n[[sweep]]\n";
    let one = spec(text);
    let points = one.points().unwrap();
    assert_snapshot!(said(&one.error_at(Some(&points[1]), "seed", "no seed here", None)), @"
    error: spec.toml:2:1: no seed here
      |
    2 | [train]
      | ^^^^^^^
    ");
    assert_snapshot!(said(&one.error_at(None, "seed", "no seed here", None)), @r#"
    error: spec.toml:5:1: no seed here
      |
    5 | "train.seed" = [1]
      | ^^^^^^^^^^^^
    "#);
}

#[test]
fn what_one_grid_lacks_is_said_of_that_grid() {
    assert_snapshot!(refused(&TWO.replace("\nseed = [13]", "")), @"
    error: spec.toml:2:1: missing key `seed` in [train] for the [[sweep]] on line 8
      |
    2 | [train]
      | ^^^^^^^
    hint: set `seed` in [train], or give a list of its values in [sweep]
    ");
}

#[test]
fn every_grid_is_checked() {
    assert_snapshot!(refused(&TWO.replace("seed = [13]\n", "lr = [1e-4]\n")), @"
    error: spec.toml:11:1: `train.lr` is set in [sweep] and on line 3
       |
    11 | lr = [1e-4]
       | ^^
    hint: keep `train.lr` in one of the two places
    ");
    assert_snapshot!(refused(&TWO.replace("\nseed = [13]", "\nsed = [13]")), @r#"
    error: spec.toml:11:1: unknown short name `sed` in [sweep]
       |
    11 | sed = [13]
       | ^^^
    hint: did you mean `seed`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(refused("name = \"a\"\nsweep = [{ seed = [1] }, 3]\n"), @"
    error: spec.toml:2:9: expected a table for `sweep`, found a list
      |
    2 | sweep = [{ seed = [1] }, 3]
      |         ^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(refused("name = \"a\"\nsweep = []\n"), @"
    error: spec.toml:2:9: expected a table for `sweep`, found a list
      |
    2 | sweep = []
      |         ^^
    ");
    assert_snapshot!(refused(&format!("{TWO}[sweep]\n")), @"
    error: spec.toml:12:2: `sweep` is set twice
       |
    12 | [sweep]
       |  ^^^^^
    ");
}

#[test]
fn the_limit_is_on_all_grids_together() {
    let list = |count: usize| format!("{:?}", (1..=count).collect::<Vec<_>>());
    let grids = |last: usize| {
        format!(
            "name = \"a\"\n[[sweep]]\nseed = {}\n[[sweep]]\nlr = {}\neps = {}\n[[sweep]]\nseed = {}\n",
            list(100),
            list(100),
            list(998),
            list(last)
        )
    };
    assert_eq!(spec(&grids(100)).points().unwrap().len(), 100_000);
    assert_snapshot!(refused(&grids(101)), @"
    error: spec.toml:5:1: the sweep has 100,001 runs (100 + 100 x 998 + 101), the limit is 100,000
      |
    5 | lr = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,...
      | ^^
    hint: sweep fewer values at once, or split the spec
    ");
}

#[test]
fn keys_of_tables_in_tables_are_swept() {
    let train = "[train]\nseed = 1\nlr = 1\n";
    let words = |own: &str| {
        let text = format!(
            "name = \"a\"\n{train}{own}[sweep]\n\"task.label_words.1\" = [\"great\", \"good\"]\n"
        );
        let spec = spec(&text);
        let points = spec.points().unwrap();
        let tables: Tables = points[1].deserialize().unwrap();
        tables.task.label_words.unwrap()
    };
    assert_eq!(words(""), BTreeMap::from([("1".into(), "good".into())]));
    let both = BTreeMap::from([("0".into(), "bad".into()), ("1".into(), "good".into())]);
    for own in [
        "[task.label_words]\n0 = \"bad\"\n",
        "[task]\nlabel_words = { 0 = \"bad\" }\n",
        "[task]\nk = 16\nlabel_words.0 = \"bad\"\n",
    ] {
        assert_eq!(words(own), both, "{own}");
    }
    let text = format!(
        "name = \"a\"\n{train}[method.lora]\nalpha = 16\n[sweep]\nmethod.lora.r = [4, 8]\n"
    );
    let spec = spec(&text);
    let points = spec.points().unwrap();
    let lora = points[0].deserialize::<Tables>().unwrap().method.unwrap();
    assert_eq!((lora.lora.r, lora.lora.alpha), (4, 16));
    assert_eq!(points[1].label(), "r 8");
}

#[test]
fn an_error_about_a_table_is_shown_at_what_is_swept_in_it() {
    let text =
        "name = \"a\"\n[task]\nk = 16\n[sweep]\n\"task.label_words.1\" = [\"great\", \"good\"]\n";
    let spec = spec(text);
    let points = spec.points().unwrap();
    assert_snapshot!(said(&spec.error_at(Some(&points[1]), "task.label_words", "no word for 0", None)), @r#"
    error: spec.toml:5:34: no word for 0
      |
    5 | "task.label_words.1" = ["great", "good"]
      |                                  ^^^^^^
    "#);
}
