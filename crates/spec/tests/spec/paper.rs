//! The specs of the paper's grids hold as many runs as the paper has configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use mezo_spec::{Point, Spec};

use crate::support::{repository, runs};

/// Configurations of each method by Table 15, 7 for MeZO-Adam (MEZO.md, section 5).
const CONFIGS: [(&str, usize); 9] = [
    ("mezo", 3),
    ("mezo-prefix", 3),
    ("mezo-lora", 3),
    ("mezo-adam", 5),
    ("ft", 9),
    ("ft-sgd", 15),
    ("ft-prefix", 9),
    ("ft-lora", 9),
    ("lp", 1),
];
const TASKS: usize = 6;
const SEEDS: usize = 5;

fn folder() -> PathBuf {
    repository("experiments/paper")
}

/// The points of a spec, each as its swept keys and values.
fn points(name: &str) -> Vec<BTreeMap<String, String>> {
    let spec = Spec::read(folder().join(format!("{name}.toml"))).unwrap();
    assert_eq!(spec.name(), format!("paper-{name}"));
    let swept = |point: Point<'_>| {
        let swept = point.swept().into_iter();
        swept.map(|swept| (swept.key, swept.text)).collect()
    };
    let points: Vec<_> = spec.points().map(swept).collect();
    assert_eq!(runs(&spec).len(), points.len(), "{name}");
    points
}

/// How many different values a key has among the points.
fn values(points: &[BTreeMap<String, String>], key: &str) -> usize {
    let values: BTreeSet<_> = points.iter().map(|point| point.get(key)).collect();
    values.len()
}

#[test]
fn every_grid_has_the_papers_configurations() {
    for (name, configs) in CONFIGS {
        let points = points(name);
        assert_eq!(points.len(), configs * TASKS * 2 * SEEDS, "{name}");
        let distinct: BTreeSet<_> = points.iter().collect();
        assert_eq!(distinct.len(), points.len(), "{name}");
        assert_eq!(values(&points, "task.name"), TASKS, "{name}");
        assert_eq!(values(&points, "train.seed"), SEEDS, "{name}");
        // As many configurations for every task, k and seed.
        let mut cells: BTreeMap<_, usize> = BTreeMap::new();
        for point in &points {
            let cell = ["task.name", "task.k", "train.seed"].map(|key| point[key].clone());
            *cells.entry(cell).or_default() += 1;
        }
        assert!(cells.values().all(|&count| count == configs), "{name}");
    }
}

#[test]
fn batch_sizes_of_fine_tuning_go_with_k() {
    let sizes = |k: &str| -> BTreeSet<u32> {
        let points = points("ft").into_iter();
        points
            .filter(|point| point["task.k"] == k)
            .map(|point| point["train.batch_size"].parse().unwrap())
            .collect()
    };
    assert_eq!(sizes("16"), BTreeSet::from([2, 4, 8]));
    assert_eq!(sizes("512"), BTreeSet::from([8, 16, 32]));
}

#[test]
fn the_other_specs_have_the_runs_of_their_tables() {
    // Table 18's first row, for each k; it has no seeds.
    assert_eq!(points("zero-shot").len(), TASKS * 2);
    // Table 19: four tasks at k = 16, MeZO's grid.
    assert_eq!(points("lp-mezo").len(), 3 * 4 * SEEDS);
    // Table 4, 24 configurations on three tasks, and without a prompt 32 (section A.1).
    let ablations = points("ablations");
    let prompt = |with: &str| {
        let points = ablations.iter();
        points.filter(|point| point["task.prompt"] == with).count()
    };
    assert_eq!(prompt("true"), 24 * 3 * SEEDS);
    assert_eq!(prompt("false"), 32 * 3 * SEEDS);
}

#[test]
fn every_spec_of_the_folder_is_counted_here() {
    let known: BTreeSet<String> = CONFIGS
        .iter()
        .map(|(name, _)| *name)
        .chain(["zero-shot", "lp-mezo", "ablations"])
        .map(|name| format!("{name}.toml"))
        .collect();
    let entries = std::fs::read_dir(folder()).unwrap();
    let found: BTreeSet<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(found, known);
}
