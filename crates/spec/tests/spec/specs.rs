//! What a sound spec becomes.

use std::path::Path;

use mezo_spec::{Overrides, Point, Spec, Swept};
use proptest::prelude::*;

use crate::support::{SOUND, labels, list, runs, spec};

const DEMO: &str = r#"
name = "demo-1.5_b"

[model]
path = "../models/roberta-base"

[task]
name = "sst-2"

[method]
name = "ft"

[train]
steps = 1_000
batch_size = 8
eval_every = 100

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
    let run = &runs(&spec)[3];
    assert_eq!((run.task.name.as_str(), run.task.k), ("sst-2", 512));
    let train = run.method.training().unwrap();
    assert_eq!((train.seed, train.steps, train.lr), (21, 1000, 3e-4));
    let point = spec.points().nth(3).unwrap();
    let swept = |key: &str, text: &str| Swept {
        key: key.into(),
        text: text.into(),
    };
    assert_eq!(
        point.swept(),
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
                task.k = [0x10]\nmethod.name = [\"mezo\"]\nseed = [1]\nlr = [1]\neps = [1e-3]\n\
                train.steps = [1_000]\ntrain.batch_size = [8]\ntrain.eval_every = [100]\n";
    let spec = spec(text);
    assert_eq!(
        spec.points().nth(1).unwrap().label(),
        "model small task sst-2 k 0x10 method mezo seed 1 lr 1 eps 1e-3 steps 1_000 batch_size 8 eval_every 100"
    );
    let run = &runs(&spec)[1];
    assert_eq!(run.model.builtin.as_deref(), Some("small"));
    assert_eq!((run.task.name.as_str(), run.task.k), ("sst-2", 16));
    let train = run.method.training().unwrap();
    assert_eq!((train.seed, train.steps, train.lr), (1, 1000, 1.0));
}

#[test]
fn columns_that_would_be_the_same_are_told_apart() {
    let text = "name = \"a\"\n[sweep]\nmethod.estimates.schedule = [\"linear\"]\n\
                train.schedule = [\"constant\"]\nmethod.name = [\"mezo\"]\n";
    assert_eq!(
        labels(text),
        ["method.estimates.schedule linear train.schedule constant method mezo"]
    );
    let spec = spec(text);
    let point = spec.points().next().unwrap();
    let own = point.label_of(|key| key.starts_with("method.estimates."));
    assert_eq!(own, "method.estimates.schedule linear");
}

#[test]
fn without_a_sweep_there_is_one_point() {
    for text in [SOUND.to_owned(), format!("{SOUND}[sweep]\n")] {
        let spec = spec(&text);
        let points: Vec<_> = spec.points().collect();
        assert_eq!(points.len(), 1);
        assert_eq!(
            (points[0].label(), points[0].swept()),
            (String::new(), Vec::new())
        );
        assert_eq!(runs(&spec)[0].method.seed(), Some(13));
    }
}

#[test]
fn whole_and_broken_numbers_share_a_list() {
    assert_eq!(
        labels("name = \"a\"\n[sweep]\nlr = [1, 0.5]\n"),
        ["lr 1", "lr 0.5"]
    );
    let steps = "name = \"a\"\n[sweep]\ntrain.steps = [9007199254740993, 9007199254740994]\n";
    assert_eq!(labels(steps).len(), 2);
}

#[test]
fn the_command_line_may_name_another_model_and_other_data() {
    let hub = "hub = \"roberta-large\"\nrevision = \"main\"";
    let text = SOUND.replace("builtin = \"roberta-imdb-tiny\"", hub);
    let overrides = Overrides::default()
        .model(Path::new("/models/a"))
        .data(Path::new("/data"));
    for text in [SOUND, &text] {
        let spec = spec(text);
        let runs = spec.runs(&overrides).unwrap();
        let (_, run) = &runs[0];
        assert_eq!(run.model.path.as_deref(), Some(Path::new("/models/a")));
        assert_eq!(run.model.on_hub(), None);
        assert_eq!((&run.model.builtin, &run.model.revision), (&None, &None));
        assert_eq!(run.task.data.as_deref(), Some(Path::new("/data")));
    }
    // A spec may then name none itself.
    let spec = spec(&SOUND.replace("builtin = \"roberta-imdb-tiny\"\n", ""));
    assert!(spec.runs(&Overrides::default()).is_err());
    assert_eq!(spec.runs(&overrides).unwrap().len(), 1);
}

/// Keys that take any number from 1 on, their names in no order.
const KEYS: [&str; 4] = ["train.steps", "task.k", "train.lr", "method.lora.r"];

proptest! {
    #[test]
    fn all_combinations_once_in_order(lengths in prop::collection::vec(1usize..6, 0..5)) {
        let axes: String = lengths
            .iter()
            .enumerate()
            .map(|(axis, length)| format!("{} = {}\n", KEYS[axis], list(*length)))
            .collect();
        let spec = spec(&format!("name = \"a\"\n[sweep]\n{axes}"));
        let points: Vec<_> = spec.points().collect();
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
        let errors = match Spec::parse("spec.toml", text) {
            Ok(spec) => spec.runs(&Overrides::default()).err(),
            Err(errors) => Some(errors),
        };
        for error in errors.iter().flat_map(|errors| errors.iter()) {
            prop_assert!(error.to_string().starts_with("spec.toml:"));
            let _ = error.hint();
        }
    }
}
