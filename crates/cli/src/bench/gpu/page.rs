//! What was measured, as a page of Markdown.

use mezo_train::gpu::{Case, Group, Outcome, Part, Precision, Sight, Trained};
use mezo_train::{Shape, Tuned};

use super::measured::{Entry, Machine, Measured};
use super::sections;

/// The whole page.
pub fn markdown(measured: &Measured) -> String {
    let mut text = format!(
        "# {}\n\n{}\n\n",
        heading(&measured.machine),
        verdict(measured)
    );
    if measured.quick {
        text += "A quick run: models of toy sizes stand in for RoBERTa-base and -large, so no time here says anything of the device.\n\n";
    }
    text += &sections::all(measured).join("\n");
    text += &format!(
        "\nAll of it took {:.0} s. In the first step of each kind kernels are compiled and chosen.\n",
        measured.seconds
    );
    text
}

fn heading(machine: &Machine) -> String {
    let name = machine.name.as_ref().unwrap_or(&machine.device);
    let memory = machine.memory_bytes;
    let known = [
        machine
            .driver
            .as_ref()
            .map(|driver| format!("driver {driver}")),
        memory.map(|bytes| format!("{:.1} GiB", bytes as f64 / f64::from(1 << 30))),
        machine
            .commit
            .as_ref()
            .map(|commit| format!("mezo at {commit}")),
        machine.date.clone(),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    match known.is_empty() {
        true => name.clone(),
        false => format!("{name} ({})", known.join(", ")),
    }
}

/// In one line whether something is wrong.
fn verdict(measured: &Measured) -> String {
    let bad: Vec<String> = measured
        .parts
        .iter()
        .filter(|entry| entry.outcome.is_bad())
        .map(|entry| title(entry.part))
        .collect();
    let unmeasured = measured
        .parts
        .iter()
        .filter(|entry| unmeasured(&entry.outcome).is_some())
        .count();
    let left_out = match unmeasured {
        0 => "every part was measured".into(),
        count => format!(
            "{count} of {} parts were not measured",
            measured.parts.len()
        ),
    };
    match bad.is_empty() {
        true => format!("No check failed; {left_out}."),
        false => format!("FAIL: {}; {left_out}.", bad.join("; ")),
    }
}

/// A part in a few words.
pub fn title(part: Part) -> String {
    match part {
        Part::Normals => "normals".into(),
        Part::Scores => "scores".into(),
        Part::Goldens => "recorded cases".into(),
        Part::Losses(trained) => format!(
            "losses, {}",
            match trained {
                Trained::Lora => "LoRA",
                Trained::Full => "all weights",
                Trained::Prefix => "prefix",
            }
        ),
        Part::Batched => "runs together against each alone".into(),
        Part::Alone(case) => case_name(case),
        Part::Gradients(sight) => match sight {
            Sight::BuiltinLora => "gradients: built-in model, LoRA".into(),
            Sight::BuiltinFull => "gradients: built-in model, all weights".into(),
            Sight::BaseLora => "gradients: base, random weights, LoRA".into(),
        },
        Part::Together(group) => group_name(group),
        Part::Peer(precision) => format!("PyTorch, {precision}"),
        Part::Phases(case) => format!("phases: {}", case_name(case)),
    }
}

pub fn case_name(case: Case) -> String {
    let tuned = match case.tuned {
        Tuned::Lora => "LoRA",
        Tuned::Full => "all weights",
    };
    format!("{}, {tuned}, {}", shape_name(case.shape), case.precision)
}

pub fn group_name(group: Group) -> String {
    let Group {
        shape,
        precision,
        runs,
    } = group;
    let plural = if runs == 1 { "" } else { "s" };
    format!("{}, {precision}, {runs} run{plural}", shape_name(shape))
}

fn shape_name(shape: Shape) -> &'static str {
    match shape {
        Shape::Base => "base",
        Shape::Large => "large",
    }
}

/// LoRA on RoBERTa-base.
pub fn base_lora(precision: Precision) -> Case {
    Case {
        shape: Shape::Base,
        tuned: Tuned::Lora,
        precision,
    }
}

/// Why there are no figures, where there are none.
pub fn unmeasured(outcome: &Outcome) -> Option<String> {
    // In a cell of a table.
    let plain = |words: &str| words.replace('|', "/").replace('\n', " ");
    match outcome {
        Outcome::OutOfTime => Some("not measured (out of time)".into()),
        Outcome::Skipped(why) => Some(format!("not measured ({})", plain(why))),
        Outcome::Failed(why) => Some(format!("FAILED ({})", plain(why))),
        _ => None,
    }
}

/// A table with a row or more for each part of a kind; of one that has no figures the row says why.
pub fn table(
    measured: &Measured,
    heads: &[&str],
    is_of: impl Fn(Part) -> bool,
    rows: impl Fn(&Entry) -> Vec<Vec<String>>,
) -> String {
    let columns = "--:|".repeat(heads.len() - 1);
    let mut text = format!("| {} |\n|---|{columns}\n", heads.join(" | "));
    for entry in measured.parts.iter().filter(|entry| is_of(entry.part)) {
        let found = match unmeasured(&entry.outcome) {
            Some(why) => vec![vec![title(entry.part), why]],
            None => rows(entry),
        };
        for mut cells in found {
            cells.resize(heads.len(), String::new());
            text += &format!("| {} |\n", cells.join(" | "));
        }
    }
    text
}
