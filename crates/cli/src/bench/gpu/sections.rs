//! The page's sections, a table each.

use mezo_train::gpu::{
    Alone, Case, Ceiling, Check, DEFAULT_PRECISION, EVALUATIONS, Group, Outcome, Part, Precision,
    STEPS, Together,
};
use mezo_train::{Shape, Tuned};

use super::measured::{Entry, Measured};
use super::rows::table;
use super::words::{base_lora, case_name, group_name, title};

/// Minutes that a run of LoRA should stay below.
const BASE_MINUTES: f64 = 15.0;
const LARGE_MINUTES: f64 = 30.0;
/// A step of all weights over LoRA's, RoBERTa-large.
const FULL_OVER_LORA: f64 = 2.5;
/// Memory of steps on all weights over inference.
const MEMORY: f64 = 1.15;
/// Times as fast as PyTorch: a run alone, and each of several together.
const ALONE: f64 = 4.0;
const TOGETHER: f64 = 10.0;

/// All of them.
pub fn all(measured: &Measured) -> [String; 8] {
    [
        checks(measured),
        gradients(measured),
        alone(measured),
        together(measured),
        ceilings(measured),
        memory(measured),
        peer(measured),
        phases(measured),
    ]
}

fn checks(measured: &Measured) -> String {
    let row = |check: &Check| {
        let result = match check.passed {
            Some(true) => "pass",
            Some(false) => "FAIL",
            None => "",
        };
        let most = check.tolerance.map(|most| format!("{most:.0e}"));
        vec![
            check.what.clone(),
            format!("{:.1e}", check.difference),
            most.unwrap_or_default(),
            result.into(),
        ]
    };
    let is_of = |part| {
        matches!(
            part,
            Part::Normals | Part::Scores | Part::Goldens | Part::Losses(_) | Part::Batched
        )
    };
    let heads = ["numbers", "largest difference", "at most", ""];
    format!(
        "## Against the CPU and the reference\n\n{}",
        table(measured, &heads, is_of, |entry| match &entry.outcome {
            Outcome::Checks(checks) => checks.iter().map(row).collect(),
            _ => vec![],
        })
    )
}

fn gradients(measured: &Measured) -> String {
    let heads = [
        "projected gradients against f32's",
        "batches",
        "precision",
        "correlation",
        "rms of the difference over rms",
        "same sign, %",
    ];
    let rows = |entry: &Entry| {
        let Outcome::Gradients(found) = &entry.outcome else {
            return vec![];
        };
        let row = |it: &mezo_train::gpu::Agreement| {
            vec![
                format!("{}, rms {:.3}", title(entry.part), found.rms),
                found.batches.to_string(),
                it.precision.to_string(),
                format!("{:.5}", it.correlation),
                format!("{:.4}", it.rms_difference),
                format!("{:.1}", 100.0 * it.same_sign),
            ]
        };
        found.of.iter().map(row).collect()
    };
    let is_of = |part| matches!(part, Part::Gradients(_));
    format!(
        "## Projected gradients by precision\n\n{}",
        table(measured, &heads, is_of, rows)
    )
}

fn alone(measured: &Measured) -> String {
    let run = format!("{STEPS} steps and {EVALUATIONS} evaluations, min");
    let heads = [
        "steps alone",
        "first, s",
        "median, ms",
        "mean, ms",
        "steps/s",
        "evaluation, ms",
        run.as_str(),
        "to reach",
    ];
    let rows = |entry: &Entry| {
        let (Part::Alone(case), Outcome::Alone(alone)) = (entry.part, &entry.outcome) else {
            return vec![];
        };
        let minutes = alone.run_s.map(|seconds| format!("{:.1}", seconds / 60.0));
        vec![vec![
            case_name(case),
            format!("{:.1}", alone.first_step_s),
            ms(alone.step_s),
            ms(alone.mean_step_s),
            format!("{:.1}", 1.0 / alone.mean_step_s),
            alone.evaluation_s.map_or_else(out_of_time, ms),
            minutes.unwrap_or_else(out_of_time),
            goal(measured, case, alone).unwrap_or_default(),
        ]]
    };
    let is_of = |part| matches!(part, Part::Alone(_));
    format!("## Steps alone\n\n{}", table(measured, &heads, is_of, rows))
}

/// What is to be reached of a case, and whether it is.
fn goal(measured: &Measured, case: Case, alone: &Alone) -> Option<String> {
    if measured.quick {
        return None;
    }
    match (case.shape, case.tuned) {
        (shape, Tuned::Lora) => {
            let most = match shape {
                Shape::Base => BASE_MINUTES,
                Shape::Large => LARGE_MINUTES,
            };
            let minutes = alone.run_s? / 60.0;
            Some(format!("below {most:.0} min: {}", word(minutes < most)))
        }
        (Shape::Large, Tuned::Full) => {
            let lora = measured.alone(Case {
                tuned: Tuned::Lora,
                ..case
            })?;
            let ratio = alone.mean_step_s / lora.mean_step_s;
            Some(format!(
                "below {FULL_OVER_LORA} of LoRA's step: {ratio:.2}, {}",
                word(ratio < FULL_OVER_LORA)
            ))
        }
        (Shape::Base, Tuned::Full) => None,
    }
}

fn together(measured: &Measured) -> String {
    let heads = [
        "LoRA runs together",
        "first, s",
        "a step of all, ms",
        "run-steps/s",
        "times as many as alone",
        "of the ceiling, %",
        "memory, MiB",
    ];
    let rows = |entry: &Entry| {
        let (Part::Together(group), Outcome::Together(found)) = (entry.part, &entry.outcome) else {
            return vec![];
        };
        let case = Case {
            shape: group.shape,
            tuned: Tuned::Lora,
            precision: group.precision,
        };
        let gain = measured
            .alone(case)
            .map(|alone| found.run_steps_per_s * alone.mean_step_s);
        let ceiling = found.ceiling.as_ref();
        let share = ceiling.map(|it| format!("{:.0}", 100.0 * it.bare_floor_s / found.mean_step_s));
        vec![vec![
            group_name(group),
            format!("{:.1}", found.first_step_s),
            ms(found.step_s),
            format!("{:.1}", found.run_steps_per_s),
            gain.map_or_else(|| "alone was not measured".into(), |it| format!("{it:.2}")),
            share.unwrap_or_else(out_of_time),
            found.reserved_bytes.map_or_else(unknown, mib),
        ]]
    };
    let is_of = |part| matches!(part, Part::Together(_));
    format!(
        "## Runs together\n\n{}",
        table(measured, &heads, is_of, rows)
    )
}

fn ceilings(measured: &Measured) -> String {
    let heads = [
        "step",
        "1e9 multiply-adds",
        "products, TFLOP/s",
        "floor, ms",
        "step over it",
        "less launching, TFLOP/s",
        "floor, ms",
        "step over it",
    ];
    let row = |name: String, step_s: f64, ceiling: &Option<Ceiling>| {
        let Some(it) = ceiling else {
            return vec![name, out_of_time()];
        };
        vec![
            name,
            format!("{:.1}", it.multiply_adds / 1e9),
            format!("{:.1}", it.tflops),
            ms(it.floor_s),
            format!("{:.2}", step_s / it.floor_s),
            format!("{:.1}", it.bare_tflops),
            ms(it.bare_floor_s),
            format!("{:.2}", step_s / it.bare_floor_s),
        ]
    };
    let rows = |entry: &Entry| match (entry.part, &entry.outcome) {
        (Part::Alone(case), Outcome::Alone(it)) => {
            vec![row(case_name(case), it.step_s, &it.ceiling)]
        }
        (Part::Together(group), Outcome::Together(it)) => {
            vec![row(group_name(group), it.step_s, &it.ceiling)]
        }
        _ => vec![],
    };
    let is_of = |part| matches!(part, Part::Alone(_) | Part::Together(_));
    format!(
        "## Beside the products' ceiling\n\nThe floor is what the multiply-adds that the losses cannot do without take at the \
         rate of products of the step's own sizes, a few in a row; then the same with the time of a product of next to \
         nothing taken off each.\n\n{}",
        table(measured, &heads, is_of, rows)
    )
}

fn memory(measured: &Measured) -> String {
    let heads = [
        "memory that the device's pools hold",
        "forward passes, MiB",
        "steps, MiB",
        "over forward passes",
        "to reach",
    ];
    let rows = |entry: &Entry| {
        let (Part::Alone(case), Outcome::Alone(alone)) = (entry.part, &entry.outcome) else {
            return vec![];
        };
        let Some(memory) = alone.memory else {
            return vec![vec![case_name(case), unknown()]];
        };
        let (ratio, judged) = (memory.ratio(), case.tuned == Tuned::Full && !measured.quick);
        let goal = judged.then(|| format!("at most {MEMORY}: {}", word(ratio <= MEMORY)));
        vec![vec![
            case_name(case),
            mib(memory.inference_bytes),
            mib(memory.step_bytes),
            format!("{ratio:.3}"),
            goal.unwrap_or_default(),
        ]]
    };
    let is_of = |part| matches!(part, Part::Alone(_));
    format!("## Memory\n\n{}", table(measured, &heads, is_of, rows))
}

fn peer(measured: &Measured) -> String {
    let alone = format!("alone in {DEFAULT_PRECISION}, times as fast");
    let heads = [
        "PyTorch's step, base, LoRA",
        "ms",
        &alone,
        "to reach",
        "together",
        "each run, times as fast",
        "to reach",
    ];
    let judged = |ratio: f64, least: f64| match measured.quick {
        true => String::new(),
        false => format!("at least {least:.0}: {}", word(ratio >= least)),
    };
    let rows = |entry: &Entry| {
        let Part::Peer(precision) = entry.part else {
            return vec![];
        };
        let Some(theirs) = measured.peer(precision) else {
            return vec![];
        };
        // Ours as a run is made that says nothing of it: it trains the same as in f32.
        let ours = measured.alone(base_lora(DEFAULT_PRECISION));
        let ratio = ours.map(|ours| theirs.step_s / ours.step_s);
        let mut cells = vec![
            format!("{precision}, PyTorch {}", theirs.torch),
            ms(theirs.step_s),
            ratio.map_or_else(not_measured, |it| format!("{it:.2}")),
            ratio.map_or_else(String::new, |it| judged(it, ALONE)),
        ];
        if let Some((group, together)) = fastest_group(measured, DEFAULT_PRECISION) {
            let ratio = theirs.step_s * together.run_steps_per_s;
            cells.push(format!("{} runs", group.runs));
            cells.push(format!("{ratio:.2}"));
            cells.push(judged(ratio, TOGETHER));
        }
        vec![cells]
    };
    let is_of = |part| matches!(part, Part::Peer(_));
    format!(
        "## Against PyTorch\n\nThe reference trains in f32, with the products of torch's own choice.\n\n{}",
        table(measured, &heads, is_of, rows)
    )
}

/// The group on RoBERTa-base that makes most steps a second.
fn fastest_group(measured: &Measured, precision: Precision) -> Option<(Group, &Together)> {
    measured
        .groups()
        .filter(|(group, _)| group.shape == Shape::Base && group.precision == precision)
        .max_by(|(_, a), (_, b)| a.run_steps_per_s.total_cmp(&b.run_steps_per_s))
}

fn phases(measured: &Measured) -> String {
    let heads = [
        "ms",
        "noise",
        "linear layers",
        "attention",
        "rest of the forward passes",
        "update",
        "sum",
        "a step that nobody interrupts",
    ];
    let rows = |entry: &Entry| {
        let (Part::Phases(case), Outcome::Phases(step)) = (entry.part, &entry.outcome) else {
            return vec![];
        };
        let whole = measured.alone(case).map(|alone| ms(alone.step_s));
        let named = step.phases.named().map(|(_, seconds)| ms(seconds));
        let cells = [case_name(case)].into_iter().chain(named);
        let ends = [ms(step.phases.sum()), whole.unwrap_or_else(not_measured)];
        vec![cells.chain(ends).collect()]
    };
    let is_of = |part| matches!(part, Part::Phases(_));
    format!(
        "## What steps are made of\n\nThe kernels wait for the device wherever a phase ends, so the sum is more than a step \
         takes that nobody interrupts.\n\n{}",
        table(measured, &heads, is_of, rows)
    )
}

fn ms(seconds: f64) -> String {
    format!("{:.2}", 1e3 * seconds)
}

fn mib(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / f64::from(1 << 20))
}

fn word(reached: bool) -> &'static str {
    match reached {
        true => "reached",
        false => "missed",
    }
}

fn out_of_time() -> String {
    "not measured (out of time)".into()
}

fn not_measured() -> String {
    "not measured".into()
}

fn unknown() -> String {
    "the device does not tell".into()
}
