//! A plan as JSON.

use mezo_spec::Swept;
use mezo_sweep::State;
use mezo_sweep::plan::{Changed, Cost, Entry, Reason, Summary, outstanding};
use serde::Serialize;

use super::show::{Shown, why};
use crate::failure::Failure;
use crate::output::put;

#[derive(Serialize)]
struct JsonPlans<'p> {
    sweeps: Vec<JsonPlan<'p>>,
    total: Summary,
}

#[derive(Serialize)]
struct JsonPlan<'p> {
    sweep: &'p str,
    runs: Vec<JsonRun<'p>>,
    unresolved: &'p [Reason],
    summary: &'p Summary,
    changed: &'p [Changed],
}

#[derive(Serialize)]
struct JsonRun<'p> {
    id: Option<&'p str>,
    label: &'p str,
    state: &'static str,
    step: Option<u64>,
    reason: Option<String>,
    swept: &'p [Swept],
    cost: Cost,
    outstanding: Cost,
}

impl<'p> JsonRun<'p> {
    fn of((entry, state): (&'p Entry, &'p Option<State>)) -> Self {
        let step = match state {
            Some(State::ToResume { step }) => Some(*step),
            _ => None,
        };
        let reason = why(entry, state.as_ref());
        let word = state.as_ref().map_or("unresolved", State::word);
        Self {
            id: entry.id(),
            label: &entry.label,
            state: word,
            step,
            reason,
            swept: &entry.swept,
            cost: entry.work.total(),
            outstanding: outstanding(entry, state.as_ref()),
        }
    }
}

/// Prints the plans and what they add up to.
pub fn put_json(plans: &[Shown]) -> Result<(), Failure> {
    let sweeps = plans
        .iter()
        .map(|shown| JsonPlan {
            sweep: &shown.plan.sweep,
            runs: shown
                .plan
                .entries
                .iter()
                .zip(&shown.states)
                .map(JsonRun::of)
                .collect(),
            unresolved: shown.plan.reasons.list(),
            summary: &shown.summary,
            changed: &shown.changed,
        })
        .collect();
    let all = JsonPlans {
        sweeps,
        total: Summary::total(plans.iter().map(|shown| &shown.summary)),
    };
    let text = serde_json::to_string_pretty(&all).expect("numbers and texts serialise");
    put(&format!("{text}\n"))
}
