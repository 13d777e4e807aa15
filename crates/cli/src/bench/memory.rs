//! `mezo bench memory`: the most memory of a pass.

use mezo_train::{BenchError, Pass, Shape, peak_of};

use super::name;
use super::process::of_this_program;
use crate::args::{BenchArgs, BenchFormat, MemoryArgs, PassArgs, PassName, ShapeName};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Measures, each pass in a process of its own.
pub fn memory(args: &MemoryArgs) -> Result<Exit, Failure> {
    let peak = |pass| in_a_process(&args.of, pass);
    let peaks = Peaks {
        forward: peak(PassName::Forward)?,
        mezo: peak(PassName::Mezo)?,
        backpropagation: peak(PassName::Backpropagation)?,
    };
    put(&peaks.text(args))?;
    Ok(Exit::Done)
}

/// Measures one pass in this process.
pub fn memory_of(args: &PassArgs) -> Result<Exit, Failure> {
    put(&format!("{}\n", peak(args)?))?;
    Ok(Exit::Done)
}

/// The peak of one pass in this process.
fn peak(args: &PassArgs) -> Result<u64, Failure> {
    let pass = match args.pass {
        PassName::Forward => Pass::Forward,
        PassName::Mezo => Pass::Mezo,
        PassName::Backpropagation => Pass::Backpropagation,
    };
    let shape = match args.of.shape {
        ShapeName::Base => Shape::Base,
        ShapeName::Large => Shape::Large,
    };
    Ok(peak_of(pass, shape, args.of.batch.get())?)
}

/// The peak of one pass, in bytes, in a process that does nothing else.
pub fn in_a_process(of: &BenchArgs, pass: PassName) -> Result<u64, Failure> {
    let (pass, shape, batch) = (name(&pass), name(&of.shape), of.batch.to_string());
    let process = [
        "bench",
        "memory-of",
        "--pass",
        &pass,
        "--shape",
        &shape,
        "--batch",
        &batch,
    ];
    let text = of_this_program(&process)?.output()?;
    text.trim().parse().map_err(|_| Failure {
        message: format!("the process that measures `{pass}` printed no number"),
        hint: None,
        exit: Exit::Failed,
    })
}

/// Bytes resident at the most.
struct Peaks {
    forward: u64,
    mezo: u64,
    backpropagation: u64,
}

impl Peaks {
    fn rows(&self) -> [(&'static str, u64); 3] {
        [
            ("forward pass", self.forward),
            ("MeZO step", self.mezo),
            ("backpropagation step", self.backpropagation),
        ]
    }

    fn ratio(&self, bytes: u64) -> f64 {
        bytes as f64 / self.forward as f64
    }

    fn text(&self, args: &MemoryArgs) -> String {
        let of = format!("RoBERTa-{}, batch {}", name(&args.of.shape), args.of.batch);
        match args.format {
            BenchFormat::Json => {
                let json = serde_json::json!({
                    "shape": name(&args.of.shape),
                    "batch": args.of.batch,
                    "forward_bytes": self.forward,
                    "mezo_bytes": self.mezo,
                    "backpropagation_bytes": self.backpropagation,
                    "mezo_over_forward": self.ratio(self.mezo),
                    "backpropagation_over_forward": self.ratio(self.backpropagation),
                });
                format!("{json:#}\n")
            }
            BenchFormat::Md => {
                let mut text =
                    format!("| {of} | peak, MiB | over a forward pass |\n|---|--:|--:|\n");
                for (what, bytes) in self.rows() {
                    let (mib, ratio) = (mib(bytes), self.ratio(bytes));
                    text += &format!("| {what} | {mib} | {ratio:.2} |\n");
                }
                text
            }
            BenchFormat::Human => {
                let mut text =
                    format!("{of}: the most memory resident, all parameters trained, f32\n");
                for (what, bytes) in self.rows() {
                    let (mib, ratio) = (mib(bytes), self.ratio(bytes));
                    text += &format!("  {what:<21}{mib:>7} MiB {ratio:>6.2}\n");
                }
                text
            }
        }
    }
}

fn mib(bytes: u64) -> u64 {
    (bytes + (1 << 19)) >> 20
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        Self {
            message: error.to_string(),
            hint: Some(error.hint()),
            exit: Exit::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peaks_side_by_side() {
        let peaks = Peaks {
            forward: 600 << 20,
            mezo: 660 << 20,
            backpropagation: 2400 << 20,
        };
        let text = |format| {
            peaks.text(&MemoryArgs {
                of: BenchArgs {
                    shape: ShapeName::Base,
                    batch: std::num::NonZeroUsize::MIN,
                },
                format,
            })
        };
        insta::assert_snapshot!(text(BenchFormat::Human), @r"
        RoBERTa-base, batch 1: the most memory resident, all parameters trained, f32
          forward pass             600 MiB   1.00
          MeZO step                660 MiB   1.10
          backpropagation step    2400 MiB   4.00
        ");
        insta::assert_snapshot!(text(BenchFormat::Md), @r"
        | RoBERTa-base, batch 1 | peak, MiB | over a forward pass |
        |---|--:|--:|
        | forward pass | 600 | 1.00 |
        | MeZO step | 660 | 1.10 |
        | backpropagation step | 2400 | 4.00 |
        ");
        assert!(text(BenchFormat::Json).contains("\"mezo_over_forward\": 1.1"));
    }
}
