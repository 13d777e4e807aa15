//! `mezo sweep status`.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::thread;
use std::time::Duration;

use mezo_run::Step;
use mezo_sweep::slurm::{Queue, SlurmError, submissions};
use mezo_sweep::{Counts, Plan, Run, RunError, State, runs_in};
use serde::Serialize;

use super::folder;
use crate::args::{PlanFormat, StatusArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use crate::plan::reason;

/// How often a watched status is shown again.
const EVERY: Duration = Duration::from_secs(2);
/// Finished and waiting runs are counted, and listed only where there are few of them.
const LISTED: usize = 20;

/// Says how far a sweep has come.
pub fn status(args: &StatusArgs) -> Result<Exit, Failure> {
    let folder = folder(&args.sweep, &args.runs_dir)?;
    loop {
        let status = Status::of(&folder)?;
        match args.format {
            PlanFormat::Json => status.put_json()?,
            PlanFormat::Human => status.put_human(args)?,
        }
        if !args.watch || status.is_over() {
            return Ok(status.exit());
        }
        thread::sleep(EVERY);
    }
}

/// The runs of a sweep with what their files say, and the queue of those that the files are silent about.
struct Status {
    runs: Vec<Standing>,
    counts: Counts,
    /// Manifests that cannot be read.
    broken: Vec<RunError>,
    /// Why the queue could not be asked, if it should have been.
    silent_queue: Option<SlurmError>,
}

/// A run, its state, and what is known beside it.
struct Standing {
    run: Run,
    state: State,
    /// Where its journal stands.
    progress: Option<Step>,
    /// What Slurm's queue says of it, if it was handed to Slurm and its files do not say more.
    queue: Option<String>,
}

impl Status {
    fn of(folder: &Path) -> Result<Self, Failure> {
        let found = runs_in(folder)?;
        let plan = Plan::of(found.runs);
        let counts = plan.counts();
        let standing = |(run, state): (Run, State)| {
            let under_way = matches!(state, State::Held { .. } | State::ToResume { .. });
            Standing {
                progress: under_way.then(|| run.progress()).flatten(),
                run,
                state,
                queue: None,
            }
        };
        let mut status = Self {
            runs: plan.runs.into_iter().map(standing).collect(),
            counts,
            broken: found.broken,
            silent_queue: None,
        };
        status.ask_queue(folder)?;
        Ok(status)
    }

    /// Asks Slurm about the runs whose files do not say what becomes of them.
    fn ask_queue(&mut self, folder: &Path) -> Result<(), Failure> {
        let silent = |state: &State| matches!(state, State::ToRun | State::ToResume { .. });
        if !self.runs.iter().any(|standing| silent(&standing.state)) {
            return Ok(());
        }
        // A run that was submitted again is where it was submitted last.
        let submissions = submissions(folder)?;
        let tasks: BTreeMap<&str, (usize, usize)> = submissions
            .iter()
            .enumerate()
            .flat_map(|(at, (submission, _))| {
                let runs = submission.tasks();
                runs.map(move |(run, task)| (run, (at, task)))
            })
            .collect();
        let of = |standing: &Standing| tasks.get(standing.run.id.as_str()).copied();
        let asked = self.runs.iter().filter(|standing| silent(&standing.state));
        if asked.filter_map(of).next().is_none() {
            return Ok(());
        }
        let names = submissions
            .iter()
            .map(|(submission, _)| submission.name.as_str());
        let queue = match Queue::ask(names) {
            Ok(queue) => queue,
            Err(error) => {
                self.silent_queue = Some(error);
                return Ok(());
            }
        };
        for standing in self
            .runs
            .iter_mut()
            .filter(|standing| silent(&standing.state))
        {
            let Some((at, number)) = tasks.get(standing.run.id.as_str()).copied() else {
                continue;
            };
            let (submission, own) = &submissions[at];
            standing.queue = Some(match queue.place(&submission.name, number) {
                Some(place) => {
                    let state = place.state.to_lowercase();
                    format!("{state} as job {} ({})", place.job, place.reason)
                }
                None => format!(
                    "no longer in the queue as job {}_{number}: its log is in {}",
                    submission.job.as_deref().unwrap_or("?"),
                    own.display()
                ),
            });
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.counts.outstanding() == self.counts.failed
    }

    fn exit(&self) -> Exit {
        let failed = self.counts.failed + self.broken.len();
        match (failed, self.counts.outstanding()) {
            (0, 0) => Exit::Done,
            (0, _) => Exit::Outstanding,
            _ => Exit::RunsFailed,
        }
    }

    fn put_human(&self, args: &StatusArgs) -> Result<(), Failure> {
        let mut text = String::new();
        if args.watch && std::io::stdout().is_terminal() {
            // From the top left, and nothing below.
            text.push_str("\x1b[H\x1b[J");
        }
        let quiet = |state: &State| matches!(state, State::Finished | State::ToRun);
        let all = args.all || self.runs.len() <= LISTED;
        for standing in &self.runs {
            if all || !quiet(&standing.state) {
                text.push_str(&standing.line());
            }
        }
        text.push_str(&self.summary());
        put(&text)?;
        for error in &self.broken {
            say!("warning: {error}; `mezo sweep run` writes it again if its spec still has it");
        }
        if let Some(error) = &self.silent_queue {
            say!("warning: Slurm's queue is not known: {error}");
        }
        Ok(())
    }

    /// `12 runs: 3 finished, 4 running, 1 failed, 4 to go`
    fn summary(&self) -> String {
        let counts = &self.counts;
        let words = [
            (counts.finished, "finished"),
            (counts.held, "running"),
            (counts.failed, "failed"),
            (counts.to_resume, "begun"),
            (counts.to_run, "to run"),
        ];
        let words: Vec<String> = words
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        format!("{} runs: {}\n", counts.total(), words.join(", "))
    }

    fn put_json(&self) -> Result<(), Failure> {
        let runs = self.runs.iter().map(Standing::json).collect();
        let counts = &self.counts;
        let json = JsonStatus {
            runs,
            finished: counts.finished,
            held: counts.held,
            failed: counts.failed,
            to_resume: counts.to_resume,
            to_run: counts.to_run,
        };
        let text = serde_json::to_string_pretty(&json).expect("numbers and texts serialise");
        put(&format!("{text}\n"))
    }
}

#[derive(Serialize)]
struct JsonStatus<'s> {
    runs: Vec<JsonStanding<'s>>,
    finished: usize,
    held: usize,
    failed: usize,
    to_resume: usize,
    to_run: usize,
}

#[derive(Serialize)]
struct JsonStanding<'s> {
    id: &'s str,
    label: &'s str,
    state: &'static str,
    step: Option<u64>,
    steps: u64,
    loss: Option<f64>,
    class: Option<&'static str>,
    reason: Option<String>,
    queue: Option<&'s str>,
}

impl Standing {
    fn line(&self) -> String {
        let word = match &self.state {
            State::Held { .. } => "running",
            state => state.word(),
        };
        let mut text = format!("{:<16}  {word:<9}  {}", self.run.id, self.run.label);
        if let Some(last) = &self.progress {
            text.push_str(&format!("  step {}/{}", last.step, self.run.steps));
            if let Some(loss) = last.loss() {
                text.push_str(&format!(", loss {loss:.4}"));
            }
        }
        if let Some(reason) = reason(&self.run, &self.state) {
            text.push_str(&format!("  ({reason})"));
        }
        if let Some(queue) = &self.queue {
            text.push_str(&format!("  ({queue})"));
        }
        text.push('\n');
        text
    }

    fn json(&self) -> JsonStanding<'_> {
        JsonStanding {
            id: &self.run.id,
            label: &self.run.label,
            state: self.state.word(),
            step: self.progress.as_ref().map(|last| last.step),
            steps: self.run.steps,
            loss: self.progress.as_ref().and_then(Step::loss),
            class: match &self.state {
                State::Failed(failure) => Some(failure.class.name()),
                _ => None,
            },
            reason: reason(&self.run, &self.state),
            queue: self.queue.as_deref(),
        }
    }
}
