//! How fast runs of a kind have gone here, from the attempts that they wrote down.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use mezo_run::{Attempt, EndReason, Manifest, RunPlan, each_attempt};
use mezo_spec::{MethodName, ModelSource, RunSpec, Tuning};

use super::cost::Work;
use super::sizes::Sizes;

/// What decides a run's pace: its model, what of it is trained, and whether by backpropagation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    /// What the model is called.
    model: String,
    /// The hash of its weights; none where they are not there.
    weights: Option<String>,
    tuning: Option<TuningWord>,
    backpropagation: bool,
}

/// A tuning by its name in a spec.
type TuningWord = &'static str;

impl Kind {
    pub fn of(plan: &RunPlan) -> Self {
        let RunPlan { manifest, config } = plan;
        Self {
            model: match &config.model {
                ModelSource::Builtin(name) => name.clone(),
                ModelSource::Path(path) => last_part(path),
                ModelSource::Hub(hub) => last_part(Path::new(&hub.repo)),
            },
            weights: Some(manifest.weights_sha256.clone()),
            tuning: config.method.tuning().map(word),
            backpropagation: config.method.name() == MethodName::Ft,
        }
    }

    /// The kind of a run whose model or data are not there.
    pub fn of_spec(run: &RunSpec) -> Self {
        Self {
            tuning: run.method.tuning().map(word),
            backpropagation: run.method.name() == MethodName::Ft,
            ..Self::of_zero_shot(run)
        }
    }

    /// The kind of the zero-shot run beside it.
    pub fn of_zero_shot(run: &RunSpec) -> Self {
        let model = &run.model;
        let named = model.builtin.as_ref().or(model.hub.as_ref());
        let path = named.map(Path::new).or(model.path.as_deref());
        Self {
            model: path.map_or_else(String::new, last_part),
            weights: None,
            tuning: None,
            backpropagation: false,
        }
    }

    /// In words: `roberta-large lora`.
    pub fn words(&self) -> String {
        let tuning = self.tuning.unwrap_or("untrained");
        let by = if self.backpropagation {
            " by backpropagation"
        } else {
            ""
        };
        format!("{} {tuning}{by}", self.model)
    }

    /// Whether a run of `other` shows the pace of this one. Where nothing is trained any run of the model does that goes
    /// forward alone: evaluations are too short to tell a pace from the time to start.
    fn goes_as(&self, other: &Self) -> bool {
        let model = match (&self.weights, &other.weights) {
            (Some(own), Some(other)) => own == other,
            _ => self.model == other.model,
        };
        let forward_only = self.tuning.is_none() && !other.backpropagation;
        let alike = self.tuning == other.tuning && self.backpropagation == other.backpropagation;
        model && (alike || forward_only)
    }
}

fn last_part(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

fn word(tuning: &Tuning) -> TuningWord {
    tuning.name().name()
}

/// A pace and where it is from.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    pub tokens_per_second: f64,
    /// In words: `the median of 8 attempts on cpu, 1 thread each, of host`.
    pub source: String,
}

/// What attempts have shown.
#[derive(Debug, Default)]
pub struct Paces {
    /// A pace given by hand, for all.
    given: Option<f64>,
    samples: Vec<Sample>,
}

/// Where an attempt ran.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Machine {
    host: String,
    device: String,
    threads: usize,
}

/// One attempt.
#[derive(Debug)]
struct Sample {
    kind: Kind,
    machine: Machine,
    tokens: f64,
    seconds: f64,
}

impl Paces {
    /// One pace for everything.
    pub fn given(tokens_per_second: f64) -> Self {
        Self {
            given: Some(tokens_per_second),
            samples: Vec::new(),
        }
    }

    /// Looks through every run in the runs folder. A run that cannot be read shows nothing. `sizes` has the sizes of data
    /// by their hash, as far as they were read; the lengths of others are those that their sources state.
    pub fn measured(runs: &Path, sizes: &BTreeMap<String, Sizes>) -> Self {
        let dirs = folders(runs).into_iter().flat_map(|sweep| folders(&sweep));
        let samples = dirs.flat_map(|dir| samples(&dir, sizes).unwrap_or_default());
        Self {
            given: None,
            samples: samples.collect(),
        }
    }

    /// The pace of a kind: the median of its attempts on the device and number of threads that did most of them.
    pub fn of(&self, kind: &Kind) -> Option<Pace> {
        if let Some(tokens_per_second) = self.given {
            return Some(Pace {
                tokens_per_second,
                source: "given by --tokens-per-second".into(),
            });
        }
        let fitting = self.samples.iter();
        median(fitting.filter(|sample| kind.goes_as(&sample.kind)))
    }
}

/// The median of the attempts that are alike, of those that together did most.
fn median<'s>(samples: impl Iterator<Item = &'s Sample>) -> Option<Pace> {
    let mut alike: BTreeMap<_, Vec<&Sample>> = BTreeMap::new();
    for sample in samples {
        let key = (sample.kind.tuning, &sample.machine);
        alike.entry(key).or_default().push(sample);
    }
    let work = |samples: &[&Sample]| samples.iter().map(|sample| sample.tokens).sum::<f64>();
    let ((_, machine), samples) = alike
        .into_iter()
        .max_by(|(_, a), (_, b)| work(a).total_cmp(&work(b)))?;
    let mut paces: Vec<f64> = samples
        .iter()
        .map(|sample| sample.tokens / sample.seconds)
        .collect();
    paces.sort_by(f64::total_cmp);
    let middle = paces.len() / 2;
    let tokens_per_second = if paces.len().is_multiple_of(2) {
        (paces[middle - 1] + paces[middle]) / 2.0
    } else {
        paces[middle]
    };
    let Machine {
        host,
        device,
        threads,
    } = machine;
    let plural = |count: usize| if count == 1 { "" } else { "s" };
    let attempts = samples.len();
    Some(Pace {
        tokens_per_second,
        source: format!(
            "the median of {attempts} attempt{} on {device}, {threads} thread{} each, of {host}",
            plural(attempts),
            plural(*threads)
        ),
    })
}

/// The folders in a folder, by name; none where it cannot be read.
fn folders(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    paths.sort();
    paths
}

/// The attempts of a run directory; none where it cannot be read.
fn samples(dir: &Path, sizes: &BTreeMap<String, Sizes>) -> Option<Vec<Sample>> {
    let mut attempts = Vec::new();
    // What comes before a broken line still counts.
    let _ = each_attempt(dir, |attempt| attempts.push(attempt));
    let plan = readable(dir)?;
    let RunPlan { manifest, config } = &plan;
    let task = &config.task;
    let sizes = match sizes.get(&manifest.data_sha256) {
        Some(sizes) => *sizes,
        None => Sizes::stated(&task.name, task.k, task.test_cap).ok()?,
    };
    let work = Work::of(&config.method, sizes.with_rows_of(manifest));
    Some(attempted(&attempts, &Kind::of(&plan), &work))
}

/// A run of any version whose configuration this program knows.
fn readable(dir: &Path) -> Option<RunPlan> {
    let manifest = Manifest::read(dir).ok()?;
    let config = manifest.run_config().ok()?;
    Some(RunPlan { manifest, config })
}

/// What attempts show: the attempts that say when they began and when they ended.
fn attempted(attempts: &[Attempt], kind: &Kind, work: &Work) -> Vec<Sample> {
    let mut found = Vec::new();
    // The steps that an attempt began at: those that the one before it ended with.
    let mut began = Some(0);
    for pair in attempts.windows(2) {
        let [Attempt::Start(start), end] = pair else {
            continue;
        };
        let Attempt::End(end) = end else {
            // It was killed: how far it came is not known.
            began = None;
            continue;
        };
        if let Some(from) = began.replace(end.steps) {
            let tokens = done(work, from, end.steps, end.reason);
            if tokens > 0 && end.wall_s > 0.0 {
                found.push(Sample {
                    kind: kind.clone(),
                    machine: Machine {
                        host: start.host.clone(),
                        device: start.device.clone(),
                        threads: start.threads,
                    },
                    tokens: tokens as f64,
                    // Batched runs had the time of one process.
                    seconds: end.wall_s / start.together.max(1) as f64,
                });
            }
        }
    }
    found
}

/// The tokens of an attempt from one step to another.
fn done(work: &Work, from: u64, to: u64, reason: EndReason) -> u64 {
    let mut cost = work.between(from, to);
    if from == 0 {
        cost += work.start();
    }
    if reason == EndReason::Finished {
        cost += work.end();
    }
    cost.tokens
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn run(model: &str, tuning: &str, method: &str) -> RunSpec {
        let tuning = match method {
            "zero-shot" | "lp" => String::new(),
            _ => format!("method.tuning = \"{tuning}\"\n"),
        };
        let train = match method {
            "zero-shot" => "",
            "lp" => "train.seed = 1",
            "ft" => "train = { seed = 1, steps = 100, batch_size = 64, eval_every = 50, lr = 1.0 }",
            _ => {
                "train = { seed = 1, steps = 100, batch_size = 64, eval_every = 50, lr = 1.0, eps = 1.0 }"
            }
        };
        let text = format!(
            "name = \"a\"\nmodel.path = \"{model}\"\ntask = {{ name = \"glue-sst2\", k = 512 }}\n\
             method.name = \"{method}\"\n{tuning}{train}\n"
        );
        let spec = mezo_spec::Spec::parse("a.toml", text).unwrap();
        let mut runs = spec.runs(&mezo_spec::Overrides::default()).unwrap();
        runs.remove(0).1
    }

    fn work() -> Work {
        let sizes = Sizes::stated("glue-sst2", 512, 1000).unwrap();
        Work::of(&run("m/tiny", "full", "mezo").method, sizes)
    }

    fn start(threads: usize) -> String {
        format!(
            r#"{{"event":"start","attempt":1,"time":"","host":"h","device":"cpu","threads":{threads},"argv":[]}}"#
        )
    }

    fn end(steps: u64, wall_s: f64, reason: &str) -> String {
        format!(
            r#"{{"event":"end","attempt":1,"time":"","wall_s":{wall_s},"reason":"{reason}","steps":{steps},"error":null}}"#
        )
    }

    fn shown(lines: &[String]) -> Vec<Sample> {
        let kind = Kind::of_spec(&run("m/tiny", "full", "mezo"));
        let attempts = lines.iter().map(|line| serde_json::from_str(line).unwrap());
        attempted(&attempts.collect::<Vec<_>>(), &kind, &work())
    }

    #[test]
    fn an_attempt_is_paid_for_its_own_steps() {
        let found = shown(&[
            start(1),
            end(40, 10.0, "stopped"),
            start(1),
            end(100, 20.0, "finished"),
        ]);
        let tokens: Vec<f64> = found.iter().map(|sample| sample.tokens).collect();
        let mut second = work().between(40, 100);
        second += work().end();
        assert_eq!(
            tokens,
            [work().between(0, 40).tokens, second.tokens].map(|tokens| tokens as f64)
        );
    }

    #[test]
    fn a_killed_attempt_shows_nothing_nor_does_the_one_after() {
        let killed = [start(1), start(1), end(60, 10.0, "stopped")];
        assert!(shown(&killed).is_empty());
        let third = [start(1), end(100, 10.0, "finished")];
        let found = shown(&[&killed[..], &third[..]].concat());
        assert_eq!(found.len(), 1);
        // An attempt that did nothing.
        assert!(shown(&[start(1), end(0, 1.0, "failed")]).is_empty());
    }

    #[test]
    fn the_pace_is_the_median_where_most_was_done() {
        let lines = |threads, seconds: f64| [start(threads), end(40, seconds, "stopped")];
        let mut paces = Paces::default();
        for (threads, seconds) in [(1, 40.0), (1, 10.0), (1, 20.0), (8, 1.0)] {
            paces.samples.extend(shown(&lines(threads, seconds)));
        }
        let full = Kind::of_spec(&run("elsewhere/tiny", "full", "mezo"));
        let pace = paces.of(&full).unwrap();
        let tokens = work().between(0, 40).tokens as f64;
        assert_eq!(pace.tokens_per_second, tokens / 20.0);
        assert_eq!(
            pace.source,
            "the median of 3 attempts on cpu, 1 thread each, of h"
        );
        let given = Paces::given(7.0).of(&full).unwrap();
        assert_eq!(given.tokens_per_second, 7.0);
    }

    #[test]
    fn a_pace_is_of_the_same_model_tuning_and_kind_of_step() {
        let paces = Paces {
            given: None,
            samples: shown(&[start(1), end(40, 10.0, "stopped")]),
        };
        let known = |run: RunSpec| paces.of(&Kind::of_spec(&run)).is_some();
        assert!(known(run("tiny", "full", "mezo")));
        assert!(known(run("tiny", "full", "zero-shot")));
        assert!(known(run("tiny", "full", "lp")));
        assert!(!known(run("tiny", "lora", "mezo")));
        assert!(!known(run("tiny", "full", "ft")));
        assert!(!known(run("base", "full", "mezo")));
    }
}
