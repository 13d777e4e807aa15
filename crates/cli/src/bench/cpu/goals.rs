//! What is to be reached on a processor, and what is.

use mezo_train::StepTimes;

use super::super::peer::PeerTimes;
use super::measured::{Compared, Jobs, Measured};
use super::spread::Spread;

/// A line of the table.
pub struct Goal {
    pub what: &'static str,
    pub to_reach: &'static str,
    /// What was measured.
    pub here: String,
    /// Nothing where it was not measured, or where there is nothing to reach.
    pub reached: Option<bool>,
}

/// Every goal, in the table's order.
pub fn goals(measured: &Measured) -> Vec<Goal> {
    let (lora, full) = (&measured.lora, &measured.full);
    vec![
        bf16(lora),
        faster(
            "LoRA step against PyTorch in f32",
            2.3,
            "at least 2.3 times as fast",
            lora,
            &lora.peer_f32,
        ),
        faster(
            "full-parameter step against PyTorch in f32",
            3.0,
            "at least 3 times as fast",
            full,
            &full.peer_f32,
        ),
        over_floor(
            "LoRA step over the strict floor",
            1.12,
            "at most 1.12",
            &lora.ours,
        ),
        over_floor(
            "full-parameter step over the strict floor",
            1.20,
            "at most 1.20",
            &full.ours,
        ),
        applied(measured),
        update(measured),
        memory(measured),
        builtin(measured),
    ]
    .into_iter()
    .chain(measured.jobs.iter().map(at_once))
    .collect()
}

/// PyTorch in bf16 has a path of its own on some processors alone; without it there is nothing to hold a step against.
fn bf16(lora: &Compared) -> Goal {
    let goal = faster(
        "LoRA step against PyTorch in bf16",
        1.0,
        "at least level",
        lora,
        &lora.peer_bf16,
    );
    let median = |peer: &[PeerTimes]| Spread::of(peer.iter().map(|times| times.step_s));
    match median(&lora.peer_bf16).zip(median(&lora.peer_f32)) {
        Some((bf16, f32)) if bf16.median > f32.median => Goal {
            here: format!("{}; PyTorch was slower in bf16 than in f32", goal.here),
            reached: None,
            ..goal
        },
        _ => goal,
    }
}

fn faster(
    what: &'static str,
    least: f64,
    to_reach: &'static str,
    compared: &Compared,
    peer: &[PeerTimes],
) -> Goal {
    let ours = || compared.ours.iter().map(|times| times.step_s);
    let theirs = || peer.iter().map(|times| times.step_s);
    let ratio = Spread::of_quotients(theirs(), ours());
    let seconds = Spread::of(ours()).zip(Spread::of(theirs()));
    let (here, reached) = match ratio.zip(seconds) {
        None => ("not measured".into(), None),
        Some((ratio, (ours, theirs))) => (
            format!(
                "{} times as fast: {:.2} s against {:.2} s, at best {:.2} s",
                ratio.text(2),
                ours.median,
                theirs.median,
                theirs.low
            ),
            Some(ratio.median >= least),
        ),
    };
    Goal {
        what,
        to_reach,
        here,
        reached,
    }
}

fn over_floor(what: &'static str, most: f64, to_reach: &'static str, times: &[StepTimes]) -> Goal {
    let strict = Spread::of(times.iter().map(|times| times.step_over_floor));
    let naive = Spread::of(times.iter().map(|times| times.step_over_naive_floor));
    Goal {
        what,
        to_reach,
        here: strict
            .zip(naive)
            .map_or("not measured".into(), |(strict, naive)| {
                format!("{}; {}", strict.text(3), over_naive(naive, most))
            }),
        reached: strict.map(|strict| strict.median <= most),
    }
}

/// What the same goal is by the formula's multiply-adds.
fn over_naive(naive: Spread, most: f64) -> String {
    let reached = if naive.median <= most {
        "reached"
    } else {
        "missed"
    };
    format!("over the naive floor {}, {reached}", naive.text(3))
}

fn applied(measured: &Measured) -> Goal {
    let noise = &measured.noise;
    let rates = [noise.perturbed_per_second(), noise.updated_per_second()].map(|rate| rate / 1e9);
    Goal {
        what: "normals made and applied a second",
        to_reach: "at least 1.2 billion",
        here: format!(
            "{:.2} billion into perturbed copies, {:.2} billion into the weights",
            rates[0], rates[1]
        ),
        reached: Some(rates.into_iter().all(|rate| rate >= 1.2)),
    }
}

fn update(measured: &Measured) -> Goal {
    let noise = &measured.noise;
    Goal {
        what: "update of all weights over making as many normals without writing them",
        to_reach: "at most 1.3",
        here: format!(
            "{:.2}: {:.0} ms over {:.0} ms, {:.1} M weights",
            noise.update_over_generate,
            1e3 * noise.update_s,
            1e3 * noise.generate_s,
            noise.scalars as f64 / 1e6
        ),
        reached: Some(noise.update_over_generate <= 1.3),
    }
}

fn memory(measured: &Measured) -> Goal {
    let memory = measured.memory;
    let ratio = memory.mezo as f64 / memory.forward as f64;
    let mib = |bytes| bytes as f64 / f64::from(1 << 20);
    Goal {
        what: "peak resident set of a full-parameter step over a forward pass",
        to_reach: "at most 1.15",
        here: format!(
            "{ratio:.2}: {:.0} MiB over {:.0} MiB",
            mib(memory.mezo),
            mib(memory.forward)
        ),
        reached: Some(ratio <= 1.15),
    }
}

fn builtin(measured: &Measured) -> Goal {
    const MOST: f64 = 1.5;
    let builtin = &measured.builtin;
    let runs = || builtin.run_s.iter().copied();
    let floors = || builtin.steps.iter().map(|times| times.floor_s);
    let naive_floors = || builtin.steps.iter().map(|times| times.naive_floor_s);
    let rate = |seconds: &mut dyn Iterator<Item = f64>| Spread::of(seconds.map(|it| 1.0 / it));
    let strict = Spread::of_quotients(runs(), floors());
    let naive = Spread::of_quotients(runs(), naive_floors());
    let around = Spread::of_quotients(runs(), builtin.bare_s.iter().copied());
    let rates = rate(&mut runs()).zip(rate(&mut floors()).zip(rate(&mut naive_floors())));
    let all = strict.zip(naive).zip(rates.zip(around));
    Goal {
        what: "built-in model, a run's step over its strict floor",
        to_reach: "at most 1.5",
        here: all.map_or("not measured".into(), |((strict, naive), ((run, (least, formula)), around))| {
            format!(
                "{}; {}; {:.0} steps/s, the floors {:.0} and {:.0}; a run's step takes {:.2} of a bare one",
                strict.text(2),
                over_naive(naive, MOST),
                run.median,
                least.median,
                formula.median,
                around.median
            )
        }),
        reached: strict.map(|strict| strict.median <= MOST),
    }
}

fn at_once(jobs: &Jobs) -> Goal {
    let (at_once, in_turn) = (&jobs.at_once, &jobs.in_turn);
    let over = |a: &[f64], b: &[f64]| Spread::of_quotients(a.iter().copied(), b.iter().copied());
    let rates = [at_once, in_turn].map(|rates| Spread::of(rates.iter().copied()));
    let here = match (over(at_once, in_turn), over(in_turn, at_once), rates) {
        (Some(more), Some(less), [Some(at_once), Some(in_turn)]) => {
            let (which, by) = match more.median >= 1.0 {
                true => ("at once, as by default", more),
                false => ("one after the other, `--jobs 1`", less),
            };
            format!(
                "{which}, by {}: {} steps/s at once, {} in turn",
                by.text(2),
                rate(at_once.median),
                rate(in_turn.median)
            )
        }
        _ => "not measured".into(),
    };
    Goal {
        what: jobs.what,
        to_reach: "say which is faster",
        here,
        reached: None,
    }
}

fn rate(steps: f64) -> String {
    let places = if steps < 10.0 { 3 } else { 1 };
    format!("{steps:.places$}")
}
