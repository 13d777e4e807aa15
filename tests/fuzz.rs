//! Any bytes in the place of a file: a panic or a great want of memory is a fault of the product. The corpus is also what the
//! fuzzer starts from (`scripts/fuzz`).
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "fuzz/doors.rs"]
mod doors;
#[path = "fuzz/memory.rs"]
mod memory;
#[path = "fuzz/mutants.rs"]
mod mutants;

use std::fs;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use doors::{DATA, Door, JOURNAL, PASSED, SAFETENSORS, SPEC};
use mutants::Mutants;

/// Mutants of a corpus.
const MUTANTS: usize = 2_000;
/// When there are enough of them on a slow machine.
const ENOUGH: Duration = Duration::from_secs(10);

/// Memory is counted for all threads, so that one door is open at a time.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn specs() {
    takes_its_corpus(&SPEC);
}

#[test]
fn data() {
    takes_its_corpus(&DATA);
}

#[test]
fn journals() {
    takes_its_corpus(&JOURNAL);
}

#[test]
fn safetensors() {
    takes_its_corpus(&SAFETENSORS);
}

#[test]
fn mutants_of_specs() {
    takes_mutants(&SPEC);
}

#[test]
fn mutants_of_data() {
    takes_mutants(&DATA);
}

#[test]
fn mutants_of_journals() {
    takes_mutants(&JOURNAL);
}

#[test]
fn mutants_of_safetensors() {
    takes_mutants(&SAFETENSORS);
}

/// Every file of a door's corpus, by its name.
fn corpus(door: &Door) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus");
    let mut files: Vec<(String, Vec<u8>)> = fs::read_dir(folder.join(door.name))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            (
                entry.file_name().into_string().unwrap(),
                fs::read(entry.path()).unwrap(),
            )
        })
        .collect();
    files.sort();
    assert!(files.len() >= 15, "{} files for {}", files.len(), door.name);
    files
}

/// What is called good must also pass, or the rest tells little.
fn takes_its_corpus(door: &Door) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (name, bytes) in corpus(door) {
        PASSED.store(false, Ordering::Relaxed);
        let most = brought(door, &name, &bytes);
        println!(
            "{}/{name}: {} bytes, {most} asked for",
            door.name,
            bytes.len()
        );
        let passed = PASSED.load(Ordering::Relaxed);
        assert!(
            passed || !name.starts_with("good"),
            "{}/{name} is refused",
            door.name
        );
    }
}

fn takes_mutants(door: &Door) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let files = corpus(door);
    let files: Vec<&[u8]> = files.iter().map(|(_, bytes)| bytes.as_slice()).collect();
    let mut mutants = Mutants::new(1);
    let (since, mut most, mut passed) = (Instant::now(), 0, 0);
    for number in 0..MUTANTS {
        if since.elapsed() > ENOUGH {
            println!("{}: {number} mutants in {ENOUGH:?}", door.name);
            break;
        }
        let bytes = mutants.next(&files);
        PASSED.store(false, Ordering::Relaxed);
        most = brought(door, &format!("mutant-{number}"), &bytes).max(most);
        passed += usize::from(PASSED.load(Ordering::Relaxed));
    }
    println!(
        "{}: {passed} mutants passed, at most {most} bytes asked for",
        door.name
    );
    assert!(passed > 0, "no mutant is like a file of {}", door.name);
}

/// Brings bytes to a door; how much memory it asked for.
fn brought(door: &Door, name: &str, bytes: &[u8]) -> usize {
    let _underway = Underway { door, name, bytes };
    memory::within(door, bytes)
}

/// Bytes on their way through a door. Where they break it they are kept: nothing else knows a mutant.
struct Underway<'a> {
    door: &'a Door,
    name: &'a str,
    bytes: &'a [u8],
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let kept = format!("fuzz-{}-{}", self.door.name, self.name);
            let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(kept);
            let written = fs::write(&path, self.bytes);
            eprintln!("broken by {} ({written:?})", path.display());
        }
    }
}
