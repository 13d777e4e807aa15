//! Runs that share a process and a model end, file by file and bit by bit, as those that have one each.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{
    Files, Place, Shared, assert_same, ended, json, json_lines, line_count, name, outcome, text,
    wait_until,
};
use crate::dice::Dice;

const NAME: &str = "batched";

/// Eight runs of 24 steps that may go together, and the zero-shot run of each split beside them.
const SPEC: &str = r#"name = "batched"
[model]
builtin = "roberta-imdb-tiny"
[task]
name = "made-sentiment"
k = 16
test_cap = 40
template = "*cls**sent_0*_this_movie_is*mask*.*sep+*"
[method]
name = "mezo"
tuning = "lora"
[train]
steps = 24
batch_size = 4
eval_every = 8
[sweep]
seed = [13, 21]
lr = [1e-4, 1e-3]
eps = [1e-3, 3e-3]
"#;

fn place() -> Place {
    let place = Place::new();
    place.write(format!("{NAME}.toml"), SPEC);
    place
}

/// The command that carries the sweep out, with so many runs together.
fn sweep(together: &str) -> String {
    format!("sweep run {NAME}.toml --devices cpu -j 1 --together {together}")
}

/// What each run leaves where it has a process of its own, and how long all of it took.
struct Apart {
    files: Files,
    took: Duration,
}

static APART: Shared<Apart> = Shared::new();

fn apart() -> Apart {
    let place = place();
    let since = Instant::now();
    let said = text(&place.exits(0, &sweep("off")).stderr);
    assert!(!said.contains("together"), "{said}");
    assert_eq!(place.trained(NAME).len(), 8);
    Apart {
        files: place.outcome(NAME),
        took: since.elapsed(),
    }
}

/// The arguments of the attempts at a run.
fn starts(dir: &Path) -> Vec<Vec<String>> {
    let lines = json_lines(&dir.join("attempts.jsonl"));
    let starts = lines.iter().filter(|line| line["event"] == "start");
    let words = |line: &serde_json::Value| -> Vec<String> {
        let words = line["argv"].as_array().unwrap().iter();
        words
            .map(|word| word.as_str().unwrap().to_owned())
            .collect()
    };
    starts.map(words).collect()
}

#[test]
fn eight_runs_of_one_process_end_as_eight_processes_do() {
    let apart = APART.get(apart);
    let place = place();
    let said = text(&place.exits(0, &sweep("8")).stderr);
    let first = said.lines().find(|line| !line.starts_with("note: "));
    assert!(
        first.is_some_and(|first| first.starts_with("up to 8 runs are trained together")),
        "{said}"
    );
    assert_same(&place.outcome(NAME), &apart.files, "runs together");

    // All eight were begun once, by the process that was given all eight.
    let dirs = place.trained(NAME);
    let ids: BTreeSet<String> = dirs.iter().map(|dir| name(dir)).collect();
    let begun: BTreeSet<Vec<String>> = dirs.iter().flat_map(|dir| starts(dir)).collect();
    assert_eq!(begun.len(), 1, "{begun:?}");
    let of_runs = |word: &&String| {
        let last = Path::new(word).file_name();
        last.is_some_and(|last| ids.contains(last.to_str().unwrap()))
    };
    assert_eq!(begun.first().unwrap().iter().filter(of_runs).count(), 8);
    for dir in &dirs {
        assert_eq!(starts(dir).len(), 1);
    }
    // What the process said is in the log of the first, and the others say so.
    let elsewhere = dirs
        .iter()
        .filter(|dir| text(&fs::read(dir.join("log.txt")).unwrap()).starts_with("batched: "));
    assert_eq!(elsewhere.count(), 7);
}

/// A sweep's process, which is killed with this.
struct Sweep(Child);

impl Sweep {
    fn start(place: &Place, together: &str) -> Self {
        let mut command = place.mezo(sweep(together).split_whitespace());
        let command = command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.stderr(Stdio::null()).spawn().unwrap())
    }

    /// Lets it do nothing more until it is killed.
    fn freeze(&self) {
        let pid = self.0.id().to_string();
        // One that has ended needs no signal.
        let _ = Command::new("kill").args(["-STOP", &pid]).status();
    }

    fn kill(&mut self) {
        // One that has ended is only waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Sweep {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The workers of a sweep that was started in a folder.
fn workers(root: &Path) -> Vec<i32> {
    let root = root.canonicalize().unwrap();
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let here = |entry: &fs::DirEntry| -> Option<i32> {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let cwd = fs::read_link(entry.path().join("cwd")).ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let trains = line.split(|&byte| byte == 0).nth(1) == Some(b"train");
        (cwd == root && trains).then_some(pid)
    };
    entries.filter_map(|entry| here(&entry)).collect()
}

/// Kills the workers of a sweep; how many it hit.
fn kill_workers(root: &Path) -> usize {
    let hit = |pid: &i32| {
        // One that has just ended is none.
        let sent = Command::new("kill")
            .args(["-KILL", &pid.to_string()])
            .stderr(Stdio::null())
            .status();
        sent.is_ok_and(|status| status.success())
    };
    workers(root).iter().filter(|pid| hit(pid)).count()
}

fn nobody_works(place: &Place) {
    wait_until("no process is left", Duration::from_secs(60), || {
        workers(place.root()).is_empty()
    });
}

/// The attempts at a run that were begun in a batch of two to `most`, and how many of them have no end.
fn in_batch(dir: &Path, most: u64) -> (usize, usize) {
    let path = dir.join("attempts.jsonl");
    if !path.exists() {
        return (0, 0);
    }
    // The last line may be about to be written.
    let text = text(&fs::read(&path).unwrap());
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let lines: Vec<serde_json::Value> = whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let of = |event: &'static str| lines.iter().filter(move |line| line["event"] == event);
    let begun: Vec<&serde_json::Value> = of("start")
        .filter(|start| (2..=most).contains(&start["together"].as_u64().unwrap_or(1)))
        .map(|start| &start["attempt"])
        .collect();
    let ended: Vec<&serde_json::Value> = of("end").map(|end| &end["attempt"]).collect();
    let cut = begun.iter().filter(|begun| !ended.contains(begun)).count();
    (begun.len(), cut)
}

/// Waits until two or three runs are under way in one process.
fn wait_for_batch(place: &Place) {
    wait_until("a batch is under way", Duration::from_secs(120), || {
        place.path(format!("runs/{NAME}")).exists()
            && place.runs(NAME).iter().any(|dir| in_batch(dir, 3).1 > 0)
    });
}

#[test]
fn a_batch_that_is_killed_again_and_again_ends_as_undisturbed() {
    let apart = APART.get(apart);
    for round in 1..=2 {
        let place = place();
        let mut dice = Dice::new(round);
        let mut killed = 0;
        let mut sweep = Sweep::start(&place, "8");
        // First a sweep without its workers, which stop by themselves and stay a batch; then both at one blow; then workers
        // without their sweep, which takes their runs up one by one; then both again.
        for blow in 0..4 {
            let mut most = 250;
            if blow == 1 {
                wait_for_batch(&place);
                // That batch is not to be done before.
                most = 50;
            }
            sleep(apart.took.mul_f64(dice.below(most) as f64 / 1000.0));
            if blow % 2 == 1 {
                // It must not write down how its workers ended.
                sweep.freeze();
            }
            if blow > 0 {
                killed += kill_workers(place.root());
            }
            if blow != 2 {
                sweep.kill();
                // Sometimes at once, while the orphans are still at it, and sometimes later.
                sleep(Duration::from_millis(dice.below(2) * 100));
                sweep = Sweep::start(&place, "3");
            }
        }
        finish(&place, sweep);
        assert_same(
            &place.outcome(NAME),
            &apart.files,
            "a batch that was killed",
        );
        assert!(killed >= 1, "round {round}: no worker was killed");
        let attempts: Vec<(usize, usize)> = place
            .trained(NAME)
            .iter()
            .map(|dir| in_batch(dir, 8))
            .collect();
        let cut: usize = attempts.iter().map(|(_, cut)| cut).sum();
        assert!(cut >= 1, "no attempt in a batch was cut off: {attempts:?}");
        for dir in place.runs(NAME) {
            let holder = mezo_run::Lease::holder(&dir).unwrap();
            assert_eq!(holder, None, "a lease is left");
        }
    }
}

/// Lets a sweep end. A run that chance killed three times in a row before it made a step has failed, and is tried again.
fn finish(place: &Place, mut sweep: Sweep) {
    for _ in 0..3 {
        let ended = sweep.0.wait().unwrap();
        nobody_works(place);
        if ended.success() {
            return;
        }
        assert_eq!(ended.code(), Some(10), "the sweep ended with {ended}");
        place.exits(0, &format!("sweep retry {NAME} --class killed"));
        sweep = Sweep::start(place, "3");
    }
    panic!("runs are outstanding after three sweeps");
}

#[test]
fn a_run_of_a_batch_goes_on_alone() {
    let apart = APART.get(apart);
    let place = place();
    let mut sweep = Sweep::start(&place, "8");
    let mut dirs: Vec<PathBuf> = Vec::new();
    wait_until(
        "all eight have made steps",
        Duration::from_secs(120),
        || {
            if !place.path(format!("runs/{NAME}")).exists() {
                return false;
            }
            dirs = place.trained(NAME);
            let begun = |dir: &PathBuf| line_count(&dir.join("steps.jsonl")) >= 2;
            dirs.len() == 8 && dirs.iter().all(begun)
        },
    );
    // Its worker stops by itself, so that nobody has to go alone.
    sweep.kill();
    nobody_works(&place);
    // The last one, by itself.
    let dir = dirs
        .iter()
        .rev()
        .find(|dir| !dir.join("result.json").exists());
    let dir = dir.expect("a run that was stopped");
    place.exits(0, &format!("train {}", dir.display()));
    let prefix = format!("{}/", name(dir));
    let own = |files: &Files| -> Files {
        let own = files.iter().filter(|(file, _)| file.starts_with(&prefix));
        own.map(|(file, bytes)| (file[prefix.len()..].to_owned(), bytes.clone()))
            .collect()
    };
    assert_same(
        &outcome(dir),
        &own(&apart.files),
        "a run that went on alone",
    );
    // The others as companies of another size.
    place.exits(0, &self::sweep("3"));
    assert_same(&place.outcome(NAME), &apart.files, "the batch without it");
    assert!(starts(dir).len() == 2 && starts(dir)[1].len() < starts(dir)[0].len());
    let twice = dirs.iter().filter(|dir| in_batch(dir, 8).0 == 2);
    assert!(twice.count() >= 2, "nobody went on in another batch");
}

#[test]
fn other_numbers_are_refused() {
    let place = place();
    for wrong in ["0", "all", "-1"] {
        let words = format!("sweep run {NAME}.toml --together={wrong}");
        let said = text(&place.exits(2, &words).stderr);
        let expected =
            format!("expected auto, off or a number of runs, 1 at least, found `{wrong}`");
        assert!(said.contains(&expected), "{said}");
    }
}

/// Pretended programs of Slurm's: what is submitted has a number, the queue is a file.
fn pretend_slurm(place: &Place) -> String {
    let here = place.root().display();
    for (program, script) in [
        ("sbatch", "echo 4711".to_owned()),
        ("squeue", format!("cat '{here}/queue' 2>/dev/null; exit 0")),
        ("scontrol", "exit 0".to_owned()),
    ] {
        let path = format!("bin/{program}");
        place.write(&path, &format!("#!/bin/sh\n{script}\n"));
        fs::set_permissions(place.path(path), fs::Permissions::from_mode(0o755)).unwrap();
    }
    format!("{}:/usr/bin:/bin", place.path("bin").display())
}

#[test]
fn tasks_of_an_array_have_several_runs_each() {
    let apart = APART.get(apart);
    let place = place();
    let path = pretend_slurm(&place);
    let mezo = |code: i32, words: &str| {
        let mut command = place.mezo(words.split_whitespace());
        ended(command.env("PATH", &path), code)
    };
    let submit = format!("sweep run {NAME}.toml --on slurm --together 3");
    let said = text(&mezo(0, &submit).stderr);
    let folder = place.path(format!("runs/{NAME}/slurm/1"));
    let list = text(&fs::read(folder.join("runs.txt")).unwrap());
    let sizes: Vec<usize> = list.lines().map(|line| line.split('\t').count()).collect();
    let runs = place.runs(NAME).len();
    // Those that evaluate have a task each and come first, the eight are shared out evenly.
    let mut expected = vec![1; runs - 8];
    expected.extend([3, 3, 2]);
    assert_eq!(sizes, expected);
    let tasks = sizes.len();
    assert!(
        said.contains(&format!("{runs} runs in {tasks} tasks")),
        "{said}"
    );

    // While the tasks are in the queue nothing is submitted again, and each run is told where it stands.
    let record = json(&folder.join("submission.json"));
    let job = record["name"].as_str().unwrap();
    let line = |task: usize| format!("{job}|4711|{task}|PENDING|Priority\n");
    place.write("queue", &(0..tasks).map(line).collect::<String>());
    let said = text(&mezo(0, &submit).stderr);
    assert!(
        said.contains(&format!("{runs} runs are in the queue already")),
        "{said}"
    );
    let said = text(&mezo(5, &format!("sweep status {NAME}")).stdout);
    let last = format!("(pending as job 4711_{} (Priority))", tasks - 1);
    assert_eq!(said.matches(&last).count(), 2, "{said}");
    place.write("queue", "");

    for task in 0..tasks {
        let mut command = Command::new("bash");
        command.arg(folder.join("array.sbatch")).env_clear();
        command.env("PATH", &path).env("SLURM_JOB_ID", "4712");
        command.env("SLURM_ARRAY_TASK_ID", task.to_string());
        ended(&mut command, 0);
    }
    assert_same(&place.outcome(NAME), &apart.files, "tasks of several runs");
    let lengths: BTreeSet<usize> = place
        .trained(NAME)
        .iter()
        .map(|dir| starts(dir)[0].len())
        .collect();
    // Two directories more than one, and one more.
    assert_eq!(lengths.len(), 2, "{lengths:?}");
}
