//! The columns of `runs.parquet` that say what a run was asked to do: one for each key of a spec.

use mezo_run::Manifest;
use mezo_spec::{Key, Kind, Literal, METHOD_NAME, Role, keys};
use polars::prelude::Column;

use super::{column, signed, text};
use crate::method;
use crate::run_record::RunRecord;
use crate::settings::{self, model_name};

/// All of them.
pub(super) fn columns(rows: &[RunRecord]) -> Vec<Column> {
    let mut columns = rules_columns(rows);
    for key in keys().iter().copied().filter(|key| is_column(key)) {
        columns.push(of_key(rows, key));
        if key.path == METHOD_NAME.path {
            columns.push(text(rows, "method_label", |manifest| {
                Some(method::label(manifest))
            }));
        }
        // A number that is written in several ways stands beside it as it was written.
        if key.kind == Kind::Number && key.short.is_some() {
            columns.push(text(rows, &format!("{}_text", key.column()), |manifest| {
                settings::text(manifest, key)
            }));
        }
    }
    columns.push(column(rows, "steps_done", |run| signed(steps_done(run))));
    columns.extend(size_columns(rows));
    columns
}

/// Protocol, precision and model have columns of their own; a place on a disk has none.
fn is_column(key: &Key) -> bool {
    !matches!(key.table(), "" | "model") && key.role != Role::Place
}

fn of_key(rows: &[RunRecord], key: &'static Key) -> Column {
    let name = key.column();
    let value = |run: &RunRecord| Some(run.manifest()?.config.get(key)?.clone());
    let whole = |run: &RunRecord| value(run)?.as_u64();
    match key.kind {
        // The only count that uses all its bits.
        Kind::Whole if key.role == Role::Seed => column(rows, &name, whole),
        Kind::Whole => column(rows, &name, |run| whole(run).map(signed)),
        Kind::Number => column(rows, &name, |run| value(run)?.as_f64()),
        Kind::Flag => column(rows, &name, |run| value(run)?.as_bool()),
        Kind::Words(_) | Kind::Text | Kind::Path => {
            column(rows, &name, |run| value(run)?.as_str().map(str::to_owned))
        }
        Kind::Texts => column(rows, &name, |run| match value(run)? {
            Literal::Texts(texts) => Some(texts.into_values().collect::<Vec<_>>().join(", ")),
            _ => None,
        }),
    }
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
        text(rows, "model", |manifest| Some(model_name(manifest))),
        text(rows, "swept", swept),
    ]
}

fn size_columns(rows: &[RunRecord]) -> Vec<Column> {
    type Size = fn(&Manifest) -> Option<u64>;
    let sizes: [(&str, Size); 4] = [
        ("trainable_parameters", |manifest| {
            manifest.trainable_parameters
        }),
        ("train_examples", |manifest| manifest.train_examples),
        ("dev_examples", |manifest| manifest.dev_examples),
        ("test_examples", |manifest| manifest.test_examples),
    ];
    let mut columns: Vec<Column> = sizes
        .into_iter()
        .map(|(name, size)| column(rows, name, |run| run.manifest().and_then(size).map(signed)))
        .collect();
    columns.push(column(rows, "made_data", |run| {
        run.manifest().map(|manifest| manifest.made_data)
    }));
    columns
}

fn steps_done(run: &RunRecord) -> u64 {
    run.result
        .as_ref()
        .map_or(run.losses.len() as u64, |result| result.steps)
}
