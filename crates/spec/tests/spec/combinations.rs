//! `zip`, `list` and `exclude`: which points they make, and in which order.

use std::collections::{BTreeMap, BTreeSet};

use insta::assert_snapshot;
use mezo_spec::{Overrides, Point, Spec};
use proptest::prelude::*;

use crate::support::{edited, repository, runs, spec};

/// One `[sweep]` with all three, and another beside it.
const DEMO: &str = r#"name = "demo"
[[sweep]]
seed = [13, 21]
lr = [1e-4, 3e-4]
eps = [1e-3, 3e-3]
zip = [["lr", "eps"]]
list = [{ task.k = 16, method.tuning = "full" }, { "method.tuning" = "lora", "task.k" = 512 }]
exclude = [{ lr = 0.0003, seed = 21 }, { task.k = 512, train.eps = 1e-3 }]
[[sweep]]
list = [{ lr = 1e-5, seed = 42 }, { lr = 1e-6, seed = 42 }]
"task.k" = [16, 512]
"#;

fn labels(sweep: &str) -> Vec<String> {
    crate::support::labels(&format!("name = \"a\"\n[sweep]\n{sweep}\n"))
}

#[test]
fn zipped_keys_go_side_by_side() {
    let lists = "lr = [1, 2]\nseed = [13, 21]\neps = [3, 4]\n";
    let expected = [
        "lr 1 eps 3 seed 13",
        "lr 1 eps 3 seed 21",
        "lr 2 eps 4 seed 13",
        "lr 2 eps 4 seed 21",
    ];
    for zip in [
        "zip = [[\"lr\", \"eps\"]]",
        "zip = [[\"eps\", \"lr\"]]",
        "zip = [[\"train.eps\", \"lr\"]]",
    ] {
        assert_eq!(labels(&format!("{lists}{zip}")), expected, "{zip}");
        assert_eq!(labels(&format!("{zip}\n{lists}")), expected, "{zip}");
    }
    let none = labels(&format!("{lists}zip = []\nexclude = []"));
    assert_eq!(none.len(), 8);
}

#[test]
fn several_zips_are_crossed() {
    let lists = "lr = [1, 2]\ntask.k = [16, 512]\neps = [3, 4]\ntrain.steps = [10, 20]\n";
    let zips = "zip = [[\"train.steps\", \"task.k\"], [\"lr\", \"eps\"]]";
    assert_eq!(
        labels(&format!("{lists}{zips}")),
        [
            "lr 1 eps 3 k 16 steps 10",
            "lr 1 eps 3 k 512 steps 20",
            "lr 2 eps 4 k 16 steps 10",
            "lr 2 eps 4 k 512 steps 20",
        ]
    );
}

#[test]
fn a_value_may_stand_twice_in_a_zip() {
    let zipped = "lr = [1, 1, 2]\neps = [3, 4, 3]\nzip = [[\"lr\", \"eps\"]]";
    assert_eq!(labels(zipped), ["lr 1 eps 3", "lr 1 eps 4", "lr 2 eps 3"]);
    let excluded = "exclude = [{ lr = 1, eps = 4 }]";
    let left = labels(&format!("{zipped}\n{excluded}"));
    assert_eq!(left, ["lr 1 eps 3", "lr 2 eps 3"]);
}

#[test]
fn a_list_stands_where_it_is_written() {
    let list = "list = [{ lr = 1, eps = 3 }, { eps = 4, lr = 2 }]";
    assert_eq!(
        labels(&format!("seed = [13]\n{list}\n\"task.k\" = [16, 512]")),
        [
            "seed 13 lr 1 eps 3 k 16",
            "seed 13 lr 1 eps 3 k 512",
            "seed 13 lr 2 eps 4 k 16",
            "seed 13 lr 2 eps 4 k 512",
        ]
    );
    assert_eq!(
        labels(&format!("{list}\nseed = [13, 21]")),
        [
            "lr 1 eps 3 seed 13",
            "lr 1 eps 3 seed 21",
            "lr 2 eps 4 seed 13",
            "lr 2 eps 4 seed 21",
        ]
    );
    assert_eq!(labels(list), ["lr 1 eps 3", "lr 2 eps 4"]);
}

#[test]
fn entries_may_be_tables_of_their_own() {
    let text = "seed = [13, 21]\n[[sweep.list]]\nlr = 1\ntask.k = 16\n[[sweep.list]]\nlr = 2\n\
                task.k = 512\n[[sweep.exclude]]\nseed = 13\ntask.k = 512";
    assert_eq!(
        labels(text),
        [
            "seed 13 lr 1 k 16",
            "seed 21 lr 1 k 16",
            "seed 21 lr 2 k 512"
        ]
    );
}

#[test]
fn a_key_by_the_name_of_a_word_is_swept_by_its_path() {
    assert_eq!(
        labels("\"task.label_words.list\" = [\"a\", \"b\"]"),
        ["list a", "list b"]
    );
    assert_eq!(labels("task.label_words.exclude = [\"a\"]"), ["exclude a"]);
}

#[test]
fn what_is_excluded_is_left_out() {
    let lists = "seed = [13, 21]\nlr = [1e-4, 3e-4]\n\"method.tuning\" = [\"full\", \"lora\"]\n";
    let left = |exclude: &str| labels(&format!("{lists}exclude = [{exclude}]"));
    assert_eq!(
        left("{ seed = 21 }, { lr = 0.0001, method.tuning = 'lora' }"),
        [
            "seed 13 lr 1e-4 tuning full",
            "seed 13 lr 3e-4 tuning full",
            "seed 13 lr 3e-4 tuning lora",
        ]
    );
    let one = "{ \"train.seed\" = 0x15, \"train.lr\" = 3E-4, \"method.tuning\" = \"full\" }";
    assert_eq!(left(one).len(), 7);
    // An entry that another one covers is no error.
    assert_eq!(left(&format!("{one}, {one}, {{ seed = 21 }}")).len(), 4);
}

#[test]
fn all_of_it_at_once() {
    assert_eq!(
        crate::support::labels(DEMO),
        [
            "seed 13 lr 1e-4 eps 1e-3 k 16 tuning full",
            "seed 13 lr 3e-4 eps 3e-3 k 16 tuning full",
            "seed 13 lr 3e-4 eps 3e-3 k 512 tuning lora",
            "seed 21 lr 1e-4 eps 1e-3 k 16 tuning full",
            "lr 1e-5 seed 42 k 16",
            "lr 1e-5 seed 42 k 512",
            "lr 1e-6 seed 42 k 16",
            "lr 1e-6 seed 42 k 512",
        ]
    );
}

#[test]
fn a_point_has_the_values_of_its_row() {
    let own = ["k = 16\n", "seed = 13\n", "lr = 1e-4\n", "eps = 1e-3\n"];
    let text = edited(&own.map(|line| (line, "")));
    let spec = spec(&format!(
        "{text}[sweep]\nlist = [{{ lr = 1e-4, eps = 1e-3 }}, {{ eps = 1e-2, lr = 2 }}]\n\
         seed = [13, 21]\ntask.k = [16, 512]\nzip = [[\"seed\", \"task.k\"]]\n",
    ));
    let points: Vec<_> = spec.points().collect();
    assert_eq!(points.len(), 4);
    let run = &runs(&spec)[3];
    let train = run.method.training().unwrap();
    assert_eq!((run.task.k, train.seed, train.lr), (512, 21, 2.0));
    assert_eq!(run.method.mezo().unwrap().eps, 1e-2);
    // An error is shown at the value of the point's own entry.
    let error = spec.error_at(Some(&points[3]), "lr", "too fast", None);
    assert_snapshot!(error, @"
    spec.toml:17:55: too fast
       |
    17 | list = [{ lr = 1e-4, eps = 1e-3 }, { eps = 1e-2, lr = 2 }]
       |                                                       ^
    ");
    let error = spec.error_at(None, "eps", "too near", None);
    assert_snapshot!(error, @"
    spec.toml:17:22: too near
       |
    17 | list = [{ lr = 1e-4, eps = 1e-3 }, { eps = 1e-2, lr = 2 }]
       |                      ^^^
    ");
}

#[test]
fn the_spec_among_the_options_has_its_runs() {
    let spec = Spec::read(repository("experiments/options/combinations.toml")).unwrap();
    assert_eq!(runs(&spec).len(), 6);
    assert_eq!(
        crate::support::labels(spec.text()),
        [
            "seed 13 lr 3e-5 eps 1e-3",
            "seed 13 lr 1e-4 eps 3e-3",
            "seed 21 lr 3e-5 eps 1e-3",
            "tuning lora lr 1e-3 eps 1e-3 seed 13",
            "tuning lora lr 1e-3 eps 1e-3 seed 21",
            "tuning prefix lr 1e-2 eps 1e-1 seed 13",
        ]
    );
}

/// Keys that take any number from 1 on, for the model below.
const PLAIN: [&str; 2] = ["train.steps", "train.seed"];
const ZIPPED: [&str; 3] = ["train.lr", "train.eps", "method.lora.r"];
const LISTED: [&str; 2] = ["task.k", "train.batch_size"];

/// A point as the model below has it.
type Row = BTreeMap<String, usize>;

/// `{ "train.lr" = 1, "train.eps" = 2 }`
fn table(row: &Row) -> String {
    let settings: Vec<String> = row
        .iter()
        .map(|(key, value)| format!("\"{key}\" = {value}"))
        .collect();
    format!("{{ {} }}", settings.join(", "))
}

fn tables(rows: &[Row]) -> String {
    let tables: Vec<String> = rows.iter().map(table).collect();
    format!("[{}]", tables.join(", "))
}

/// A `[sweep]` and what varies for itself in it, each as all of its rows.
#[derive(Debug, Default)]
struct Model {
    lines: String,
    dimensions: Vec<Vec<Row>>,
}

impl Model {
    fn plain(&mut self, key: &str, length: usize) {
        self.lines += &format!("\"{key}\" = {:?}\n", (1..=length).collect::<Vec<_>>());
        let row = |value: usize| Row::from([(key.to_owned(), value)]);
        self.dimensions.push((1..=length).map(row).collect());
    }

    fn zip(&mut self, keys: usize, length: usize) {
        let keys = &ZIPPED[..keys];
        for (at, key) in keys.iter().enumerate() {
            let values: Vec<usize> = (0..length).map(|row| 10 * at + row + 1).collect();
            self.lines += &format!("\"{key}\" = {values:?}\n");
        }
        self.lines += &format!("zip = [{keys:?}]\n");
        let row = |row: usize| -> Row {
            let keys = keys.iter().enumerate();
            keys.map(|(at, key)| ((*key).to_owned(), 10 * at + row + 1))
                .collect()
        };
        self.dimensions.push((0..length).map(row).collect());
    }

    fn list(&mut self, entries: &BTreeSet<(usize, usize)>) {
        let row = |&(first, second): &(usize, usize)| {
            let [one, other] = LISTED.map(str::to_owned);
            Row::from([(one, first), (other, second)])
        };
        let rows: Vec<Row> = entries.iter().map(row).collect();
        self.lines += &format!("list = {}\n", tables(&rows));
        self.dimensions.push(rows);
    }

    /// All combinations.
    fn rows(&self) -> Vec<Row> {
        let mut all = vec![Row::new()];
        for dimension in &self.dimensions {
            let mut longer = Vec::new();
            for row in &all {
                for more in dimension {
                    let mut row = row.clone();
                    row.extend(more.clone());
                    longer.push(row);
                }
            }
            all = longer;
        }
        all
    }
}

proptest! {
    #[test]
    fn the_points_are_those_of_a_naive_model(
        plain in prop::collection::vec(1usize..4, 0..3),
        zip in prop::option::of((2usize..4, 1usize..4)),
        list in prop::collection::btree_set((1usize..4, 1usize..4), 0..4),
        exclude in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::collection::vec(any::<bool>(), 7)),
            0..4,
        ),
    ) {
        let mut model = Model::default();
        for (at, length) in plain.iter().enumerate() {
            model.plain(PLAIN[at], *length);
        }
        if let Some((keys, length)) = zip {
            model.zip(keys, length);
        }
        if !list.is_empty() {
            model.list(&list);
        }
        let all = model.rows();
        // Some keys of some point, so that no entry is an error.
        let exclude: Vec<Row> = exclude
            .iter()
            .map(|(at, named)| -> Row {
                let row = all[at.index(all.len())].clone();
                let settings = row.into_iter().zip(named);
                settings.filter(|(_, named)| **named).map(|(setting, _)| setting).collect()
            })
            .filter(|row| !row.is_empty())
            .collect();
        let excluded = |row: &Row| {
            let mut entries = exclude.iter();
            entries.any(|entry| entry.iter().all(|(key, value)| row.get(key) == Some(value)))
        };
        let left: BTreeSet<Row> = all.iter().filter(|row| !excluded(row)).cloned().collect();

        let lines = &model.lines;
        let text = format!("name = \"a\"\n[sweep]\n{lines}exclude = {}\n", tables(&exclude));
        let spec = match Spec::parse("spec.toml", text) {
            Ok(spec) => spec,
            Err(error) => {
                prop_assert!(left.is_empty(), "{}", error);
                return Ok(());
            }
        };
        let points: Vec<_> = spec.points().collect();
        let values = |point: &Point<'_>| -> Vec<usize> {
            point.swept().iter().map(|swept| swept.text.parse().unwrap()).collect()
        };
        let in_order: Vec<Vec<usize>> = points.iter().map(values).collect();
        prop_assert!(in_order.is_sorted_by(|a, b| a < b));
        let row = |point: &Point<'_>| -> Row {
            let swept = point.swept().into_iter();
            swept.map(|swept| (swept.key, swept.text.parse().unwrap())).collect()
        };
        let rows: BTreeSet<Row> = points.iter().map(row).collect();
        prop_assert_eq!(rows, left);
    }

    #[test]
    fn a_damaged_spec_is_refused_or_taken_but_never_a_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..6, "[\\PC\n]{0,3}"), 1..4)
    ) {
        let mut text: Vec<char> = DEMO.chars().collect();
        for (at, length, put) in cuts {
            let at = at.index(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, put.chars());
        }
        let text: String = text.into_iter().collect();
        match Spec::parse("spec.toml", text) {
            Ok(spec) => {
                spec.points().for_each(|point| drop(point.label()));
                let _ = spec.runs(&Overrides::default());
            }
            Err(errors) => {
                for error in errors.iter() {
                    prop_assert!(error.to_string().starts_with("spec.toml:"));
                    let _ = error.hint();
                }
            }
        }
    }
}
