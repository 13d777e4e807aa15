//! The arguments of `mezo bench`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Hold this machine's processor against what is to be reached, and print a table in Markdown; some minutes
    Cpu(CpuArgs),
    /// Hold a GPU's numbers against the CPU's, its steps against its ceilings and what is to be reached; some minutes
    #[command(after_long_help = PARTS)]
    Gpu(GpuArgs),
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
pub struct GpuArgs {
    /// Where to measure: cuda:N in a build with CUDA; cpu, to see what is measured where there is no GPU
    #[arg(long, default_value = "cuda:0")]
    pub device: String,
    /// Models of toy sizes, and every part but once or twice: to see that all of it works
    #[arg(long)]
    pub quick: bool,
    /// A Python that has torch and transformers (scripts/peer/README.md); without it PyTorch is not measured
    #[arg(long, value_name = "PYTHON")]
    pub peer: Option<PathBuf>,
    /// A folder of models with a `cases.json` in each: what a reference implementation makes of some sentences with it
    #[arg(long, value_name = "DIR")]
    pub goldens: Option<PathBuf>,
    /// The time there is; what does not fit is left out, the least important first, and named
    #[arg(long, default_value = "500")]
    pub seconds: NonZeroU64,
    /// How to print it
    #[arg(long, value_enum, default_value = "md")]
    pub format: GpuFormat,
    /// Write the figures as JSON to this file too
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// The day, for the heading
    #[arg(long, value_name = "TEXT")]
    pub date: Option<String>,
    /// What was built, for the heading
    #[arg(long, value_name = "TEXT")]
    pub commit: Option<String>,
}

/// How what was measured of a GPU is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum GpuFormat {
    Md,
    Json,
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

/// What is measured of a GPU.
const PARTS: &str = "\
In this order, until the time is up: the device's normals, scores and losses against the CPU's, and runs together against each
alone; steps of LoRA and of all weights with RoBERTa-base's and -large's sizes, in each precision, with their memory and beside
what the device takes for their products alone; how projected gradients change with the precision; up to sixteen LoRA runs in
one pass; PyTorch's step, with --peer; what steps are made of. The first step of each kind, in which kernels are compiled and
chosen, is told apart.

It ends with 1 if a check does not hold or a part breaks down, after everything is printed.";
