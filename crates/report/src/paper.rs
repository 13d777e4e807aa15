//! The paper's numbers, grids and prompts for RoBERTa-large.
//!
//! Malladi et al., "Fine-Tuning Language Models with Just Forward Passes", arXiv 2305.17333v3: numbers
//! from Table 18, prompts from Table 13 as the public code writes them (`medium_models/run_fewshot.sh`).
//! What it searched is in [`crate::paper_grid`].

use serde::Serialize;

/// Accuracy in percent as the paper has it: mean and standard deviation over five seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Published {
    /// Mean accuracy.
    pub mean: f64,
    /// Standard deviation; none for zero-shot.
    pub std: Option<f64>,
}

/// The seeds of every number in Table 18.
pub const SEEDS: [u64; 5] = [13, 21, 42, 87, 100];

/// The model of every number in Table 18.
pub const MODEL: &str = "roberta-large";

/// The columns of Table 18.
const TASKS: [&str; 6] = ["SST-2", "SST-5", "SNLI", "MNLI", "RTE", "TREC"];

/// Table 18, the row without training.
const ZERO_SHOT: [f64; 6] = [79.0, 35.5, 50.2, 48.8, 51.4, 32.0];

/// A row of Table 18: examples per class, method, and mean and standard deviation per task.
type Row = (u64, &'static str, [(f64, f64); 6]);

/// Table 18, the trained rows.
#[rustfmt::skip]
const TABLE_18: [Row; 16] = [
    (16, "LP", [(76.0, 2.8), (40.3, 1.9), (66.0, 2.7), (56.5, 2.5), (59.4, 5.3), (51.3, 5.5)]),
    (16, "MeZO", [(90.5, 1.2), (45.5, 2.0), (68.5, 3.9), (58.7, 2.5), (64.0, 3.3), (76.9, 2.7)]),
    (16, "MeZO (LoRA)", [(91.4, 0.9), (43.0, 1.6), (69.7, 6.0), (64.0, 2.5), (64.9, 3.6), (73.1, 6.5)]),
    (16, "MeZO (prefix)", [(90.8, 1.7), (45.8, 2.0), (71.6, 2.5), (63.4, 1.8), (65.4, 3.9), (80.3, 3.6)]),
    (16, "MeZO-Adam", [(90.4, 1.4), (45.4, 1.5), (74.1, 2.7), (64.3, 0.8), (59.2, 11.1), (78.3, 1.4)]),
    (16, "FT", [(91.9, 1.8), (47.5, 1.9), (77.5, 2.6), (70.0, 2.3), (66.4, 7.2), (85.0, 2.5)]),
    (16, "FT (LoRA)", [(91.4, 1.7), (46.7, 1.1), (74.9, 4.3), (67.7, 1.4), (66.1, 3.5), (82.7, 4.1)]),
    (16, "FT (prefix)", [(91.9, 1.0), (47.7, 1.1), (77.2, 1.3), (66.5, 2.5), (66.6, 2.0), (85.7, 1.3)]),
    (512, "LP", [(91.3, 0.5), (51.7, 0.5), (80.9, 1.0), (71.5, 1.1), (73.1, 1.5), (89.4, 0.5)]),
    (512, "MeZO", [(93.3, 0.7), (53.2, 1.4), (83.0, 1.0), (78.3, 0.5), (78.6, 2.0), (94.3, 1.3)]),
    (512, "MeZO (LoRA)", [(93.4, 0.4), (52.4, 0.8), (84.0, 0.8), (77.9, 0.6), (77.6, 1.3), (95.0, 0.7)]),
    (512, "MeZO (prefix)", [(93.3, 0.1), (53.6, 0.5), (84.8, 1.1), (79.8, 1.2), (77.2, 0.8), (94.4, 0.7)]),
    (512, "MeZO-Adam", [(93.3, 0.6), (53.9, 0.8), (85.3, 0.8), (79.6, 0.4), (79.2, 1.2), (95.1, 0.3)]),
    (512, "FT", [(93.9, 0.7), (55.9, 0.9), (88.7, 0.8), (84.4, 0.8), (82.7, 1.4), (97.3, 0.2)]),
    (512, "FT (LoRA)", [(94.2, 0.2), (55.3, 0.7), (88.3, 0.5), (83.9, 0.6), (83.2, 1.3), (97.0, 0.3)]),
    (512, "FT (prefix)", [(93.7, 0.3), (54.6, 0.7), (88.3, 0.7), (83.3, 0.5), (82.5, 0.8), (97.4, 0.2)]),
];

/// The number Table 18 has for a task of ours and a method by its name there, if any.
pub fn published(task: &str, k: u64, method: &str) -> Option<Published> {
    let column = column(task)?;
    if method == "zero-shot" {
        return Some(Published {
            mean: ZERO_SHOT[column],
            std: None,
        });
    }
    let row = TABLE_18
        .iter()
        .find(|(row_k, name, _)| *row_k == k && *name == method)?;
    let (mean, std) = row.2[column];
    Some(Published {
        mean,
        std: Some(std),
    })
}

/// The place of a task of ours among Table 18's columns.
pub fn column(task: &str) -> Option<usize> {
    let name = paper_task(task)?;
    TASKS.iter().position(|known| *known == name)
}

/// The methods of Table 18 that it has numbers of for so many examples per class, in its order.
pub fn methods(k: u64) -> impl Iterator<Item = &'static str> {
    let rows = TABLE_18.iter().filter(move |(row_k, ..)| *row_k == k);
    rows.map(|(_, name, _)| *name)
}

/// The paper's name of a task of ours. Both readings of SST-2 stand beside its SST-2.
fn paper_task(task: &str) -> Option<&'static str> {
    match task {
        "sst-2" | "glue-sst2" | "glue-sst-2" | "sst-2-glue" => Some("SST-2"),
        "sst-5" => Some("SST-5"),
        "snli" => Some("SNLI"),
        "mnli" => Some("MNLI"),
        "rte" => Some("RTE"),
        "trec" => Some("TREC"),
        _ => None,
    }
}

/// The most test examples a number of Table 18 was measured on (appendix E.1).
pub const TEST_CAP: u64 = 1000;

/// The paper's prompt for a task: its template, and its label words in the order of the labels' names.
pub fn prompt(task: &str) -> Option<(&'static str, &'static [&'static str])> {
    const REVIEW: &str = "*cls**sent_0*_It_was*mask*.*sep+*";
    const PAIR: &str = "*cls**sent-_0*?*mask*,*+sentl_1**sep+*";
    match paper_task(task)? {
        "SST-2" => Some((REVIEW, &["terrible", "great"])),
        "SST-5" => Some((REVIEW, &["terrible", "bad", "okay", "good", "great"])),
        "SNLI" | "MNLI" => Some((PAIR, &["No", "Yes", "Maybe"])),
        "RTE" => Some((PAIR, &["Yes", "No"])),
        "TREC" => Some((
            "*cls**mask*:*+sent_0**sep+*",
            &[
                "Description",
                "Entity",
                "Expression",
                "Human",
                "Location",
                "Number",
            ],
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn our_names_find_the_papers_rows() {
        let lora = published("sst-2", 512, "MeZO (LoRA)").unwrap();
        assert_eq!((lora.mean, lora.std), (93.4, Some(0.4)));
        let zero_shot = published("trec", 16, "zero-shot").unwrap();
        assert_eq!((zero_shot.mean, zero_shot.std), (32.0, None));
        assert!(published("sst-2", 64, "MeZO").is_none());
        assert!(published("made-sentiment", 512, "MeZO").is_none());
        let adam = published("rte", 16, "MeZO-Adam").unwrap();
        assert_eq!((adam.mean, adam.std), (59.2, Some(11.1)));
        assert!(published("sst-2", 16, "MeZO, no prompt").is_none());
        assert!(published("sst-2", 16, "FT (SGD)").is_none());
    }

    #[test]
    fn every_number_is_the_shared_tables() {
        use std::io::Write as _;
        let root = std::env::var("MEZO_SHARED")
            .unwrap_or_else(|_| format!("{}/../../../shared", env!("CARGO_MANIFEST_DIR")));
        let path = std::path::Path::new(&root).join("reference/paper_results.csv");
        if !path.is_file() {
            let _ = writeln!(
                std::io::stderr(),
                "skipped: paper numbers (no shared folder at {root})"
            );
            return;
        }
        let mut compared = 0;
        for record in csv::Reader::from_path(path).unwrap().records() {
            let record = record.unwrap();
            if !record[7].ends_with("Table 18") {
                continue;
            }
            let column = TASKS.iter().position(|task| *task == &record[1]).unwrap();
            let mean: f64 = record[4].parse().unwrap();
            if &record[3] == "Zero-shot" {
                assert_eq!(ZERO_SHOT[column], mean);
            } else {
                let k: u64 = record[2].parse().unwrap();
                let row = TABLE_18
                    .iter()
                    .find(|row| row.0 == k && row.1 == &record[3])
                    .unwrap();
                assert_eq!(
                    row.2[column],
                    (mean, record[5].parse().unwrap()),
                    "{record:?}"
                );
            }
            compared += 1;
        }
        assert_eq!(compared, 102);
    }
}
