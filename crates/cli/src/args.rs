//! The command line.

mod bench;
mod sweep;

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

pub use bench::*;
pub use sweep::*;

/// Fine-tune RoBERTa with MeZO, sweep it, and hold the results against the paper's.
#[derive(Debug, Parser)]
#[command(name = "mezo", version)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a run directory to its result, or several side by side to theirs
    Train(TrainArgs),
    /// Expand a spec to runs, and run them
    #[command(subcommand)]
    Sweep(SweepCommand),
    /// Print a sweep's results table
    Table(TableArgs),
    /// Lay several sweeps out as the paper's table, with its numbers beside them
    Compare(CompareArgs),
    /// Make a sweep's tables, Parquet files and figures again from its runs
    Report(ReportArgs),
    /// Write a run's best parameters in Hugging Face's (or, for LoRA, PEFT's) layout
    Export(ExportArgs),
    /// Work with data sets
    #[command(subcommand)]
    Data(DataCommand),
    /// Measure what a step takes on this machine
    #[command(subcommand)]
    Bench(BenchCommand),
    /// List the devices that --device and --devices take on this machine
    Devices(DevicesArgs),
    /// Say what this machine has for a sweep, and where each setting comes from
    Doctor(DoctorArgs),
}

#[derive(Debug, clap::Args)]
pub struct TrainArgs {
    /// The run's directory, with its manifest.json; several are trained together, which LoRA and prefix runs can be that share
    /// model, task, method and precision
    #[arg(required = true)]
    pub run: Vec<PathBuf>,
    /// Where to run: cpu, or cuda:N in a build with CUDA
    #[arg(long, default_value = "cpu")]
    pub device: String,
    /// Threads to use; every core by default
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Be a sweep's worker: write an event a line to stdout, and stop at a step boundary when stdin closes
    #[arg(long, hide = true)]
    pub worker: bool,
}

/// How a table is printed.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TableFormat {
    Human,
    Md,
    Csv,
    Latex,
    Json,
}

#[derive(Debug, clap::Args)]
pub struct TableArgs {
    /// The sweep's name
    pub sweep: String,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub format: TableFormat,
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct CompareArgs {
    /// The sweeps' names; searches that several of them share become one
    #[arg(required = true, value_name = "NAME")]
    pub sweeps: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value = "human", conflicts_with = "out")]
    pub format: TableFormat,
    /// Write compare.md, compare.csv, compare.tex and compare.json to this folder, and print their names instead
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct ReportArgs {
    /// The sweep's name
    pub sweep: String,
    /// Leave wall time, device and host out of runs.parquet: then the same spec gives the same bytes
    #[arg(long)]
    pub without_attempts: bool,
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
    /// Where tables and figures go
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results_dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The run's directory
    pub run: PathBuf,
    /// The folder to write
    pub out: PathBuf,
}

#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Fetch a task's data from the Hugging Face hub and write them in the layout that specs read
    Fetch(FetchArgs),
    /// Draw a k-shot split by the published procedure and write it in the published layout
    Split(SplitArgs),
}

#[derive(Debug, clap::Args)]
pub struct FetchArgs {
    /// The task's name: glue-sst2, mnli, rte, snli or trec
    pub task: String,
    /// The folder that is to hold the task's folder
    #[arg(long, value_name = "DIR", default_value = "data")]
    pub out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct SplitArgs {
    /// The task's name, such as sst-2
    #[arg(long)]
    pub task: String,
    /// The folder that holds the task's folder
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Examples per class
    #[arg(long)]
    pub k: usize,
    /// The split's seed
    #[arg(long)]
    pub seed: u64,
    /// Where to write
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// The most test examples; 0 for all of them
    #[arg(long, default_value_t = 1000)]
    pub test_cap: usize,
}

#[derive(Debug, clap::Args)]
pub struct DevicesArgs {
    /// How to print them
    #[arg(long, value_enum, default_value = "human")]
    pub format: PlanFormat,
}

#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}
