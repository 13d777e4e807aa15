//! The scripted trainer and the sweep that a campaign kills, both played by the test's own program.
#![allow(dead_code)] // each test uses its part

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::Duration;

use mezo_run::{
    Class, EndReason, Lease, Lines, OpenAttempt, RESULT, RunError, STEPS, read_lines, write_json,
};
use mezo_sweep::{
    Device, Event, EventWriter, Fleet, Outcome, Run, RunEnd, SchedulerConfig, Timeouts, Watch,
    WorkerCommand, WorkerEvent, run,
};
use serde_json::{Value, json};

/// How many steps a run of a number has.
pub fn steps(number: usize) -> u64 {
    4 + number as u64 % 5
}

/// Runs in a folder, `0` to `count - 1`.
pub fn runs(root: &Path, count: usize) -> Vec<Run> {
    let run = |number: usize| Run {
        id: number.to_string(),
        dir: root.join("runs").join(number.to_string()),
        label: format!("seed {number}"),
        steps: steps(number),
        batch_key: None,
    };
    (0..count).map(run).collect()
}

/// A step's line, a function of the run and the step as a real one is.
pub fn line(number: usize, step: u64) -> Value {
    json!({"step": step, "lr": 0.1, "loss": 1.0 / (number as f64 + step as f64)})
}

/// What a finished run's result says.
pub fn result(number: usize) -> Value {
    json!({"id": number.to_string(), "steps": steps(number)})
}

/// What happens in an attempt, by script. The first attempts of some runs fail, each in its own way.
pub fn scripted(number: usize, attempt: u64) -> Option<Class> {
    match (number % 8, attempt) {
        (1, 1) => Some(Class::DeviceFault),
        (2, 1) | (2, 2) => Some(Class::Killed),
        (3, 1) => Some(Class::Error),
        (4, 1) => Some(Class::Hang),
        (5, 1) => Some(Class::OutOfMemory),
        _ => None,
    }
}

/// The text that a failing attempt leaves in its log.
pub fn last_words(number: usize, attempt: u64, class: Class) -> String {
    format!("run {number} attempt {attempt} fails: {class}")
}

/// A worker: `... DIR`. With `calm`, nothing fails by script.
pub fn train(dir: &Path, calm: bool) -> i32 {
    let events = EventWriter::new(std::io::stdout());
    let how = run_one(dir, calm, &events).unwrap_or_else(|error| match error {
        RunError::Held { .. } | RunError::Superseded { .. } => RunEnd::Held,
        error => {
            eprintln!("error: {error}");
            RunEnd::Failed {
                class: error.class(),
                error: error.to_string(),
                hint: error.hint(),
            }
        }
    });
    let code = match &how {
        RunEnd::Finished => 0,
        RunEnd::Stopped => 85,
        RunEnd::Held => 75,
        RunEnd::Failed { .. } => 1,
    };
    events.send(WorkerEvent::Ended { run: 0, how });
    code
}

fn run_one(dir: &Path, calm: bool, events: &EventWriter) -> Result<RunEnd, RunError> {
    let stop = stop_with_stdin();
    let number: usize = dir
        .file_name()
        .and_then(|name| name.to_str()?.parse().ok())
        .unwrap_or(0);
    let lease = Lease::take(dir)?;
    if dir.join(RESULT).exists() {
        return Ok(RunEnd::Finished);
    }
    let attempt = OpenAttempt::start(dir, lease.attempt(), "fake", [1, 1])?;
    let (run, begun) = (0, lease.attempt());
    events.send(WorkerEvent::Started {
        run,
        attempt: begun,
    });
    if let Ok(runner) = std::env::var("RUNNER") {
        eprintln!("carried out by {runner}");
    }
    let fails = scripted(number, lease.attempt()).filter(|_| !calm);
    let (mut journal, before) = Lines::take_over::<Value>(&dir.join(STEPS))?;
    let mut done = before.len() as u64;
    while done < steps(number) {
        if stop.load(Ordering::Relaxed) {
            attempt.end(EndReason::Stopped, done, None)?;
            return Ok(RunEnd::Stopped);
        }
        if done == 2
            && let Some(class) = fails
        {
            let words = last_words(number, lease.attempt(), class);
            eprintln!("{words}");
            return fail(class, attempt, done, words);
        }
        done += 1;
        lease.check()?;
        journal.add(&line(number, done))?;
        let (step, loss) = (done, None);
        events.send(WorkerEvent::Step { run, step, loss });
        sleep(Duration::from_millis(2));
    }
    lease.check()?;
    write_json(&dir.join(RESULT), &result(number))?;
    attempt.end(EndReason::Finished, done, None)?;
    Ok(RunEnd::Finished)
}

fn fail(class: Class, attempt: OpenAttempt, done: u64, words: String) -> Result<RunEnd, RunError> {
    match class {
        Class::Killed => loop {
            let _ = std::process::Command::new("kill")
                .args(["-KILL", &std::process::id().to_string()])
                .status();
        },
        Class::Hang => loop {
            sleep(Duration::from_secs(1));
        },
        class => {
            attempt.end(EndReason::Failed, done, Some((class, words.clone())))?;
            Ok(RunEnd::Failed {
                class,
                error: words,
                hint: None,
            })
        }
    }
}

/// As a real worker: stops at a step when stdin closes, and ends soon after even if it cannot.
fn stop_with_stdin() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&stop);
    thread::spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(read) if read > 0) {}
        raised.store(true, Ordering::Relaxed);
        sleep(Duration::from_millis(500));
        std::process::exit(85);
    });
    stop
}

/// Says nothing.
struct Silent;

impl Watch for Silent {
    fn event(&mut self, _: Event<'_>) {}
}

/// A sweep of `count` runs on two devices with two runs each.
pub fn sweep(root: &Path, count: usize, calm: bool) -> Outcome {
    let device = |number: usize| Device {
        name: format!("fake:{number}"),
        args: Vec::new(),
        env: Vec::new(),
        together: 1,
    };
    let config = SchedulerConfig {
        runs: &runs(root, count),
        command: &trainer(calm),
        fleet: &Fleet {
            devices: vec![device(0), device(1)],
            per_device: 2,
        },
        timeouts: Timeouts {
            silence: Duration::from_millis(700),
            grace: Duration::from_millis(300),
        },
    };
    run(&config, &AtomicBool::new(false), &mut Silent)
}

fn trainer(calm: bool) -> WorkerCommand {
    let part = if calm { "calm-trainer" } else { "trainer" };
    WorkerCommand {
        program: this_program(),
        args: vec![part.into()],
    }
}

pub fn this_program() -> PathBuf {
    std::env::current_exe().expect("a running program has a file")
}

/// The processes of this program that work in a folder: sweeps and trainers, without those that have ended.
pub fn processes(root: &Path, part: &str) -> Vec<i32> {
    let root = root.to_string_lossy().into_owned();
    let entries = fs::read_dir("/proc")
        .expect("a system with /proc")
        .flatten();
    let works_here = |entry: &fs::DirEntry| -> Option<i32> {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        let mut words = line.split('\0').skip(1);
        let plays = words.next().is_some_and(|word| word.contains(part));
        (plays && line.contains(&root)).then_some(pid)
    };
    entries.filter_map(|entry| works_here(&entry)).collect()
}

/// What is wrong with a finished round, if something is.
pub fn check(root: &Path, count: usize) -> Result<(), String> {
    for run in runs(root, count) {
        let number: usize = run.id.parse().map_err(|_| "a number")?;
        let told = |error: RunError| format!("run {number}: {error}");
        let found: Value = mezo_run::read_json(&run.dir.join(RESULT)).map_err(told)?;
        if found != result(number) {
            return Err(format!("run {number}: its result is {found}"));
        }
        let journal: Vec<Value> = read_lines(&run.dir.join(STEPS)).map_err(told)?;
        let expected: Vec<Value> = (1..=steps(number)).map(|step| line(number, step)).collect();
        if journal != expected {
            return Err(format!("run {number}: its journal is {journal:?}"));
        }
        if Lease::holder(&run.dir).map_err(told)?.is_some() {
            return Err(format!("run {number}: a lease is left"));
        }
        check_attempts(&run.dir, number)?;
    }
    let left = processes(root, "trainer");
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("processes are left: {left:?}"))
    }
}

/// One accepted result, nothing after it, and every failure on record.
fn check_attempts(dir: &Path, number: usize) -> Result<(), String> {
    use mezo_run::Attempt;
    let attempts = mezo_run::attempts(dir).map_err(|error| error.to_string())?;
    let finished = |attempt: &Attempt| matches!(attempt, Attempt::End(end) if end.reason == EndReason::Finished);
    let accepted = attempts.iter().filter(|attempt| finished(attempt)).count();
    if accepted > 1 || attempts[..attempts.len() - 1].iter().any(finished) {
        return Err(format!(
            "run {number}: finished {accepted} times: {attempts:?}"
        ));
    }
    let mut numbers: Vec<u64> = Vec::new();
    for attempt in &attempts {
        if let Attempt::Start(start) = attempt {
            numbers.push(start.attempt);
        }
    }
    if !numbers.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(format!("run {number}: attempts numbered {numbers:?}"));
    }
    let log = fs::read_to_string(dir.join("log.txt")).unwrap_or_default();
    for attempt in &attempts {
        // What a worker wrote of its own failure has its words in the log too.
        if let Attempt::End(end) = attempt
            && let Some(error) = &end.error
            && error.starts_with("run ")
            && !log.contains(error.as_str())
        {
            return Err(format!("run {number}: the log lost {error:?}"));
        }
    }
    Ok(())
}
