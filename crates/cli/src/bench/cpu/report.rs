//! What was measured, as a page of Markdown.

use mezo_train::StepTimes;

use super::super::peer::PeerTimes;
use super::goals::goals;
use super::measured::{Compared, Measured};
use super::spread::Spread;

/// The whole page.
pub fn markdown(measured: &Measured) -> String {
    [
        "# What this processor reaches\n".to_owned(),
        machine(measured),
        goal_table(measured),
        "## Steps on RoBERTa-base\n".into(),
        step_table(measured),
        "## Where a step's time goes\n".into(),
        phase_table(measured),
        "## How it was measured\n".into(),
        how(measured),
    ]
    .join("\n")
}

fn machine(measured: &Measured) -> String {
    let machine = &measured.machine;
    let rows = [
        ("processor", &machine.cpu),
        ("its instructions", &machine.features),
        ("cores", &machine.cores.to_string()),
        ("memory", &machine.memory),
        ("system", &machine.system),
        ("Rust", &machine.rustc),
        ("peer", &peer(measured)),
    ];
    let rows = rows.map(|(what, value)| format!("| {what} | {value} |\n"));
    format!("| machine | |\n|---|---|\n{}", rows.concat())
}

fn peer(measured: &Measured) -> String {
    match measured.lora.peer_f32.first() {
        None => "not measured".into(),
        Some(PeerTimes {
            torch,
            transformers,
            attention,
            ..
        }) => format!("PyTorch {torch}, transformers {transformers}, attention: {attention}"),
    }
}

fn goal_table(measured: &Measured) -> String {
    let mut text = "| what | to reach | here | |\n|---|---|---|---|\n".to_owned();
    for goal in goals(measured) {
        let reached = match goal.reached {
            None => "",
            Some(true) => "reached",
            Some(false) => "missed",
        };
        text += &format!(
            "| {} | {} | {} | {reached} |\n",
            goal.what, goal.to_reach, goal.here
        );
    }
    text
}

/// Seconds of the steps of each program, and what of it are passes over the trained weights.
fn step_table(measured: &Measured) -> String {
    let mut text = "| step | s, median (range) | of it noise and update, s | tokens a batch | peak memory, MiB |\n\
                    |---|--:|--:|--:|--:|\n"
        .to_owned();
    let both = [("LoRA", &measured.lora), ("all weights", &measured.full)];
    for (tuning, compared) in both {
        for row in step_rows(compared) {
            text += &format!("| {tuning}, {row}\n");
        }
    }
    text
}

fn step_rows(compared: &Compared) -> impl Iterator<Item = String> {
    let ours = {
        let times = &compared.ours;
        let step = Spread::of(times.iter().map(|times| times.step_s));
        let noise = |times: &StepTimes| times.phases.noise_s + times.phases.update_s;
        let noise = Spread::of(times.iter().map(noise));
        let tokens = times.first().map_or(0.0, |times| times.tokens);
        let peak = Spread::of(
            times
                .iter()
                .filter_map(|times| Some(times.peak_bytes? as f64)),
        );
        step.zip(noise).map(|(step, noise)| {
            format!(
                "mezo | {} | {:.3} | {tokens:.0} | {} |",
                step.text(2),
                noise.median,
                peak.map_or("unknown".into(), mib)
            )
        })
    };
    let theirs = |dtype, times: &[PeerTimes]| {
        let step = Spread::of(times.iter().map(|times| times.step_s))?;
        let noise = Spread::of(times.iter().map(|times| times.perturb_s))?;
        let peak = Spread::of(times.iter().map(|times| times.peak_bytes as f64))?;
        let padded = times.first()?.tokens_padded;
        Some(format!(
            "PyTorch {dtype} | {} | {:.3} | {padded:.0} | {} |",
            step.text(2),
            noise.median,
            mib(peak)
        ))
    };
    let f32 = theirs("f32", &compared.peer_f32);
    let bf16 = theirs("bf16", &compared.peer_bf16);
    [ours, f32, bf16].into_iter().flatten()
}

fn mib(bytes: Spread) -> String {
    format!("{:.0}", bytes.median / f64::from(1 << 20))
}

/// Milliseconds by phases, a column for each model.
fn phase_table(measured: &Measured) -> String {
    let columns = [
        ("base, LoRA", middle(&measured.lora.ours)),
        ("base, all weights", middle(&measured.full.ours)),
        ("large, LoRA", Some(&measured.large.lora)),
        ("large, all weights", Some(&measured.large.full)),
        ("built-in, all weights", middle(&measured.builtin.steps)),
    ];
    let columns: Vec<(&str, &StepTimes)> = columns
        .into_iter()
        .filter_map(|(name, times)| Some((name, times?)))
        .collect();
    let row = |what: &str, cell: &dyn Fn(&StepTimes) -> String| {
        let cells = columns
            .iter()
            .map(|(_, times)| format!(" {} |", cell(times)));
        format!("| {what} |{}\n", cells.collect::<String>())
    };
    let ms = |seconds: f64| {
        let places = if seconds < 0.1 { 2 } else { 0 };
        format!("{:.places$}", 1e3 * seconds)
    };
    let names = columns.iter().map(|(name, _)| format!(" {name} |"));
    let mut text = format!("| ms |{}\n", names.collect::<String>());
    text += &format!("|---|{}\n", "--:|".repeat(columns.len()));
    let phases = columns
        .first()
        .map_or(0, |(_, times)| times.phases.named().len());
    for phase in 0..phases {
        let (name, _) = columns[0].1.phases.named()[phase];
        text += &row(name, &|times| ms(times.phases.named()[phase].1));
    }
    text += &row("step", &|times| ms(times.step_s));
    text += &row("strict floor", &|times| ms(times.floor_s));
    text += &row("step over strict floor", &|times| {
        format!("{:.3}", times.step_over_floor)
    });
    text += &row("naive floor", &|times| ms(times.naive_floor_s));
    text += &row("step over naive floor", &|times| {
        format!("{:.3}", times.step_over_naive_floor)
    });
    text += &row("1e9 multiply-adds", &|times| {
        format!("{:.1}", times.multiply_adds / 1e9)
    });
    text += &row("products, GF/s", &|times| {
        format!("{:.0}", times.product_gflops)
    });
    text += &row("tokens a batch", &|times| format!("{:.0}", times.tokens));
    text
}

/// The one in the middle by the time of its step.
fn middle(times: &[StepTimes]) -> Option<&StepTimes> {
    let mut sorted: Vec<&StepTimes> = times.iter().collect();
    sorted.sort_by(|a, b| a.step_s.total_cmp(&b.step_s));
    sorted.get(sorted.len() / 2).copied()
}

fn how(measured: &Measured) -> String {
    let Measured { lora, full, .. } = measured;
    let peer = match lora.peer_f32.first().zip(full.peer_f32.first()) {
        None => String::new(),
        Some((times, _)) => format!(
            " PyTorch took turns with it: {} rounds of LoRA in bf16, {} in f32, {} of all weights, {} timed steps each.",
            lora.peer_bf16.len(),
            lora.peer_f32.len(),
            full.peer_f32.len(),
            times.steps
        ),
    };
    let steps = |times: Option<&StepTimes>| times.map_or(0, |times| times.steps);
    format!(
        "`mezo bench cpu`, all {cores} cores, batch {batch}. Every measurement is a process of its own; those of steps first make one on \
         every batch, untimed. RoBERTa-base had {lora_rounds} rounds of LoRA and {full_rounds} of all weights, {base} timed steps \
         each, through two batches of real lengths in turn; RoBERTa-large one round of {large}, the built-in model {small_rounds} of {small}, through an \
         epoch.{peer} Shown are medians and \
         ranges over the rounds, ratios within a round; a round's step is each batch's median (of {each}, and of {large_each} on \
         RoBERTa-large) and the mean of these over the batches.\n\n\
         The goals are held against the strict floor: only the multiply-adds that the two losses cannot do without, each product \
         at the rate of its own sizes. The naive floor counts every layer on every token for both probes, at the same mean rate. \
         `mezo bench step --help` says it in full, scripts/peer/README.md what PyTorch does. The built-in model's run is timed \
         as the difference of a long and a short `mezo train` (all weights, journal and progress as ever), its floors on the \
         batches of the same epoch, and its bare steps in a process that measures nothing else.\n",
        cores = measured.machine.cores,
        batch = measured.batch,
        lora_rounds = lora.ours.len(),
        full_rounds = full.ours.len(),
        base = steps(lora.ours.first()),
        each = steps(lora.ours.first()) / 2,
        large = measured.large.lora.steps,
        small_rounds = measured.builtin.steps.len(),
        small = steps(measured.builtin.steps.first()),
        large_each = measured.large.lora.steps / 2,
    )
}
