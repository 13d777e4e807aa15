//! The same with the real command.

use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{Done, Files, Place, assert_same, spec, wait_until};
use crate::dice::Dice;
use crate::{Victim, kill};

const NAME: &str = "killed";

/// Four runs of 60 steps, and a zero-shot run beside them.
fn text() -> String {
    let train = "steps = 60\nbatch_size = 4\neval_every = 20";
    let sweep = "seed = [13, 21]\nlr = [1e-4, 1e-3]";
    spec(NAME, r#"tuning = "lora""#, train, sweep)
}

pub fn rounds(first: u64, rounds: u64) {
    if rounds == 0 {
        return;
    }
    let done = Done::new(NAME, &text(), "2");
    let expected = done.place.outcome(NAME);
    let since = Instant::now();
    let took = duration_of_a_sweep();
    let mut killed = 0;
    for round in first..first + rounds {
        killed += one(&mut Dice::new(round), took, &expected);
    }
    assert!(killed >= rounds, "{killed} kills in {rounds} rounds");
    println!(
        "kills: {rounds} rounds with the real command, {killed} kills, {:.0} s",
        since.elapsed().as_secs_f64()
    );
}

fn start(place: &Place) -> Child {
    let mut command = place.mezo(["sweep", "run", &format!("{NAME}.toml"), "-j", "2"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// So that the instants fall into a sweep, on whatever machine.
fn duration_of_a_sweep() -> Duration {
    let place = Place::new();
    place.write(format!("{NAME}.toml"), &text());
    let since = Instant::now();
    assert!(start(&place).wait().unwrap().success());
    since.elapsed()
}

/// Kills at two to five instants, and lets it end; how often it killed.
fn one(dice: &mut Dice, took: Duration, expected: &Files) -> u64 {
    let place = Place::new();
    place.write(format!("{NAME}.toml"), &text());
    let mut sweep = start(&place);
    let mut killed = 0;
    for _ in 0..2 + dice.below(4) {
        sleep(took.mul_f64(dice.below(400) as f64 / 1000.0));
        let victim = Victim::draw(dice);
        let workers = workers(place.root());
        if victim != Victim::Sweep && !workers.is_empty() {
            kill(workers[dice.below(workers.len() as u64) as usize]);
            killed += 1;
        }
        if victim != Victim::Worker {
            sweep.kill().unwrap();
            sweep.wait().unwrap();
            killed += 1;
            sleep(Duration::from_millis(dice.below(2) * 200));
            sweep = start(&place);
        }
    }
    let ended = sweep.wait().unwrap();
    if !ended.success() {
        tried_again(&place, ended);
    }
    wait_until("no process is left", Duration::from_secs(10), || {
        workers(place.root()).is_empty()
    });
    assert_same(&place.outcome(NAME), expected, "a sweep that was killed");
    for dir in place.runs(NAME) {
        // What a process that was killed after its result left in the lock holds nobody back.
        let holder = mezo_run::Lease::holder(&dir).unwrap();
        assert_eq!(holder, None, "a lease is left");
    }
    killed
}

/// A run that chance killed three times in a row before it made a step has failed, and is tried again. Nothing else has.
fn tried_again(place: &Place, ended: ExitStatus) {
    assert_eq!(ended.code(), Some(10), "the last sweep ended with {ended}");
    let status = place.exits(10, &format!("sweep status {NAME} --format json"));
    let status: serde_json::Value = serde_json::from_slice(&status.stdout).unwrap();
    for run in status["runs"].as_array().unwrap() {
        let class = &run["class"];
        assert!(class.is_null() || class == "killed", "{run}");
    }
    place.exits(0, &format!("sweep retry {NAME} --class killed"));
    assert!(start(place).wait().unwrap().success());
}

/// The workers of a sweep that was started in a folder.
fn workers(root: &Path) -> Vec<i32> {
    let root = root.canonicalize().unwrap();
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let here = |entry: &std::fs::DirEntry| -> Option<i32> {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let cwd = std::fs::read_link(entry.path().join("cwd")).ok()?;
        let line = std::fs::read(entry.path().join("cmdline")).ok()?;
        let trains = line.split(|&byte| byte == 0).nth(1) == Some(b"train");
        (cwd == root && trains).then_some(pid)
    };
    entries.filter_map(|entry| here(&entry)).collect()
}
