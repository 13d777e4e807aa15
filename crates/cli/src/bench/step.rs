//! `mezo bench step`: the time of a step beside its floor.

use mezo_train::{Shape, StepTimes, Subject, Tuned, time_bare_steps, time_steps};
use serde_json::{Value, json};

use super::{json_text, name};
use crate::args::{BenchFormat, StepArgs, SubjectName, TunedName};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use crate::train::set_threads;

/// Times steps in this process.
pub fn step(args: &StepArgs) -> Result<Exit, Failure> {
    let (mut subject, steps) = subject(args)?;
    let times = time_steps(&mut subject, steps);
    put(&text(args, &times)?)?;
    Ok(Exit::Done)
}

/// Times steps in this process with nothing in between, and prints the seconds of one.
pub fn bare_step(args: &StepArgs) -> Result<Exit, Failure> {
    let (mut subject, steps) = subject(args)?;
    put(&format!("{}\n", time_bare_steps(&mut subject, steps)))?;
    Ok(Exit::Done)
}

/// What steps are made on, and how many.
fn subject(args: &StepArgs) -> Result<(Subject, usize), Failure> {
    set_threads(args.threads)?;
    let tuned = match args.tuning {
        TunedName::Lora => Tuned::Lora,
        TunedName::Full => Tuned::Full,
    };
    let sentences = args.batch.get();
    let subject = match args.shape {
        SubjectName::Base => Subject::random(Shape::Base, tuned, sentences),
        SubjectName::Large => Subject::random(Shape::Large, tuned, sentences),
        SubjectName::Builtin => Subject::builtin(tuned, sentences)?,
    };
    let steps = args
        .steps
        .map_or(4 * subject.batches(), |steps| steps.get());
    Ok((subject, steps))
}

fn text(args: &StepArgs, times: &StepTimes) -> Result<String, Failure> {
    Ok(match args.format {
        BenchFormat::Json => json(args, times)?,
        BenchFormat::Md => markdown(args, times),
        BenchFormat::Human => human(args, times),
    })
}

fn json(args: &StepArgs, times: &StepTimes) -> Result<String, Failure> {
    let Value::Object(mut report) = json!(times) else {
        unreachable!("a struct is an object")
    };
    report.insert("shape".into(), name(&args.shape).into());
    report.insert("tuning".into(), name(&args.tuning).into());
    report.insert("batch".into(), args.batch.get().into());
    json_text(&report)
}

fn human(args: &StepArgs, times: &StepTimes) -> String {
    let mut text = format!("{}: one MeZO step\n", title(args, times));
    for (what, seconds, share) in rows(times) {
        text += &format!("  {what:<27}{:>9} ms {share:>6.1} %\n", ms(seconds));
    }
    for (what, floor, over) in floors(times) {
        text += &format!("  {what:<27}{:>9} ms   step over it {over:.3}\n", ms(floor));
    }
    text += &format!(
        "  products                   {:>9.0} GF/s\n",
        times.product_gflops
    );
    text
}

fn markdown(args: &StepArgs, times: &StepTimes) -> String {
    let mut text = format!(
        "| {} | ms | % of the step |\n|---|--:|--:|\n",
        title(args, times)
    );
    for (what, seconds, share) in rows(times) {
        text += &format!("| {what} | {} | {share:.1} |\n", ms(seconds));
    }
    for (what, floor, over) in floors(times) {
        text += &format!(
            "| {what} (step over it {over:.3}) | {} | {:.1} |\n",
            ms(floor),
            100.0 / over
        );
    }
    text
}

/// Phases and the step, with their shares of it in per cent.
fn rows(times: &StepTimes) -> impl Iterator<Item = (&'static str, f64, f64)> {
    let step = times.step_s;
    let named = times.phases.named().into_iter();
    named
        .chain([("step", step)])
        .map(move |(what, seconds)| (what, seconds, 100.0 * seconds / step))
}

fn floors(times: &StepTimes) -> [(&'static str, f64, f64); 2] {
    [
        ("floor", times.floor_s, times.step_over_floor),
        (
            "naive floor",
            times.naive_floor_s,
            times.step_over_naive_floor,
        ),
    ]
}

fn ms(seconds: f64) -> String {
    format!("{:.2}", 1e3 * seconds)
}

fn title(args: &StepArgs, times: &StepTimes) -> String {
    let model = match args.shape {
        SubjectName::Base => "RoBERTa-base",
        SubjectName::Large => "RoBERTa-large",
        SubjectName::Builtin => "the built-in model",
    };
    let tuning = match args.tuning {
        TunedName::Lora => "LoRA",
        TunedName::Full => "all weights",
    };
    let threads = match times.threads {
        1 => "1 thread".to_owned(),
        threads => format!("{threads} threads"),
    };
    format!(
        "{model}, {tuning}, batch {} ({:.0} tokens), {threads}",
        args.batch, times.tokens
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use mezo_train::Phases;
    use std::num::NonZeroUsize;

    fn printed(format: BenchFormat) -> String {
        let phases = Phases {
            noise_s: 0.25,
            linear_s: 1.0,
            attention_s: 0.125,
            rest_s: 0.0625,
            update_s: 0.0625,
        };
        let times = StepTimes {
            steps: 8,
            threads: 2,
            tokens: 1794.0,
            trained_scalars: 124_697_433,
            peak_bytes: None,
            step_s: 1.5,
            phases,
            floor_s: 1.25,
            step_over_floor: 1.2,
            naive_floor_s: 1.5,
            step_over_naive_floor: 1.0,
            multiply_adds: 2.5e11,
            naive_multiply_adds: 3e11,
            product_gflops: 400.0,
        };
        let args = StepArgs {
            shape: SubjectName::Base,
            tuning: TunedName::Full,
            batch: NonZeroUsize::MIN.saturating_add(63),
            threads: None,
            steps: None,
            format,
        };
        text(&args, &times).expect("only numbers")
    }

    #[test]
    fn a_step_for_people() {
        insta::assert_snapshot!(printed(BenchFormat::Human), @r"
        RoBERTa-base, all weights, batch 64 (1794 tokens), 2 threads: one MeZO step
          noise                         250.00 ms   16.7 %
          linear layers                1000.00 ms   66.7 %
          attention                     125.00 ms    8.3 %
          rest of the forward passes     62.50 ms    4.2 %
          update                         62.50 ms    4.2 %
          step                         1500.00 ms  100.0 %
          floor                        1250.00 ms   step over it 1.200
          naive floor                  1500.00 ms   step over it 1.000
          products                         400 GF/s
        ");
    }

    #[test]
    fn a_step_in_markdown() {
        insta::assert_snapshot!(printed(BenchFormat::Md), @r"
        | RoBERTa-base, all weights, batch 64 (1794 tokens), 2 threads | ms | % of the step |
        |---|--:|--:|
        | noise | 250.00 | 16.7 |
        | linear layers | 1000.00 | 66.7 |
        | attention | 125.00 | 8.3 |
        | rest of the forward passes | 62.50 | 4.2 |
        | update | 62.50 | 4.2 |
        | step | 1500.00 | 100.0 |
        | floor (step over it 1.200) | 1250.00 | 83.3 |
        | naive floor (step over it 1.000) | 1500.00 | 100.0 |
        ");
    }

    #[test]
    fn a_step_for_programs() {
        let json: serde_json::Value =
            serde_json::from_str(&printed(BenchFormat::Json)).expect("JSON");
        assert_eq!(json["shape"], "base");
        assert_eq!(json["tuning"], "full");
        assert_eq!(json["phases"]["noise_s"], 0.25);
        let times: StepTimes = serde_json::from_value(json).expect("what was written");
        assert_eq!(times.step_over_floor, 1.2);
    }
}
