//! What the figure shows: panels of curves, made ready to be drawn.

use crate::settings::{self, model_name};
use mezo_run::{EvalSplit, Manifest, Metric};
use mezo_spec::{Mezo, TaskSpec, Training};
use std::collections::{BTreeMap, BTreeSet};

use super::smooth::{Point, decimate, moving_average, quantile};
use crate::digits::thousands;
use crate::run_record::{RunRecord, Status};
use crate::sweep_runs::SweepRuns;
use crate::varied::{Named, setting_words, varied};

/// The most panels one figure has.
const MOST_PANELS: usize = 12;

/// A raw line is drawn through at most twice so many points.
const BUCKETS: usize = 500;

/// A smooth line is drawn through about so many points.
const SMOOTH_POINTS: usize = 300;

/// At most about so many circles a curve.
const DEV_POINTS: usize = 20;

/// The whole figure, as numbers and words.
#[derive(Debug)]
pub(super) struct Figure {
    pub(super) title: String,
    /// What the heights are.
    pub(super) loss: &'static str,
    /// The learning rates, in the order of their colours.
    pub(super) legend: Vec<String>,
    pub(super) panels: Vec<Panel>,
    pub(super) last_step: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) caption: Vec<String>,
}

/// Runs that differ in learning rate and seed only.
#[derive(Debug)]
pub(super) struct Panel {
    pub(super) title: String,
    pub(super) curves: Vec<Curve>,
}

/// The runs of one cell.
#[derive(Debug)]
pub(super) struct Curve {
    /// The place of its learning rate in the legend.
    pub(super) colour: usize,
    pub(super) raw: Vec<Vec<Point>>,
    pub(super) mean: Vec<Point>,
    /// Step, lowest and highest seed.
    pub(super) band: Vec<(f64, f64, f64)>,
    /// Dev cross-entropy, mean over seeds.
    pub(super) dev: Vec<Point>,
    /// Where runs diverged.
    pub(super) ends: Vec<Point>,
}

/// The figure of a sweep.
pub(super) fn figure(runs: &SweepRuns) -> Figure {
    let trained: Vec<&RunRecord> = runs.runs.iter().filter(|run| rate(run).is_some()).collect();
    let legend = legend(&trained);
    let window = window(&trained);
    let mut groups = panel_groups(&trained);
    let all_panels = groups.len();
    groups.truncate(MOST_PANELS);
    let shown: Vec<&RunRecord> = groups
        .iter()
        .flat_map(|(_, cells)| cells.values().flatten().copied())
        .collect();
    let panels: Vec<Panel> = groups
        .into_iter()
        .map(|(title, cells)| Panel {
            title,
            curves: cells
                .iter()
                .map(|(lr, members)| curve(*lr, members, window))
                .collect(),
        })
        .collect();
    let (low, high) = height(&shown, &panels);
    let estimated = shown.iter().any(|run| run.estimated.steps > 0);
    Figure {
        title: title(runs),
        loss: loss(&shown),
        legend,
        last_step: longest(&shown).max(1) as f64,
        low,
        high,
        caption: caption(&panels, all_panels, window, estimated),
        panels,
    }
}

fn title(runs: &SweepRuns) -> String {
    let distinct = |value: fn(&Manifest) -> String| {
        let values: BTreeSet<String> = runs.manifests().map(value).collect();
        values.into_iter().collect::<Vec<_>>().join(", ")
    };
    let model = distinct(model_name);
    let task = distinct(|manifest| {
        let task = manifest.config.text(&TaskSpec::NAME);
        task.unwrap_or_default().to_owned()
    });
    let made = if runs.made_data() { " (made data)" } else { "" };
    format!("{}: training loss of {model} on {task}{made}", runs.sweep)
}

/// What the runs made small.
fn loss(runs: &[&RunRecord]) -> &'static str {
    let objective = |run: &&&RunRecord| {
        let objective = run.manifest()?.config.text(&Mezo::OBJECTIVE)?;
        (objective != "cross-entropy").then_some(())
    };
    match runs.iter().find_map(|run| objective(&run)) {
        None => "training loss (cross-entropy)",
        Some(()) => "training loss (each run's own objective)",
    }
}

/// The literal learning rates by their value.
fn legend(runs: &[&RunRecord]) -> Vec<String> {
    let mut rates: Vec<(f64, String)> = runs.iter().filter_map(|run| rate(run)).collect();
    rates.sort_by(|a, b| a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1)));
    rates.dedup();
    rates.into_iter().map(|(_, text)| text).collect()
}

fn rate(run: &RunRecord) -> Option<(f64, String)> {
    let manifest = run.manifest()?;
    let lr = manifest.config.number(&Training::LR)?;
    Some((lr, settings::text(manifest, &Training::LR)?))
}

/// A twentieth of the longest run, odd.
fn window(runs: &[&RunRecord]) -> usize {
    (longest(runs) / 20).max(1) | 1
}

fn longest(runs: &[&RunRecord]) -> usize {
    runs.iter().map(|run| run.losses.len()).max().unwrap_or(0)
}

/// A panel's title, and its runs by the place of their learning rate in the legend.
type PanelGroup<'a> = (String, BTreeMap<usize, Vec<&'a RunRecord>>);

/// Runs apart by every setting that differs between runs, but for the learning rate.
fn panel_groups<'a>(runs: &[&'a RunRecord]) -> Vec<PanelGroup<'a>> {
    let legend = legend(runs);
    let varied = panel_settings(runs);
    let several_methods = several_methods(runs);
    let mut groups: Vec<PanelGroup<'a>> = Vec::new();
    for run in runs {
        let (Some(cell), Some((_, text))) = (run.cell(), rate(run)) else {
            continue;
        };
        let settings = varied
            .iter()
            .filter_map(|name| Some(setting_words(name, cell.setting(name)?)));
        let method = several_methods.then(|| cell.method.clone());
        let words: Vec<String> = method.into_iter().chain(settings).collect();
        let title = words.join(", ");
        let colour = legend.iter().position(|known| *known == text).unwrap_or(0);
        let place = groups
            .iter()
            .position(|(known, _)| *known == title)
            .unwrap_or_else(|| {
                groups.push((title, BTreeMap::new()));
                groups.len() - 1
            });
        groups[place].1.entry(colour).or_default().push(run);
    }
    groups
}

/// The names of the settings that tell panels apart; epsilon always stands in their titles.
fn panel_settings<'a>(runs: &[&'a RunRecord]) -> Vec<&'a str> {
    let named: Vec<Named<'a>> = runs
        .iter()
        .filter_map(|run| run.cell())
        .map(|cell| (cell.method.as_str(), cell.settings.as_slice()))
        .collect();
    let mut names = varied(&named);
    let has_epsilon = runs
        .iter()
        .filter_map(|run| run.cell())
        .any(|cell| cell.setting("eps").is_some());
    if has_epsilon && !names.contains(&"eps") {
        names.push("eps");
    }
    names.retain(|name| *name != "lr");
    names
}

/// Whether runs go by several methods, whose names then tell panels apart.
fn several_methods(runs: &[&RunRecord]) -> bool {
    let methods: BTreeSet<&str> = runs
        .iter()
        .filter_map(|run| run.cell())
        .map(|cell| cell.method.as_str())
        .collect();
    methods.len() > 1
}

fn curve(colour: usize, runs: &[&RunRecord], window: usize) -> Curve {
    let diverged = |run: &&&RunRecord| run.status == Status::Diverged;
    // A run that blew up would drag the mean with it: it stands for itself.
    let mut steady: Vec<&RunRecord> = runs.iter().filter(|run| !diverged(run)).copied().collect();
    let ends = runs.iter().filter(diverged).filter_map(|run| {
        let last = run.losses.last()?;
        Some((run.losses.len() as f64, *last))
    });
    let ends = ends.collect();
    if steady.is_empty() {
        steady = runs.to_vec();
    }
    let smooth: Vec<Vec<f64>> = steady
        .iter()
        .map(|run| moving_average(&run.losses, window))
        .collect();
    let (mean, band) = over_seeds(&smooth);
    Curve {
        colour,
        raw: runs
            .iter()
            .map(|run| decimate(&run.losses, BUCKETS))
            .collect(),
        mean,
        band,
        dev: dev_points(&steady),
        ends,
    }
}

/// The mean over seeds, and the lowest and highest of at least two.
fn over_seeds(series: &[Vec<f64>]) -> (Vec<Point>, Vec<(f64, f64, f64)>) {
    let longest = series.iter().map(Vec::len).max().unwrap_or(0);
    let stride = longest.div_ceil(SMOOTH_POINTS).max(1);
    let mut mean = Vec::new();
    let mut band = Vec::new();
    for t in (0..longest).filter(|t| t % stride == 0 || t + 1 == longest) {
        let step = (t + 1) as f64;
        let values: Vec<f64> = series
            .iter()
            .filter_map(|values| values.get(t).copied())
            .collect();
        mean.push((step, values.iter().sum::<f64>() / values.len() as f64));
        if values.len() > 1 {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            band.push((step, low, high));
        }
    }
    (mean, band)
}

fn dev_points(runs: &[&RunRecord]) -> Vec<Point> {
    let mut steps: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for eval in runs.iter().flat_map(|run| &run.evals) {
        if let (EvalSplit::Dev, Metric::CrossEntropy, Some(value)) =
            (eval.split, eval.metric, eval.value)
        {
            steps.entry(eval.step).or_default().push(value);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let points: Vec<Point> = steps
        .iter()
        .map(|(step, values)| (*step as f64, mean(values)))
        .collect();
    // Counted from the end, so that the last one is always there.
    let stride = points.len().div_ceil(DEV_POINTS).max(1);
    let last = points.len().saturating_sub(1);
    (0..points.len())
        .filter(|place| (last - place).is_multiple_of(stride))
        .map(|place| points[place])
        .collect()
}

/// The heights between which nearly all losses lie, and every mean and dev point; but never much above
/// where the runs began, lest one that blew up hide the others.
fn height(runs: &[&RunRecord], panels: &[Panel]) -> (f64, f64) {
    let mut judged: Vec<&RunRecord> = runs
        .iter()
        .filter(|run| run.status != Status::Diverged)
        .copied()
        .collect();
    if judged.is_empty() {
        judged = runs.to_vec();
    }
    let mut losses: Vec<f64> = judged
        .iter()
        .flat_map(|run| decimate(&run.losses, BUCKETS))
        .map(|point| point.1)
        .collect();
    let mut first: Vec<f64> = runs
        .iter()
        .flat_map(|run| run.losses.iter().take(1 + run.losses.len() / 20).copied())
        .collect();
    let (Some(low), Some(high), Some(start)) = (
        quantile(&mut losses, 0.005),
        quantile(&mut losses, 0.995),
        quantile(&mut first, 0.95),
    ) else {
        return (0.0, 1.0);
    };
    let drawn = || {
        panels
            .iter()
            .flat_map(|panel| &panel.curves)
            .flat_map(|curve| curve.mean.iter().chain(&curve.dev))
    };
    let low = drawn().map(|point| point.1).fold(low, f64::min);
    let high = drawn()
        .map(|point| point.1)
        .fold(high, f64::max)
        .min(2.0 * start.max(low));
    let margin = (0.05 * (high - low)).max(1e-6 * high.abs()).max(1e-9);
    (low - margin, high + margin)
}

fn caption(panels: &[Panel], all_panels: usize, window: usize, estimated: bool) -> Vec<String> {
    let any = |has: fn(&Curve) -> bool| panels.iter().flat_map(|panel| &panel.curves).any(has);
    let loss = match estimated {
        true => "the loss of every step, (L+ + L-)/2 where it is estimated",
        false => "the loss of every step",
    };
    let mut parts = vec![format!(
        "Faint: {loss}. Line: centred moving average over {} steps, mean over seeds.",
        thousands(window as u64)
    )];
    let mut more = Vec::new();
    if any(|curve| !curve.band.is_empty()) {
        more.push("Band: lowest to highest seed.".to_owned());
    }
    if any(|curve| !curve.dev.is_empty()) {
        more.push("Circles: dev cross-entropy, mean over seeds.".to_owned());
    }
    if any(|curve| !curve.ends.is_empty()) {
        more.push("Crosses: where a run diverged.".to_owned());
    }
    if all_panels > panels.len() {
        more.push(format!(
            "The first {} of {all_panels} panels.",
            panels.len()
        ));
    }
    if !more.is_empty() {
        parts.push(more.join(" "));
    }
    parts
}
