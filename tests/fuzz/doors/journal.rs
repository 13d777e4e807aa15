//! The files of a run that grow, and its lock.

use std::fmt::Debug;
use std::fs::{self, File};
use std::path::Path;

use mezo_report::SweepRuns;
use mezo_run::Attempt;
use mezo_run::{ATTEMPTS, EVALS, Lease, Lines, RESULT, STEPS, attempts, read_lines};
use mezo_run::{Eval, Step};
use mezo_sweep::{Run, State};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{passed, refused, scratch, write};

const MANIFEST: &[u8] = include_bytes!("../manifest.json");
/// The id in it.
const ID: &str = "7f42f4ada18b7c0d";

/// All of them hold the same bytes.
pub fn journal(bytes: &[u8]) {
    let folder = scratch();
    let sweep = folder.path().join("sweep");
    let dir = sweep.join(ID);
    write(&dir.join("manifest.json"), MANIFEST);
    for name in [STEPS, EVALS, ATTEMPTS, "lock"] {
        write(&dir.join(name), bytes);
    }
    let run = Run {
        id: ID.to_owned(),
        dir: dir.clone(),
        label: String::new(),
        steps: 3,
        batch_key: None,
    };
    let steps = lines::<Step>(&dir.join(STEPS), bytes);
    let evals = lines::<Eval>(&dir.join(EVALS), bytes);
    let tried = lines::<Attempt>(&dir.join(ATTEMPTS), bytes);
    let last = steps.as_ref().and_then(|steps| steps.last());
    if let Some(last) = last {
        let _ = (last.loss(), last.diverged());
        // A line may be a list of its values, which only some readers know.
        let progress = run.progress();
        assert!(progress.is_none_or(|progress| progress.step == last.step));
    }
    assert_eq!(attempts(&dir).ok(), tried);
    state(&run);
    reported(&sweep);
    taken(&run);
    // Of a finished run nothing else is asked.
    write(&dir.join(RESULT), bytes);
    assert_eq!(run.state().unwrap(), State::Finished);
    reported(&sweep);
    let some = [
        steps.is_some_and(|steps| !steps.is_empty()),
        evals.is_some_and(|evals| !evals.is_empty()),
        tried.is_some_and(|tried| !tried.is_empty()),
    ];
    if some.contains(&true) {
        passed();
    }
}

/// The lines of a file, if all are what they should be: written and read again they are the same, and so are those that
/// whoever takes the file up finds.
fn lines<T>(path: &Path, bytes: &[u8]) -> Option<Vec<T>>
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let values = match read_lines::<T>(path) {
        Ok(values) => values,
        Err(error) => {
            refused(&error, path, error.hint());
            return None;
        }
    };
    let again = path.with_extension("again");
    let mut text = Vec::new();
    for value in &values {
        text.extend(serde_json::to_vec(value).unwrap());
        text.push(b'\n');
    }
    write(&again, &text);
    assert_eq!(read_lines::<T>(&again).unwrap(), values);
    write(&again, bytes);
    let (_, taken) = Lines::open::<T>(&again).unwrap();
    assert_eq!(taken, values);
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    let whole = &bytes[..end.map_or(0, |end| end + 1)];
    assert_eq!(fs::read(&again).unwrap(), whole);
    Some(values)
}

/// The state of a run that nobody holds, and of the same run held.
fn state(run: &Run) {
    let state = run.state().unwrap();
    assert!(
        !matches!(state, State::Finished | State::Held { .. }),
        "{state}"
    );
    let _ = (state.word(), state.to_string());
    let lock = File::open(run.dir.join("lock")).unwrap();
    lock.lock().unwrap();
    let state = run.state().unwrap();
    assert!(matches!(state, State::Held { .. }), "{state}");
}

/// Takes the run up, unless its attempts are no such lines.
fn taken(run: &Run) {
    match Lease::take(&run.dir) {
        Ok(lease) => {
            lease.check().unwrap();
            let holder = Lease::holder(&run.dir).unwrap().unwrap().unwrap();
            assert_eq!(holder.attempt, lease.attempt());
        }
        Err(error) => refused(&error, &run.dir, error.hint()),
    }
}

/// What a report makes of a sweep with one run.
fn reported(sweep: &Path) {
    let runs = SweepRuns::read(sweep).unwrap();
    let [run] = &runs.runs[..] else {
        panic!("{} runs", runs.runs.len());
    };
    assert!(run.manifest().is_some(), "{:?}", run.faults);
    for fault in &run.faults {
        assert!(fault.to_string().contains(".json"), "{fault}");
    }
    let _ = mezo_report::table(&runs);
    SweepRuns::read_several(&[sweep]).unwrap();
}
