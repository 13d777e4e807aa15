//! The columns of `runs.parquet` that say what a run was asked to do.

use polars::prelude::{Column, NamedFrom, Series};

use super::{column, signed, text};
use crate::manifest::{
    EstimatesConfig, Manifest, MethodConfig, PrefixConfig, ScaleConfig, TaskConfig, TrainConfig,
};
use crate::run_record::RunRecord;

/// All of them.
pub(super) fn columns(rows: &[RunRecord]) -> Vec<Column> {
    let mut columns = rules_columns(rows);
    columns.extend(task_columns(rows));
    columns.extend(method_columns(rows));
    columns.extend(estimate_columns(rows));
    columns.extend(train_columns(rows));
    columns.extend(rate_columns(rows));
    columns.extend(size_columns(rows));
    columns
}

fn rules_columns(rows: &[RunRecord]) -> Vec<Column> {
    let swept = |manifest: &Manifest| {
        let texts: Vec<String> = manifest
            .swept
            .iter()
            .map(|swept| format!("{}={}", swept.key, swept.text))
            .collect();
        Some(texts.join(" "))
    };
    vec![
        text(rows, "protocol", |manifest| Some(manifest.protocol.clone())),
        text(rows, "precision", |manifest| {
            Some(manifest.precision.clone())
        }),
        text(rows, "model", |manifest| {
            Some(manifest.config.model.name().to_owned())
        }),
        text(rows, "swept", swept),
    ]
}

fn task_columns(rows: &[RunRecord]) -> Vec<Column> {
    let words = |task: &TaskConfig| {
        let words: Vec<&str> = task.label_words.values().map(String::as_str).collect();
        Some(words.join(", "))
    };
    vec![
        of_task(rows, "task", |task| Some(task.name.clone())),
        of_task(rows, "k", |task| Some(signed(task.k))),
        of_task(rows, "test_cap", |task| task.test_cap.map(signed)),
        of_task(rows, "prompt", |task| Some(task.prompt)),
        of_task(rows, "template", |task| Some(task.template.clone())),
        of_task(rows, "label_words", words),
        of_task(rows, "max_length", |task| task.max_length.map(signed)),
        of_task(rows, "cut", |task| task.cut.clone()),
    ]
}

fn method_columns(rows: &[RunRecord]) -> Vec<Column> {
    let prefix = |run: &RunRecord| -> Option<PrefixConfig> { method(run)?.prefix.clone() };
    let lora = |run: &RunRecord| method(run)?.lora;
    vec![
        column(rows, "method", |run| {
            method(run).map(|method| method.name.clone())
        }),
        text(rows, "method_label", |manifest| {
            Some(manifest.method_label())
        }),
        column(rows, "tuning", |run| method(run)?.tuning.clone()),
        column(rows, "lora_r", |run| lora(run).map(|lora| signed(lora.r))),
        column(rows, "lora_alpha", |run| lora(run).map(|lora| lora.alpha)),
        column(rows, "prefix_tokens", |run| prefix(run)?.tokens.map(signed)),
        column(rows, "prefix_init", |run| prefix(run)?.init),
    ]
}

fn estimate_columns(rows: &[RunRecord]) -> Vec<Column> {
    let estimates = |run: &RunRecord| -> Option<EstimatesConfig> { method(run)?.estimates.clone() };
    let scale = |run: &RunRecord| -> Option<ScaleConfig> { method(run)?.scale.clone() };
    vec![
        column(rows, "objective", |run| method(run)?.objective.clone()),
        column(rows, "estimator", |run| method(run)?.estimator.clone()),
        column(rows, "estimates_count", |run| {
            estimates(run)?.count.map(signed)
        }),
        column(rows, "estimates_schedule", |run| estimates(run)?.schedule),
        column(rows, "estimates_scale_lr", |run| estimates(run)?.scale_lr),
        column(rows, "scale_by", |run| scale(run)?.by),
        column(rows, "scale_modifies", |run| scale(run)?.modifies),
        column(rows, "scale_measured", |run| scale(run)?.measured),
    ]
}

fn train_columns(rows: &[RunRecord]) -> Vec<Column> {
    vec![
        column(rows, "seed", RunRecord::seed),
        count(rows, "steps", |train| train.steps),
        column(rows, "steps_done", |run| signed(steps_done(run))),
        count(rows, "eval_every", |train| train.eval_every),
        count(rows, "batch_size", |train| train.batch_size),
        float(rows, "eps", |train| train.eps),
        text(rows, "eps_text", Manifest::eps_text),
        float(rows, "weight_decay", |train| train.weight_decay),
        column(rows, "decay_on", |run| train(run)?.decay_on.clone()),
    ]
}

fn rate_columns(rows: &[RunRecord]) -> Vec<Column> {
    vec![
        float(rows, "lr", |train| train.lr),
        text(rows, "lr_text", Manifest::lr_text),
        column(rows, "schedule", |run| train(run)?.schedule.clone()),
        count(rows, "warmup", |train| train.warmup),
        column(rows, "optimizer", |run| train(run)?.optimizer.clone()),
        float(rows, "momentum", |train| train.momentum),
        float(rows, "dropout", |train| train.dropout),
        float(rows, "clip", |train| train.clip),
    ]
}

fn size_columns(rows: &[RunRecord]) -> Vec<Column> {
    vec![
        column(rows, "trainable_parameters", |run| {
            run.manifest()?.trainable_parameters
        }),
        column(rows, "train_examples", |run| run.manifest()?.train_examples),
        column(rows, "dev_examples", |run| run.manifest()?.dev_examples),
        column(rows, "test_examples", |run| run.manifest()?.test_examples),
        column(rows, "made_data", |run| {
            run.manifest().map(|manifest| manifest.made_data)
        }),
    ]
}

fn of_task<T, Kind: ?Sized>(
    rows: &[RunRecord],
    name: &str,
    value: impl Fn(&TaskConfig) -> Option<T>,
) -> Column
where
    Series: NamedFrom<Vec<Option<T>>, Kind>,
{
    column(rows, name, |run| value(&run.manifest()?.config.task))
}

fn count(rows: &[RunRecord], name: &str, value: impl Fn(&TrainConfig) -> Option<u64>) -> Column {
    column(rows, name, |run| train(run).and_then(&value).map(signed))
}

fn float(rows: &[RunRecord], name: &str, value: impl Fn(&TrainConfig) -> Option<f64>) -> Column {
    column(rows, name, |run| train(run).and_then(&value))
}

fn method(run: &RunRecord) -> Option<&MethodConfig> {
    Some(&run.manifest()?.config.method)
}

pub(super) fn train(run: &RunRecord) -> Option<&TrainConfig> {
    run.manifest()?.config.train.as_ref()
}

fn steps_done(run: &RunRecord) -> u64 {
    run.result
        .as_ref()
        .map_or(run.losses.len() as u64, |result| result.steps)
}
