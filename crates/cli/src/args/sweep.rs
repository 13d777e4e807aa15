//! The command line of `mezo sweep`.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Subcommand, ValueEnum};
use mezo_sweep::{Class, Selection, Together};

#[derive(Debug, Subcommand)]
pub enum SweepCommand {
    /// Show every run of one or several specs, its state and what it takes; nothing is started
    Plan(PlanArgs),
    /// Carry out what is not finished, then make the report
    Run(Box<RunArgs>),
    /// Say how far a sweep has come, by its runs' files
    Status(StatusArgs),
    /// Let failed runs be tried again by the next `mezo sweep run`
    Retry(RetryArgs),
    /// Print the JSON schema of a spec, for editors
    Schema,
}

#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// The specs, TOML files
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<PathBuf>,
    #[command(flatten)]
    pub folders: Folders,
    /// List every run, however many there are
    #[arg(long)]
    pub all: bool,
    /// The devices that the runs are planned for, as for `mezo sweep run`: the precision of their numbers depends on it
    #[arg(long, default_value = "auto")]
    pub devices: Selection,
    /// Tell the hours by this pace instead of a measured one
    #[arg(long, value_name = "N", value_parser = positive)]
    pub tokens_per_second: Option<f64>,
    /// How to print the plan
    #[arg(long, value_enum, default_value = "human")]
    pub format: PlanFormat,
}

/// Where a spec's model, data and runs are.
#[derive(Debug, clap::Args)]
pub struct Folders {
    /// Use this data folder instead of the spec's
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Use this model folder instead of the spec's
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}

/// How a plan or a status is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PlanFormat {
    Human,
    Json,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(number) if f64::is_finite(number) && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".into()),
    }
}

fn silence(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        // Signs of life come once a second.
        Ok(time) if time >= Duration::from_secs(5) => Ok(time),
        Ok(_) => Err("expected 5s at least".into()),
        Err(error) => Err(error.to_string()),
    }
}

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The spec, a TOML file
    pub spec: PathBuf,
    #[command(flatten)]
    pub folders: Folders,
    /// Where tables and figures go
    #[arg(long, value_name = "DIR", default_value = "results")]
    pub results_dir: PathBuf,
    /// auto (every CUDA device, else the processor), cpu, cuda:0,1, or fake:4 to try out how runs are spread
    #[arg(long, default_value = "auto")]
    pub devices: Selection,
    /// Processes at once on each device; all of them share the cores equally. By default one on a GPU, and on the processor as
    /// many as there are cores or as the runs to train need, whichever is fewer
    #[arg(long, short = 'j', visible_alias = "jobs", value_name = "N")]
    pub per_device: Option<NonZeroUsize>,
    /// Runs that one process trains together where they share a model, a task and a method, at most; off is one each. By
    /// default one on the processor and up to 16 on a GPU
    #[arg(long, value_name = "N|auto|off", default_value = "auto")]
    pub together: Together,
    /// Stop a worker that has sent no event for so long, such as 90s or 2h, and start its runs again
    #[arg(long, value_name = "TIME", default_value = "30m", value_parser = silence)]
    pub silence: Duration,
    /// Hand the runs to a cluster instead, and return
    #[arg(
        long,
        value_enum,
        value_name = "ENGINE",
        conflicts_with_all = ["devices", "per_device", "silence", "results_dir"]
    )]
    pub on: Option<Engine>,
    #[command(flatten)]
    pub slurm: SlurmArgs,
}

/// What carries out runs on more than one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Engine {
    /// An array of jobs, one a run or a few that are batched.
    Slurm,
}

/// What a job is to have.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "With --on slurm")]
pub struct SlurmArgs {
    /// The partition
    #[arg(long, value_name = "NAME", requires = "on")]
    pub partition: Option<String>,
    /// GPUs of a task, such as 1 or a100:1; none by default
    #[arg(long, value_name = "GPUS", requires = "on")]
    pub gpus: Option<String>,
    /// Cores of a task
    #[arg(long, value_name = "N", requires = "on")]
    pub cpus: Option<NonZeroUsize>,
    /// Memory of a task, such as 16G
    #[arg(long, value_name = "SIZE", requires = "on")]
    pub mem: Option<String>,
    /// The time limit of one attempt, such as 4:00:00; a run that takes longer is requeued and goes on
    #[arg(long, value_name = "TIME", requires = "on")]
    pub time: Option<String>,
    /// Seconds before the time limit at which a run is told to stop, 90 at least: it may be at an evaluation
    #[arg(long, value_name = "SECONDS", default_value_t = 120, requires = "on", value_parser = clap::value_parser!(u32).range(90..))]
    pub warn: u32,
    /// Tasks at once
    #[arg(long, value_name = "N", requires = "on")]
    pub array_limit: Option<NonZeroUsize>,
    /// Another option of sbatch, such as --sbatch=--account=lab; may stand several times
    #[arg(
        long = "sbatch",
        value_name = "OPTION",
        requires = "on",
        allow_hyphen_values = true
    )]
    pub options: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The sweep's name, or its spec
    pub sweep: String,
    /// Show it again every few seconds, until nothing is left to do
    #[arg(long)]
    pub watch: bool,
    /// List every run, however many there are
    #[arg(long)]
    pub all: bool,
    /// How to print it
    #[arg(long, value_enum, default_value = "human")]
    pub format: PlanFormat,
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}

#[derive(Debug, clap::Args)]
pub struct RetryArgs {
    /// The sweep's name, or its spec
    pub sweep: String,
    /// Failures of this class alone; may stand several times, all by default
    #[arg(long = "class", value_name = "CLASS", value_parser = class)]
    pub classes: Vec<Class>,
    /// Where run directories lie
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs_dir: PathBuf,
}

fn class(text: &str) -> Result<Class, String> {
    let found = Class::ALL.into_iter().find(|class| class.name() == text);
    found.ok_or_else(|| {
        let names = Class::ALL.map(Class::name).join(", ");
        format!("expected one of {names}")
    })
}
