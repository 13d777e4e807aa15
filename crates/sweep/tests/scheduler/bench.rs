//! Runs in a temporary folder whose workers are short scripts, and watches that keep the events.

use std::fs;
use std::path::{Path, PathBuf};

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use mezo_sweep::{
    Device, Event, Fleet, Outcome, Run, SchedulerConfig, Timeouts, Watch, WorkerCommand, run,
};

/// A worker that leaves a result.
pub const SUCCEEDS: &str = "echo '{}' >\"$1/result.json\"";
/// A worker that leaves a result in each of its directories.
pub const ALL_SUCCEED: &str = "for dir in \"$@\"; do echo '{}' >\"$dir/result.json\"; done";
/// Writes down how many runs the process has, a line each in `sizes`.
pub const COUNTS: &str = "echo $# >>\"$1/../../sizes\"";

/// What a worker does, as functions of the shell. `$1` is the place of the run among the worker's, `$2` its directory.
///
/// - `start PLACE DIR TOGETHER` begins attempt 1 of a run and says so;
/// - `step PLACE DIR STEP` makes a step;
/// - `fail PLACE DIR CLASS ERROR`, `stop PLACE DIR` and `finish PLACE DIR` end it;
/// - `held PLACE` finds the run held;
/// - `wait_for FILE` waits until a file is there.
pub const WORKER: &str = r#"
attempt() { echo '{"event":"'"$2"'","attempt":1,'"$3"'}' >>"$1/attempts.jsonl"; }
tell() { echo '{"event":"'"$2"'","run":'"$1,$3"'}'; }
start() {
  attempt "$2" start '"host":"","device":"","threads":1,"together":'"$3"
  tell "$1" started '"attempt":1'
}
step() {
  echo '{"step":'"$3"',"lr":0.1}' >>"$2/steps.jsonl"
  tell "$1" step '"step":'"$3"',"loss":null'
}
write_failure() {
  attempt "$1" end '"wall_s":1.0,"reason":"failed","class":"'"$2"'","steps":0,"error":"'"$3"'"'
}
fail() {
  write_failure "$2" "$3" "$4"
  tell "$1" ended '"how":{"failed":{"class":"'"$3"'","error":"'"$4"'","hint":null}}'
}
stop() {
  attempt "$2" end '"wall_s":1.0,"reason":"stopped","steps":0,"error":null'
  tell "$1" ended '"how":"stopped"'
}
finish() { echo '{}' >"$2/result.json"; tell "$1" ended '"how":"finished"'; }
held() { tell "$1" ended '"how":"held"'; }
wait_for() {
  n=0; while [ ! -e "$1" ]; do n=$((n + 1)); [ $n -gt 1500 ] && exit 1; sleep 0.02; done
}
"#;

pub struct Bench {
    pub folder: tempfile::TempDir,
    pub runs: Vec<Run>,
    pub command: WorkerCommand,
}

impl Bench {
    /// So many runs, each run by `script`, which finds the run's directory in `$1` and has the functions of [`WORKER`].
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

    /// The same, with one batch key for all runs.
    pub fn batched(runs: usize, script: &str) -> Self {
        let mut bench = Self::new(runs, script);
        for run in &mut bench.runs {
            run.batch_key = Some("all".into());
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
pub const PATIENT: Timeouts = Timeouts {
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

/// So impatient that a test can wait for it.
pub const IMPATIENT: Timeouts = Timeouts {
    silence: Duration::from_millis(500),
    grace: Duration::from_millis(500),
};

/// Runs all until they are done or the stop is raised.
pub fn run_all(
    bench: &Bench,
    fleet: &Fleet,
    timeouts: Timeouts,
    stop: &AtomicBool,
    watch: &mut dyn Watch,
) -> Outcome {
    let config = SchedulerConfig {
        runs: &bench.runs,
        command: &bench.command,
        fleet,
        timeouts,
    };
    run(&config, stop, watch)
}

/// The same, undisturbed.
pub fn run_to_end(bench: &Bench, fleet: &Fleet, timeouts: Timeouts) -> (Outcome, Log) {
    let mut log = Log::default();
    let never = AtomicBool::new(false);
    let outcome = run_all(bench, fleet, timeouts, &never, &mut log);
    (outcome, log)
}

/// Ids in their order.
pub fn sorted(ids: &[String]) -> Vec<&str> {
    let mut ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    ids.sort_unstable();
    ids
}

/// A watch that keeps the events and does something at each.
pub struct Acting<F> {
    pub log: Log,
    pub act: F,
}

impl<F: FnMut(&Event<'_>, &Log)> Acting<F> {
    pub fn new(act: F) -> Self {
        let log = Log::default();
        Self { log, act }
    }
}

impl<F: FnMut(&Event<'_>, &Log)> Watch for Acting<F> {
    fn event(&mut self, event: Event<'_>) {
        (self.act)(&event, &self.log);
        self.log.event(event);
    }
}

pub fn make_runs(folder: &Path, count: usize) -> Vec<Run> {
    let run = |index: usize| Run {
        id: index.to_string(),
        dir: folder.join("runs").join(index.to_string()),
        label: format!("seed {index}"),
        steps: 4,
        batch_key: None,
    };
    (0..count).map(run).collect()
}

/// The shell reads the script, so no file that was just written is executed: a process forked by
/// another test at that moment would still have it open.
pub fn write_script(folder: &Path, script: &str) -> WorkerCommand {
    let path = folder.join("worker.sh");
    fs::write(&path, format!("{WORKER}{script}")).unwrap();
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
