//! Real runs of the built-in model, as a user has them: with journal, snapshots and progress.

use std::path::{Path, PathBuf};

use mezo_run::{Attempt, RunPlan, attempts};
use mezo_spec::{DeviceKind, Overrides, Spec};
use mezo_sweep::plan::Resolver;

use super::super::process::of_this_program;
use crate::exit::Exit;
use crate::failure::Failure;

/// Steps of the short run and of the long one: twenty epochs more.
const STEPS: [u64; 2] = [64, 384];

/// How often a measurement that says nothing is made again.
const TRIES: usize = 3;

/// Seconds of a step of runs that go on at once.
///
/// Of a long and a short run the difference: starting up and the evaluation at the end are in both. Where something else on
/// the machine made the short one the longer, both are made again.
pub fn step_seconds(
    folder: &Path,
    runs: usize,
    threads: usize,
    sentences: usize,
) -> Result<f64, Failure> {
    let [short, long] = STEPS;
    let wall = |steps| wall_seconds(folder, runs, threads, sentences, steps);
    for _ in 0..TRIES {
        let more = wall(long)? - wall(short)?;
        if more > 0.0 {
            return Ok(more / (long - short) as f64);
        }
    }
    Err(Failure {
        message: format!(
            "runs of {long} steps took no longer than runs of {short}, {TRIES} times in succession"
        ),
        hint: Some("let nothing else run on the machine".into()),
        exit: Exit::Failed,
    })
}

/// The mean wall time of runs that start together.
fn wall_seconds(
    folder: &Path,
    runs: usize,
    threads: usize,
    sentences: usize,
    steps: u64,
) -> Result<f64, Failure> {
    let dirs: Vec<PathBuf> = (0..runs)
        .map(|run| folder.join(format!("{runs}-{threads}-{steps}-{run}")))
        .collect();
    for dir in &dirs {
        // Left over from the round before; where there is nothing there is nothing to remove.
        let _ = std::fs::remove_dir_all(dir);
        builtin_run(sentences, steps)?.write(dir)?;
    }
    let threads = threads.to_string();
    let processes = dirs.iter().map(|dir| {
        let dir = dir.display().to_string();
        of_this_program(&["train", &dir, "--threads", &threads])
    });
    let started: Vec<_> = processes.collect::<Result<_, _>>()?;
    for process in started {
        process.output()?;
    }
    let walls: Vec<f64> = dirs.iter().map(|dir| wall(dir)).collect::<Result<_, _>>()?;
    Ok(walls.iter().sum::<f64>() / walls.len() as f64)
}

/// A run of the quickstart's model and task that trains all parameters, with one evaluation after its last step and next to no
/// test rows.
fn builtin_run(sentences: usize, steps: u64) -> Result<RunPlan, Failure> {
    let text = format!(
        r#"name = "bench"
[model]
builtin = "roberta-imdb-tiny"
[task]
name = "made-sentiment"
k = 512
test_cap = 1
template = "*cls**sent_0*_this_movie_is*mask*.*sep+*"
[method]
name = "mezo"
tuning = "full"
[train]
seed = 13
steps = {steps}
batch_size = {sentences}
eval_every = {steps}
lr = 1e-5
eps = 1e-3
"#
    );
    let spec = Spec::parse("bench.toml", text)?;
    let run = &spec.runs(&Overrides::default())?[0].1;
    let mut resolver = Resolver::new(spec.name(), Path::new(""), DeviceKind::Cpu);
    Ok(resolver.resolve(run, Vec::new())?)
}

/// The wall time of a run's one attempt.
fn wall(dir: &Path) -> Result<f64, Failure> {
    let ended = attempts(dir)?
        .into_iter()
        .find_map(|attempt| match attempt {
            Attempt::End(end) => Some(end.wall_s),
            _ => None,
        });
    ended.ok_or_else(|| Failure {
        message: format!("{}: no attempt has ended", dir.display()),
        hint: None,
        exit: Exit::Failed,
    })
}
