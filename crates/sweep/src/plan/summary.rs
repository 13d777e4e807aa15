//! What the runs of a plan add up to.

use std::collections::BTreeMap;

use serde::Serialize;

use super::cost::Cost;
use super::expand::Entry;
use super::pace::{Kind, Pace, Paces};
use crate::state::{Counts, Run, State};

/// The runs of a plan by state, by axis, and what they take.
#[derive(Debug, Default, Serialize)]
pub struct Summary {
    /// How many runs there are.
    pub runs: usize,
    /// How many are in each state.
    pub states: States,
    /// Of all runs.
    pub cost: Cost,
    /// Of what is not done.
    pub outstanding: Cost,
    /// What the files of all runs take once they are finished; none where no run is resolved.
    pub disk_bytes: Option<u64>,
    /// Of the outstanding runs whose pace is known, one after the other; none where no pace is.
    pub hours: Option<f64>,
    /// The outstanding work by its pace.
    pub paces: Vec<Paced>,
    /// For each swept key how many runs have each of its values, in the order of the spec.
    pub axes: Vec<Axis>,
}

/// How many runs are in each state.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub struct States {
    /// With a result.
    pub finished: usize,
    /// Of which nothing is there.
    pub to_run: usize,
    /// That go on from a step.
    pub to_resume: usize,
    /// Whose last attempt failed.
    pub failed: usize,
    /// That another process holds.
    pub held: usize,
    /// Whose model or data are not there.
    pub unresolved: usize,
}

/// The outstanding work of runs of one kind.
#[derive(Debug, Serialize)]
pub struct Paced {
    /// Model and tuning.
    pub kind: String,
    /// How many runs.
    pub runs: usize,
    /// Tokens of what is not done.
    pub tokens: u64,
    /// The pace; none where none was measured.
    pub tokens_per_second: Option<f64>,
    /// Where the pace is from.
    pub source: Option<String>,
    /// Hours of what is not done, one run after the other.
    pub hours: Option<f64>,
}

/// A swept key.
#[derive(Debug, Serialize)]
pub struct Axis {
    /// Its path.
    pub key: String,
    /// Its values, in the order of the spec.
    pub values: Vec<Count>,
}

/// A value of a swept key.
#[derive(Debug, Serialize)]
pub struct Count {
    /// The value.
    pub value: String,
    /// How many runs have it.
    pub runs: usize,
}

impl From<(Counts, usize)> for States {
    fn from((counts, unresolved): (Counts, usize)) -> Self {
        Self {
            finished: counts.finished,
            to_run: counts.to_run,
            to_resume: counts.to_resume,
            failed: counts.failed,
            held: counts.held,
            unresolved,
        }
    }
}

/// What of an entry is not done.
pub fn outstanding(entry: &Entry, state: Option<&State>) -> Cost {
    match state {
        Some(State::Finished) => Cost::default(),
        Some(State::ToResume { step }) => entry.work.left(*step),
        // They go on from their journals too.
        Some(State::Held { .. } | State::Failed(_)) => {
            let progress = entry.run().and_then(Run::progress);
            entry
                .work
                .left(progress.map_or(0, |progress| progress.step))
        }
        Some(State::ToRun) | None => entry.work.total(),
    }
}

impl Summary {
    /// Adds up entries, each with its state; none where it is unresolved.
    pub fn of<'e>(
        entries: impl Iterator<Item = (&'e Entry, Option<&'e State>)> + Clone,
        states: States,
        paces: &Paces,
    ) -> Self {
        let mut summary = Self {
            states,
            axes: axes(entries.clone().map(|(entry, _)| entry)),
            ..Self::default()
        };
        let mut kinds: BTreeMap<&Kind, (usize, u64)> = BTreeMap::new();
        for (entry, state) in entries {
            let left = outstanding(entry, state);
            summary.runs += 1;
            summary.disk_bytes = sum(summary.disk_bytes, entry.disk_bytes());
            summary.cost += entry.work.total();
            summary.outstanding += left;
            if left != Cost::default() {
                let (runs, tokens) = kinds.entry(&entry.kind).or_default();
                *runs += 1;
                *tokens += left.tokens;
            }
        }
        let paced = |(kind, (runs, tokens)): (&Kind, _)| Paced::of(kind, runs, tokens, paces);
        summary.paces = kinds.into_iter().map(paced).collect();
        summary.hours = hours(&summary.paces);
        summary
    }

    /// Several plans together; axes of different specs are not added up.
    pub fn total<'s>(summaries: impl Iterator<Item = &'s Self>) -> Self {
        let mut total = Self::default();
        for summary in summaries {
            total.runs += summary.runs;
            total.states += summary.states;
            total.cost += summary.cost;
            total.outstanding += summary.outstanding;
            total.disk_bytes = sum(total.disk_bytes, summary.disk_bytes);
            for paced in &summary.paces {
                total.add_paced(paced);
            }
        }
        total.hours = hours(&total.paces);
        total
    }

    fn add_paced(&mut self, more: &Paced) {
        let known = self.paces.iter_mut();
        let mut same = known.filter(|paced| paced.kind == more.kind && paced.source == more.source);
        match same.next() {
            Some(paced) => {
                paced.runs += more.runs;
                paced.tokens += more.tokens;
                paced.hours = paced.hours.zip(more.hours).map(|(a, b)| a + b);
            }
            None => self.paces.push(Paced {
                kind: more.kind.clone(),
                source: more.source.clone(),
                ..*more
            }),
        }
    }
}

impl std::ops::AddAssign for States {
    fn add_assign(&mut self, other: Self) {
        self.finished += other.finished;
        self.to_run += other.to_run;
        self.to_resume += other.to_resume;
        self.failed += other.failed;
        self.held += other.held;
        self.unresolved += other.unresolved;
    }
}

impl Paced {
    fn of(kind: &Kind, runs: usize, tokens: u64, paces: &Paces) -> Self {
        let (tokens_per_second, source) = match paces.of(kind) {
            Some(Pace {
                tokens_per_second,
                source,
            }) => (Some(tokens_per_second), Some(source)),
            None => (None, None),
        };
        Self {
            kind: kind.words(),
            runs,
            tokens,
            tokens_per_second,
            source,
            hours: tokens_per_second.map(|pace| tokens as f64 / pace / 3600.0),
        }
    }
}

/// The sum of what is known.
fn sum(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    [a, b].into_iter().flatten().reduce(u64::saturating_add)
}

/// The hours of all whose pace is known.
fn hours(paces: &[Paced]) -> Option<f64> {
    let known = paces.iter().filter_map(|paced| paced.hours);
    known.reduce(|sum, hours| sum + hours)
}

fn axes<'e>(entries: impl Iterator<Item = &'e Entry>) -> Vec<Axis> {
    let mut axes: Vec<Axis> = Vec::new();
    let mut places: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for swept in entries.flat_map(|entry| &entry.swept) {
        let (key, value) = (swept.key.as_str(), swept.text.as_str());
        let (axis, count) = *places.entry((key, value)).or_insert_with(|| {
            let axis = axes.iter().position(|axis| axis.key == key);
            let axis = axis.unwrap_or_else(|| {
                axes.push(Axis {
                    key: key.into(),
                    values: Vec::new(),
                });
                axes.len() - 1
            });
            axes[axis].values.push(Count {
                value: value.into(),
                runs: 0,
            });
            (axis, axes[axis].values.len() - 1)
        });
        axes[axis].values[count].runs += 1;
    }
    axes
}
