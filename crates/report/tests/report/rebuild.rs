//! Everything written can be deleted and written again, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mezo_report::{ReportOptions, build};

use crate::fixture::{Run, falling, quickstart};

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            (
                path.file_name().unwrap().to_string_lossy().into_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

fn built(runs_dir: &Path, with_attempts: bool) -> BTreeMap<String, Vec<u8>> {
    let out = tempfile::tempdir().unwrap();
    let out = out.path().join("results/fixture");
    let report = build(runs_dir, &out, &ReportOptions { with_attempts }).unwrap();
    assert!(report.files.iter().all(|file| file.is_file()));
    files(&out)
}

#[test]
fn the_same_runs_give_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    let first = built(dir.path(), false);
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    let expected = [
        "loss.png",
        "loss.svg",
        "manifests.json",
        "runs.parquet",
        "slopes.csv",
        "slopes.md",
        "steps.parquet",
        "table.csv",
        "table.json",
        "table.md",
        "table.tex",
    ];
    assert_eq!(names, expected);
    assert_eq!(built(dir.path(), false), first);
    let with_attempts = built(dir.path(), true);
    assert_eq!(built(dir.path(), true), with_attempts);
    assert_ne!(with_attempts["runs.parquet"], first["runs.parquet"]);
}

#[test]
fn time_and_place_change_nothing_but_the_attempts() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let first = built(dir.path(), false);
    for run in &runs {
        let other = "{\"event\":\"start\",\"attempt\":1,\"host\":\"there\",\"device\":\"cuda:0\"}\n\
                     {\"event\":\"end\",\"attempt\":1,\"wall_s\":99.0,\"reason\":\"finished\"}\n";
        fs::write(dir.path().join(run.id()).join("attempts.jsonl"), other).unwrap();
    }
    assert_eq!(built(dir.path(), false), first);
}

#[test]
fn a_second_report_replaces_the_first_whole() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let out = tempfile::tempdir().unwrap();
    let options = ReportOptions {
        with_attempts: false,
    };
    build(dir.path(), out.path(), &options).unwrap();
    let first = files(out.path());
    build(dir.path(), out.path(), &options).unwrap();
    assert_eq!(files(out.path()), first);
    fs::remove_dir_all(dir.path().join(runs[0].id())).unwrap();
    build(dir.path(), out.path(), &options).unwrap();
    let third = files(out.path());
    assert_eq!(
        third.keys().collect::<Vec<_>>(),
        first.keys().collect::<Vec<_>>()
    );
    assert_ne!(third["steps.parquet"], first["steps.parquet"]);
}

#[test]
fn parquet_holds_every_run_and_step() {
    use polars::prelude::{ParquetReader, SerReader};
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    let out = tempfile::tempdir().unwrap();
    build(dir.path(), out.path(), &ReportOptions::default()).unwrap();
    let open = |name: &str| {
        ParquetReader::new(fs::File::open(out.path().join(name)).unwrap())
            .finish()
            .unwrap()
    };

    let runs = open("runs.parquet");
    assert_eq!(runs.height(), 9);
    let names: Vec<&str> = runs
        .get_column_names()
        .into_iter()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(
        names[names.len() - 5..],
        ["wall_s", "device", "host", "attempts", "last_end"]
    );
    let wall = runs.column("wall_s").unwrap().f64().unwrap();
    assert_eq!((wall.get(0), wall.get(1)), (None, Some(12.5)));
    assert_eq!(runs.column("lr").unwrap().f64().unwrap().get(1), Some(1e-4));
    assert_eq!(
        runs.column("lr_text").unwrap().str().unwrap().get(1),
        Some("1e-4")
    );
    assert_eq!(runs.column("seed").unwrap().u64().unwrap().get(1), Some(13));
    assert_eq!(
        runs.column("method").unwrap().str().unwrap().get(0),
        Some("zero-shot")
    );

    let steps = open("steps.parquet");
    assert_eq!(steps.height(), 8000);
    assert_eq!(
        steps.column("step").unwrap().i64().unwrap().get(7999),
        Some(1000)
    );
    assert_eq!(
        steps.column("noise_seed").unwrap().u64().unwrap().get(0),
        Some(1)
    );
}

#[test]
fn a_sweep_without_one_trained_step_still_makes_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let run = Run::new(13, "1e-4", "1e-3", Vec::new());
    crate::fixture::write_zero_shot(dir.path(), &run, 0.6, 0.68);
    assert_eq!(built(dir.path(), false).len(), 11);
}

#[test]
fn a_very_long_run_makes_a_small_figure() {
    let dir = tempfile::tempdir().unwrap();
    Run::new(13, "1e-4", "1e-3", falling(1, 100_000, 0.3, 30_000.0)).write(dir.path());
    let files = built(dir.path(), false);
    assert!(
        files["loss.svg"].len() < 200_000,
        "{} bytes",
        files["loss.svg"].len()
    );
}

#[test]
fn the_figure_says_what_it_shows() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let mut diverged = runs[7].clone();
    (diverged.status, diverged.last) = ("diverged", None);
    diverged.losses.truncate(400);
    diverged
        .losses
        .extend((0..60).map(|step| 0.6 + 0.5 * f64::from(step)));
    diverged.write(dir.path());
    let files = built(dir.path(), false);
    let svg = String::from_utf8(files["loss.svg"].clone()).unwrap();
    for words in [
        "fixture: training loss of roberta-imdb-tiny on made-sentiment (made data)",
        "lr 1e-4",
        "eps 3e-3",
        "training loss (cross-entropy)",
        "moving average over 51 steps",
        "Band: lowest to highest seed.",
        "Crosses: where a run diverged.",
    ] {
        assert!(svg.contains(words), "{words}");
    }
    // What blew up is cut off: the axis ends near where the runs began.
    let labelled = |words: &str| svg.contains(&format!("aria-label=\"{words}\""));
    assert!(labelled("0.50"), "the axis has no labels");
    assert!(!labelled("1.0") && !labelled("2"), "the axis is too high");
    assert!(
        !svg.contains("<text"),
        "a viewer without fonts would show none"
    );
    assert!(files["loss.png"].starts_with(b"\x89PNG"));
}
