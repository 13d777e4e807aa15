//! `mezo bench`: what a step takes.

mod cpu;
mod gpu;
mod memory;
mod noise;
mod peer;
mod process;
mod prompts;
mod step;

use crate::args::BenchCommand;
use crate::exit::Exit;
use crate::failure::Failure;

/// Carries out a measurement.
pub fn bench(command: &BenchCommand) -> Result<Exit, Failure> {
    match command {
        BenchCommand::Cpu(args) => cpu::cpu(args),
        BenchCommand::Gpu(args) => gpu::gpu(args),
        BenchCommand::Step(args) => step::step(args),
        BenchCommand::BareStep(args) => step::bare_step(args),
        BenchCommand::Noise(args) => noise::noise(args),
        BenchCommand::Prompts(args) => prompts::prompts(args),
        BenchCommand::Memory(args) => memory::memory(args),
        BenchCommand::MemoryOf(args) => memory::memory_of(args),
    }
}

/// What a value is called on the command line.
fn name(value: &impl clap::ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Something measured, for programs.
fn json_text(measured: &impl serde::Serialize) -> Result<String, Failure> {
    match serde_json::to_string_pretty(measured) {
        Ok(text) => Ok(text + "\n"),
        Err(error) => Err(Failure {
            message: format!("cannot write what was measured as JSON: {error}"),
            hint: None,
            exit: Exit::Failed,
        }),
    }
}

/// What another process measured.
fn parsed<T: serde::de::DeserializeOwned>(printed: &str) -> Result<T, Failure> {
    serde_json::from_str(printed).map_err(|error| Failure {
        message: format!("a measurement printed something else than its figures: {error}"),
        hint: None,
        exit: Exit::Failed,
    })
}
