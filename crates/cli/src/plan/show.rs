//! `mezo sweep plan`: what it prints.

use std::collections::{BTreeMap, BTreeSet};

use mezo_spec::grouped;
use mezo_sweep::plan::{
    Axis, Changed, Entry, Expanded, Found, Paced, Paces, Reason, Reasons, States, Summary, changed,
    earlier_version,
};
use mezo_sweep::{Plan, Run, State};

use crate::failure::Failure;
use crate::output::{put, size};

/// The longest list of runs that is printed without being asked for.
const LISTED: usize = 200;
/// How many values of a swept key are told one by one.
const VALUES: usize = 12;

/// The lists on stdout, what they add up to on stderr.
pub fn put_human(plans: &[Shown], all: bool) -> Result<(), Failure> {
    let several = plans.len() > 1;
    for shown in plans {
        if several {
            put(&format!("{}:\n", shown.plan.sweep))?;
            say!("{}:", shown.plan.sweep);
        }
        put(&shown.list(all))?;
        tell(&shown.summary);
        for changed in &shown.changed {
            say!("{}", changed.words());
        }
        if let Some(earlier) = earlier_version(&shown.plan.folder) {
            say!("note: {earlier}");
        }
    }
    if several {
        say!("all {} specs:", plans.len());
        tell(&Summary::total(plans.iter().map(|shown| &shown.summary)));
    }
    let mut reasons = Reasons::default();
    for shown in plans {
        reasons.join(&shown.plan.reasons);
    }
    tell_reasons(reasons.list());
    Ok(())
}

/// A plan with the state of each of its runs.
pub struct Shown {
    pub plan: Expanded,
    /// None where a run is unresolved.
    pub states: Vec<Option<State>>,
    pub summary: Summary,
    /// Runs in the sweep's folder that are not in the plan.
    pub changed: Vec<Changed>,
}

impl Shown {
    pub fn of(plan: Expanded, paces: &Paces) -> Result<Self, Failure> {
        let runs = plan.entries.iter().filter_map(Entry::run);
        let resolved = Plan::of(runs.cloned());
        let counts = resolved.counts();
        let unresolved = plan.entries.len() - counts.total();
        let mut known = resolved.runs.into_iter().map(|(_, state)| state);
        let state = |entry: &Entry| match &entry.found {
            Found::Resolved(_) => known.next(),
            Found::Unresolved(_) => None,
        };
        let states: Vec<Option<State>> = plan.entries.iter().map(state).collect();
        let entries = plan.entries.iter();
        let summary = Summary::of(
            entries.zip(states.iter().map(Option::as_ref)),
            States::from((counts, unresolved)),
            paces,
        );
        let manifests = plan.entries.iter().filter_map(|entry| match &entry.found {
            Found::Resolved(planned) => Some(&planned.plan.manifest),
            Found::Unresolved(_) => None,
        });
        let changed = changed(&plan.folder, manifests);
        Ok(Self {
            plan,
            states,
            summary,
            changed,
        })
    }

    /// A line for every run; where they are very many, one for many runs.
    fn list(&self, all: bool) -> String {
        if all || self.plan.entries.len() <= LISTED {
            self.lines()
        } else {
            self.grouped_lines()
        }
    }

    /// A line for every run.
    fn lines(&self) -> String {
        let line = |(entry, state): (&Entry, &Option<State>)| {
            let id = entry.id().unwrap_or("-");
            let reason = why(entry, state.as_ref());
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            format!(
                "{id:<16}  {:<14}  {}{reason}\n",
                state_word(state),
                entry.label
            )
        };
        self.plan
            .entries
            .iter()
            .zip(&self.states)
            .map(line)
            .collect()
    }

    /// A line for every state of every task, model and method that is swept: all but what is swept of `[train]`.
    fn grouped_lines(&self) -> String {
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut groups: Vec<(String, String, usize)> = Vec::new();
        for (entry, state) in self.plan.entries.iter().zip(&self.states) {
            let state = match state {
                Some(State::ToResume { .. }) => "begun".into(),
                state => state_word(state),
            };
            let words = words_without_train(entry, &self.plan.sweep);
            let place = *places
                .entry((state.clone(), words.clone()))
                .or_insert_with(|| {
                    groups.push((state, words, 0));
                    groups.len() - 1
                });
            groups[place].2 += 1;
        }
        let line = |(state, words, runs): (String, String, usize)| {
            format!("{:<16}  {state:<14}  {words}\n", runs_word(runs))
        };
        let lines: String = groups.into_iter().map(line).collect();
        format!("{lines}(--all lists every run)\n")
    }
}

/// What is swept of a run but `[train]`.
fn words_without_train(entry: &Entry, sweep: &str) -> String {
    if entry.beside {
        return "zero-shot".into();
    }
    let swept = entry.swept.iter();
    let words: Vec<String> = swept
        .filter(|swept| !swept.key.starts_with("train."))
        .map(|swept| format!("{} {}", swept.key, swept.text))
        .collect();
    if words.is_empty() {
        sweep.into()
    } else {
        words.join(" ")
    }
}

fn state_word(state: &Option<State>) -> String {
    match state {
        None => "unresolved".into(),
        Some(State::Finished) => "finished".into(),
        Some(State::ToRun) => "to run".into(),
        Some(State::ToResume { step }) => format!("at step {step}"),
        Some(State::Failed(_)) => "failed".into(),
        Some(State::Held { .. }) => "held".into(),
    }
}

/// Why a run of a plan is in its state.
pub fn why(entry: &Entry, state: Option<&State>) -> Option<String> {
    reason(entry.run()?, state?)
}

/// Why a run is in its state, where that is more than its files' being there or not.
pub fn reason(run: &Run, state: &State) -> Option<String> {
    match state {
        State::Failed(failure) => Some(format!("{}: {}", failure.class, failure.reason)),
        State::Held { holder } => Some(match holder {
            Some(holder) => format!("by {holder}"),
            None => "by another process".into(),
        }),
        State::Finished => run.is_diverged().then(|| "diverged".into()),
        State::ToRun | State::ToResume { .. } => run.last_word(),
    }
}

/// Prints what runs add up to.
fn tell(summary: &Summary) {
    let states = summary.states;
    say!(
        "{}, {} finished, {} outstanding{}",
        runs_word(summary.runs),
        number(states.finished as u64),
        number((summary.runs - states.finished) as u64),
        more_states(states)
    );
    let (left, all) = (&summary.outstanding, &summary.cost);
    let rows = [
        ("steps", left.steps, all.steps),
        ("forward passes", left.forward_passes, all.forward_passes),
        ("backward passes", left.backward_passes, all.backward_passes),
        ("tokens", left.tokens, all.tokens),
    ];
    for (name, left, all) in rows {
        match (left, all) {
            (0, 0) => {}
            (left, all) if left == all => say!("{name:<16}{:>20}", number(all)),
            (left, all) => say!(
                "{name:<16}{:>20} outstanding of {}",
                number(left),
                number(all)
            ),
        }
    }
    if let Some(bytes) = summary.disk_bytes {
        say!(
            "{:<16}{:>20} once all is done{}",
            "disk",
            size(bytes),
            resolved(summary)
        );
    }
    tell_hours(summary);
    for axis in &summary.axes {
        say!("{}", axis_line(axis));
    }
}

/// Of how many runs it is, where some are unresolved.
fn resolved(summary: &Summary) -> String {
    match summary.states.unresolved {
        0 => String::new(),
        unresolved => format!(", of {} alone", runs_word(summary.runs - unresolved)),
    }
}

/// The hours of each kind of runs whose pace is known, and of which none is.
fn tell_hours(summary: &Summary) {
    if let Some(hours) = summary.hours {
        say!(
            "{:<16}{:>20} of runs one after the other",
            "hours",
            hours_word(hours)
        );
    }
    let mut unknown = Vec::new();
    for paced in &summary.paces {
        let Paced {
            kind, runs, source, ..
        } = paced;
        let of = format!("{} of {kind}", runs_word(*runs));
        match (paced.tokens_per_second, source, paced.hours) {
            (Some(pace), Some(source), Some(hours)) => say!(
                "  {of}: {} hours at {} tokens/s, {source}",
                hours_word(hours),
                number(pace.round() as u64)
            ),
            _ => unknown.push(of),
        }
    }
    if !unknown.is_empty() {
        say!(
            "no pace was measured yet for {}: carry one of them out for some steps, or give `--tokens-per-second N`",
            unknown.join(", ")
        );
    }
}

/// The states that are not plainly to run.
fn more_states(states: States) -> String {
    let counts = [
        (states.to_resume, "begun"),
        (states.failed, "failed"),
        (states.held, "held"),
        (states.unresolved, "unresolved"),
    ];
    let words: Vec<String> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", number(count as u64)))
        .collect();
    if words.is_empty() {
        return String::new();
    }
    format!(" ({})", words.join(", "))
}

fn axis_line(axis: &Axis) -> String {
    let told = axis.values.iter().take(VALUES);
    let mut words: Vec<String> = told
        .map(|count| format!("{} ({})", count.value, number(count.runs as u64)))
        .collect();
    if axis.values.len() > VALUES {
        words.push(format!("{} more values", axis.values.len() - VALUES));
    }
    format!("{}: {}", axis.key, words.join(", "))
}

/// What is not there, and what to do about it, each way out once.
fn tell_reasons(reasons: &[Reason]) {
    for reason in reasons {
        say!("unresolved, {}: {}", runs_word(reason.runs), reason.reason);
    }
    let hints: BTreeSet<&String> = reasons
        .iter()
        .filter_map(|reason| reason.hint.as_ref())
        .collect();
    for hint in hints {
        say!("hint: {hint}");
    }
}

fn runs_word(runs: usize) -> String {
    match runs {
        1 => "1 run".into(),
        _ => format!("{} runs", number(runs as u64)),
    }
}

fn number(count: u64) -> String {
    grouped(u128::from(count))
}

/// Hours with as many digits as matter, a thousandth at least.
fn hours_word(hours: f64) -> String {
    match hours {
        0.0..0.001 => "0.001".into(),
        0.001..0.1 => format!("{hours:.3}"),
        0.1..10.0 => format!("{hours:.2}"),
        _ => number(hours.round() as u64),
    }
}
