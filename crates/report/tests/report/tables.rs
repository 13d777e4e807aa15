//! The tables as they are read.

use std::path::Path;

use mezo_report::{Format, RowKind, SweepRuns, Table, table};

use crate::fixture::{Run, Score, falling, quickstart, write_zero_shot};

fn read(runs_dir: &Path) -> Table {
    table(&SweepRuns::read(runs_dir).unwrap())
}

/// A LoRA search over five seeds of which one rate diverges.
fn sst2(runs_dir: &Path, model: &'static str, seeds: &[u64], rates: &[&'static str]) {
    for (place, seed) in seeds.iter().enumerate() {
        for lr in rates {
            let mut run = Run::new(*seed, lr, "1e-3", falling(*seed, 40, 0.5, 100.0));
            (run.model, run.task, run.made_data) = (model, "glue-sst2", false);
            (run.weight_decay, run.steps, run.eval_every) = (0.1, 100_000, 10_000);
            let up = 0.01 * place as f64;
            let score = Score {
                step: 20,
                dev: 0.9,
                test: 0.9 + up,
                cross_entropy: 0.3 - up,
            };
            run = run.scored(score, Score { step: 40, ..score });
            run.write(runs_dir);
            if place == 0 {
                write_zero_shot(runs_dir, &run, 0.79, 0.45);
            }
        }
    }
}

#[test]
fn the_papers_number_and_a_partial_grid() {
    let dir = tempfile::tempdir().unwrap();
    sst2(dir.path(), "roberta-base", &[13, 21], &["5e-5"]);
    insta::assert_snapshot!(read(dir.path()).render(Format::Markdown), @r"
    # fixture

    roberta-base, glue-sst2, k 512, MeZO (LoRA), batch 64, steps 100000, weight decay 0.1

    | method | k | lr | eps | steps | seeds | acc, best dev | CE, best dev | acc, last step | CE, last step | acc gain (SE; ratio) | CE gain (SE; ratio) | paper | difference |
    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
    | zero-shot | 512 | - | - | - | - | 79.0 | 0.4500 | 79.0 | 0.4500 | - | - | 79.0 | +0.0 |
    | MeZO (LoRA) | 512 | 5e-5 | 1e-3 | 100000 | 2 | 90.5 (0.5) | 0.2950 (0.0050) | 90.5 (0.5) | 0.2950 (0.0050) | +11.5 (0.50; +23.0) | -0.1550 (0.0050; -31.0) | 93.4 (0.4) | -2.9 |
    | **MeZO (LoRA), selected as published** | **512** | **5e-5** | **1e-3** | **100000** | **2** | **90.5 (0.5)** | **0.2950 (0.0050)** | **90.5 (0.5)** | **0.2950 (0.0050)** | **+11.5 (0.50; +23.0)** | **-0.1550 (0.0050; -31.0)** | **93.4 (0.4)** | **-2.9** |
    | MeZO (LoRA), selected, last step | 512 | 5e-5 | 1e-3 | 100000 | 2 | - | - | 90.5 (0.5) | 0.2950 (0.0050) | +11.5 (0.50; +23.0) | -0.1550 (0.0050; -31.0) | 93.4 (0.4) | -2.9 |

    - accuracy in percent and cross-entropy on the test set, mean (standard deviation over seeds, ddof 0), at the step with the best dev accuracy and at the last step; gain: at best dev (in a row of last steps, there) minus zero-shot, with (the mean's standard error, ddof 1; the mean in standard errors); a cross-entropy gain below zero is better
    - 2 seeds: 13, 21
    - zero-shot, not the paper's: model roberta-base (paper: roberta-large)
    - MeZO (LoRA), partial grid: model roberta-base (paper: roberta-large); lr 5e-5 (paper: 1e-5, 5e-5, 1e-4); seeds 13, 21 (paper: 13, 21, 42, 87, 100)
    - paper: RoBERTa-large, arXiv 2305.17333v3, Table 18; it is selected per seed over the whole grid, so that only the row selected as published stands beside it like for like
    - MeZO (LoRA), selected as published (per seed the configuration with the best dev accuracy): seed 13: lr 5e-5, eps 1e-3; seed 21: lr 5e-5, eps 1e-3
    - selected, last step: the same runs where their training ended, no step chosen
    - protocol paper: the method as the paper describes it (docs/protocols.md)
    - precision f32, mezo 0.1.0
    - training loss, lr 5e-5, eps 1e-3: the loss falls in 2 of 2 runs (-1.47 per 1,000 steps on average)
    ");
}

#[test]
fn the_papers_own_grid_is_not_called_partial() {
    let dir = tempfile::tempdir().unwrap();
    sst2(
        dir.path(),
        "roberta-large",
        &[13, 21, 42, 87, 100],
        &["1e-5", "5e-5", "1e-4"],
    );
    let table = read(dir.path());
    let text = table.render(Format::Markdown);
    assert!(!text.contains("partial grid"), "{text}");
    let selected = table
        .rows
        .iter()
        .find(|row| row.kind == RowKind::Selected)
        .unwrap();
    assert_eq!(selected.partial_grid, Vec::<String>::new());
    assert!((selected.difference().unwrap() - (92.0 - 93.4)).abs() < 1e-9);
    // Population deviation of 90, 91, 92, 93, 94.
    assert!((selected.best.accuracy.unwrap().std - 2f64.sqrt()).abs() < 1e-9);
    let gain = selected.cross_entropy_gain.unwrap();
    assert!((gain.mean - -0.17).abs() < 1e-12);
    assert!((gain.standard_error.unwrap() - 0.01 * (2.5f64 / 5.0).sqrt()).abs() < 1e-12);
}

#[test]
fn equally_good_configurations_go_by_the_order_of_their_text() {
    let dir = tempfile::tempdir().unwrap();
    sst2(
        dir.path(),
        "roberta-large",
        &[13],
        &["1e-5", "5e-5", "1e-4"],
    );
    let table = read(dir.path());
    let selected = table
        .rows
        .iter()
        .find(|row| row.kind == RowKind::Selected)
        .unwrap();
    // As text, 1e-4 comes before 1e-5, though not as a number; so it does in the reference code.
    assert_eq!(selected.chosen[0].cell, "lr 1e-4, eps 1e-3");
    let rates: Vec<&str> = table
        .rows
        .iter()
        .filter(|row| row.kind == RowKind::Cell)
        .filter_map(|row| row.setting("lr"))
        .collect();
    assert_eq!(rates, ["1e-5", "5e-5", "1e-4"]);
}

#[test]
fn other_templates_and_tunings_are_searches_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    let mut full = runs[0].clone();
    full.tuning = "full";
    full.write(dir.path());
    let mut prompt = runs[0].clone();
    prompt.template = "*cls**sent_0*_this_movie_is*mask*.*sep+*";
    prompt.write(dir.path());
    let table = read(dir.path());
    let selected = table
        .rows
        .iter()
        .filter(|row| row.kind == RowKind::Selected)
        .count();
    assert_eq!(selected, 3);
    // No zero-shot run has the new prompt: no gain may be made up from another's.
    let new = table
        .rows
        .iter()
        .find(|row| row.setting("template") == Some(prompt.template))
        .unwrap();
    assert!(new.accuracy_gain.is_none());
    assert!(table.render(Format::Markdown).contains("| template |"));
}

#[test]
fn runs_that_are_missing_are_told_under_the_table() {
    let dir = tempfile::tempdir().unwrap();
    let runs = quickstart(dir.path());
    std::fs::remove_file(dir.path().join(runs[0].id()).join("result.json")).unwrap();
    let mut diverged = runs[7].clone();
    (diverged.status, diverged.last) = ("diverged", None);
    diverged.write(dir.path());
    let text = read(dir.path()).render(Format::Human);
    assert!(
        text.contains("1 of 9 runs not finished: 1 started"),
        "{text}"
    );
    assert!(text.contains("1 of 9 runs diverged"), "{text}");
    assert!(text.contains("1 of 8 runs not finished"), "{text}");
    assert!(text.contains("[1 of 2]"), "{text}");
}

/// Two tasks, each put in its own way, with as many epsilons and learning rates as given.
fn two_tasks(runs_dir: &Path, rates: &[&'static str], epsilons: &[&'static str]) -> Vec<Run> {
    const TREC: &[&str] = &[
        "Description",
        "thing",
        "Expression",
        "Human",
        "Location",
        "Number",
    ];
    let mut runs = Vec::new();
    for (task, template, words, better) in [
        (
            "sst-2",
            "*cls**sent_0*_It_was*mask*.*sep+*",
            &["terrible", "great"][..],
            0,
        ),
        ("trec", "*cls**mask*:*+sent_0**sep+*", TREC, 1),
    ] {
        for (place, lr) in rates.iter().enumerate() {
            for eps in epsilons {
                let mut run = Run::new(13, lr, eps, falling(13, 400, 0.5, 100.0));
                (run.task, run.template, run.label_words) = (task, template, words);
                (run.tuning, run.made_data) = ("full", false);
                let accuracy = if place == better { 0.9 } else { 0.8 };
                let score = Score {
                    step: 250,
                    dev: accuracy,
                    test: accuracy,
                    cross_entropy: 0.3,
                };
                runs.push(run.scored(score, Score { step: 400, ..score }));
            }
        }
    }
    for run in &runs {
        run.write(runs_dir);
    }
    runs
}

#[test]
fn what_the_tasks_name_says_is_no_column() {
    let dir = tempfile::tempdir().unwrap();
    let runs = two_tasks(dir.path(), &["1e-4", "3e-4"], &["1e-3"]);
    for run in [&runs[0], &runs[2]] {
        write_zero_shot(dir.path(), run, 0.5, 0.7);
    }
    insta::assert_snapshot!(read(dir.path()).render(Format::Markdown), @r"
    # fixture

    roberta-imdb-tiny, k 512, batch 64, MeZO, steps 400, weight decay 0

    | method | task | k | lr | eps | steps | seeds | acc, best dev | CE, best dev | acc, last step | CE, last step | acc gain (SE; ratio) | CE gain (SE; ratio) | paper | difference |
    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
    | zero-shot | sst-2 | 512 | - | - | - | - | 50.0 | 0.7000 | 50.0 | 0.7000 | - | - | 79.0 | -29.0 |
    | zero-shot | trec | 512 | - | - | - | - | 50.0 | 0.7000 | 50.0 | 0.7000 | - | - | 32.0 | +18.0 |
    | MeZO | sst-2 | 512 | 1e-4 | 1e-3 | 400 | 1 | 90.0 (0.0) | 0.3000 (0.0000) | 90.0 (0.0) | 0.3000 (0.0000) | +40.0 | -0.4000 | 93.3 (0.7) | -3.3 |
    | MeZO | sst-2 | 512 | 3e-4 | 1e-3 | 400 | 1 | 80.0 (0.0) | 0.3000 (0.0000) | 80.0 (0.0) | 0.3000 (0.0000) | +30.0 | -0.4000 | 93.3 (0.7) | -13.3 |
    | **MeZO, selected as published** | **sst-2** | **512** | **per seed** | **1e-3** | **400** | **1** | **90.0 (0.0)** | **0.3000 (0.0000)** | **90.0 (0.0)** | **0.3000 (0.0000)** | **+40.0** | **-0.4000** | **93.3 (0.7)** | **-3.3** |
    | MeZO, selected, last step | sst-2 | 512 | per seed | 1e-3 | 400 | 1 | - | - | 90.0 (0.0) | 0.3000 (0.0000) | +40.0 | -0.4000 | 93.3 (0.7) | -3.3 |
    | MeZO, best fixed configuration | sst-2 | 512 | 1e-4 | 1e-3 | 400 | 1 | 90.0 (0.0) | 0.3000 (0.0000) | 90.0 (0.0) | 0.3000 (0.0000) | +40.0 | -0.4000 | 93.3 (0.7) | -3.3 |
    | MeZO | trec | 512 | 1e-4 | 1e-3 | 400 | 1 | 80.0 (0.0) | 0.3000 (0.0000) | 80.0 (0.0) | 0.3000 (0.0000) | +30.0 | -0.4000 | 94.3 (1.3) | -14.3 |
    | MeZO | trec | 512 | 3e-4 | 1e-3 | 400 | 1 | 90.0 (0.0) | 0.3000 (0.0000) | 90.0 (0.0) | 0.3000 (0.0000) | +40.0 | -0.4000 | 94.3 (1.3) | -4.3 |
    | **MeZO, selected as published** | **trec** | **512** | **per seed** | **1e-3** | **400** | **1** | **90.0 (0.0)** | **0.3000 (0.0000)** | **90.0 (0.0)** | **0.3000 (0.0000)** | **+40.0** | **-0.4000** | **94.3 (1.3)** | **-4.3** |
    | MeZO, selected, last step | trec | 512 | per seed | 1e-3 | 400 | 1 | - | - | 90.0 (0.0) | 0.3000 (0.0000) | +40.0 | -0.4000 | 94.3 (1.3) | -4.3 |
    | MeZO, best fixed configuration | trec | 512 | 3e-4 | 1e-3 | 400 | 1 | 90.0 (0.0) | 0.3000 (0.0000) | 90.0 (0.0) | 0.3000 (0.0000) | +40.0 | -0.4000 | 94.3 (1.3) | -4.3 |

    - accuracy in percent and cross-entropy on the test set, mean (standard deviation over seeds, ddof 0), at the step with the best dev accuracy and at the last step; gain: at best dev (in a row of last steps, there) minus zero-shot, with (the mean's standard error, ddof 1; the mean in standard errors); a cross-entropy gain below zero is better
    - 1 seed: 13
    - zero-shot, not the paper's: model roberta-imdb-tiny (paper: roberta-large); in sst-2: the 6,920 sentences of SST-2 (paper: GLUE's phrases); in trec: label words Description, thing, Expression, Human, Location, Number (paper: Description, Entity, Expression, Human, Location, Number)
    - MeZO, partial grid: model roberta-imdb-tiny (paper: roberta-large); lr 1e-4, 3e-4 (paper: 1e-7, 1e-6, 1e-5); steps 400 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13 (paper: 13, 21, 42, 87, 100); in sst-2: the 6,920 sentences of SST-2 (paper: GLUE's phrases); in trec: label words Description, thing, Expression, Human, Location, Number (paper: Description, Entity, Expression, Human, Location, Number)
    - paper: RoBERTa-large, arXiv 2305.17333v3, Table 18; it is selected per seed over the whole grid, so that only the row selected as published stands beside it like for like
    - MeZO, sst-2, selected as published (per seed the configuration with the best dev accuracy): seed 13: lr 1e-4, eps 1e-3
    - MeZO, trec, selected as published: seed 13: lr 3e-4, eps 1e-3
    - selected, last step: the same runs where their training ended, no step chosen
    - best fixed configuration: the one with the best mean dev accuracy, for all seeds; MeZO, sst-2: lr 1e-4, eps 1e-3; MeZO, trec: lr 3e-4, eps 1e-3
    - protocol paper: the method as the paper describes it (docs/protocols.md)
    - precision f32, mezo 0.1.0
    - training loss, sst-2, lr 1e-4, eps 1e-3: the loss falls in 1 of 1 runs (-0.361 per 1,000 steps on average)
    - training loss, sst-2, lr 3e-4, eps 1e-3: the loss falls in 1 of 1 runs (-0.361 per 1,000 steps on average)
    - training loss, trec, lr 1e-4, eps 1e-3: the loss falls in 1 of 1 runs (-0.361 per 1,000 steps on average)
    - training loss, trec, lr 3e-4, eps 1e-3: the loss falls in 1 of 1 runs (-0.361 per 1,000 steps on average)
    ");
    // The files for programs keep it.
    let json = read(dir.path()).render(Format::Json);
    assert!(json.contains("\"label_words_5\": \"Number\""), "{json}");
}

#[test]
fn one_task_put_in_two_ways_is_told_among_several() {
    let dir = tempfile::tempdir().unwrap();
    let mut run = two_tasks(dir.path(), &["1e-4"], &["1e-3"]).remove(0);
    run.template = "*cls**sent_0*_this_movie_is*mask*.*sep+*";
    run.write(dir.path());
    let text = read(dir.path()).render(Format::Markdown);
    assert!(
        text.contains("| method | task | k | lr | eps | steps | template | seeds |"),
        "{text}"
    );
    assert!(text.contains("training loss, trec, template"), "{text}");
    assert!(!text.contains("label words 0"), "{text}");
}

#[test]
fn equal_choices_are_told_once_with_the_names_of_their_searches() {
    let dir = tempfile::tempdir().unwrap();
    for mut run in two_tasks(dir.path(), &["1e-4"], &["1e-3"]) {
        run.k = 16;
        if run.task == "trec" {
            run.lr = "1e-6";
        }
        run.write(dir.path());
    }
    let table = read(dir.path());
    let choices = table.notes.iter();
    let choices: Vec<&String> = choices
        .filter(|note| note.contains("selected as published") && note.contains("seed 13"))
        .collect();
    assert_eq!(
        choices,
        [
            "MeZO, sst-2 k 16, sst-2 k 512, trec k 512, selected as published (per seed the configuration with the \
             best dev accuracy): seed 13: lr 1e-4, eps 1e-3",
            "MeZO, trec, k 16, selected as published: seed 13: lr 1e-6, eps 1e-3",
        ]
    );
}

#[test]
fn many_cells_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    two_tasks(dir.path(), &["1e-4", "3e-4"], &["1e-3", "1e-2", "1e-1"]);
    let table = read(dir.path());
    let slopes = |table: &Table| -> Vec<String> {
        let notes = table.notes.iter();
        notes
            .filter(|note| note.starts_with("training loss"))
            .cloned()
            .collect()
    };
    assert_eq!(
        slopes(&table),
        [
            "training loss of 12 cells: the loss falls in 12, rises in 0, no slope seen in 0 of 12 runs; each run in \
             the report's slopes.md"
        ]
    );
}
