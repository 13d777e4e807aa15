//! What a sound spec becomes.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{labels, points, runs, spec};
use mezo_spec::{Point, Spec, Swept};
use proptest::prelude::*;

const DEMO: &str = r#"
name = "demo-1.5_b"

[model]
builtin = "tiny"

[task]
name = "sst-2"

[method]
name = "mezo"

[train]
steps = 1_000
batch_size = 8
eval_every = 10
eps = 1e-3

[sweep]
seed = [21, 13]     # a seed is a split
lr = [1e-4, 3E-4, 0.01]
"task.k" = [16, 512]
"#;

#[test]
fn points_come_in_the_order_of_the_file() {
    let expected = [
        "seed 21 lr 1e-4 k 16",
        "seed 21 lr 1e-4 k 512",
        "seed 21 lr 3E-4 k 16",
        "seed 21 lr 3E-4 k 512",
        "seed 21 lr 0.01 k 16",
        "seed 21 lr 0.01 k 512",
        "seed 13 lr 1e-4 k 16",
        "seed 13 lr 1e-4 k 512",
        "seed 13 lr 3E-4 k 16",
        "seed 13 lr 3E-4 k 512",
        "seed 13 lr 0.01 k 16",
        "seed 13 lr 0.01 k 512",
    ];
    assert_eq!(labels(DEMO), expected);
}

#[test]
fn a_point_has_the_tables_with_its_values_in_them() {
    let spec = Spec::parse("specs/demo.toml", DEMO).unwrap();
    assert_eq!(spec.name(), "demo-1.5_b");
    assert_eq!(spec.folder(), Path::new("specs"));
    assert_eq!(
        Spec::parse("demo.toml", DEMO).unwrap().folder(),
        Path::new(".")
    );
    let points = points(&spec);
    let run = &runs(DEMO).unwrap()[3];
    assert_eq!((run.task.name.as_str(), run.task.k), ("sst-2", 512));
    let train = run.method.training().unwrap();
    assert_eq!((train.seed, train.steps, train.lr), (21, 1000, 3e-4));
    let swept = |key: &str, text: &str| Swept {
        key: key.into(),
        text: text.into(),
    };
    assert_eq!(
        points[3].swept(),
        [
            swept("train.seed", "21"),
            swept("train.lr", "3E-4"),
            swept("task.k", "512")
        ]
    );
}

#[test]
fn a_swept_key_may_be_written_in_any_way() {
    let expected = ["seed 1 k 16", "seed 1 k 512"];
    assert_eq!(
        labels("name = \"a\"\n[sweep]\n\"train.seed\" = [1]\n\"task.k\" = [16, 512]\n"),
        expected
    );
    assert_eq!(
        labels("name = \"a\"\n[sweep]\nseed = [1]\ntask.k = [16, 512]\n"),
        expected
    );
    assert_eq!(
        labels("name = \"a\"\n[sweep]\nseed = [1]\n[sweep.task]\nk = [16, 512]\n"),
        expected
    );
    assert_eq!(
        labels("name = \"a\"\nsweep.seed = [1]\nsweep.\"task.k\" = [16, 512]\n"),
        expected
    );
    assert_eq!(
        labels("name = \"a\"\nsweep = { train = { seed = [1] }, task.k = [16, 512] }\n"),
        expected
    );
}

#[test]
fn whole_tables_may_be_swept_into_being() {
    let text = "name = \"a\"\n[method]\nname = \"lp\"\n[sweep]\nmodel.builtin = [\"tiny\", \"small\"]\n\
                task.name = ['sst-2']\ntask.k = [0x10]\nseed = [1]\n";
    assert_eq!(labels(text)[1], "model small task sst-2 k 0x10 seed 1");
    let run = &runs(text).unwrap()[1];
    assert_eq!(run.model.builtin.as_deref(), Some("small"));
    assert_eq!((run.task.name.as_str(), run.task.k), ("sst-2", 16));
    assert_eq!(run.method.seed(), Some(1));
}

#[test]
fn columns_that_would_be_the_same_are_told_apart() {
    let text = "name = \"a\"\n[sweep]\ntrain.schedule = [\"linear\"]\n\
                method.estimates.schedule = [\"constant\"]\nmethod.name = [\"mezo\"]\n";
    assert_eq!(
        labels(text),
        ["train.schedule linear method.estimates.schedule constant method mezo"]
    );
    let spec = spec(text);
    let points = points(&spec);
    let estimates = points[0].label_of(|key| key.starts_with("method.estimates."));
    assert_eq!(estimates, "method.estimates.schedule constant");
}

#[test]
fn without_a_sweep_there_is_one_point() {
    let text = "name = \"a\"\nmodel.builtin = \"b\"\n[task]\nname = \"sst-2\"\nk = 16\n\
                [method]\nname = \"lp\"\n[train]\nseed = 13\n";
    for text in [text.to_owned(), format!("{text}[sweep]\n")] {
        let spec = spec(&text);
        let points = points(&spec);
        assert_eq!(points.len(), 1);
        assert_eq!(
            (points[0].label(), points[0].swept()),
            (String::new(), Vec::new())
        );
        assert_eq!(runs(&text).unwrap()[0].method.seed(), Some(13));
    }
}

#[test]
fn whole_and_broken_numbers_share_a_list() {
    assert_eq!(
        labels("name = \"a\"\n[sweep]\nlr = [1, 0.5]\n"),
        ["lr 1", "lr 0.5"]
    );
    let large = "name = \"a\"\n[sweep]\ntrain.steps = [9007199254740993, 9007199254740994]\n";
    assert_eq!(labels(large).len(), 2);
}

proptest! {
    #[test]
    fn all_combinations_once_in_order(lengths in prop::collection::vec(1usize..6, 0..5)) {
        // The order of the file is not that of the alphabet.
        let keys = ["train.warmup", "train.steps", "task.k", "train.batch_size", "method.lora.r"];
        let axes: String = lengths
            .iter()
            .zip(keys)
            .map(|(length, key)| format!("{key} = {:?}\n", (1..=*length).collect::<Vec<_>>()))
            .collect();
        let spec = spec(&format!("name = \"a\"\n[sweep]\n{axes}"));
        let points = points(&spec);
        let digits = |point: &Point<'_>| -> Vec<usize> {
            point.swept().iter().map(|swept| swept.text.parse().unwrap()).collect()
        };
        let all: Vec<Vec<usize>> = points.iter().map(digits).collect();
        prop_assert_eq!(all.len(), lengths.iter().product::<usize>());
        prop_assert!(all.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn a_damaged_spec_is_refused_or_taken_but_never_a_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..4, "[\\PC\n]{0,3}"), 1..4)
    ) {
        let mut text: Vec<char> = DEMO.chars().collect();
        for (at, length, put) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        if let Err(errors) = runs(&text) {
            prop_assert!(errors.iter().count() > 0);
            for error in errors.iter() {
                prop_assert!(error.to_string().starts_with("spec.toml:"));
                let _ = error.hint();
            }
        }
    }
}
