//! What a sound spec becomes.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;

use mezo_sweep::{Point, Spec, Swept};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tables {
    #[serde(default)]
    model: BTreeMap<String, String>,
    task: Task,
    train: Train,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Task {
    name: String,
    k: u32,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Train {
    seed: u64,
    steps: u64,
    lr: f64,
}

const DEMO: &str = r#"
name = "demo-1.5_b"

[task]
name = "sst-2"

[train]
steps = 1_000

[sweep]
seed = [21, 13]     # a seed is a split
lr = [1e-4, 3E-4, 0.01]
"task.k" = [16, 512]
"#;

fn labels(text: &str) -> Vec<String> {
    let spec = Spec::parse("spec.toml", text).unwrap();
    spec.points().unwrap().iter().map(Point::label).collect()
}

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
    let points = spec.points().unwrap();
    let tables: Tables = points[3].deserialize().unwrap();
    let task = Task {
        name: "sst-2".into(),
        k: 512,
    };
    assert_eq!(
        tables,
        Tables {
            model: BTreeMap::new(),
            task,
            train: Train {
                seed: 21,
                steps: 1000,
                lr: 3e-4
            }
        }
    );
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
    let text = "name = \"a\"\n[sweep]\nmodel.builtin = [\"tiny\", \"small\"]\ntask.name = ['sst-2']\n\
                task.k = [0x10]\nseed = [1]\nlr = [1]\ntrain.steps = [1_000]\n";
    let spec = Spec::parse("spec.toml", text).unwrap();
    let points = spec.points().unwrap();
    assert_eq!(
        points[1].label(),
        "model small task sst-2 k 0x10 seed 1 lr 1 steps 1_000"
    );
    let tables: Tables = points[1].deserialize().unwrap();
    assert_eq!(
        tables.model,
        BTreeMap::from([("builtin".to_owned(), "small".to_owned())])
    );
    assert_eq!((tables.task.name.as_str(), tables.task.k), ("sst-2", 16));
    assert_eq!(
        tables.train,
        Train {
            seed: 1,
            steps: 1000,
            lr: 1.0
        }
    );
}

#[test]
fn columns_that_would_be_the_same_are_told_apart() {
    let text = "name = \"a\"\n[sweep]\nmethod.lora.r = [8]\nmethod.prefix.r = [5]\nmethod.name = [\"mezo\"]\n";
    assert_eq!(
        labels(text),
        ["method.lora.r 8 method.prefix.r 5 method mezo"]
    );
    let spec = Spec::parse("spec.toml", text).unwrap();
    let points = spec.points().unwrap();
    let lora = points[0].label_of(|key| key.starts_with("method.lora."));
    assert_eq!(lora, "method.lora.r 8");
}

#[test]
fn without_a_sweep_there_is_one_point() {
    let text = "name = \"a\"\n[task]\nname = \"sst-2\"\nk = 16\n[train]\nseed = 13\nsteps = 10\nlr = 1e-3\n";
    for text in [text.to_owned(), format!("{text}[sweep]\n")] {
        let spec = Spec::parse("spec.toml", text).unwrap();
        let points = spec.points().unwrap();
        assert_eq!(points.len(), 1);
        assert_eq!(
            (points[0].label(), points[0].swept()),
            (String::new(), Vec::new())
        );
        assert_eq!(points[0].deserialize::<Tables>().unwrap().train.seed, 13);
    }
}

#[test]
fn whole_and_broken_numbers_share_a_list() {
    assert_eq!(
        labels("name = \"a\"\n[sweep]\nlr = [1, 0.5]\n"),
        ["lr 1", "lr 0.5"]
    );
    let seeds = "name = \"a\"\n[sweep]\nseed = [9007199254740993, 9007199254740994]\n";
    assert_eq!(labels(seeds).len(), 2);
}

proptest! {
    #[test]
    fn all_combinations_once_in_order(lengths in prop::collection::vec(1usize..6, 0..5)) {
        let axes: String = lengths
            .iter()
            .enumerate()
            // Descending names: the order of the file is not that of the alphabet.
            .map(|(axis, length)| format!("t.k{} = {:?}\n", 9 - axis, (0..*length).collect::<Vec<_>>()))
            .collect();
        let spec = Spec::parse("spec.toml", format!("name = \"a\"\n[sweep]\n{axes}")).unwrap();
        let points = spec.points().unwrap();
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
        let outcome = Spec::parse("spec.toml", text).map(|spec| {
            for point in spec.points().unwrap() {
                if let Err(error) = point.deserialize::<Tables>() {
                    assert!(error.to_string().starts_with("spec.toml:"));
                    let _ = error.hint();
                }
            }
        });
        if let Err(error) = outcome {
            prop_assert!(error.to_string().starts_with("spec.toml:"));
            let _ = error.hint();
        }
    }
}
