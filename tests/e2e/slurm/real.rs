//! A real Slurm of one node (`scripts/slurm`): an array of twelve runs, four at once, one of which fails and one of which is
//! requeued after its warning, and whose controller is killed on the way.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use crate::common::{
    Place, assert_same, ended, json, json_lines, line_count, manifest, name, outcome, text,
    wait_until,
};

const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/slurm")
}

/// Daemons of a Slurm, which end with this.
struct Slurm(tempfile::TempDir);

impl Slurm {
    fn start() -> Self {
        let slurm = Self(tempfile::Builder::new().prefix("slurm").tempdir().unwrap());
        let said = slurm.call("start");
        assert!(said.contains("SLURM_CONF="), "{said}");
        slurm
    }

    fn call(&self, verb: &str) -> String {
        let mut command = Command::new("bash");
        command.arg(script()).arg(verb).arg(self.0.path());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    }

    fn within(&self, command: &mut Command) -> Output {
        let conf = self.0.path().join("slurm.conf");
        ended(command.env("PATH", PATH).env("SLURM_CONF", conf), 0)
    }

    fn ask(&self, words: &[&str]) -> String {
        text(&self.within(Command::new(words[0]).args(&words[1..])).stdout)
    }
}

impl Drop for Slurm {
    fn drop(&mut self) {
        let mut command = Command::new("bash");
        // What is left of it is killed by the script; there is nothing more to be done here.
        let _ = command
            .arg(script())
            .arg("stop")
            .arg(self.0.path())
            .output();
    }
}

/// Ten short runs, a long one, and the zero-shot run beside them.
const SPEC: &str = r#"name = "cluster"
[model]
builtin = "roberta-imdb-tiny"
[task]
name = "made-sentiment"
k = 16
test_cap = 40
[method]
name = "mezo"
tuning = "lora"
[train]
eps = 1e-3
lr = 1e-4
batch_size = 4
[[sweep]]
seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
"train.steps" = [60]
"train.eval_every" = [20]
[[sweep]]
seed = [11]
"train.steps" = [12000]
"train.eval_every" = [4000]
"#;

fn run_of(place: &Place, seed: u64) -> PathBuf {
    let of_seed = |dir: &PathBuf| manifest(dir)["config"]["train"]["seed"] == seed;
    place.runs("cluster").into_iter().find(of_seed).unwrap()
}

/// Writes all manifests, and breaks the journal of one run.
fn prepare(place: &Place, broken: &str) {
    place.write("cluster.toml", SPEC);
    place.write(format!("runs/cluster/{broken}/steps.jsonl"), "no journal\n");
}

#[test]
fn an_array_of_a_real_slurm_ends_as_a_sweep_here_does() {
    let installed = ["slurmctld", "slurmd", "munged"].iter().all(|program| {
        PATH.split(':')
            .any(|folder| Path::new(folder).join(program).exists())
    });
    let root =
        fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if !installed || !root {
        let _ = writeln!(
            std::io::stderr(),
            "skipped: a real Slurm (it needs root and `scripts/slurm install`)"
        );
        return;
    }
    let here = Place::new();
    here.write("cluster.toml", SPEC);
    let plan: serde_json::Value = serde_json::from_slice(
        &here
            .exits(0, "sweep plan cluster.toml --format json")
            .stdout,
    )
    .unwrap();
    let runs = plan["sweeps"][0]["runs"].as_array().unwrap();
    let third = runs
        .iter()
        .find(|run| run["label"].as_str().unwrap().starts_with("seed 3 "));
    let broken = third.unwrap()["id"].as_str().unwrap().to_owned();
    prepare(&here, &broken);
    here.exits(10, "sweep run cluster.toml -j 2");

    let slurm = Slurm::start();
    let place = Place::new();
    prepare(&place, &broken);
    let submit = "sweep run cluster.toml --on slurm --array-limit 4 --time 5 --cpus 1";
    let output = slurm.within(&mut place.mezo(submit.split_whitespace()));
    let job = text(&output.stdout).trim().to_owned();
    assert_eq!(line_count(&place.path("runs/cluster/slurm/1/runs.txt")), 12);
    // Submitted at once again: all of it is in the queue or under way.
    let again = slurm.within(&mut place.mezo(submit.split_whitespace()));
    assert!(
        text(&again.stderr).contains("nothing was submitted"),
        "{}",
        text(&again.stderr)
    );

    let long = run_of(&place, 11);
    let steps = long.join("steps.jsonl");
    let mut most = 0;
    wait_until("the long run is under way", Duration::from_secs(90), || {
        let running = slurm.ask(&[
            "squeue",
            "--noheader",
            "--array",
            "--states=RUNNING",
            "--format=%i",
        ]);
        most = most.max(running.lines().count());
        line_count(&steps) > 200
    });
    assert!((2..=4).contains(&most), "{most} tasks at once");
    slurm.call("restart-controller");

    // Its warning, as Slurm sends it before the time limit.
    let task = place_of(&place, &long);
    let sent = format!("{job}_{task}");
    slurm.ask(&["scancel", "--batch", "--signal=USR1", &sent]);
    let ends = || json_lines(&long.join("attempts.jsonl"));
    wait_until(
        "the warned run has stopped",
        Duration::from_secs(30),
        || ends().iter().any(|line| line["reason"] == "stopped"),
    );
    wait_until("the array is done", Duration::from_secs(240), || {
        std::thread::sleep(Duration::from_millis(500));
        slurm
            .ask(&["squeue", "--noheader", "--array", "--format=%i"])
            .is_empty()
    });
    let starts = ends()
        .iter()
        .filter(|line| line["event"] == "start")
        .count();
    assert!(starts >= 2, "the warned run was not requeued: {:?}", ends());

    let status = place.mezo(["sweep", "status", "cluster"]).output().unwrap();
    assert_eq!(status.status.code(), Some(10), "{}", text(&status.stdout));
    assert!(text(&status.stdout).ends_with("12 runs: 11 finished, 1 failed\n"));
    for dir in here.runs("cluster") {
        let id = name(&dir);
        if id != broken {
            let there = place.path("runs/cluster").join(&id);
            assert_same(&outcome(&there), &outcome(&dir), "a run on Slurm");
        }
    }
    let table = |place: &Place| text(&place.exits(0, "table cluster --format csv").stdout);
    assert_eq!(table(&place), table(&here));
    let log = place.path(format!("runs/cluster/slurm/1/{job}_{task}.log"));
    let log = text(&fs::read(&log).unwrap());
    assert!(
        log.contains("exit code 85") && log.contains("exit code 0"),
        "{log}"
    );
    println!(
        "12 runs on a real Slurm, at most {most} at once, one failed, one requeued, the controller killed once"
    );
}

/// The number of a run's task.
fn place_of(place: &Place, dir: &Path) -> usize {
    let record = json(&place.path("runs/cluster/slurm/1/submission.json"));
    let runs = record["runs"].as_array().unwrap();
    runs.iter().position(|id| id == name(dir).as_str()).unwrap()
}
