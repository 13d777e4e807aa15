//! A sweep from its spec to its report, and everything that can come in between.

mod export;
mod split;

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use crate::common::{
    Done, Files, Place, Shared, assert_same, ended, files, json, json_lines, manifest, name,
    outcome, spec, text,
};

const REPORT: [&str; 11] = [
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

/// Two seeds and two learning rates in 20 steps.
fn small() -> String {
    let train = "steps = 20\nbatch_size = 4\neval_every = 10";
    spec(
        "small",
        r#"tuning = "full""#,
        train,
        "seed = [13, 21]\nlr = [3e-4, 1e-3]",
    )
}

fn small_done() -> Arc<Done> {
    static SHARED: Shared<Done> = Shared::new();
    SHARED.get(|| Done::new("small", &small(), "2"))
}

fn report(of: &Done) -> Files {
    files(&of.place.path("results/small"))
}

#[test]
fn a_sweep_leaves_its_tables_and_figures() {
    let done = small_done();
    let results = report(&done);
    assert_eq!(results.keys().collect::<Vec<_>>(), REPORT);
    for parquet in ["runs.parquet", "steps.parquet"] {
        let bytes = &results[parquet];
        assert!(
            bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"),
            "{parquet}"
        );
    }
    assert!(results["loss.png"].starts_with(b"\x89PNG\r\n"));
    assert!(text(&results["loss.svg"]).contains("<svg"));
    assert_eq!(
        (
            done.place.runs("small").len(),
            done.place.trained("small").len()
        ),
        (5, 4)
    );
    let table = json(&done.place.path("results/small/table.json"));
    let rows = table["rows"].as_array().unwrap();
    let kinds: Vec<&str> = rows.iter().filter_map(|row| row["row"].as_str()).collect();
    assert_eq!(kinds[..3], ["zero-shot", "cell", "cell"]);
    assert_eq!(rows[1]["seeds"], serde_json::json!([13, 21]));
    let zero_shot = done
        .place
        .runs("small")
        .into_iter()
        .find(|dir| manifest(dir)["config"]["train"].is_null());
    let result = json(&zero_shot.unwrap().join("result.json"));
    let (accuracy, entropy) = (
        &result["best"]["test_accuracy"],
        &result["best"]["test_cross_entropy"],
    );
    assert_eq!(
        rows[0]["test_at_best_dev"]["accuracy"]["mean"],
        accuracy.as_f64().unwrap() * 100.0
    );
    assert_eq!(
        rows[0]["test_at_best_dev"]["cross_entropy"]["mean"],
        *entropy
    );
    assert_eq!(result["best"], result["last"]);
}

#[test]
fn piped_output_is_plain_lines() {
    let done = small_done();
    for said in [&done.out, &done.err] {
        assert!(
            said.chars().all(|c| c == '\n' || !c.is_control()),
            "{said:?}"
        );
    }
    let finished = done
        .err
        .lines()
        .filter(|line| line.starts_with("finished "))
        .count();
    assert_eq!(finished, 5, "{}", done.err);
    assert!(
        done.out.starts_with("small: ") && done.out.contains("zero-shot"),
        "{}",
        done.out
    );
    assert!(
        done.err
            .ends_with("tables, Parquet files and figures: results/small\n"),
        "{}",
        done.err
    );
}

#[test]
fn nothing_runs_twice() {
    let done = Done::new("small", &small(), "2");
    let all = |place: &Place| -> Vec<Files> {
        place.runs("small").iter().map(|dir| files(dir)).collect()
    };
    let (runs, results) = (all(&done.place), report(&done));
    let again = done.place.exits(0, "sweep run small.toml --jobs 2");
    for (now, before) in all(&done.place).iter().zip(&runs) {
        assert_same(now, before, "a run of a finished sweep");
    }
    assert_same(&report(&done), &results, "results of a finished sweep");
    assert_eq!(text(&again.stdout), done.out);
    assert!(
        !text(&again.stderr).contains("finished "),
        "{}",
        text(&again.stderr)
    );
}

#[test]
fn results_are_rebuilt_to_the_byte() {
    let done = Done::new("small", &small(), "1");
    let before = report(&done);
    fs::remove_dir_all(done.place.path("results")).unwrap();
    let said = text(&done.place.exits(0, "report small").stdout);
    assert_same(&report(&done), &before, "rebuilt results");
    let named: BTreeSet<&str> = said
        .lines()
        .map(|line| line.strip_prefix("results/small/").unwrap())
        .collect();
    assert_eq!(named.into_iter().collect::<Vec<_>>(), REPORT);

    // Another day, another number of jobs, another checkout: the runs are the same, and so is all made of them.
    let other = small_done();
    assert_same(
        &other.place.outcome("small"),
        &done.place.outcome("small"),
        "runs by two jobs and by one",
    );
    for place in [&done.place, &other.place] {
        place.exits(0, "report small --without-attempts");
    }
    assert_same(&report(&other), &report(&done), "results without attempts");
}

#[test]
fn a_data_folder_beside_the_spec_ties_no_run_to_its_checkout() {
    let outcomes = [".", "deep/er"].map(|checkout| {
        let place = Place::new();
        place.exits(
            0,
            "data split --task made-sentiment --k 40 --seed 1 --out made",
        );
        let made = place.path("made/made-sentiment/40-1");
        for (from, to) in [("train.tsv", "train.tsv"), ("dev.tsv", "dev.tsv")] {
            let rows = text(&fs::read(made.join(from)).unwrap());
            place.write(format!("{checkout}/data/SST-2/{to}"), &rows);
        }
        let train = "lr = 1e-4\nsteps = 3\nbatch_size = 4\neval_every = 2";
        let sweep = spec("own", "", train, "seed = [13]");
        let sweep = sweep.replace(r#""made-sentiment""#, "\"sst-2\"\ndata = \"../data\"");
        place.write(format!("{checkout}/experiments/own.toml"), &sweep);
        let mut command = place.mezo(["sweep", "run", "experiments/own.toml"]);
        ended(command.current_dir(place.path(checkout)), 0);
        fs::rename(place.path(checkout).join("runs"), place.path("kept")).unwrap();
        let mut all = Files::new();
        for entry in fs::read_dir(place.path("kept/own")).unwrap() {
            let dir = entry.unwrap().path();
            all.extend(
                outcome(&dir)
                    .into_iter()
                    .map(|(file, bytes)| (format!("{}/{file}", name(&dir)), bytes)),
            );
        }
        all
    });
    assert_same(&outcomes[0], &outcomes[1], "runs of two checkouts");
}

#[test]
fn a_failing_run_stops_no_other() {
    let done = small_done();
    let place = Place::new();
    place.write("small.toml", &small());
    let trained = done.place.trained("small");
    let [folder, garbage] = [&trained[0], &trained[2]].map(|dir| name(dir));
    fs::create_dir_all(place.path(format!("runs/small/{folder}/steps.jsonl"))).unwrap();
    place.write(format!("runs/small/{garbage}/steps.jsonl"), "garbage\n");

    let output = place.exits(10, "sweep run small.toml --jobs 2");
    let said = text(&output.stderr);
    for id in [&folder, &garbage] {
        assert!(
            said.contains(&format!(
                "error: run {id}: error: runs/small/{id}/steps.jsonl:"
            )),
            "{said}"
        );
        let attempts = json_lines(&place.path(format!("runs/small/{id}/attempts.jsonl")));
        assert_eq!(attempts.last().unwrap()["reason"], "failed");
    }
    assert!(text(&output.stdout).contains("zero-shot"));
    for dir in done.place.runs("small") {
        let here = place.path("runs/small").join(name(&dir));
        if [&folder, &garbage].contains(&&name(&dir)) {
            assert!(!here.join("result.json").exists());
        } else {
            assert_same(&outcome(&here), &outcome(&dir), "a run beside a failed one");
        }
    }

    // Once the damage is gone they may be tried again.
    fs::remove_dir(place.path(format!("runs/small/{folder}/steps.jsonl"))).unwrap();
    fs::remove_file(place.path(format!("runs/small/{garbage}/steps.jsonl"))).unwrap();
    place.exits(0, "sweep retry small");
    place.exits(0, "sweep run small.toml --jobs 2");
    assert_same(
        &place.outcome("small"),
        &done.place.outcome("small"),
        "after the repair",
    );
}

#[test]
fn a_comparison_is_printed_and_written() {
    let done = small_done();
    let printed = done.place.exits(0, "compare small --format md");
    let markdown = text(&printed.stdout);
    assert!(
        markdown.starts_with("# small\n") && markdown.contains("\n| MeZO |"),
        "{markdown}"
    );
    assert!(markdown.contains("2 seeds"), "{markdown}");
    assert!(markdown.contains("no number here is a reproduction (partial grid)"));
    let written = done.place.exits(0, "compare small --out beside");
    assert_eq!(text(&written.stdout).lines().count(), 4);
    let written = files(&done.place.path("beside"));
    assert_eq!(text(&written["compare.md"]), markdown);
    for (format, file) in [
        ("csv", "compare.csv"),
        ("latex", "compare.tex"),
        ("json", "compare.json"),
    ] {
        let printed = done
            .place
            .exits(0, &format!("compare small --format {format}"));
        assert_eq!(text(&printed.stdout), text(&written[file]), "{format}");
    }
    let nowhere = done.place.exits(1, "compare small nowhere");
    let message = text(&nowhere.stderr);
    assert!(
        message.contains("nowhere: expected a readable folder of runs"),
        "{message}"
    );
    done.place.exits(2, "compare");

    // A copy of which a run has no result yet: a number with runs to go.
    let runs = Place::new();
    for run in done.place.runs("small") {
        let copy = runs.path("runs/small").join(name(&run));
        fs::create_dir_all(&copy).unwrap();
        for file in ["manifest.json", "result.json"] {
            fs::copy(run.join(file), copy.join(file)).unwrap();
        }
    }
    fs::remove_file(runs.trained("small")[0].join("result.json")).unwrap();
    let printed = runs.exits(5, "compare small --format csv");
    assert!(text(&printed.stdout).contains(",outstanding,4,3,"));
}

#[test]
fn tables_are_printed_in_every_format() {
    let done = small_done();
    let results = report(&done);
    for (format, file) in [
        ("md", "table.md"),
        ("csv", "table.csv"),
        ("latex", "table.tex"),
        ("json", "table.json"),
    ] {
        let printed = done
            .place
            .exits(0, &format!("table small --format {format}"));
        assert_eq!(text(&printed.stdout), text(&results[file]), "{format}");
        assert_eq!(text(&printed.stderr), "", "{format}");
    }
    assert_eq!(text(&done.place.exits(0, "table small").stdout), done.out);
    let markdown = text(&results["table.md"]);
    assert!(
        markdown.starts_with("# small\n") && markdown.contains("\n| zero-shot |"),
        "{markdown}"
    );
    assert!(
        markdown.contains("partial grid") && markdown.contains("made, not found"),
        "{markdown}"
    );
    assert!(text(&results["table.tex"]).contains("\\begin{tabular}"));
    let csv = text(&results["table.csv"]);
    assert!(
        csv.starts_with("row,model,task,") && csv.lines().count() > 3,
        "{csv}"
    );
}
