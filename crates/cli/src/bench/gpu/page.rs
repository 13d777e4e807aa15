//! What was measured, as a page of Markdown.

use super::measured::{Machine, Measured};
use super::rows::unmeasured;
use super::sections;
use super::words::title;

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
