//! The `mezo` command: arguments, progress, exit codes.

/// Says something on stderr, with a line's end. A terminal that went away, or a full disk under a log, is no reason to stop.
macro_rules! say {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

mod args;
mod bench;
mod data;
mod devices;
mod doctor;
mod downloads;
mod exit;
mod failure;
mod output;
mod plan;
mod progress;
mod report;
mod stop;
mod sweep;
mod train;

use std::process::ExitCode;

use args::{Args, Command, SweepCommand};
use clap::Parser;
use exit::Exit;
use failure::Failure;

/// The system's allocator gives large buffers back to the kernel after each use and faults them in again; this one keeps
/// them for a while. A step is 1 to 4 % faster with it (docs/performance.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    name_devices_by_place();
    let done = match Args::parse().command {
        Command::Train(args) => train::train(&args),
        Command::Sweep(SweepCommand::Plan(args)) => plan::plan(&args),
        Command::Sweep(SweepCommand::Run(args)) => sweep::run(&args),
        Command::Sweep(SweepCommand::Status(args)) => sweep::status(&args),
        Command::Sweep(SweepCommand::Retry(args)) => sweep::retry(&args),
        Command::Sweep(SweepCommand::Schema) => sweep::schema(),
        Command::Table(args) => report::table(&args),
        Command::Compare(args) => report::compare(&args),
        Command::Report(args) => report::report(&args),
        Command::Export(args) => train::export(&args),
        Command::Data(args) => data::data(&args),
        Command::Bench(args) => bench::bench(&args),
        Command::Devices(args) => devices::devices(&args),
        Command::Doctor(args) => doctor::doctor(&args),
    };
    done.unwrap_or_else(report_failure).into()
}

/// Has CUDA number the devices of this process by their place, where nobody has said how: by itself it numbers the fastest
/// first, and everybody else, the sweep's workers too, by their place.
fn name_devices_by_place() {
    const ORDER: &str = "CUDA_DEVICE_ORDER";
    if std::env::var_os(ORDER).is_none() {
        // SAFETY: nothing else runs in this process yet.
        unsafe { std::env::set_var(ORDER, "PCI_BUS_ID") };
    }
}

/// Says on stderr what went wrong and what to do about it.
fn report_failure(failure: Failure) -> Exit {
    say!("error: {}", failure.message);
    if let Some(hint) = &failure.hint {
        say!("hint: {hint}");
    }
    failure.exit
}
