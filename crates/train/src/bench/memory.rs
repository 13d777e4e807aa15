//! What a step takes of memory: the peak resident set of one pass, for a process that does nothing else.

use std::path::PathBuf;

use burn::tensor::Device;
use mezo_model::{Model, Philox, Probes, Tuning};
use mezo_tasks::PackedBatch;

use super::prompts::{WORDS, prompts};
use super::{BenchError, EPS, Shape, descend, estimates};
use crate::forward::Measure;
use crate::forward::batch;
use mezo_spec::Objective;

/// What is measured, each on all parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// One forward pass.
    Forward,
    /// A step of MeZO: two probes and the update.
    Mezo,
    /// A step of SGD along backpropagation's gradient.
    Backpropagation,
}

/// Carries out a pass on random weights and tells the most bytes this process ever had resident.
///
/// What the process did before counts too: it should have done nothing.
///
/// # Errors
/// On a machine without Linux's `/proc`.
pub fn peak_of(pass: Pass, shape: Shape, sentences: usize) -> Result<u64, BenchError> {
    // Asked first: without an answer there is no reason to begin.
    peak_resident()?;
    let config = shape.config();
    let mut model = Model::random(&config, 0, &Device::flex());
    model.train_only(Tuning::Full, false);
    let first = prompts(sentences, config.vocab_size).swap_remove(0);
    carry_out(pass, &mut model, &PackedBatch::pack(first.iter()));
    peak_resident()
}

fn carry_out(pass: Pass, model: &mut Model, packed: &PackedBatch) {
    match pass {
        Pass::Forward => {
            model.scores(batch(packed), &WORDS, &Probes::unperturbed());
        }
        Pass::Mezo => {
            let measure = Measure {
                noise: &Philox,
                eps: EPS,
                objective: Objective::CrossEntropy,
                factors: None,
            };
            let measured = measure.two_sided(model, packed, &WORDS, 0);
            let slope = measured.projected_grad.unwrap_or_default();
            descend(model, &estimates(0, slope));
        }
        Pass::Backpropagation => {
            let (_, gradient) = model.gradients(batch(packed), &WORDS, &packed.labels, None);
            descend(model, &gradient);
        }
    }
}

/// The kernel's word on the most bytes this process had resident.
pub(super) fn peak_resident() -> Result<u64, BenchError> {
    let path = PathBuf::from("/proc/self/status");
    match std::fs::read_to_string(&path) {
        Err(source) => Err(BenchError::Status { path, source }),
        Ok(status) => peak_in(&status).ok_or(BenchError::NoPeak { path }),
    }
}

fn peak_in(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::tests::small;

    #[test]
    fn the_peak_in_the_kernel_s_words() {
        let status = "Name:\tmezo\nVmPeak:\t  900000 kB\nVmHWM:\t  512345 kB\nVmRSS:\t   4321 kB\n";
        assert_eq!(peak_in(status), Some(512_345 * 1024));
        assert_eq!(peak_in("VmPeak:\t  900000 kB\n"), None);
        assert_eq!(peak_in("VmHWM:\t  lots\n"), None);
    }

    #[test]
    fn every_pass_on_a_small_model() {
        let config = small();
        let packed = PackedBatch::pack(prompts(70, config.vocab_size)[0].iter());
        assert_eq!(packed.starts.len(), 71);
        for pass in [Pass::Forward, Pass::Mezo, Pass::Backpropagation] {
            let mut model = Model::random(&config, 0, &Device::flex());
            model.train_only(Tuning::Full, false);
            let before = model.trainable_tensors();
            carry_out(pass, &mut model, &packed);
            assert_eq!(before == model.trainable_tensors(), pass == Pass::Forward);
        }
    }
}
