//! Several sweeps beside the paper's table.

use std::fs;
use std::path::{Path, PathBuf};

use mezo_report::{Comparison, Format, SweepRuns, compare, write_comparison};
use serde_json::json;

use crate::fixture::{Run, Score, falling, write_zero_shot};

mod rows;

const SEEDS: [u64; 5] = [13, 21, 42, 87, 100];

const TREC: &[&str] = &[
    "Description",
    "thing",
    "Expression",
    "Human",
    "Location",
    "Number",
];

fn read(sweeps: &[PathBuf]) -> Comparison {
    compare(&SweepRuns::read_several(sweeps).unwrap())
}

/// A run with the paper's model whose accuracy is the same on dev, on test and at every step.
fn run(seed: u64, task: &'static str, lr: &'static str, accuracy: f64) -> Run {
    let score = Score {
        step: 20,
        dev: accuracy,
        test: accuracy,
        cross_entropy: 1.0 - accuracy,
    };
    let mut run = Run::new(seed, lr, "1e-3", falling(seed, 40, 0.5, 100.0));
    (run.model, run.task, run.made_data) = ("roberta-large", task, false);
    (run.tuning, run.k) = ("full", 16);
    (run.steps, run.eval_every) = (100_000, 10_000);
    if task == "trec" {
        (run.template, run.label_words) = ("*cls**mask*:*+sent_0**sep+*", TREC);
    }
    run.scored(score, Score { step: 40, ..score })
}

/// The paper's whole grid of full MeZO on one task, around one accuracy, and zero-shot.
fn mezo(sweep: &Path, task: &'static str, accuracy: f64) {
    for (place, seed) in SEEDS.into_iter().enumerate() {
        for (lr, less) in [("1e-7", 0.02), ("1e-6", 0.0), ("1e-5", 0.1)] {
            run(seed, task, lr, accuracy + 0.01 * place as f64 - less).write(sweep);
        }
    }
    write_zero_shot(sweep, &run(13, task, "1e-6", 0.0), 0.5, 0.7);
}

fn linear_probing(sweep: &Path, task: &'static str, accuracy: f64, seeds: &[u64]) {
    for seed in seeds {
        let mut run = run(*seed, task, "0", accuracy);
        (run.method, run.eps, run.losses) = ("lp", "", Vec::new());
        run.more = json!({"method": {"tuning": null}, "train": {"steps": null, "batch_size": null,
            "eval_every": null, "lr": null, "weight_decay": null}});
        run.write(sweep);
    }
}

/// Two sweeps: MeZO with its whole grid on two tasks, linear probing with two seeds on one, LoRA of which a
/// run is to come, fine-tuning that diverged, and a task without test rows.
fn two_sweeps(runs_dir: &Path) -> [PathBuf; 2] {
    let sweeps = ["mezo", "others"].map(|name| runs_dir.join(name));
    let [first, second] = &sweeps;
    mezo(first, "glue-sst2", 0.90);
    mezo(first, "trec", 0.60);
    linear_probing(second, "glue-sst2", 0.75, &[13, 21]);
    let mut dev_only = run(13, "mnli", "1e-6", 0.6);
    dev_only.test_examples = 0;
    dev_only.write(second);
    for (seed, done) in [(13, true), (21, false)] {
        let mut lora = run(seed, "glue-sst2", "5e-5", 0.92);
        (lora.tuning, lora.weight_decay) = ("lora", 0.1);
        let written = lora.write(second);
        if !done {
            fs::remove_file(written.join("result.json")).unwrap();
        }
    }
    let mut planned = run(13, "trec", "5e-5", 0.9);
    (planned.tuning, planned.weight_decay) = ("lora", 0.1);
    let written = planned.write(second);
    for file in [
        "steps.jsonl",
        "evals.jsonl",
        "attempts.jsonl",
        "result.json",
    ] {
        fs::remove_file(written.join(file)).unwrap();
    }
    let mut diverged = run(13, "glue-sst2", "1e-5", 0.9);
    (diverged.method, diverged.eps, diverged.status) = ("ft", "", "diverged");
    (diverged.best, diverged.last) = (None, None);
    (diverged.steps, diverged.eval_every, diverged.batch_size) = (1000, 100, 8);
    diverged.more = json!({"train": {"optimizer": "adam", "schedule": "linear"}});
    diverged.losses.clear();
    diverged.write(second);
    sweeps
}

#[test]
fn markdown() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = two_sweeps(dir.path());
    insta::assert_snapshot!(read(&sweeps).render(Format::Markdown), @r"
    # fixture

    roberta-large, protocol paper, test accuracy in percent

    ## k 16

    | method | glue-sst2 | mnli | trec [a] |
    | --- | --- | --- | --- |
    | zero-shot | 50.0 / 79.0 | - / 48.8 | 50.0 / 32.0 |
    | LP | 75.0 (0.0) [2 seeds; b] / 76.0 (2.8) | - / 56.5 (2.5) | - / 51.3 (5.5) |
    | MeZO | 92.0 (1.4) / 90.5 (1.2) | dev only [c,d,e,f] / 58.7 (2.5) | 62.0 (1.4) / 76.9 (2.7) |
    | MeZO (LoRA) [g] | 92.0 [1 seed; 1 of 2 runs; b,h] / 91.4 (0.9) | - / 64.0 (2.5) | outstanding [0 of 1 runs; f,i] / 73.1 (6.5) |
    | FT | diverged [f,j,k] / 91.9 (1.8) | - / 70.0 (2.3) | - / 85.0 (2.5) |

    - ours / the paper's (RoBERTa-large, arXiv 2305.17333v3, Table 18), mean (standard deviation over seeds, ddof 0) over 5 seeds unless another number is given; per seed the configuration with the best dev accuracy, at its best step
    - letters stand for in what ours differs from the paper's, after a number, or after a method or a task for its whole row or column: no such number is a reproduction (partial grid)
    - order of our rows against the paper's, Kendall's tau-b over rows with both numbers, k 16: glue-sst2 +0.55 (n 4), trec +1.00 (n 2)
    - where ours is -, these sweeps have no run of it
    - no test rows in the data of mnli (k 16): dev chose, and there is no test score to report
    - in Table 18 and not in these sweeps, k 16: MeZO (prefix), MeZO-Adam, FT (LoRA), FT (prefix)
    - protocol paper: the method as the paper describes it (docs/protocols.md)
    - 2 of 39 runs not finished: 1 started, 1 planned
    - 1 of 39 runs diverged (a loss was not finite); their best step before that counts, a last step they have none
    - a: label words Description, thing, Expression, Human, Location, Number (paper: Description, Entity, Expression, Human, Location, Number)
    - b: seeds 13, 21 (paper: 13, 21, 42, 87, 100)
    - c: template \*cls\*\*sent\_0\*\_It\_was\*mask\*.\*sep+\* (paper: \*cls\*\*sent-\_0\*?\*mask\*,\*+sentl\_1\*\*sep+\*)
    - d: label words terrible, great (paper: No, Yes, Maybe)
    - e: lr 1e-6 (paper: 1e-7, 1e-6, 1e-5)
    - f: seeds 13 (paper: 13, 21, 42, 87, 100)
    - g: lr 5e-5 (paper: 1e-5, 5e-5, 1e-4)
    - h: 1 of 2 runs not finished
    - i: 1 of 1 runs not finished
    - j: lr 1e-5 (paper: 1e-5, 3e-5, 5e-5)
    - k: batch 8 (paper: 2, 4, 8)
    ");
}

#[test]
fn human() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = two_sweeps(dir.path());
    let text = read(&sweeps).render(Format::Human);
    let (table, _) = text.split_once("\n- ").unwrap();
    insta::assert_snapshot!(table, @r"
    fixture: roberta-large, protocol paper, test accuracy in percent

    k 16
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────
     method            glue-sst2                         mnli                 trec [a]
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────
     zero-shot         50.0                              -                    50.0
                       / 79.0                            / 48.8               / 32.0
     LP                75.0 (0.0) [2 seeds; b]           -                    -
                       / 76.0 (2.8)                      / 56.5 (2.5)         / 51.3 (5.5)
     MeZO              92.0 (1.4)                        dev only [c,d,e,f]   62.0 (1.4)
                       / 90.5 (1.2)                      / 58.7 (2.5)         / 76.9 (2.7)
     MeZO (LoRA) [g]   92.0 [1 seed; 1 of 2 runs; b,h]   -                    outstanding [0 of 1 runs; f,i]
                       / 91.4 (0.9)                      / 64.0 (2.5)         / 73.1 (6.5)
     FT                diverged [f,j,k]                  -                    -
                       / 91.9 (1.8)                      / 70.0 (2.3)         / 85.0 (2.5)
    ─────────────────────────────────────────────────────────────────────────────────────────────────────────
    ");
}

#[test]
fn csv() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = two_sweeps(dir.path());
    insta::assert_snapshot!(read(&sweeps).render(Format::Csv), @r#"
    k,model,protocol,method,task,state,runs,runs_ended,seeds,accuracy_mean,accuracy_std,dev_accuracy_mean,last_step_mean,last_step_std,fixed_mean,fixed_std,paper_mean,paper_std,difference,grid,differs_in,tau,tau_n,made_data
    16,roberta-large,paper,zero-shot,glue-sst2,measured,1,1,,50,0,,,,,,79,,-29,,,0.5477225575051661,4,false
    16,roberta-large,paper,zero-shot,mnli,not there,0,0,,,,,,,,,48.8,,,,,,,false
    16,roberta-large,paper,zero-shot,trec,measured,1,1,,50,0,,,,,,32,,18,,"label words Description, thing, Expression, Human, Location, Number (paper: Description, Entity, Expression, Human, Location, Number)",1,2,false
    16,roberta-large,paper,LP,glue-sst2,measured,2,2,13 21,75,0,75,,,,,76,2.8,-1,partial grid,"seeds 13, 21 (paper: 13, 21, 42, 87, 100)",0.5477225575051661,4,false
    16,roberta-large,paper,LP,mnli,not there,0,0,,,,,,,,,56.5,2.5,,,,,,false
    16,roberta-large,paper,LP,trec,not there,0,0,,,,,,,,,51.3,5.5,,,,1,2,false
    16,roberta-large,paper,MeZO,glue-sst2,measured,15,15,13 21 42 87 100,92,1.4142135623730951,92,92,1.4142135623730951,92,1.4142135623730951,90.5,1.2,1.5,the paper's grid,,0.5477225575051661,4,false
    16,roberta-large,paper,MeZO,mnli,dev only,1,1,13,,,60,,,,,58.7,2.5,,partial grid,"template *cls**sent_0*_It_was*mask*.*sep+* (paper: *cls**sent-_0*?*mask*,*+sentl_1**sep+*); label words terrible, great (paper: No, Yes, Maybe); lr 1e-6 (paper: 1e-7, 1e-6, 1e-5); seeds 13 (paper: 13, 21, 42, 87, 100)",,,false
    16,roberta-large,paper,MeZO,trec,measured,15,15,13 21 42 87 100,62,1.4142135623730951,62,62,1.4142135623730951,62,1.4142135623730951,76.9,2.7,-14.900000000000006,partial grid,"label words Description, thing, Expression, Human, Location, Number (paper: Description, Entity, Expression, Human, Location, Number)",1,2,false
    16,roberta-large,paper,MeZO (LoRA),glue-sst2,outstanding,2,1,13,92,0,92,92,0,,,91.4,0.9,0.5999999999999943,partial grid,"lr 5e-5 (paper: 1e-5, 5e-5, 1e-4); seeds 13, 21 (paper: 13, 21, 42, 87, 100); 1 of 2 runs not finished",0.5477225575051661,4,false
    16,roberta-large,paper,MeZO (LoRA),mnli,not there,0,0,,,,,,,,,64,2.5,,,,,,false
    16,roberta-large,paper,MeZO (LoRA),trec,outstanding,1,0,,,,,,,,,73.1,6.5,,partial grid,"label words Description, thing, Expression, Human, Location, Number (paper: Description, Entity, Expression, Human, Location, Number); lr 5e-5 (paper: 1e-5, 5e-5, 1e-4); seeds 13 (paper: 13, 21, 42, 87, 100); 1 of 1 runs not finished",1,2,false
    16,roberta-large,paper,FT,glue-sst2,diverged,1,1,,,,,,,,,91.9,1.8,,partial grid,"lr 1e-5 (paper: 1e-5, 3e-5, 5e-5); batch 8 (paper: 2, 4, 8); seeds 13 (paper: 13, 21, 42, 87, 100)",0.5477225575051661,4,false
    16,roberta-large,paper,FT,mnli,not there,0,0,,,,,,,,,70,2.3,,,,,,false
    16,roberta-large,paper,FT,trec,not there,0,0,,,,,,,,,85,2.5,,,,1,2,false
    "#);
}

#[test]
fn latex() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = two_sweeps(dir.path());
    let text = read(&sweeps).render(Format::Latex);
    let (table, notes) = text.split_once("\\caption").unwrap();
    insta::assert_snapshot!(table, @r"
    \begin{table}
    \centering
    \begin{tabular}{llll}
    \hline
    k 16 & glue-sst2 & mnli & trec [a] \\
    \hline
    zero-shot & 50.0 / 79.0 & - / 48.8 & 50.0 / 32.0 \\
    LP & 75.0 (0.0) [2 seeds; b] / 76.0 (2.8) & - / 56.5 (2.5) & - / 51.3 (5.5) \\
    MeZO & 92.0 (1.4) / 90.5 (1.2) & dev only [c,d,e,f] / 58.7 (2.5) & 62.0 (1.4) / 76.9 (2.7) \\
    MeZO (LoRA) [g] & 92.0 [1 seed; 1 of 2 runs; b,h] / 91.4 (0.9) & - / 64.0 (2.5) & outstanding [0 of 1 runs; f,i] / 73.1 (6.5) \\
    FT & diverged [f,j,k] / 91.9 (1.8) & - / 70.0 (2.3) & - / 85.0 (2.5) \\
    \hline
    \end{tabular}
    ");
    assert!(notes.ends_with("\\end{table}\n"));
}

#[test]
fn json() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = two_sweeps(dir.path());
    let text = read(&sweeps).render(Format::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["outstanding"], json!(true));
    let block = &value["blocks"][0];
    let entry = &block["methods"][2]["tasks"]["glue-sst2"];
    insta::assert_snapshot!(serde_json::to_string_pretty(entry).unwrap(), @r#"
    {
      "chosen": {
        "100": "lr 1e-6, eps 1e-3",
        "13": "lr 1e-6, eps 1e-3",
        "21": "lr 1e-6, eps 1e-3",
        "42": "lr 1e-6, eps 1e-3",
        "87": "lr 1e-6, eps 1e-3"
      },
      "dev_accuracy": {
        "mean": 92.0,
        "n": 5,
        "std": 1.4142135623730951
      },
      "difference": 1.5,
      "differs_in": [],
      "fixed": {
        "mean": 92.0,
        "n": 5,
        "std": 1.4142135623730951
      },
      "grid": "the paper's grid",
      "last_step": {
        "mean": 92.0,
        "n": 5,
        "std": 1.4142135623730951
      },
      "paper": {
        "mean": 90.5,
        "std": 1.2
      },
      "runs": 15,
      "runs_ended": 15,
      "seeds": [
        13,
        21,
        42,
        87,
        100
      ],
      "selected": {
        "mean": 92.0,
        "n": 5,
        "std": 1.4142135623730951
      },
      "state": "measured"
    }
    "#);
    insta::assert_snapshot!(block["kendall_tau_b"], @r#"{"glue-sst2":{"n":4,"tau":0.5477225575051661},"mnli":null,"trec":{"n":2,"tau":1.0}}"#);
}

#[test]
fn the_files_are_the_forms() {
    let dir = tempfile::tempdir().unwrap();
    let comparison = read(&two_sweeps(dir.path()));
    let out = dir.path().join("out");
    let files = write_comparison(&comparison, &out).unwrap();
    let names: Vec<_> = files.iter().map(|file| file.file_name().unwrap()).collect();
    assert_eq!(
        names,
        ["compare.md", "compare.csv", "compare.tex", "compare.json"]
    );
    let written = fs::read_to_string(&files[0]).unwrap();
    assert_eq!(written, comparison.render(Format::Markdown));
}
