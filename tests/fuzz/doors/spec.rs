//! A sweep's file.

use std::path::Path;

use mezo_spec::{MAX_RUNS, Overrides, Point, RunSpec, Spec, SpecError, SpecErrors};
use mezo_sweep::plan::{Sizes, Work};
use mezo_tasks::{Place, Row, Task, TaskError};

use super::{encoded, passed, refused, scratch, tokenizer, write};

/// Reads it and expands it; some of its points are checked, as far as no model and no data are needed.
pub fn spec(bytes: &[u8]) {
    let folder = scratch();
    let path = folder.path().join("sweep.toml");
    write(&path, bytes);
    let no = |error: &SpecError| refused(error, &path, error.hint());
    let all = |errors: &SpecErrors| errors.iter().for_each(no);
    let spec = match Spec::read(&path) {
        Ok(spec) => spec,
        Err(errors) => return all(&errors),
    };
    let count = spec.points().count();
    assert!((1..=MAX_RUNS).contains(&(count as u64)));
    let runs = match spec.runs(&Overrides::default()) {
        Ok(runs) => runs,
        Err(errors) => return all(&errors),
    };
    assert_eq!(runs.len(), count);
    let mut sound = true;
    for (point, run) in runs.iter().step_by(count.div_ceil(16)) {
        let label = point.label();
        for swept in point.swept() {
            assert!(label.contains(&swept.text));
        }
        sound &= checked(&spec, point, run, &no);
    }
    if sound {
        passed();
    }
}

/// Whether a point is one that can be run.
fn checked(spec: &Spec, point: &Point<'_>, run: &RunSpec, no: &dyn Fn(&SpecError)) -> bool {
    if let Err(error) = prompted(run) {
        let hint = error.hint();
        no(&spec.error_at(Some(point), "task", error.to_string(), hint));
        return false;
    }
    let sizes = Sizes::stated(&run.task.name, run.task.k, run.task.test_cap).unwrap();
    // Estimates that grow with the steps are counted one by one.
    let estimates = run.method.mezo().and_then(|mezo| mezo.estimates.as_ref());
    if estimates.is_none_or(|estimates| estimates.count <= 10_000) {
        let work = Work::of(&run.method, sizes);
        assert!(work.left(1).tokens <= work.total().tokens);
    }
    true
}

/// The spec's task with a made row in it.
fn prompted(run: &RunSpec) -> Result<(), TaskError> {
    let mut task = Task::by_name(&run.task.name)?.with_cut(run.task.cut);
    if !run.task.prompt {
        task = task.without_prompt();
    }
    if let Some(template) = &run.task.template {
        task = task.with_template(template)?;
    }
    if let Some(words) = &run.task.label_words {
        task = task.with_label_words(words)?;
    }
    if let Some(length) = run.task.max_length {
        task = task.with_max_length(length);
    }
    task.label_word_ids(tokenizer())?;
    let row = Row {
        sentences: vec!["Blorp fennels, zwick".to_owned(); task.sentences()],
        label: 0,
        origin: Place {
            path: Path::new("made").into(),
            line: 1,
            column: 1,
        },
    };
    encoded(&task, &row)
}
