//! `mezo bench noise`: how fast the numbers of a perturbation come.

use mezo_train::{NoiseTimes, time_noise};

use super::json_text;
use crate::args::{BenchFormat, NoiseArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;
use crate::train::set_threads;

/// Measures in this process.
pub fn noise(args: &NoiseArgs) -> Result<Exit, Failure> {
    set_threads(args.threads)?;
    put(&text(args.format, &time_noise())?)?;
    Ok(Exit::Done)
}

fn text(format: BenchFormat, times: &NoiseTimes) -> Result<String, Failure> {
    let mut text = String::new();
    match format {
        BenchFormat::Json => return json_text(times),
        BenchFormat::Human => {
            text += &format!("{}\n", title(times));
            for (what, seconds, rate) in rows(times) {
                text += &format!("  {what:<38}{:>8.1} ms {rate:>6.2} G/s\n", 1e3 * seconds);
            }
            text += &format!("  update over making {:.2}\n", times.update_over_generate);
        }
        BenchFormat::Md => {
            text += &format!("| {} | ms | 1e9 a second |\n|---|--:|--:|\n", title(times));
            for (what, seconds, rate) in rows(times) {
                text += &format!("| {what} | {:.1} | {rate:.2} |\n", 1e3 * seconds);
            }
        }
    }
    Ok(text)
}

fn title(times: &NoiseTimes) -> String {
    let millions = times.scalars as f64 / 1e6;
    format!(
        "normals for RoBERTa-base, {millions:.1} M weights, threads: {}",
        times.threads
    )
}

/// What was done, its seconds, and 1e9 normals a second.
fn rows(times: &NoiseTimes) -> [(&'static str, f64, f64); 3] {
    [
        (
            "made and not written",
            times.generate_s,
            times.generated_per_second() / 1e9,
        ),
        (
            "update: added to the weights in place",
            times.update_s,
            times.updated_per_second() / 1e9,
        ),
        (
            "forward pass: perturbed copies written",
            times.perturb_s,
            times.perturbed_per_second() / 1e9,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(format: BenchFormat) -> String {
        let times = NoiseTimes {
            threads: 2,
            scalars: 120_000_000,
            generate_s: 0.1,
            update_s: 0.12,
            update_over_generate: 1.2,
            perturbed_scalars: 80_000_000,
            perturb_s: 0.08,
        };
        text(format, &times).expect("only numbers")
    }

    #[test]
    fn noise_for_people() {
        insta::assert_snapshot!(printed(BenchFormat::Human), @r"
        normals for RoBERTa-base, 120.0 M weights, threads: 2
          made and not written                     100.0 ms   1.20 G/s
          update: added to the weights in place    120.0 ms   1.00 G/s
          forward pass: perturbed copies written    80.0 ms   1.00 G/s
          update over making 1.20
        ");
    }

    #[test]
    fn noise_in_markdown() {
        insta::assert_snapshot!(printed(BenchFormat::Md), @r"
        | normals for RoBERTa-base, 120.0 M weights, threads: 2 | ms | 1e9 a second |
        |---|--:|--:|
        | made and not written | 100.0 | 1.20 |
        | update: added to the weights in place | 120.0 | 1.00 |
        | forward pass: perturbed copies written | 80.0 | 1.00 |
        ");
    }

    #[test]
    fn noise_for_programs() {
        let times: NoiseTimes =
            serde_json::from_str(&printed(BenchFormat::Json)).expect("what was written");
        assert_eq!(times.update_over_generate, 1.2);
    }
}
