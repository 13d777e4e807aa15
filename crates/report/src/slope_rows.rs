//! The slope of every trained run's loss, as rows, CSV, Markdown and sentences.

use crate::digits::{about, signed, thousands};
use crate::run_record::{RunRecord, Status};
use crate::slope::{FEWEST_STEPS, Slope, Verdict};
use crate::sweep_runs::SweepRuns;
use crate::varied::{Named, setting_words, varied};

/// The slope of one run's loss.
#[derive(Debug)]
pub struct SlopeRow {
    /// The run.
    pub id: String,
    /// Its seed.
    pub seed: u64,
    /// Its settings by short name.
    pub settings: Vec<(String, String)>,
    /// Its method, as the paper's Table 18 calls it.
    pub method: String,
    /// Its cell in words.
    pub cell: String,
    /// Finite losses in its journal.
    pub steps: usize,
    /// Whether it ended in a loss that was not finite: then its slope is of the way there.
    pub diverged: bool,
    /// The slope; none with too few steps.
    pub slope: Option<Slope>,
    /// The share of steps whose every estimate is exactly zero; none where there is no such step.
    pub zero_estimates: Option<f64>,
}

/// The columns of `slopes.csv` that come from the settings.
const SETTINGS: [&str; 10] = [
    "model",
    "task",
    "k",
    "method",
    "tuning",
    "lr",
    "eps",
    "batch_size",
    "weight_decay",
    "protocol",
];

/// A row for every run that goes by steps and has a readable manifest.
pub fn slope_rows(runs: &SweepRuns) -> Vec<SlopeRow> {
    let row = |run: &RunRecord| {
        run.manifest()?.steps()?;
        Some(SlopeRow {
            id: run.id.clone(),
            seed: run.seed()?,
            settings: run.cell()?.settings.clone(),
            method: run.cell()?.method.clone(),
            cell: run.cell()?.short_name(),
            steps: run.losses.len(),
            diverged: run.status == Status::Diverged,
            slope: run.slope.clone(),
            zero_estimates: run.estimated.zero_share().filter(|share| *share > 0.0),
        })
    };
    runs.runs.iter().filter_map(row).collect()
}

impl SlopeRow {
    /// The word for what the interval says.
    pub fn verdict(&self) -> &'static str {
        self.slope
            .as_ref()
            .map_or("too few steps", |slope| slope.verdict().word())
    }

    fn setting(&self, name: &str) -> &str {
        self.settings
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, text)| text)
    }

    /// The run's slope as a sentence without its end, with the name of its cell: `lr 1e-4, eps 1e-3, seed
    /// 13: -0.0123 per 1,000 steps [-0.0200, -0.0040]`.
    fn sentence(&self, cell: &str) -> String {
        let diverged = if self.diverged { " (diverged)" } else { "" };
        let who = format!("{cell}, seed {}{diverged}", self.seed);
        let Some(slope) = &self.slope else {
            return format!(
                "{who}: {} steps, too few for a slope (at least {FEWEST_STEPS})",
                self.steps
            );
        };
        let Slope {
            per_1000,
            low,
            high,
            ..
        } = slope;
        let numbers = format!(
            "{} per 1,000 steps [{}, {}]",
            signed(*per_1000),
            signed(*low),
            signed(*high)
        );
        match (slope.verdict(), slope.steps_needed) {
            (Verdict::NotSeen, Some(needed)) => {
                format!(
                    "{who}: no slope seen, {numbers}; about {} steps would be needed",
                    about(needed)
                )
            }
            (Verdict::NotSeen, None) => format!("{who}: no slope seen, {numbers}"),
            _ => format!("{who}: {numbers}"),
        }
    }
}

/// `slopes.csv`.
pub fn slopes_csv(rows: &[SlopeRow]) -> String {
    let mut lines = vec![
        format!(
            "id,{},seed,steps,slope_per_1000,low,high,verdict,steps_needed,zero_estimates",
            SETTINGS.join(",")
        )
        .split(',')
        .map(str::to_owned)
        .collect::<Vec<_>>(),
    ];
    for row in rows {
        let number = |value: fn(&Slope) -> f64| {
            row.slope
                .as_ref()
                .map(|slope| value(slope).to_string())
                .unwrap_or_default()
        };
        let needed = row.slope.as_ref().and_then(|slope| slope.steps_needed);
        let mut fields = vec![row.id.clone()];
        fields.extend(SETTINGS.map(|name| row.setting(name).to_owned()));
        fields.extend([
            row.seed.to_string(),
            row.steps.to_string(),
            number(|slope| slope.per_1000),
            number(|slope| slope.low),
            number(|slope| slope.high),
            row.verdict().to_owned(),
            needed.map(|needed| needed.to_string()).unwrap_or_default(),
            row.zero_estimates
                .map(|share| share.to_string())
                .unwrap_or_default(),
        ]);
        lines.push(fields);
    }
    crate::csv_text::csv_text(&lines)
}

/// `slopes.md`: a sentence a run, and how to read them.
pub fn slopes_markdown(sweep: &str, rows: &[SlopeRow]) -> String {
    let mut text = format!("# {sweep}: did the training loss move?\n\n");
    text.push_str(
        "The slope of every run's training loss, change per 1,000 steps, with a 95 % interval that \
         allows for autocorrelation. Where the interval holds zero, the number of steps that would be \
         needed to see a slope of that size under the same noise.\n\n",
    );
    for (row, name) in rows.iter().zip(slope_names(rows)) {
        text.push_str(&format!("- {}\n", row.sentence(&name)));
    }
    text
}

/// The cell of each row in words: learning rate and epsilon, and before them whatever else tells cells
/// apart.
pub(crate) fn slope_names(rows: &[SlopeRow]) -> Vec<String> {
    let named: Vec<Named<'_>> = rows
        .iter()
        .map(|row| (row.method.as_str(), row.settings.as_slice()))
        .collect();
    let mut varied = varied(&named);
    varied.retain(|name| !matches!(*name, "lr" | "eps"));
    let one_method = rows.windows(2).all(|pair| pair[0].method == pair[1].method);
    let name = |row: &SlopeRow| {
        let mut words = Vec::new();
        if !one_method {
            words.push(row.method.clone());
        }
        // The batch size stands in the cell's own words where there is no epsilon.
        let others = varied
            .iter()
            .filter(|name| **name != "batch_size" || !row.cell.contains("batch"));
        let found = others.filter_map(|name| row.settings.iter().find(|(known, _)| known == name));
        words.extend(found.map(|(name, text)| setting_words(name, text)));
        words.push(row.cell.clone());
        words.join(", ")
    };
    rows.iter().map(name).collect()
}

/// How many of all runs fall, rise, show nothing, and cannot be said anything of.
pub(crate) fn verdicts(rows: &[SlopeRow]) -> String {
    let (diverged, steady): (Vec<&SlopeRow>, Vec<&SlopeRow>) =
        rows.iter().partition(|row| row.diverged);
    let of = |verdict: Option<Verdict>| {
        let own = |row: &&&SlopeRow| row.slope.as_ref().map(Slope::verdict) == verdict;
        steady.iter().filter(own).count()
    };
    let mut text = format!(
        "the loss falls in {}, rises in {}, no slope seen in {} of {} runs",
        of(Some(Verdict::Falls)),
        of(Some(Verdict::Rises)),
        of(Some(Verdict::NotSeen)),
        rows.len()
    );
    for (count, words) in [
        (of(None), "with too few steps for a slope"),
        (diverged.len(), "diverged"),
    ] {
        if count > 0 {
            text.push_str(&format!(", {count} {words}"));
        }
    }
    text
}

/// One sentence for the runs of a cell: how many fall, rise and show nothing.
pub(crate) fn cell_sentence(cell: &str, rows: &[&SlopeRow]) -> Option<String> {
    let steady = rows.iter().filter(|row| !row.diverged);
    let slopes: Vec<(&SlopeRow, &Slope)> = steady
        .filter_map(|row| Some((*row, row.slope.as_ref()?)))
        .collect();
    let diverged = rows.iter().filter(|row| row.diverged).count();
    let of = |verdict: Verdict| {
        slopes
            .iter()
            .filter(|(_, slope)| slope.verdict() == verdict)
            .copied()
            .collect::<Vec<_>>()
    };
    let mut parts = Vec::new();
    for (verdict, word) in [(Verdict::Falls, "falls"), (Verdict::Rises, "rises")] {
        let runs = of(verdict);
        if !runs.is_empty() {
            let mean =
                runs.iter().map(|(_, slope)| slope.per_1000).sum::<f64>() / runs.len() as f64;
            parts.push(format!(
                "the loss {word} in {} of {} runs ({} per 1,000 steps on average)",
                runs.len(),
                slopes.len(),
                signed(mean)
            ));
        }
    }
    let unseen = of(Verdict::NotSeen);
    if !unseen.is_empty() {
        let seeds: Vec<String> = unseen
            .iter()
            .map(|(row, slope)| unseen_seed(row, slope))
            .collect();
        parts.push(format!(
            "no slope seen in {} of {} runs ({})",
            unseen.len(),
            slopes.len(),
            seeds.join("; ")
        ));
    }
    if diverged > 0 {
        parts.push(format!("{diverged} diverged"));
    }
    (!parts.is_empty()).then(|| format!("{cell}: {}", parts.join("; ")))
}

fn unseen_seed(row: &SlopeRow, slope: &Slope) -> String {
    let so_far = thousands(slope.steps as u64);
    match slope.steps_needed {
        Some(needed) => format!(
            "seed {}: {} per 1,000 steps in {so_far} steps, about {} would be needed",
            row.seed,
            signed(slope.per_1000),
            about(needed)
        ),
        None => format!("seed {}: flat over {so_far} steps", row.seed),
    }
}
