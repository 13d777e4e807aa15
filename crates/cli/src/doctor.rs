//! `mezo doctor`: what this machine has for a sweep, and where each setting comes from.

mod caches;
mod devices;
mod fact;
mod memory;
pub mod mounts;
mod runs;
mod slurm;

use std::path::Path;

use crate::args::DoctorArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

use fact::{Fact, Word, lines, note, ok};

/// Says how things stand; fails when something is wrong.
pub fn doctor(args: &DoctorArgs) -> Result<Exit, Failure> {
    let sections: [(&str, &dyn Fn() -> Vec<Fact>); 6] = [
        ("mezo", &program),
        ("devices", &devices::facts),
        ("memory", &memory::facts),
        ("caches", &caches::facts),
        ("runs", &|| runs::facts(&args.runs_dir)),
        ("slurm", &slurm::facts),
    ];
    let mut exit = Exit::Done;
    for (section, facts) in sections {
        let facts = facts();
        // Each as soon as it is known: a file system that hangs is then seen to be what hangs.
        put(&lines(section, &facts))?;
        if facts.iter().any(|fact| fact.word == Word::Wrong) {
            exit = Exit::Failed;
        }
    }
    Ok(exit)
}

/// What is wrong with a folder for runs, and what is worth knowing of it before several hosts work in it.
pub fn folder(runs_dir: &Path) -> Folder {
    let facts = runs::facts(runs_dir).into_iter();
    let mut folder = Folder::default();
    for Fact { word, text } in facts {
        match word {
            Word::Ok => {}
            Word::Note => folder.notes.push(text),
            Word::Wrong => folder.wrong.push(text),
        }
    }
    folder
}

/// What [`folder`] found.
#[derive(Debug, Default)]
pub struct Folder {
    /// Runs will fail for it.
    pub wrong: Vec<String>,
    /// Runs may.
    pub notes: Vec<String>,
}

/// The program itself.
fn program() -> Vec<Fact> {
    let cuda = match cfg!(feature = "cuda") {
        true => ok("built with CUDA"),
        false => note("built without CUDA"),
    };
    vec![ok(format!("version {}", env!("CARGO_PKG_VERSION"))), cuda]
}
