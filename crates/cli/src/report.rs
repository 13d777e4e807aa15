//! `mezo table`, `mezo compare` and `mezo report`.

use std::path::Path;

use mezo_report::{Format, ReportOptions, SweepRuns};

use crate::args::{CompareArgs, ReportArgs, TableArgs, TableFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Prints the results table.
pub fn table(args: &TableArgs) -> Result<Exit, Failure> {
    let runs = SweepRuns::read(&args.runs_dir.join(&args.sweep))?;
    put(&mezo_report::table(&runs).render(format(args.format)))?;
    Ok(Exit::Done)
}

/// Lays several sweeps out beside the paper.
pub fn compare(args: &CompareArgs) -> Result<Exit, Failure> {
    let dirs: Vec<_> = args
        .sweeps
        .iter()
        .map(|sweep| args.runs_dir.join(sweep))
        .collect();
    let comparison = mezo_report::compare(&SweepRuns::read_several(&dirs)?);
    match &args.out {
        Some(out) => put_names(&mezo_report::write_comparison(&comparison, out)?)?,
        None => put(&comparison.render(format(args.format)))?,
    }
    if comparison.is_outstanding() {
        return Ok(Exit::Outstanding);
    }
    Ok(Exit::Done)
}

fn put_names(files: &[impl AsRef<Path>]) -> Result<(), Failure> {
    for file in files {
        put(&format!("{}\n", file.as_ref().display()))?;
    }
    Ok(())
}

fn format(format: TableFormat) -> Format {
    match format {
        TableFormat::Human => Format::Human,
        TableFormat::Md => Format::Markdown,
        TableFormat::Csv => Format::Csv,
        TableFormat::Latex => Format::Latex,
        TableFormat::Json => Format::Json,
    }
}

/// Makes everything that is regenerated from the runs.
pub fn report(args: &ReportArgs) -> Result<Exit, Failure> {
    let options = ReportOptions {
        with_attempts: !args.without_attempts,
    };
    let out = args.results_dir.join(&args.sweep);
    let built = mezo_report::build(&args.runs_dir.join(&args.sweep), &out, &options)?;
    for fault in &built.faults {
        say!("warning: {fault}");
    }
    put_names(&built.files)?;
    Ok(Exit::Done)
}
