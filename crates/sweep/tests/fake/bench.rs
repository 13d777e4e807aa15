//! Runs in a temporary folder whose workers are short scripts, and a watch that keeps the events.

#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mezo_sweep::{Device, Event, Fleet, Orders, Outcome, Patience, Run, Watch, WorkerCommand, run};

/// A worker that leaves a result.
pub const SUCCEEDS: &str = "echo '{}' >\"$1/result.json\"";
/// A worker that leaves a result in each of its directories.
pub const ALL_SUCCEED: &str = "for dir in \"$@\"; do echo '{}' >\"$dir/result.json\"; done";
/// Writes down how many runs the process has, a line each in `sizes`.
pub const COUNTS: &str = "echo $# >>\"$1/../../sizes\"";

/// `start DIR DIRS...` writes down that the process, which has all of `DIRS`, begins the run in `DIR`.
pub const START: &str = r#"start() {
  begun=$1; shift; argv="\"$0\""
  for word in "$@"; do argv="$argv,\"$word\""; done
  echo '{"event":"start","attempt":1,"time":"","host":"","device":"","threads":1,"together":'$#',"argv":['"$argv"']}' >>"$begun/attempts.jsonl"
}"#;

pub struct Bench {
    pub folder: tempfile::TempDir,
    pub runs: Vec<Run>,
    pub command: WorkerCommand,
}

impl Bench {
    /// So many runs, each carried out by `script`, which finds the run's directory in `$1`.
    pub fn new(runs: usize, script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runs = make_runs(folder.path(), runs);
        let command = write_script(folder.path(), script);
        Self {
            folder,
            runs,
            command,
        }
    }

    /// The same, with all runs in one company.
    pub fn in_company(runs: usize, script: &str) -> Self {
        let mut bench = Self::new(runs, script);
        for run in &mut bench.runs {
            run.company = Some("all".into());
        }
        bench
    }

    /// How many runs each process had, in the order in which they began.
    pub fn sizes(&self) -> Vec<usize> {
        let sizes = fs::read_to_string(self.path("sizes")).unwrap();
        sizes.lines().map(|line| line.parse().unwrap()).collect()
    }

    pub fn read(&self, run: usize, name: &str) -> String {
        fs::read_to_string(self.runs[run].dir.join(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Long enough for any test.
pub const PATIENT: Patience = Patience {
    silence: Duration::from_secs(600),
    grace: Duration::from_secs(60),
};

/// So many devices, whose names a worker finds in `$DEVICE`.
pub fn fleet(devices: usize, per_device: usize) -> Fleet {
    fleet_together(devices, per_device, 1)
}

/// The same, with so many runs together in a process.
pub fn fleet_together(devices: usize, per_device: usize, together: usize) -> Fleet {
    let device = |index: usize| Device {
        name: format!("fake:{index}"),
        args: Vec::new(),
        env: vec![("DEVICE".into(), index.to_string())],
        together,
    };
    Fleet {
        devices: (0..devices).map(device).collect(),
        per_device,
    }
}

/// Carries runs out until they are done or the stop is raised.
pub fn carry_out(
    runs: &[Run],
    command: &WorkerCommand,
    fleet: &Fleet,
    patience: Patience,
    stop: &AtomicBool,
    watch: &mut dyn Watch,
) -> Outcome {
    let orders = Orders {
        runs,
        command,
        fleet,
        patience,
    };
    run(&orders, stop, watch)
}

pub fn make_runs(folder: &Path, count: usize) -> Vec<Run> {
    let run = |index: usize| Run {
        id: index.to_string(),
        dir: folder.join("runs").join(index.to_string()),
        label: format!("seed {index}"),
        steps: 4,
        company: None,
    };
    (0..count).map(run).collect()
}

/// The shell reads the script, so no file that was just written is executed: a process forked by
/// another test at that moment would still have it open.
pub fn write_script(folder: &Path, script: &str) -> WorkerCommand {
    let path = folder.join("worker.sh");
    fs::write(&path, script).unwrap();
    WorkerCommand {
        program: "/bin/sh".into(),
        args: vec![path.into()],
    }
}

/// Keeps the events as words, the ticks as a number.
#[derive(Default)]
pub struct Log {
    pub events: Vec<String>,
    pub ticks: usize,
    running: usize,
    pub most_running: usize,
}

impl Watch for Log {
    fn event(&mut self, event: Event<'_>) {
        let words = match event {
            Event::Skipped { run } => format!("skipped {}", run.id),
            Event::Left { run, failure } => format!("left {}: {}", run.id, failure.class),
            Event::Started { run, step, device } => {
                self.running += 1;
                self.most_running = self.most_running.max(self.running);
                format!("started {} at {step} on {device}", run.id)
            }
            Event::Progress {
                run,
                step,
                steps,
                loss,
            } => format!("progress {} {step}/{steps} {loss:?}", run.id),
            Event::Finished { run } => {
                self.running -= 1;
                format!("finished {}", run.id)
            }
            Event::Again { run, reason } => {
                self.running -= 1;
                format!("again {}: {}: {}", run.id, reason.class, reason.summary())
            }
            Event::Failed { run, reason } => {
                self.running = self.running.saturating_sub(1);
                format!("failed {}: {}: {}", run.id, reason.class, reason.summary())
            }
            Event::Stopped { run } => {
                self.running -= 1;
                format!("stopped {}", run.id)
            }
            Event::Held { run, first } => {
                format!("held {}{}", run.id, if first { "" } else { " still" })
            }
            Event::CannotStart { .. } => "cannot start".to_owned(),
            Event::SetAside { device } => format!("set aside {device}"),
            Event::DiskFull => "disk full".to_owned(),
            Event::Stopping => "stopping".to_owned(),
            Event::Tick => {
                self.ticks += 1;
                return;
            }
        };
        self.events.push(words);
    }
}
