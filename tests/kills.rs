//! Sweeps and their workers are killed at random instants, and everything ends as if they had not been.
//!
//! `cargo test` does a few rounds. The long form: `cargo test --release -p mezo --test kills -- --rounds 1000 --real-rounds 30`;
//! `--seed N` begins elsewhere.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "kills/cast.rs"]
mod cast;
mod common;
#[path = "kills/dice.rs"]
mod dice;
#[path = "kills/real.rs"]
mod real;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use dice::Dice;
use mezo_run::{ATTEMPTS, LOG, RESULT};

/// Runs of a round with the scripted trainer.
const RUNS: usize = 8;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["trainer", .., dir] => std::process::exit(cast::train(Path::new(dir), false)),
        ["sweep", root] => {
            cast::sweep(Path::new(root), RUNS, false);
        }
        _ if !cfg!(target_os = "linux") => println!("kills: skipped, there is no /proc here"),
        _ => campaign(&args),
    }
}

fn campaign(args: &[String]) {
    let number = |name: &str, default: u64| {
        let at = args.iter().position(|arg| arg == name);
        at.map_or(default, |at| args[at + 1].parse().unwrap())
    };
    let (rounds, real_rounds) = (number("--rounds", 20), number("--real-rounds", 2));
    let first = number("--seed", 1);
    let mut kills = Kills::default();
    let since = Instant::now();
    for round in first..first + rounds {
        let root = tempfile::tempdir().unwrap();
        if let Err(wrong) = scripted_round(root.path(), &mut Dice::new(round), &mut kills) {
            let kept = root.keep();
            panic!(
                "round {round}: {wrong}; its files are in {}",
                kept.display()
            );
        }
        if (round - first + 1).is_multiple_of(100) {
            println!(
                "kills: {} rounds, {:.0} s",
                round - first + 1,
                since.elapsed().as_secs_f64()
            );
        }
    }
    println!(
        "kills: {rounds} rounds with a scripted trainer, {} sweeps and {} workers killed, {:.0} s",
        kills.sweeps,
        kills.workers,
        since.elapsed().as_secs_f64()
    );
    // Else the instants fell where nothing was to be killed, and nothing was shown.
    assert!(kills.sweeps >= rounds / 2 && kills.workers >= rounds / 2);
    real::rounds(first, real_rounds);
}

/// How many processes were killed.
#[derive(Default)]
pub struct Kills {
    pub sweeps: u64,
    pub workers: u64,
}

/// What is killed at an instant.
#[derive(Clone, Copy, PartialEq)]
pub enum Victim {
    Sweep,
    Worker,
    Both,
}

impl Victim {
    pub fn draw(dice: &mut Dice) -> Self {
        [Self::Sweep, Self::Worker, Self::Both][dice.below(3) as usize]
    }
}

fn scripted_round(root: &Path, dice: &mut Dice, kills: &mut Kills) -> Result<(), String> {
    let mut seen = Seen::default();
    let mut sweep = start(root);
    for _ in 0..1 + dice.below(5) {
        sleep(Duration::from_millis(dice.below(150)));
        let victim = Victim::draw(dice);
        if victim != Victim::Sweep {
            let workers = cast::processes(root, "trainer");
            if !workers.is_empty() {
                kill(workers[dice.below(workers.len() as u64) as usize]);
                kills.workers += 1;
            }
        }
        if victim != Victim::Worker {
            drop(sweep);
            kills.sweeps += 1;
            // Sometimes at once, while the orphans are still at it, and sometimes later.
            sleep(Duration::from_millis(dice.below(2) * 60));
            seen.look(root)?;
            sweep = start(root);
        }
        seen.look(root)?;
    }
    finish(root, sweep)?;
    seen.look(root)?;
    cast::check(root, RUNS)
}

/// Lets the sweep end, tries again what failed by script, and ends the rest.
fn finish(root: &Path, mut sweep: Sweep) -> Result<(), String> {
    for _ in 0..6 {
        let limit = Instant::now() + Duration::from_secs(60);
        while sweep.0.try_wait().unwrap().is_none() {
            if Instant::now() > limit {
                return Err("the sweep does not end".into());
            }
            sleep(Duration::from_millis(5));
        }
        let runs = cast::runs(root, RUNS);
        let open: Vec<_> = runs.iter().filter(|run| !run.is_finished()).collect();
        if open.is_empty() {
            return Ok(());
        }
        for run in open {
            let state = run.state().map_err(|error| error.to_string())?;
            if matches!(state, mezo_sweep::State::Failed(_)) {
                mezo_sweep::retry(run).map_err(|error| error.to_string())?;
            }
        }
        sweep = start(root);
    }
    Err("runs are outstanding after six sweeps".into())
}

/// What must never change back: an accepted result, and what was written down of failures.
#[derive(Default)]
struct Seen {
    results: BTreeMap<String, u64>,
    records: BTreeMap<String, Vec<u8>>,
}

impl Seen {
    fn look(&mut self, root: &Path) -> Result<(), String> {
        for run in cast::runs(root, RUNS) {
            if let Ok(data) = fs::metadata(run.dir.join(RESULT)) {
                let first = *self.results.entry(run.id.clone()).or_insert(data.ino());
                if first != data.ino() {
                    return Err(format!("run {}: its result was replaced", run.id));
                }
            } else if self.results.contains_key(&run.id) {
                return Err(format!("run {}: its result is gone", run.id));
            }
            for name in [ATTEMPTS, LOG] {
                let mut now = fs::read(run.dir.join(name)).unwrap_or_default();
                // The last line may be half written.
                now.truncate(
                    now.iter()
                        .rposition(|&byte| byte == b'\n')
                        .map_or(0, |at| at + 1),
                );
                let before = self
                    .records
                    .entry(format!("{}/{name}", run.id))
                    .or_default();
                if !now.starts_with(before) {
                    return Err(format!("run {}: {name} has lost lines", run.id));
                }
                *before = now;
            }
        }
        Ok(())
    }
}

/// A sweep's process, which is killed with this.
struct Sweep(Child);

impl Drop for Sweep {
    fn drop(&mut self) {
        // One that has ended is only waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(root: &Path) -> Sweep {
    let mut command = Command::new(cast::this_program());
    let command = command.arg("sweep").arg(root).stdin(Stdio::null());
    Sweep(command.spawn().unwrap())
}

pub fn kill(pid: i32) {
    // One that has just ended needs no signal.
    let _ = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}
