//! The arguments of `mezo bench`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Hold this machine's processor against what is to be reached, and print a table in Markdown; some minutes
    Cpu(CpuArgs),
    /// The time of a MeZO step by phases, beside the least it could take on this machine
    #[command(after_long_help = FLOOR)]
    Step(StepArgs),
    /// The seconds of a step as `step` has it, with no floor measured in between
    #[command(hide = true)]
    BareStep(StepArgs),
    /// How fast the normals of a perturbation are made, written and added to weights
    Noise(NoiseArgs),
    /// The prompts that steps are timed on, for other programs: token ids, the place of the mask, the label
    Prompts(PromptsArgs),
    /// The most memory of a forward pass, a MeZO step and a backpropagation step, on random weights
    Memory(MemoryArgs),
    /// One of the three, in this process
    #[command(hide = true)]
    MemoryOf(PassArgs),
}

#[derive(Debug, clap::Args)]
pub struct MemoryArgs {
    #[command(flatten)]
    pub of: BenchArgs,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub format: BenchFormat,
}

#[derive(Debug, clap::Args)]
pub struct PassArgs {
    #[command(flatten)]
    pub of: BenchArgs,
    /// What to carry out
    #[arg(long, value_enum)]
    pub pass: PassName,
}

/// What is measured on.
#[derive(Debug, clap::Args)]
pub struct BenchArgs {
    /// The sizes of roberta-base or of roberta-large
    #[arg(long, value_enum, default_value = "base")]
    pub shape: ShapeName,
    /// Sentences, as long as SST-2's with their prompt
    #[arg(long, default_value = "64")]
    pub batch: NonZeroUsize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ShapeName {
    Base,
    Large,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum PassName {
    Forward,
    Mezo,
    Backpropagation,
}

/// How a measurement is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum BenchFormat {
    Human,
    Md,
    Json,
}

#[derive(Debug, clap::Args)]
pub struct CpuArgs {
    /// A Python that has torch and transformers (scripts/peer/README.md); without it PyTorch is not measured
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub struct StepArgs {
    /// The sizes of roberta-base or of roberta-large with random weights, or the built-in model on the quickstart's task
    #[arg(long, value_enum, default_value = "base")]
    pub shape: SubjectName,
    /// What is trained: LoRA's terms (rank 8, beside query and value), or all weights
    #[arg(long, value_enum, default_value = "lora")]
    pub tuning: TunedName,
    /// Sentences, as long as SST-2's with their prompt
    #[arg(long, default_value = "64")]
    pub batch: NonZeroUsize,
    /// Threads to use; every core by default
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Steps timed, after one on every batch that is not; by default each batch (two, or an epoch of the built-in model's)
    /// comes four times
    #[arg(long)]
    pub steps: Option<NonZeroUsize>,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub format: BenchFormat,
}

#[derive(Debug, clap::Args)]
pub struct NoiseArgs {
    /// Threads to use; every core by default
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub format: BenchFormat,
}

#[derive(Debug, clap::Args)]
pub struct PromptsArgs {
    /// Sentences of a batch
    #[arg(long, default_value = "64")]
    pub batch: NonZeroUsize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SubjectName {
    Base,
    Large,
    Builtin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TunedName {
    Lora,
    Full,
}

/// What the floor is.
const FLOOR: &str = "\
The times are each batch's median over its steps, and the mean of these over the batches. `rest` is what the forward passes
do beside making perturbed weights (noise), products with weights (linear layers) and attention. Before them a step on every
batch is made that does not count.

The floor is the time that the multiply-adds of the step's linear layers and attention would take if nothing else cost
anything. Only real tokens count, for both probes; and only what the two losses cannot do without: in the last layer, behind
its keys and values, the asked tokens' rows alone; with LoRA, what stands before the first trained weight once for both
probes. Each product with a weight matrix takes the time of one f32 product of just its sizes, [rows, in] x [in, out], measured
after every step with the same threads and its memory ready; attention, LoRA's narrow products and the label words' rows go
at the mean rate of those products.

This is the strict floor. The naive floor is the multiply-adds of the formula, every layer on every token for both probes, at the same mean rate.";
