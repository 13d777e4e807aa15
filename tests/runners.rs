//! Two runners at once on one sweep of 200 runs: none is carried out twice, none is missed. `--rounds N` does more.
//!
//! Where that is allowed (to root, with `unshare`), the second runner has a host's name and process numbers of its own, as on
//! another host that shares the folder: neither sees the other's processes.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "kills/cast.rs"]
mod cast;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use mezo_run::{Attempt, attempts};

const RUNS: usize = 200;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["calm-trainer", .., dir] => std::process::exit(cast::train(Path::new(dir), true)),
        ["sweep", root] => {
            let outcome = cast::sweep(Path::new(root), RUNS, true);
            assert_eq!(outcome.finished.len(), RUNS, "{outcome:?}");
        }
        _ if !cfg!(target_os = "linux") => println!("runners: skipped, there is no /proc here"),
        _ => rounds(&args),
    }
}

fn rounds(args: &[String]) {
    let at = args.iter().position(|arg| arg == "--rounds");
    let rounds: usize = at.map_or(2, |at| args[at + 1].parse().unwrap());
    let since = Instant::now();
    let mut shares = Vec::new();
    for round in 0..rounds {
        shares.push(one(round));
    }
    let as_hosts = if apart() { " as on two hosts" } else { "" };
    println!(
        "runners{as_hosts}: {rounds} rounds of {RUNS} runs, none twice, none missed; the second runner had {shares:?}; {:.0} s",
        since.elapsed().as_secs_f64()
    );
}

/// How many runs the second runner carried out.
fn one(round: usize) -> usize {
    let root = tempfile::tempdir().unwrap();
    let mut two = [
        start(root.path(), "first", false),
        start(root.path(), "second", apart()),
    ];
    for child in &mut two {
        assert!(child.wait().unwrap().success(), "round {round}");
    }
    cast::check(root.path(), RUNS).unwrap();
    let mut second = 0;
    for run in cast::runs(root.path(), RUNS) {
        let lines = attempts(&run.dir).unwrap();
        let starts = lines
            .iter()
            .filter(|line| matches!(line, Attempt::Start(_)));
        assert_eq!(
            starts.count(),
            1,
            "round {round}: run {} was begun twice: {lines:?}",
            run.id
        );
        let log = std::fs::read_to_string(run.dir.join("log.txt")).unwrap();
        second += usize::from(log.contains("carried out by second"));
    }
    assert!(
        (1..RUNS).contains(&second),
        "round {round}: one of the two did all"
    );
    second
}

fn start(root: &Path, name: &str, apart: bool) -> Child {
    let program = cast::this_program();
    let mut command = match apart {
        false => Command::new(program),
        true => {
            let mut command = Command::new("unshare");
            command
                .args(APART)
                .args(["sh", "-c", "hostname second; exec \"$0\" \"$@\""]);
            command.arg(program);
            command
        }
    };
    let command = command.arg("sweep").arg(root).env("RUNNER", name);
    command.stdin(Stdio::null()).spawn().unwrap()
}

/// A host's name and process numbers of its own.
const APART: [&str; 4] = ["--uts", "--pid", "--fork", "--kill-child"];

/// Whether processes may be put apart here.
fn apart() -> bool {
    let tried = Command::new("unshare")
        .args(APART)
        .args(["hostname", "second"])
        .stderr(Stdio::null())
        .status();
    tried.is_ok_and(|status| status.success())
}
