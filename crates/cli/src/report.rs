//! `mezo table` and `mezo report`.

use mezo_report::{Format, ReportOptions, SweepRuns};

use crate::args::{ReportArgs, TableArgs, TableFormat};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::put;

/// Prints the results table.
pub fn table(args: &TableArgs) -> Result<Exit, Failure> {
    let runs = SweepRuns::read(&args.runs_dir.join(&args.sweep))?;
    put(&mezo_report::table(&runs).render(format(args.format)))?;
    Ok(Exit::Done)
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
        eprintln!("warning: {fault}");
    }
    for file in &built.files {
        put(&format!("{}\n", file.display()))?;
    }
    Ok(Exit::Done)
}
