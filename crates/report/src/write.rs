//! Writing `results/<sweep>/` and comparisons: every file beside its place first, then renamed into it.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::NamedTempFile;

use crate::comparison::Comparison;
use crate::error::ReportError;
use crate::figure;
use crate::format::Format;
use crate::parquet;
use crate::results::table;
use crate::slope_rows::{slopes_csv, slopes_markdown};
use crate::sweep_runs::SweepRuns;
use crate::table::Table;

/// What a report holds.
#[derive(Debug, Clone, Copy)]
pub struct ReportOptions {
    /// Whether `runs.parquet` has wall time, device, host and attempts, which differ from one machine
    /// and day to the next. Without them the same spec gives the same bytes.
    pub with_attempts: bool,
}

impl Default for ReportOptions {
    fn default() -> Self {
        Self {
            with_attempts: true,
        }
    }
}

/// A report that was written.
#[derive(Debug)]
pub struct Built {
    /// The results table.
    pub table: Table,
    /// The files written, in the order of their writing.
    pub files: Vec<PathBuf>,
    /// What was wrong with runs' files, as `<run id>/<file>:line:column: ...`.
    pub faults: Vec<String>,
}

/// Makes the report of the runs in `runs_dir` (`runs/<sweep>`) in `out_dir` (`results/<sweep>`).
pub fn build(
    runs_dir: &Path,
    out_dir: &Path,
    options: &ReportOptions,
) -> Result<Built, ReportError> {
    let runs = SweepRuns::read(runs_dir)?;
    let table = table(&runs);
    let mut folder = Folder::new(out_dir)?;
    folder.write("table.md", &table.render(Format::Markdown))?;
    folder.write("table.csv", &table.render(Format::Csv))?;
    folder.write("table.tex", &table.render(Format::Latex))?;
    folder.write("table.json", &table.render(Format::Json))?;
    folder.write("slopes.csv", &slopes_csv(&table.slopes))?;
    folder.write("slopes.md", &slopes_markdown(&table.sweep, &table.slopes))?;
    folder.write("manifests.json", &manifests(&runs))?;
    folder.write_parquet("runs.parquet", |file| {
        parquet::write_runs(&runs, options.with_attempts, file)
    })?;
    folder.write_parquet("steps.parquet", |file| parquet::write_steps(&runs, file))?;
    folder.draw(&runs)?;
    Ok(Built {
        table,
        files: folder.files,
        faults: faults(&runs),
    })
}

/// Writes a comparison to `compare.md`, `.csv`, `.tex` and `.json` in `out_dir`, and returns their places.
///
/// # Errors
/// If a file cannot be written.
pub fn write_comparison(
    comparison: &Comparison,
    out_dir: &Path,
) -> Result<Vec<PathBuf>, ReportError> {
    let mut folder = Folder::new(out_dir)?;
    for (name, format) in [
        ("compare.md", Format::Markdown),
        ("compare.csv", Format::Csv),
        ("compare.tex", Format::Latex),
        ("compare.json", Format::Json),
    ] {
        folder.write(name, &comparison.render(format))?;
    }
    Ok(folder.files)
}

/// The manifests the results came from, whole, by id.
fn manifests(runs: &SweepRuns) -> String {
    let mut found: Vec<(&str, &Value)> = runs
        .runs
        .iter()
        .filter_map(|run| Some((run.id.as_str(), &run.manifest.as_ref()?.value)))
        .collect();
    found.sort_by_key(|(id, _)| *id);
    let values = Value::Array(found.into_iter().map(|(_, value)| value.clone()).collect());
    format!("{values:#}\n")
}

fn faults(runs: &SweepRuns) -> Vec<String> {
    let of = |run: &crate::RunRecord| {
        run.faults
            .iter()
            .map(|fault| format!("{}/{fault}", run.id))
            .collect::<Vec<_>>()
    };
    runs.runs.iter().flat_map(of).collect()
}

/// A file that keeps what the system said when writing failed: polars passes on no more than that it did.
struct Telling<'f> {
    file: BufWriter<&'f File>,
    failed: Option<io::Error>,
}

impl Telling<'_> {
    /// Keeps an error and passes its kind on.
    fn told<T>(&mut self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let kind = error.kind();
            self.failed.get_or_insert(error);
            kind.into()
        })
    }
}

impl io::Write for Telling<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes);
        self.told(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = self.file.flush();
        self.told(flushed)
    }
}

/// The folder a report is written into.
struct Folder<'a> {
    dir: &'a Path,
    files: Vec<PathBuf>,
}

impl<'a> Folder<'a> {
    /// The folder, made where it is not there.
    fn new(dir: &'a Path) -> Result<Self, ReportError> {
        std::fs::create_dir_all(dir).map_err(|source| ReportError::Write {
            path: dir.to_owned(),
            source,
        })?;
        Ok(Self {
            dir,
            files: Vec::new(),
        })
    }

    fn write(&mut self, name: &str, text: &str) -> Result<(), ReportError> {
        let path = self.dir.join(name);
        let failed = |source| ReportError::Write {
            path: path.clone(),
            source,
        };
        let mut beside = self.beside("").map_err(failed)?;
        beside.write_all(text.as_bytes()).map_err(failed)?;
        self.keep(beside, path)
    }

    fn write_parquet(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut Telling<'_>) -> Result<(), polars::error::PolarsError>,
    ) -> Result<(), ReportError> {
        let path = self.dir.join(name);
        let failed = |source| ReportError::Write {
            path: path.clone(),
            source,
        };
        let beside = self.beside("").map_err(failed)?;
        let mut telling = Telling {
            file: BufWriter::new(beside.as_file()),
            failed: None,
        };
        let written = write(&mut telling);
        let flushed = telling.flush();
        match (telling.failed.take(), written, flushed) {
            (Some(source), ..) | (None, Ok(()), Err(source)) => return Err(failed(source)),
            (None, Err(source), _) => return Err(ReportError::Parquet { path, source }),
            (None, Ok(()), Ok(())) => drop(telling),
        }
        self.keep(beside, path)
    }

    fn draw(&mut self, runs: &SweepRuns) -> Result<(), ReportError> {
        let path = self.dir.join("loss.svg");
        let svg = figure::svg(runs).map_err(|source| ReportError::Figure { path, source })?;
        self.write("loss.svg", &svg)?;
        let path = self.dir.join("loss.png");
        // The drawing library knows the format by the name's end.
        let beside = self.beside(".png").map_err(|source| ReportError::Write {
            path: path.clone(),
            source,
        })?;
        figure::png(runs, beside.path()).map_err(|source| ReportError::Figure {
            path: path.clone(),
            source,
        })?;
        self.keep(beside, path)
    }

    fn beside(&self, suffix: &str) -> io::Result<NamedTempFile> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(".report-").suffix(suffix);
        // Results are there to be read by others; a temporary file by default is not.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.tempfile_in(self.dir)
    }

    fn keep(&mut self, beside: NamedTempFile, path: PathBuf) -> Result<(), ReportError> {
        let failed = |source| ReportError::Write {
            path: path.clone(),
            source,
        };
        beside.as_file().sync_all().map_err(failed)?;
        beside.persist(&path).map_err(|error| failed(error.error))?;
        self.files.push(path);
        Ok(())
    }
}
