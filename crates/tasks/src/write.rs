//! Writing a k-shot split in the published layout, byte for byte.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::draw::{capped, draw};
use crate::error::TaskError;
use crate::made;
use crate::split::{Places, Settings};
use crate::task::Task;

/// Draws the k-shot split of a task and writes it as `OUT/SST-2/16-13/{train,dev,test}.tsv` (csv tasks: `.csv`), with the
/// names and the bytes of the published script. Returns what it wrote.
///
/// `data_dir` holds the task's folder; made tasks need none. A test set of more than `test_cap` rows is cut by the
/// published rule. Every file appears whole or not at all, and nothing is written before all is read.
pub fn write_k_shot(
    task: &Task,
    data_dir: Option<&Path>,
    k: usize,
    seed: u64,
    out: &Path,
    test_cap: Option<usize>,
) -> Result<Vec<PathBuf>, TaskError> {
    let settings = Settings::checked(k, seed, test_cap)?;
    let files = &task.published().files;
    let (train, mut tests) = if task.made() {
        (made::train(), vec![(files.test, made::test())])
    } else {
        let places = Places::of(task, data_dir)?;
        let train = places.train_table(task)?;
        let mut tests = vec![(files.test, places.test_source(task)?)];
        if let Some([source, written]) = files.second_test {
            let source = places.folder.join(source);
            if source.exists() {
                tests.push((written, task.read_table(&source)?));
            }
        }
        (train, tests)
    };
    let rows = draw(&train.labels(), settings.k, settings.seed);
    let mut parts = vec![
        (files.train, train.write(&rows.train)),
        (files.dev, train.write(&rows.dev)),
    ];
    parts.extend(tests.drain(..).map(|(name, table)| {
        let kept = capped(table.records.len(), test_cap);
        (name, table.write(&kept))
    }));
    let folder = out.join(task.folder()).join(settings.folder_name());
    write_all(&folder, &parts)
}

fn write_all(folder: &Path, parts: &[(&str, String)]) -> Result<Vec<PathBuf>, TaskError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| TaskError::Write { path, source }
    };
    fs::create_dir_all(folder).map_err(failed(folder))?;
    let mut written = Vec::new();
    for (name, text) in parts {
        let path = folder.join(name);
        write_whole(&path, text).map_err(failed(&path))?;
        written.push(path);
    }
    sync_folder(folder).map_err(failed(folder))?;
    Ok(written)
}

/// Writes beside, then renames: a reader finds the old file or the new one, never half of one.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let result = File::create(&beside)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&beside, path));
    if result.is_err() {
        // The failure itself is what matters; the file beside may never have come to be.
        let _ = fs::remove_file(&beside);
    }
    result
}

/// A rename is safe from a power cut only once the folder itself is on disk.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
