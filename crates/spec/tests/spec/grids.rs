//! Several grids in one spec, and swept keys of tables in tables.

use std::collections::BTreeMap;

use insta::assert_snapshot;

use crate::support::{edited, labels, list, refused, runs, spec};

const TWO: &str = r#"name = "two"
model.builtin = "roberta-imdb-tiny"
task.name = "made-sentiment"
method.name = "mezo"
[train]
lr = 1e-5
eps = 1e-3
steps = 10
eval_every = 5
[[sweep]]
seed = [13, 21]
"task.k" = [16]
train.batch_size = [2, 4]
[[sweep]]
train.batch_size = [8]
"task.k" = [512]
seed = [13]
"#;

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
    let of = |run: &mezo_spec::RunSpec| {
        let train = run.method.training().unwrap();
        (run.task.k, train.batch_size, train.seed)
    };
    let runs = runs(&spec);
    assert_eq!(of(&runs[3]), (16, 4, 21));
    assert_eq!(of(&runs[4]), (512, 8, 13));
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
    // Swept in one, its table through another key in the second, in none of the third.
    let text = "name = \"a\"\n[[sweep]]\n\"task.label_words.0\" = [\"bad\"]\n\
                [[sweep]]\n\"task.label_words.1\" = [\"good\", \"great\"]\n[[sweep]]\n";
    assert_eq!(labels(text), ["0 bad", "1 good", "1 great", ""]);
}

#[test]
fn an_error_is_shown_in_the_grid_it_is_of() {
    assert_snapshot!(refused(&TWO.replace("train.batch_size = [8]", "train.batch_size = [-8]")), @"
    error: spec.toml:15:21: expected a whole number (0 or more) for `train.batch_size`, found the number -8
       |
    15 | train.batch_size = [-8]
       |                     ^^
    ");
    let two = spec(TWO);
    let points: Vec<_> = two.points().collect();
    assert_snapshot!(two.error_at(Some(&points[4]), "seed", "not this seed", None), @"
    spec.toml:17:9: not this seed
       |
    17 | seed = [13]
       |         ^^
    ");
    // Its own table where this grid does not sweep it and another does.
    let text = "name = \"a\"\n[train]\nlr = 1\n[[sweep]]\n\"train.seed\" = [1]\n[[sweep]]\n";
    let one = spec(text);
    let points: Vec<_> = one.points().collect();
    assert_snapshot!(one.error_at(Some(&points[1]), "seed", "no seed here", None), @"
    spec.toml:2:1: no seed here
      |
    2 | [train]
      | ^^^^^^^
    ");
    assert_snapshot!(one.error_at(None, "seed", "no seed here", None), @r#"
    spec.toml:5:1: no seed here
      |
    5 | "train.seed" = [1]
      | ^^^^^^^^^^^^
    "#);
}

#[test]
fn what_one_grid_lacks_is_said_of_that_grid() {
    assert_snapshot!(refused(&TWO.replace("\nseed = [13]", "")), @"
    error: spec.toml:5:1: missing key `seed` in [train] for the [[sweep]] on line 14
      |
    5 | [train]
      | ^^^^^^^
    hint: set `seed` in [train], or give a list of its values in [sweep]
    ");
}

#[test]
fn every_grid_is_checked() {
    assert_snapshot!(refused(&TWO.replace("seed = [13]\n", "lr = [1e-4]\n")), @"
    error: spec.toml:17:1: `train.lr` is set in [sweep] and on line 6
       |
    17 | lr = [1e-4]
       | ^^
    hint: keep `train.lr` in one of the two places
    ");
    assert_snapshot!(refused(&TWO.replace("\nseed = [13]", "\nsed = [13]")), @r#"
    error: spec.toml:17:1: unknown short name `sed` in [sweep]
       |
    17 | sed = [13]
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
    error: spec.toml:18:2: `sweep` is set twice
       |
    18 | [sweep]
       |  ^^^^^
    ");
}

#[test]
fn the_limit_is_on_all_grids_together() {
    let grids = |last: usize| {
        format!(
            "name = \"a\"\n[[sweep]]\nseed = {}\n[[sweep]]\nlr = {}\neps = {}\n[[sweep]]\nseed = {}\n",
            list(100),
            list(100),
            list(998),
            list(last)
        )
    };
    assert_eq!(spec(&grids(100)).points().count(), 100_000);
    assert_snapshot!(refused(&grids(101)), @"
    error: spec.toml:5:1: the sweep has 100,001 runs (100 + 100 x 998 + 101), the limit is 100,000
      |
    5 | lr = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, ...
      | ^^
    hint: sweep fewer values at once, or split the spec
    ");
}

#[test]
fn keys_of_tables_in_tables_are_swept() {
    let words = |own: &str| {
        let text = edited(&[("k = 16\n", own)]);
        let sweep = "[sweep]\n\"task.label_words.1\" = [\"great\", \"good\"]\n";
        let spec = spec(&(text + sweep));
        runs(&spec)[1].task.label_words.clone().unwrap()
    };
    let one = BTreeMap::from([("1".into(), "good".into())]);
    assert_eq!(words("k = 16\n"), one);
    let both = BTreeMap::from([("0".into(), "bad".into()), ("1".into(), "good".into())]);
    for own in [
        "k = 16\n[task.label_words]\n0 = \"bad\"\n",
        "k = 16\nlabel_words = { 0 = \"bad\" }\n",
        "k = 16\nlabel_words.0 = \"bad\"\n",
    ] {
        assert_eq!(words(own), both, "{own}");
    }
    let method = "name = \"mezo\"\ntuning = \"lora\"\n[method.lora]\nalpha = 32\n";
    let text = edited(&[("name = \"mezo\"\n", method)]);
    let spec = spec(&format!("{text}[sweep]\nmethod.lora.r = [2, 4]\n"));
    let ranks: Vec<_> = runs(&spec)
        .iter()
        .map(|run| {
            let lora = run.method.tuning().unwrap().lora().unwrap();
            (lora.r, lora.alpha)
        })
        .collect();
    assert_eq!(ranks, [(2, 32.0), (4, 32.0)]);
    assert_eq!(spec.points().nth(1).unwrap().label(), "r 4");
}

#[test]
fn an_error_about_a_table_is_shown_at_what_is_swept_in_it() {
    let sweep = "[sweep]\n\"task.label_words.1\" = [\"great\", \"good\"]\n";
    let spec = spec(&format!("{}{sweep}", edited(&[])));
    let point = spec.points().nth(1);
    assert_snapshot!(spec.error_at(point.as_ref(), "task.label_words", "no word for 0", None), @r#"
    spec.toml:21:34: no word for 0
       |
    21 | "task.label_words.1" = ["great", "good"]
       |                                  ^^^^^^
    "#);
}
