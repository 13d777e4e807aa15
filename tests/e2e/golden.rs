//! Goldens of behaviour: the journal, evaluations and result of a few steps of every method and option, as mezo 0.1 computed
//! them, and the tables made of them.
//!
//! `GOLDEN_MEZO=<program> cargo test --release -p mezo --test golden -- --ignored` records them again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::Place;
use serde_json::Value;

const SPECS: [&str; 4] = ["mezo", "fine-tuning", "probing", "no-prompt"];
/// On a processor of another kind the last bits of a loss may differ. A projected gradient is a difference of two losses over
/// `2 eps`, here 2e-3: what is 1e-7 in a loss is 1e-4 in it, and a few steps carry it on.
const RELATIVE: f64 = 1e-2;
const ABSOLUTE: f64 = 2e-3;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden")
}

/// What decides a processor's bits: its kind, and the instructions that kernels choose by.
fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let value = |name: &str| {
        let mut pairs = info.lines().filter_map(|line| line.split_once(':'));
        let found = pairs.find(|(key, _)| key.trim() == name);
        found.map_or("unknown", |(_, value)| value.trim())
    };
    let flags = value("flags");
    let has = |flag: &&str| flags.split_whitespace().any(|known| known == *flag);
    let instructions = ["avx2", "fma", "avx512f", "avx512vl"]
        .into_iter()
        .filter(has);
    let kind = ["model name", "cpu family", "model"].map(value).join(", ");
    format!("{kind}: {}", instructions.collect::<Vec<_>>().join(" "))
}

fn output(program: &Path, place: &Place, args: &[&str]) -> String {
    let output = Command::new(program)
        .args(args)
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a program makes of a spec, each thing under a line with its name. Ids are left out: they change with what they cover.
fn made(program: &Path, name: &str) -> String {
    let place = Place::new();
    let spec = format!("{name}.toml");
    fs::copy(folder().join("specs").join(&spec), place.path(&spec)).unwrap();
    output(
        program,
        &place,
        &["sweep", "run", &spec, "--devices", "cpu"],
    );
    let plan = output(
        program,
        &place,
        &["sweep", "plan", &spec, "--format", "json"],
    );
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let mut sections: BTreeMap<String, String> = BTreeMap::new();
    for run in plan["sweeps"][0]["runs"].as_array().unwrap() {
        let (id, label) = (run["id"].as_str().unwrap(), run["label"].as_str().unwrap());
        let dir = place.path(format!("runs/golden-{name}/{id}"));
        for file in ["steps.jsonl", "evals.jsonl", "result.json"] {
            // What is only evaluated has no steps.
            let text = match fs::read_to_string(dir.join(file)) {
                Err(_) if file == "steps.jsonl" => String::new(),
                text => text.unwrap(),
            };
            let number = sections
                .keys()
                .filter(|key| key.ends_with(&format!("{label} {file}")));
            let title = format!("{:02} {label} {file}", number.count());
            sections.insert(title, text.replace(id, "<id>"));
        }
    }
    for format in ["human", "md", "csv", "latex"] {
        let sweep = format!("golden-{name}");
        let table = output(program, &place, &["table", &sweep, "--format", format]);
        sections.insert(format!("table {format}"), table);
    }
    let section = |(title, text): (&String, &String)| format!("== {title}\n{}\n", text.trim_end());
    sections.iter().map(section).collect()
}

/// A text in parts: numbers, and what stands between them.
fn parts(text: &str) -> Vec<Result<f64, &str>> {
    let is_number = |c: char| c.is_ascii_digit() || ".-+eE".contains(c);
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let numeric = rest.starts_with(is_number);
        let end = rest
            .find(|c: char| is_number(c) != numeric)
            .unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part.parse().map_err(|_| part));
        rest = after;
    }
    parts
}

fn near(expected: &str, found: &str) -> bool {
    if rate(expected) != rate(found) {
        return false;
    }
    let (expected, found) = (parts(expected), parts(found));
    let same = |pair: (&Result<f64, &str>, &Result<f64, &str>)| match pair {
        (Ok(a), Ok(b)) => (a - b).abs() <= RELATIVE * a.abs().max(b.abs()) + ABSOLUTE,
        (a, b) => a == b,
    };
    expected.len() == found.len() && expected.iter().zip(&found).all(same)
}

/// The learning rate of a line of the journal, which no processor changes.
fn rate(line: &str) -> Option<&str> {
    line.split_once("\"lr\":")?.1.split(',').next()
}

/// What is recorded without the tables, whose ratios and ranks rounding may change.
fn without_tables(text: &str) -> &str {
    text.split("== table").next().unwrap_or(text)
}

/// The first line in which two texts differ.
fn difference(expected: &str, found: &str, same: impl Fn(&str, &str) -> bool) -> Option<String> {
    let mut title = "";
    let (mut theirs, mut ours) = (expected.lines(), found.lines());
    loop {
        let (a, b) = (theirs.next(), ours.next());
        match (a, b) {
            (None, None) => return None,
            (Some(a), Some(b)) if same(a, b) => {
                if a.starts_with("== ") {
                    title = a;
                }
            }
            (a, b) => return Some(format!("{title}\n  recorded: {a:?}\n  found:    {b:?}")),
        }
    }
}

#[test]
fn every_method_computes_what_it_computed() {
    let recorded = fs::read_to_string(folder().join("processor.txt")).unwrap();
    let exact = recorded.trim() == processor();
    println!(
        "compared {}",
        if exact {
            "bit for bit"
        } else {
            "to rounding: another processor"
        }
    );
    for name in SPECS {
        let expected = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
        let found = made(Path::new(env!("CARGO_BIN_EXE_mezo")), name);
        let difference = match exact {
            true => difference(&expected, &found, |a, b| a == b),
            false => difference(without_tables(&expected), without_tables(&found), near),
        };
        if let Some(difference) = difference {
            panic!("{name}: {difference}");
        }
    }
}

#[test]
#[ignore = "records the goldens again"]
fn record() {
    let Some(program) = std::env::var_os("GOLDEN_MEZO").map(PathBuf::from) else {
        println!("nothing is recorded: GOLDEN_MEZO names no program");
        return;
    };
    fs::write(folder().join("processor.txt"), processor() + "\n").unwrap();
    for name in SPECS {
        fs::write(folder().join(format!("{name}.txt")), made(&program, name)).unwrap();
    }
}

#[test]
fn numbers_are_compared_as_numbers() {
    assert!(near(
        "{\"a\":0.50001,\"b\":[1]}",
        "{\"a\":0.50002,\"b\":[1]}"
    ));
    assert!(!near("{\"a\":0.51}", "{\"a\":0.52}"));
    assert!(!near("{\"a\":0.5}", "{\"b\":0.5}"));
    assert!(!near("1 2", "1"));
    assert!(!near("{\"lr\":1e-4,", "{\"lr\":2e-4,"));
}
