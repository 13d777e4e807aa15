//! A task's data.

use std::path::Path;

use mezo_tasks::{Cut, Split, Task, k_shot, write_k_shot, zero_shot};

use super::{encoded, passed, refused, scratch, write};

const K: usize = 1;
const SEED: u64 = 13;
const CAP: usize = 8;

/// The first byte is the task, by the tens of it how its files lie: the task's own, a written split, one
/// without test rows, and the task's own again without prompt and with other cuts. The rest is what all of them hold.
pub fn data(bytes: &[u8]) {
    let Some((&choice, file)) = bytes.split_first() else {
        return;
    };
    let mut names = Task::names();
    names.retain(|name| *name != "made-sentiment");
    let mut task = Task::by_name(names[usize::from(choice) % names.len()]).unwrap();
    let layout = usize::from(choice) / names.len() % 4;
    if layout == 3 {
        task = task.without_prompt().with_cut(Cut::Sentences);
    }
    let folder = scratch();
    let data = folder.path().join("data");
    let [train, source, dev, test] = file_names(task.name());
    let files = match layout {
        1 => vec![
            format!("1-13/{train}"),
            format!("1-13/{dev}"),
            format!("1-13/{test}"),
        ],
        2 => vec![
            format!("1-13/{train}"),
            format!("1-13/{dev}"),
            "../snli/test.tsv".to_owned(),
        ],
        _ => vec![train.to_owned(), source.to_owned()],
    };
    for name in files {
        write(&data.join(task.folder()).join(name), file);
    }
    let alone = zero_shot(&task, Some(&data), K, Some(CAP));
    let both = k_shot(&task, Some(&data), K, SEED, Some(CAP));
    let sound = [&alone, &both].map(|split| match split {
        Ok(split) => holds(&task, split, &data),
        Err(error) => {
            refused(error, &data, error.hint());
            false
        }
    });
    let Ok(drawn) = both else {
        return;
    };
    assert_eq!(alone.unwrap().test, drawn.test);
    if matches!(layout, 0 | 3) {
        let out = folder.path().join("out");
        write_k_shot(&task, Some(&data), K, SEED, &out, Some(CAP)).unwrap();
        let written = k_shot(&task, Some(&out), K, SEED, Some(CAP)).unwrap();
        assert_eq!(written.sha256(), drawn.sha256());
    }
    if sound == [true; 2] {
        passed();
    }
}

/// What the task's train file is called, the file that test rows are taken from, and a written split's dev and test files.
fn file_names(task: &str) -> [&'static str; 4] {
    match task {
        "mnli" => [
            "train.tsv",
            "dev_matched.tsv",
            "dev_matched.tsv",
            "test_matched.tsv",
        ],
        "cr" | "mpqa" | "mr" | "sst-5" | "trec" => ["train.csv", "test.csv", "dev.csv", "test.csv"],
        _ => ["train.tsv", "dev.tsv", "dev.tsv", "test.tsv"],
    }
}

/// Whether every row of a split can be put into tokens; that it is a row at all is held.
fn holds(task: &Task, split: &Split, data: &Path) -> bool {
    assert!(split.test.len() <= CAP);
    assert_eq!(split.test.is_empty(), split.test_missing.is_some());
    let rows = [&split.train, &split.dev, &split.test];
    let mut sound = true;
    for row in rows.into_iter().flat_map(|rows| rows.iter().take(100)) {
        assert_eq!(row.sentences.len(), task.sentences());
        assert!(row.label < task.labels().len());
        assert!(row.origin.path.starts_with(data) && row.origin.line > 0);
        if let Err(error) = encoded(task, row) {
            let _ = (error.to_string(), error.hint());
            sound = false;
        }
    }
    sound
}
