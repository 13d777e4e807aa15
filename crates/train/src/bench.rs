//! What a step takes of memory: the peak resident set of one pass, for a process that does nothing else.

use std::path::PathBuf;

use burn::tensor::Device;
use mezo_model::{
    Decay, DecayOn, Estimates, Gradient, Optimizer, Philox, Probes, Roberta, RobertaConfig, Rule,
    Term, Tuning, philox_words,
};
use mezo_tasks::{Example, PackedBatch};

use crate::materials::batch;
use crate::mezo::Measure;
use crate::spec::Objective;

/// Tokens of the first 64 prompts of SST-2's training sentences (`<s> ... It was <mask> . </s>`, RoBERTa's vocabulary).
const LENGTHS: [usize; 64] = [
    27, 22, 49, 27, 36, 27, 25, 24, 33, 12, 33, 34, 33, 24, 21, 26, 31, 36, 17, 24, 27, 16, 27, 57,
    39, 30, 36, 9, 32, 17, 40, 10, 16, 19, 19, 15, 31, 32, 29, 17, 14, 22, 25, 37, 37, 16, 17, 35,
    37, 12, 20, 46, 24, 15, 24, 13, 44, 20, 43, 32, 32, 21, 23, 66,
];

/// Two words to tell apart.
const WORDS: [usize; 2] = [372, 6587];

/// The sizes of a published model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `roberta-base`
    Base,
    /// `roberta-large`
    Large,
}

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

/// Why nothing could be measured.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The kernel does not say.
    #[error("{path}: {source}")]
    Status {
        /// Where it would say it.
        path: PathBuf,
        /// Why it could not be read.
        source: std::io::Error,
    },
    /// The file says something else.
    #[error("{path}: there is no line `VmHWM: <number> kB`")]
    NoPeak {
        /// The file.
        path: PathBuf,
    },
}

impl BenchError {
    /// A way out.
    pub fn hint(&self) -> String {
        "the peak resident set comes from Linux's /proc: run it on Linux, with /proc mounted".into()
    }
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
    let config = match shape {
        Shape::Base => RobertaConfig::base(),
        Shape::Large => RobertaConfig::large(),
    };
    let mut model = Roberta::random(&config, 0, &Device::flex());
    model.train_only(Tuning::Full, false);
    carry_out(pass, &mut model, &prompts(sentences, &config));
    peak_resident()
}

/// Prompts as long as real ones, of words drawn from the vocabulary.
fn prompts(sentences: usize, config: &RobertaConfig) -> PackedBatch {
    let examples: Vec<Example> = (0..sentences)
        .map(|sentence| {
            let length = LENGTHS[sentence % LENGTHS.len()];
            let word = |place| {
                let [word, ..] = philox_words([place, sentence as u32, 0, 0], 0);
                word % config.vocab_size as u32
            };
            Example {
                ids: (0..length as u32).map(word).collect(),
                // Behind the mask stand the full stop and the end.
                asked: length - 3,
                label: sentence % WORDS.len(),
            }
        })
        .collect();
    PackedBatch::pack(examples.iter())
}

fn carry_out(pass: Pass, model: &mut Roberta, packed: &PackedBatch) {
    match pass {
        Pass::Forward => {
            model.scores(batch(packed), &WORDS, &Probes::unperturbed());
        }
        Pass::Mezo => {
            let measure = Measure {
                noise: &Philox,
                eps: 1e-3,
                objective: Objective::CrossEntropy,
                factors: None,
            };
            let measured = measure.two_sided(model, packed, &WORDS, 0);
            let gradient = Estimates {
                noise: &Philox,
                terms: vec![Term {
                    seed: 0,
                    coefficient: measured.projected_grad.unwrap_or_default(),
                }],
                factors: None,
            };
            update(model, &gradient);
        }
        Pass::Backpropagation => {
            let (_, gradient) = model.gradients(batch(packed), &WORDS, &packed.labels, None);
            update(model, &gradient);
        }
    }
}

fn update(model: &mut Roberta, gradient: &dyn Gradient) {
    let no_decay = Decay {
        rate: 0.0,
        on: DecayOn::All,
    };
    Optimizer::new(Rule::Sgd { momentum: 0.0 }, no_decay).update(model, gradient, 1e-6);
}

/// The kernel's word on the most bytes this process had resident.
fn peak_resident() -> Result<u64, BenchError> {
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

    #[test]
    fn the_peak_in_the_kernel_s_words() {
        let status = "Name:\tmezo\nVmPeak:\t  900000 kB\nVmHWM:\t  512345 kB\nVmRSS:\t   4321 kB\n";
        assert_eq!(peak_in(status), Some(512_345 * 1024));
        assert_eq!(peak_in("VmPeak:\t  900000 kB\n"), None);
        assert_eq!(peak_in("VmHWM:\t  lots\n"), None);
    }

    #[test]
    fn every_pass_on_a_small_model() {
        let config = RobertaConfig {
            vocab_size: 10_000,
            hidden_size: 32,
            num_hidden_layers: 2,
            num_attention_heads: 4,
            intermediate_size: 64,
            ..RobertaConfig::base()
        };
        let packed = prompts(70, &config);
        assert_eq!(packed.starts.len(), 71);
        for pass in [Pass::Forward, Pass::Mezo, Pass::Backpropagation] {
            let mut model = Roberta::random(&config, 0, &Device::flex());
            model.train_only(Tuning::Full, false);
            let before = model.trainable_tensors();
            carry_out(pass, &mut model, &packed);
            assert_eq!(before == model.trainable_tensors(), pass == Pass::Forward);
        }
    }
}
