//! `sbatch`, `squeue` and `scontrol` are short scripts here, and the tasks are carried out by hand.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use crate::common::{
    Done, Place, assert_same, ended, json_lines, line_count, name, spec, text, wait_until,
};

const TRAIN: &str = "lr = 1e-4\nsteps = 6\nbatch_size = 4\neval_every = 3";

fn small() -> String {
    spec("small", r#"tuning = "lora""#, TRAIN, "seed = [13, 21]")
}

/// A place with pretended programs of Slurm's: what is submitted is written down, the queue is a file.
struct Cluster {
    place: Place,
}

impl Cluster {
    fn new(spec: &str) -> Self {
        let place = Place::new();
        place.write("small.toml", spec);
        let cluster = Self { place };
        cluster.program(
            "sbatch",
            "echo \"$@\" >>\"$HERE/submitted\"; echo \"4711;main\"",
        );
        cluster.program("squeue", "cat \"$HERE/queue\" 2>/dev/null; exit 0");
        cluster.program("scontrol", "echo \"$@\" >>\"$HERE/asked\"");
        cluster
    }

    fn program(&self, name: &str, script: &str) {
        let path = format!("bin/{name}");
        let here = self.place.root().display();
        self.place
            .write(&path, &format!("#!/bin/sh\nHERE='{here}'\n{script}\n"));
        let path = self.place.path(path);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self) -> String {
        format!("{}:/usr/bin:/bin", self.place.path("bin").display())
    }

    fn mezo(&self, code: i32, words: &str) -> Output {
        let mut command = self.place.mezo(words.split_whitespace());
        ended(command.env("PATH", self.path()), code)
    }

    fn submit(&self) -> Output {
        self.mezo(
            0,
            "sweep run small.toml --on slurm --partition batch --time 10 --array-limit 2",
        )
    }

    /// The folder of a submission.
    fn submission(&self, number: u32) -> PathBuf {
        self.place.path(format!("runs/small/slurm/{number}"))
    }

    fn tasks(&self, number: u32) -> usize {
        line_count(&self.submission(number).join("runs.txt"))
    }

    /// What the queue holds: every task of a submission, waiting.
    fn queue(&self, number: u32) {
        let record = crate::common::json(&self.submission(number).join("submission.json"));
        let name = record["name"].as_str().unwrap();
        let line = |task: usize| format!("{name}|4711|{task}|PENDING|Priority\n");
        let lines: String = (0..self.tasks(number)).map(line).collect();
        self.place.write("queue", &lines);
    }

    /// Starts a task as Slurm does.
    fn task(&self, number: u32, task: usize) -> Child {
        Command::new("bash")
            .arg(self.submission(number).join("array.sbatch"))
            .env_clear()
            .env("PATH", self.path())
            .env("SLURM_ARRAY_TASK_ID", task.to_string())
            .env("SLURM_ARRAY_JOB_ID", "4711")
            .env("SLURM_JOB_ID", "4712")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn carry_out(&self, number: u32) {
        for task in 0..self.tasks(number) {
            let output = self.task(number, task).wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_script_is_written_submitted_and_left_alone() {
    let cluster = Cluster::new(&small());
    let output = cluster.submit();
    assert_eq!(text(&output.stdout), "4711\n");
    let said = text(&output.stderr);
    assert!(
        said.contains("job 4711 (mezo-small-1-") && said.contains("3 runs"),
        "{said}"
    );
    let submitted = text(&fs::read(cluster.place.path("submitted")).unwrap());
    assert_eq!(submitted.lines().count(), 1);
    assert!(submitted.starts_with("--parsable ") && submitted.ends_with("/slurm/1/array.sbatch\n"));
    let script = text(&fs::read(cluster.submission(1).join("array.sbatch")).unwrap());
    for line in [
        "#SBATCH --array=0-2%2",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@120",
        "#SBATCH --open-mode=append",
        "#SBATCH --partition=batch",
        "#SBATCH --time=10",
    ] {
        assert!(
            script.lines().any(|found| found == line),
            "{line} in {script}"
        );
    }
    assert!(script.contains("/slurm/1/%A_%a.log"), "{script}");
    let syntax = Command::new("bash")
        .args([
            "-n",
            cluster.submission(1).join("array.sbatch").to_str().unwrap(),
        ])
        .status();
    assert!(syntax.unwrap().success());
}

#[test]
fn submitting_twice_submits_once() {
    let cluster = Cluster::new(&small());
    cluster.submit();
    cluster.queue(1);
    let said = text(&cluster.submit().stderr);
    assert!(said.contains("3 runs are in the queue already"), "{said}");
    assert_eq!(line_count(&cluster.place.path("submitted")), 1);
    let said = text(&cluster.mezo(5, "sweep status small").stdout);
    assert!(
        said.contains("(pending as job 4711_0 (Priority))"),
        "{said}"
    );

    // Gone from the queue without a result: it may be submitted again.
    cluster.place.write("queue", "");
    let said = text(&cluster.mezo(5, "sweep status small").stdout);
    assert!(
        said.contains("no longer in the queue as job 4711_0"),
        "{said}"
    );
    cluster.submit();
    assert_eq!(line_count(&cluster.place.path("submitted")), 2);
    assert_eq!(cluster.tasks(2), 3);
}

#[test]
fn a_submission_that_was_cut_off_is_known_by_its_name() {
    let cluster = Cluster::new(&small());
    // As if this program had been killed between sbatch's success and its own record.
    cluster.program(
        "sbatch",
        "echo x >>\"$HERE/submitted\"; kill -KILL $PPID; sleep 1",
    );
    let mut command = cluster
        .place
        .mezo("sweep run small.toml --on slurm".split_whitespace());
    let killed = command.env("PATH", cluster.path()).output().unwrap();
    assert_eq!(killed.status.code(), None);
    cluster.program("sbatch", "echo x >>\"$HERE/submitted\"; echo 4711");
    cluster.queue(1);
    let said = text(&cluster.submit().stderr);
    assert!(said.contains("3 runs are in the queue already"), "{said}");
    assert_eq!(line_count(&cluster.place.path("submitted")), 1);
}

#[test]
fn tasks_end_as_a_sweep_here_does() {
    let done = Done::new("small", &small(), "2");
    let cluster = Cluster::new(&small());
    cluster.submit();
    cluster.carry_out(1);
    assert_same(
        &cluster.place.outcome("small"),
        &done.place.outcome("small"),
        "tasks of an array",
    );
    let table = |place: &Place| text(&place.exits(0, "table small --format csv").stdout);
    assert_eq!(table(&cluster.place), table(&done.place));
    cluster.mezo(0, "sweep status small");

    // A task that is carried out once more finds its run finished.
    let attempts = |place: &Place| -> Vec<usize> {
        let lines = |dir: PathBuf| json_lines(&dir.join("attempts.jsonl")).len();
        place.runs("small").into_iter().map(lines).collect()
    };
    let before = attempts(&cluster.place);
    cluster.carry_out(1);
    assert_eq!(attempts(&cluster.place), before);
    let said = text(&cluster.submit().stderr);
    assert!(
        said.contains("3 runs are finished") && said.contains("nothing was submitted"),
        "{said}"
    );
}

fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &pid.to_string()])
        .status();
    assert!(sent.unwrap().success());
}

/// The task whose run trains, and its run.
fn training(cluster: &Cluster) -> (usize, PathBuf) {
    let runs = text(&fs::read(cluster.submission(1).join("runs.txt")).unwrap());
    let trains = |dir: &str| !crate::common::manifest(Path::new(dir))["config"]["train"].is_null();
    let (task, dir) = runs
        .lines()
        .enumerate()
        .find(|(_, dir)| trains(dir))
        .unwrap();
    (task, dir.into())
}

#[test]
fn a_warning_stops_a_task_at_a_step_and_requeues_it() {
    let train = TRAIN.replace("steps = 6", "steps = 2000");
    let long = spec("small", r#"tuning = "lora""#, &train, "seed = [13]");
    let done = Done::new("small", &long, "2");
    let cluster = Cluster::new(&long);
    cluster.submit();
    let (task, dir) = training(&cluster);
    let steps = dir.join("steps.jsonl");
    for (round, warned) in [("USR1", true), ("TERM", false)] {
        let before = line_count(&steps);
        let child = cluster.task(1, task);
        wait_until("the run is under way", Duration::from_secs(60), || {
            line_count(&steps) > before + 5
        });
        signal(child.id(), round);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(85), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("stopped after step"));
        let asked = fs::read(cluster.place.path("asked")).unwrap_or_default();
        // A task that was cancelled is not brought back.
        assert_eq!(text(&asked), "requeue 4712\n", "after {round} ({warned})");
    }
    cluster.carry_out(1);
    assert_same(
        &cluster.place.outcome("small"),
        &done.place.outcome("small"),
        "a requeued task",
    );
    let log = text(&fs::read(dir.join("log.txt")).unwrap());
    assert_eq!(log.matches("stopped after step").count(), 2, "{log}");
    assert_eq!(name(&dir), name(&done.place.trained("small")[0]));
}

#[test]
fn a_task_whose_run_is_held_waits_and_is_requeued_when_warned() {
    let cluster = Cluster::new(&small());
    cluster.submit();
    let (task, dir) = training(&cluster);
    let lock = fs::File::create(dir.join("lock")).unwrap();
    lock.lock().unwrap();
    let child = cluster.task(1, task);
    let log = dir.join("log.txt");
    wait_until(
        "the task has met the holder",
        Duration::from_secs(30),
        || fs::read_to_string(&log).is_ok_and(|log| log.contains("held by another process")),
    );
    std::thread::sleep(Duration::from_millis(300));
    signal(child.id(), "USR1");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let asked = fs::read(cluster.place.path("asked")).unwrap_or_default();
    assert_eq!(text(&asked), "requeue 4712\n");
}

#[test]
fn without_slurm_nothing_is_submitted_and_that_is_said() {
    let place = Place::new();
    place.write("small.toml", &small());
    let mut command = place.mezo("sweep run small.toml --on slurm".split_whitespace());
    let output = ended(command.env("PATH", "/nowhere"), 1);
    let said = text(&output.stderr);
    assert!(
        said.contains("cannot start sbatch") || said.contains("cannot start squeue"),
        "{said}"
    );
    assert!(said.contains("hint: `mezo doctor`"), "{said}");
    let said = text(&place.exits(2, "sweep run small.toml --partition x").stderr);
    assert!(said.contains("--on"), "{said}");
}
