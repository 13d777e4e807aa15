//! What `mezo sweep plan` says of runs that are done, to do, and not to be had yet.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::{Place, ended, spec, text};
use serde_json::Value;

/// The paper's specs where neither data nor weights are.
fn paper() -> (Place, Vec<String>) {
    let place = Place::new();
    let specs = copied(&place, "experiments/paper");
    (place, specs)
}

/// The specs of a folder of the project, put into the place.
fn copied(place: &Place, folder: &str) -> Vec<String> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(folder);
    let mut specs = Vec::new();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "toml") {
            let to = format!("{folder}/{}", crate::common::name(&path));
            place.write(&to, &fs::read_to_string(path).unwrap());
            specs.push(to);
        }
    }
    specs.sort();
    specs
}

/// A plan with nothing in the hub's cache.
fn plan(place: &Place, specs: &[String], more: &[&str]) -> Output {
    let mut command = place.mezo(["sweep", "plan"]);
    command
        .args(specs)
        .args(more)
        .env("HF_HOME", place.path("hub"));
    ended(&mut command, 0)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The number at the end of a line that begins so.
fn told(said: &str, name: &str) -> String {
    let line = said.lines().rfind(|line| line.starts_with(name));
    let line = line.unwrap_or_else(|| panic!("nothing of {name} in {said}"));
    line.split_whitespace().last().unwrap().to_owned()
}

#[test]
fn every_spec_of_the_project_is_sound() {
    let place = Place::new();
    for folder in ["experiments", "experiments/options", "experiments/small"] {
        let specs = copied(&place, folder);
        assert!(specs.len() > 5, "{folder}: {specs:?}");
        for spec in specs {
            // On the processor all precisions are one.
            let gpu = spec.ends_with("precision.toml");
            let devices: &[&str] = if gpu { &["--devices", "cuda:0"] } else { &[] };
            let said = text(&plan(&place, std::slice::from_ref(&spec), devices).stderr);
            // The built-in model and its task are everywhere.
            let here = folder.ends_with("options") || spec.ends_with("quickstart.toml");
            assert_eq!(here, !said.contains("unresolved"), "{spec}: {said}");
        }
    }
}

#[test]
fn the_papers_grids_are_planned_without_data_and_weights() {
    let (place, specs) = paper();
    let output = plan(&place, &specs, &[]);
    let (out, said) = (text(&output.stdout), text(&output.stderr));
    assert!(!place.path("runs").exists());
    assert!(
        said.contains(
            "\nall 12 specs:\n4,447 runs, 0 finished, 4,447 outstanding (4,447 unresolved)\n"
        ),
        "{said}"
    );
    // 180 + 180 + 180 + 300 runs of Table 15 and 7 and 60 of Table 19 at 100,000 steps, 840 of Table 4 at 5,000, and 2,520 of
    // fine-tuning at 1,000.
    assert_eq!(told(&said, "steps"), "96,720,000");
    assert_eq!(told(&said, "backward passes"), "2,520,000");
    let passes: u64 = told(&said, "forward passes")
        .replace(',', "")
        .parse()
        .unwrap();
    let steps_alone = 2 * (900 * 100_000 + 840 * 5_000) + 2_520 * 1_000;
    let evaluations = passes - steps_alone;
    assert!(
        (2_000_000..4_000_000).contains(&evaluations),
        "{evaluations}"
    );
    assert_ne!(told(&said, "tokens"), "0");
    assert!(
        said.contains("no pace was measured yet for 187 runs of roberta-large untrained"),
        "{said}"
    );
    assert!(said.contains("--tokens-per-second N"), "{said}");
    // Each thing that is not there is told once, with the number of runs that want it, and each way out once.
    let lines = |start: &str| said.lines().filter(|line| line.starts_with(start)).count();
    assert_eq!(lines("unresolved, "), 7, "{said}");
    assert_eq!(lines("unresolved, 4,447 runs: "), 1, "{said}");
    assert!(
        said.contains("roberta-large")
            && said.contains("--model DIR")
            && said.contains("--data DIR"),
        "{said}"
    );
    let fetch = "hint: `mezo data fetch TASK --out experiments/paper/../../data` fetches";
    assert_eq!(said.matches(fetch).count(), 1, "{said}");
    assert!(said.contains("hint: the data of sst-5: "), "{said}");
    // Far too many for a line each.
    assert!(
        out.contains("paper-mezo:\n") && out.lines().count() < 1000,
        "{out}"
    );
    let zero_shot = "-                 unresolved      zero-shot task trec k 512\n";
    assert!(out.contains(zero_shot), "{out}");
    assert!(
        out.contains("45 runs           unresolved      task.name trec task.k 512\n"),
        "{out}"
    );

    let given = plan(&place, &specs[..1], &["--tokens-per-second", "1e6"]);
    let said = text(&given.stderr);
    assert!(
        said.contains("given by --tokens-per-second") && said.contains("hours"),
        "{said}"
    );
}

fn readme() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    fs::read_to_string(path).unwrap()
}

#[test]
fn the_readme_shows_a_sound_spec() {
    let readme = readme();
    let (_, spec) = readme.split_once("```toml\n").unwrap();
    let (spec, _) = spec.split_once("```").unwrap();
    let place = Place::new();
    place.write("experiments/my-sweep.toml", spec);
    let found = json(&plan(
        &place,
        &["experiments/my-sweep.toml".into()],
        &["--format", "json"],
    ));
    // 5 seeds, 3 learning rates and 2 k, and zero-shot for each k.
    let runs = found["sweeps"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 32);
}

#[test]
fn the_readme_shows_a_real_plan() {
    let (place, _) = paper();
    let output = plan(&place, &["experiments/paper/mezo.toml".into()], &[]);
    let readme = readme();
    let (_, shown) = readme
        .split_once("$ mezo sweep plan experiments/paper/mezo.toml\n...\n")
        .unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let said = text(&output.stderr);
    assert!(said.starts_with(shown), "{said}");
}

#[test]
fn every_run_is_listed_on_demand_and_as_json() {
    let (place, _) = paper();
    let ft = ["experiments/paper/ft.toml".to_owned()];
    let all = text(&plan(&place, &ft, &["--all"]).stdout);
    assert_eq!(all.lines().count(), 552);
    let line = "-                 unresolved      task mnli k 512 seed 87 batch_size 32 lr 3e-5";
    assert!(all.lines().any(|own| own == line), "{all}");
    let found = json(&plan(&place, &ft, &["--format", "json"]));
    let runs = found["sweeps"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 552);
    let last = &runs[551];
    assert_eq!(
        (&last["id"], &last["state"]),
        (&Value::Null, &"unresolved".into())
    );
    assert_eq!(last["cost"]["backward_passes"], 1000);
    assert_eq!(last["swept"][1]["key"], "task.k");
    let summary = &found["sweeps"][0]["summary"];
    assert_eq!(summary["states"]["unresolved"], 552);
    assert_eq!(summary["cost"]["steps"], 540_000);
    assert_eq!(
        (&summary["hours"], &found["total"]["runs"]),
        (&Value::Null, &552.into())
    );
    assert_eq!(found["sweeps"][0]["unresolved"][0]["runs"], 552);
}

#[test]
fn a_sweep_does_not_run_without_what_it_names() {
    let (place, _) = paper();
    let mut command = place.mezo(["sweep", "run", "experiments/paper/mezo.toml"]);
    command
        .env("HF_HOME", place.path("hub"))
        .env("HF_HUB_OFFLINE", "1");
    let output = ended(&mut command, 3);
    let said = text(&output.stderr);
    assert!(
        said.contains("roberta-large") && said.contains("HF_HUB_OFFLINE"),
        "{said}"
    );
    assert!(!place.path("runs").exists());
}

#[test]
fn what_is_wrong_in_a_spec_is_wrong_without_its_data_too() {
    let sound = "name = \"a\"\n[model]\npath = \"nowhere\"\n[task]\nname = \"sst-2\"\ndata = \"nowhere\"\nk = 16\n\
                 [method]\nname = \"mezo\"\n[train]\nseed = 1\nsteps = 10\nbatch_size = 4\neval_every = 5\nlr = 1e-5\n\
                 eps = 1e-3\n";
    let place = Place::new();
    place.write("a.toml", sound);
    let said = text(&plan(&place, &["a.toml".into()], &[]).stderr);
    assert!(
        said.contains("2 runs, 0 finished, 2 outstanding (2 unresolved)"),
        "{said}"
    );
    for (right, wrong, at) in [
        ("\"sst-2\"", "\"sst2\"", "a.toml:5:8: "),
        ("lr = 1e-5", "lr = 0", "a.toml:15:6: "),
        ("k = 16", "k = 16\ntemplate = \"no mask\"", "a.toml:8:12: "),
        ("k = 16", "kay = 16", "a.toml:7:1: "),
    ] {
        place.write("a.toml", &sound.replace(right, wrong));
        let said = text(&place.exits(3, "sweep plan a.toml").stderr);
        assert!(said.contains(at), "{said}");
    }
}

#[test]
fn hours_are_told_by_what_runs_took() {
    let train = "steps = 20\nbatch_size = 4\neval_every = 10";
    let place = Place::new();
    let small = spec("small", "", train, "seed = [13]\nlr = [3e-4, 1e-3]");
    place.write("small.toml", &small);
    place.exits(0, "sweep run small.toml --jobs 1");
    // One more learning rate and one task without data beside what is done.
    let sweep = "[[sweep]]\nseed = [13]\nlr = [3e-4, 1e-3, 3e-3]\n\"task.name\" = [\"made-sentiment\"]\n\
                 [[sweep]]\nseed = [13]\nlr = [1e-3]\n\"task.name\" = [\"sst-2\"]\n\"task.data\" = [\"nowhere\"]\n";
    let (body, _) = small.split_once("[sweep]").unwrap();
    let body = body.replace("name = \"made-sentiment\"\n", "");
    place.write("small.toml", &format!("{body}{sweep}"));
    let output = plan(&place, &["small.toml".into()], &["--format", "json"]);
    let found = json(&output);
    let runs = found["sweeps"][0]["runs"].as_array().unwrap();
    let states: Vec<&str> = runs
        .iter()
        .map(|run| run["state"].as_str().unwrap())
        .collect();
    let [done, missing] = ["finished", "unresolved"];
    assert_eq!(states, [done, missing, done, done, "to-run", missing]);
    let summary = &found["sweeps"][0]["summary"];
    let hours = summary["hours"].as_f64().unwrap();
    assert!(hours > 0.0 && hours < 1.0, "{hours}");
    for paced in summary["paces"].as_array().unwrap() {
        assert!(
            paced["tokens_per_second"].as_f64().unwrap() > 0.0,
            "{paced}"
        );
        let source = paced["source"].as_str().unwrap();
        assert!(
            source.starts_with("the median of ") && source.contains(" on cpu, "),
            "{source}"
        );
    }

    // What is finished is not outstanding.
    place.write("small.toml", &small);
    let done = json(&plan(&place, &["small.toml".into()], &["--format", "json"]));
    let summary = &done["sweeps"][0]["summary"];
    assert_eq!(
        (
            &summary["states"]["finished"],
            &summary["outstanding"]["tokens"]
        ),
        (&3.into(), &0.into())
    );
    assert_eq!(summary["cost"]["steps"], 40);
    // 20 steps of two passes, dev's 32 rows twice and test's 40 twice, in batches of 4; zero-shot in batches of 64.
    assert_eq!(
        summary["cost"]["forward_passes"],
        2 * (40 + 2 * 8 + 2 * 10) + 1
    );
}

#[test]
fn one_split_may_be_there_and_another_not() {
    let place = Place::new();
    place.exits(
        0,
        "data split --task made-sentiment --k 16 --seed 13 --out made",
    );
    for file in ["train.tsv", "dev.tsv", "test.tsv"] {
        let rows = fs::read_to_string(place.path(format!("made/made-sentiment/16-13/{file}")));
        place.write(format!("data/SST-2/16-13/{file}"), &rows.unwrap());
    }
    let train = "lr = 1e-4\nsteps = 3\nbatch_size = 4\neval_every = 2";
    for seeds in ["[13, 21]", "[21, 13]"] {
        let sweep = spec("own", "", train, &format!("seed = {seeds}"));
        let sweep = sweep.replace(r#""made-sentiment""#, "\"sst-2\"\ndata = \"data\"");
        place.write("own.toml", &sweep);
        let output = plan(&place, &["own.toml".into()], &[]);
        let (out, said) = (text(&output.stdout), text(&output.stderr));
        let line = |words: &str| {
            let mut lines = out.lines().filter(|line| line.ends_with(words));
            let line = lines.next().unwrap().to_owned();
            assert_eq!(lines.next(), None, "{out}");
            line
        };
        // There is one zero-shot run, of the test rows that are there.
        assert!(line("zero-shot").contains("  to run  "), "{out}");
        assert!(line("seed 13").contains("  to run  "), "{out}");
        assert!(
            line("seed 21").starts_with("-                 unresolved  "),
            "{out}"
        );
        assert!(said.contains("unresolved, 1 run: "), "{said}");
        let refused = text(&place.exits(3, "sweep run own.toml").stderr);
        assert!(refused.contains("data/SST-2/train.tsv"), "{refused}");
        assert!(!place.path("runs").exists());
    }
}
