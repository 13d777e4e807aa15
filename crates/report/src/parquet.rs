//! `runs.parquet` and `steps.parquet`: tidy tables that polars, pandas and DuckDB read with no option.
//!
//! # Columns
//! `runs.parquet` has a row a run:
//! - which it is: `sweep`, `id`, `status`, `reason` (what was wrong with its files);
//! - its rules: `protocol`, `precision`, `model`, and `swept`, what the spec's `[sweep]` gave it;
//! - its task, method and training: a column for each key of a spec (docs/spec.md) but those that name a place or the model,
//!   called `lr` for `train.lr` and `lora_r` for `method.lora.r`; `method_label`, as the tables call it; `lr_text` and
//!   `eps_text`, as the spec wrote them; `steps_done`;
//! - its sizes: `trainable_parameters`, `train_examples`, `dev_examples`, `test_examples`, `made_data`;
//! - its outcome, accuracies as shares of 1: `best_step`, and of the step with the best dev accuracy (`best_`) and
//!   of the last (`last_`) `dev_accuracy`, `dev_cross_entropy`, `test_accuracy`, `test_cross_entropy`;
//!   `slope_per_1000`, `slope_low`, `slope_high`, `steps_needed`; `zero_estimates`, the share of steps whose every
//!   estimate is exactly zero; `probe_c` and `probe_converged`, of linear probing's fit;
//! - where it came from: `data_sha256`, `test_sha256`, `weights_sha256`, `tokenizer_sha256`, `mezo_version`;
//! - its attempts, unless left out: `wall_s` in seconds, `device`, `host`, `attempts`, `last_end`.
//!
//! `steps.parquet` has a row a step and estimate, and one a step where there are no estimates: `id`, `sweep`,
//! `seed`, `lr` (of the step), `eps`, `step`, `loss`, `estimate` (from 0), `noise_seed`, `loss_plus`,
//! `loss_minus`, `projected_grad`.
//!
//! A setting is null where the run's method does not read it.

use std::io::Write;
use std::path::Path;

use mezo_run::{Manifest, Reported, each_step};
use mezo_spec::Mezo;
use polars::error::PolarsError;
use polars::prelude::{Column, DataFrame, NamedFrom, ParquetCompression, ParquetWriter, Series};

use crate::run_record::RunRecord;
use crate::slope::Slope;
use crate::sweep_runs::SweepRuns;

mod config;

/// Rows of `steps.parquet` held at once; also about the rows of one row group.
const BATCH_ROWS: usize = 1 << 18;

/// Writes `runs.parquet`: a row a run. The columns of the attempts, which differ from machine to
/// machine and from day to day, come last and only `with_attempts`.
pub(crate) fn write_runs(
    runs: &SweepRuns,
    with_attempts: bool,
    file: impl Write,
) -> Result<(), PolarsError> {
    let rows = &runs.runs;
    let mut columns = Vec::new();
    columns.extend(identity_columns(rows));
    columns.extend(config::columns(rows));
    columns.extend(outcome_columns(rows));
    columns.extend(provenance_columns(rows));
    if with_attempts {
        columns.extend(attempt_columns(rows));
    }
    let mut frame = DataFrame::new(rows.len(), columns)?;
    writer(file).finish(&mut frame)?;
    Ok(())
}

/// Everything that decides the bytes is stated, whatever the library's defaults become.
fn writer<W: Write>(file: W) -> ParquetWriter<W> {
    ParquetWriter::new(file)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(BATCH_ROWS))
        .set_parallel(false)
}

fn column<T, Kind: ?Sized>(
    rows: &[RunRecord],
    name: &str,
    value: impl Fn(&RunRecord) -> T,
) -> Column
where
    Series: NamedFrom<Vec<T>, Kind>,
{
    Column::new(name.into(), rows.iter().map(value).collect::<Vec<T>>())
}

fn text(rows: &[RunRecord], name: &str, value: impl Fn(&Manifest) -> Option<String>) -> Column {
    column(rows, name, |run| run.manifest().and_then(&value))
}

/// A hash, where the manifest has it.
fn hash(rows: &[RunRecord], name: &str, value: fn(&Manifest) -> &str) -> Column {
    text(rows, name, |manifest| {
        Some(value(manifest).to_owned()).filter(|hash| !hash.is_empty())
    })
}

/// Counts are signed in the files, so that a reader may subtract them.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn identity_columns(rows: &[RunRecord]) -> Vec<Column> {
    let faults = |run: &RunRecord| {
        let faults: Vec<String> = run.faults.iter().map(ToString::to_string).collect();
        (!faults.is_empty()).then(|| faults.join("; "))
    };
    vec![
        text(rows, "sweep", |manifest| Some(manifest.sweep.clone())),
        column(rows, "id", |run| run.id.clone()),
        column(rows, "status", |run| run.status.word()),
        column(rows, "reason", faults),
    ]
}

fn outcome_columns(rows: &[RunRecord]) -> Vec<Column> {
    type Score = fn(&Reported) -> Option<f64>;
    let metrics: [(&str, Score); 4] = [
        ("dev_accuracy", |scores| scores.dev_accuracy),
        ("dev_cross_entropy", |scores| scores.dev_cross_entropy),
        ("test_accuracy", |scores| scores.test_accuracy),
        ("test_cross_entropy", |scores| scores.test_cross_entropy),
    ];
    let best = |run: &RunRecord| run.result.as_ref()?.best;
    let last = |run: &RunRecord| run.result.as_ref()?.last;
    let mut columns = vec![column(rows, "best_step", |run| {
        best(run).map(|scores| signed(scores.step))
    })];
    for (name, value) in metrics {
        columns.push(column(rows, &format!("best_{name}"), |run| {
            best(run).as_ref().and_then(value)
        }));
    }
    for (name, value) in metrics {
        columns.push(column(rows, &format!("last_{name}"), |run| {
            last(run).as_ref().and_then(value)
        }));
    }
    let slope = |run: &RunRecord, value: fn(&Slope) -> f64| run.slope.as_ref().map(value);
    let needed = |run: &RunRecord| {
        run.slope
            .as_ref()
            .and_then(|slope| slope.steps_needed)
            .map(signed)
    };
    columns.extend([
        column(rows, "slope_per_1000", |run| {
            slope(run, |slope| slope.per_1000)
        }),
        column(rows, "slope_low", |run| slope(run, |slope| slope.low)),
        column(rows, "slope_high", |run| slope(run, |slope| slope.high)),
        column(rows, "steps_needed", needed),
        column(rows, "zero_estimates", |run| run.estimated.zero_share()),
        column(rows, "probe_c", |run| run.result.as_ref()?.probe?.c),
        column(rows, "probe_converged", |run| {
            Some(run.result.as_ref()?.probe?.converged)
        }),
    ]);
    columns
}

fn provenance_columns(rows: &[RunRecord]) -> Vec<Column> {
    vec![
        hash(rows, "data_sha256", |manifest| &manifest.data_sha256),
        hash(rows, "test_sha256", |manifest| &manifest.test_sha256),
        hash(rows, "weights_sha256", |manifest| &manifest.weights_sha256),
        hash(rows, "tokenizer_sha256", |manifest| {
            &manifest.tokenizer_sha256
        }),
        text(rows, "mezo_version", |manifest| {
            manifest.versions.get("mezo").cloned()
        }),
    ]
}

fn attempt_columns(rows: &[RunRecord]) -> Vec<Column> {
    vec![
        column(rows, "wall_s", |run| run.attempts.wall_s),
        column(rows, "device", |run| run.attempts.device.clone()),
        column(rows, "host", |run| run.attempts.host.clone()),
        column(rows, "attempts", |run| signed(run.attempts.started)),
        column(rows, "last_end", |run| run.attempts.last_end.clone()),
    ]
}

/// Writes `steps.parquet`, read from the journals again and passed through a batch at a time, so that a long sweep
/// need not fit in memory.
pub(crate) fn write_steps(runs: &SweepRuns, file: impl Write) -> Result<(), PolarsError> {
    let empty = StepRows::default().take_frame()?;
    let mut writer = writer(file).batched(empty.schema())?;
    let mut rows = StepRows::default();
    for run in runs.runs.iter().filter(|run| run.manifest.is_some()) {
        append_run(&mut rows, run, &run.dir);
        if rows.id.len() >= BATCH_ROWS {
            writer.write_batch(&rows.take_frame()?)?;
        }
    }
    if !rows.id.is_empty() {
        writer.write_batch(&rows.take_frame()?)?;
    }
    writer.finish()?;
    Ok(())
}

fn append_run(rows: &mut StepRows, run: &RunRecord, dir: &Path) {
    let (Some(manifest), Some(seed)) = (run.manifest(), run.seed()) else {
        return;
    };
    let eps = manifest.config.number(&Mezo::EPS);
    // The fault a journal may end in has been noted beside its run when it was first read.
    let _ = each_step(dir, |step| {
        let loss = step.loss();
        for estimate in 0..step.estimates.len().max(1) {
            let line = step.estimates.get(estimate);
            rows.id.push(run.id.clone());
            rows.sweep.push(manifest.sweep.clone());
            rows.seed.push(seed);
            rows.lr.push(step.lr);
            rows.eps.push(eps);
            rows.step.push(signed(step.step));
            rows.loss.push(loss);
            rows.estimate.push(line.map(|_| estimate as i64));
            rows.noise_seed.push(line.map(|line| line.seed));
            rows.loss_plus.push(line.and_then(|line| line.loss_plus));
            rows.loss_minus.push(line.and_then(|line| line.loss_minus));
            rows.projected_grad
                .push(line.and_then(|line| line.projected_grad));
        }
    });
}

/// Some rows of `steps.parquet`, by column.
#[derive(Default)]
struct StepRows {
    id: Vec<String>,
    sweep: Vec<String>,
    seed: Vec<u64>,
    lr: Vec<f64>,
    eps: Vec<Option<f64>>,
    step: Vec<i64>,
    loss: Vec<Option<f64>>,
    estimate: Vec<Option<i64>>,
    noise_seed: Vec<Option<u64>>,
    loss_plus: Vec<Option<f64>>,
    loss_minus: Vec<Option<f64>>,
    projected_grad: Vec<Option<f64>>,
}

impl StepRows {
    fn take_frame(&mut self) -> Result<DataFrame, PolarsError> {
        let rows = std::mem::take(self);
        DataFrame::new(
            rows.id.len(),
            vec![
                Column::new("id".into(), rows.id),
                Column::new("sweep".into(), rows.sweep),
                Column::new("seed".into(), rows.seed),
                Column::new("lr".into(), rows.lr),
                Column::new("eps".into(), rows.eps),
                Column::new("step".into(), rows.step),
                Column::new("loss".into(), rows.loss),
                Column::new("estimate".into(), rows.estimate),
                Column::new("noise_seed".into(), rows.noise_seed),
                Column::new("loss_plus".into(), rows.loss_plus),
                Column::new("loss_minus".into(), rows.loss_minus),
                Column::new("projected_grad".into(), rows.projected_grad),
            ],
        )
    }
}
