//! Runs in a temporary folder whose workers are short scripts, and a watch that keeps the events.

use std::fs;
use std::path::{Path, PathBuf};

use mezo_sweep::{Event, Run, Watch, WorkerCommand};

/// A worker that leaves a result.
pub const SUCCEEDS: &str = "echo '{}' >\"$1/result.json\"";

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

    pub fn read(&self, run: usize, name: &str) -> String {
        fs::read_to_string(self.runs[run].dir.join(name)).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

pub fn make_runs(folder: &Path, count: usize) -> Vec<Run> {
    let run = |index: usize| Run {
        id: index.to_string(),
        dir: folder.join("runs").join(index.to_string()),
        label: format!("seed {index}"),
        steps: 4,
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
    pub most_running: usize,
}

impl Watch for Log {
    fn event(&mut self, event: Event<'_>) {
        let words = match event {
            Event::Skipped { run } => format!("skipped {}", run.id),
            Event::Started { run, step } => format!("started {} at {step}", run.id),
            Event::Progress {
                run,
                step,
                steps,
                loss,
            } => format!("progress {} {step}/{steps} {loss:?}", run.id),
            Event::Finished { run } => format!("finished {}", run.id),
            Event::Failed { run, reason } => format!("failed {}: {}", run.id, reason.summary()),
            Event::Stopped { run } => format!("stopped {}", run.id),
            Event::Held { run } => format!("held {}", run.id),
            Event::Stopping => "stopping".to_owned(),
            Event::Tick { running, .. } => {
                self.ticks += 1;
                self.most_running = self.most_running.max(running);
                return;
            }
        };
        self.events.push(words);
    }
}
