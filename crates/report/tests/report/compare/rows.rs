//! Which rows and entries a comparison has.

use mezo_report::State;

use super::*;

#[test]
fn every_combination_has_its_state() {
    let dir = tempfile::tempdir().unwrap();
    let comparison = read(&two_sweeps(dir.path()));
    let [block] = comparison.blocks.as_slice() else {
        panic!("{:?}", comparison.blocks);
    };
    assert_eq!(block.tasks, ["glue-sst2", "mnli", "trec"]);
    let states: Vec<(&str, Vec<&str>)> = block
        .methods
        .iter()
        .map(|row| {
            let words = row.entries.iter().map(|entry| entry.state_word());
            (row.method.as_str(), words.collect())
        })
        .collect();
    assert_eq!(
        states,
        [
            ("zero-shot", vec!["measured", "not there", "measured"]),
            ("LP", vec!["measured", "not there", "not there"]),
            ("MeZO", vec!["measured", "dev only", "measured"]),
            (
                "MeZO (LoRA)",
                vec!["outstanding", "not there", "outstanding"]
            ),
            ("FT", vec!["diverged", "not there", "not there"]),
        ]
    );
    assert_eq!(
        block.methods[3].entries[0].state,
        State::Outstanding { ended: 1, runs: 2 }
    );
    assert!(comparison.is_outstanding());
}

#[test]
fn a_whole_grid_is_a_reproduction_and_a_part_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = dir.path().join("mezo");
    mezo(&sweep, "glue-sst2", 0.90);
    let comparison = read(&[sweep]);
    assert!(comparison.footnotes.is_empty());
    let text = comparison.render(Format::Markdown);
    assert!(!text.contains("partial grid"), "{text}");
    assert!(
        text.contains("| MeZO | 92.0 (1.4) / 90.5 (1.2) |"),
        "{text}"
    );
    assert!(!comparison.is_outstanding());
}

#[test]
fn searches_of_several_sweeps_are_one() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = ["low", "high"].map(|name| dir.path().join(name));
    for seed in SEEDS {
        run(seed, "glue-sst2", "1e-7", 0.8).write(&sweeps[0]);
        run(seed, "glue-sst2", "1e-6", 0.9).write(&sweeps[0]);
        // The same run in both sweeps is one run, and the one that has a result counts.
        let again = run(seed, "glue-sst2", "1e-6", 0.9).write(&sweeps[1]);
        fs::remove_file(again.join("result.json")).unwrap();
        run(seed, "glue-sst2", "1e-5", 0.7).write(&sweeps[1]);
    }
    for order in [[0, 1], [1, 0]] {
        let comparison = read(&order.map(|at: usize| sweeps[at].clone()));
        let entry = &comparison.blocks[0].methods[0].entries[0];
        assert_eq!(entry.state, State::Ended { runs: 15 });
        assert_eq!(entry.differs, Vec::<String>::new());
        assert!((entry.accuracy().unwrap().mean - 90.0).abs() < 1e-9);
    }
}

#[test]
fn models_and_protocols_are_blocks_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = dir.path().join("mixed");
    for (model, protocol, k) in [
        ("roberta-large", "paper", 16),
        ("roberta-large", "paper", 512),
        ("roberta-base", "paper", 16),
        ("roberta-large", "reference-code", 16),
    ] {
        let mut run = run(13, "glue-sst2", "1e-6", 0.9);
        (run.model, run.protocol, run.k) = (model, protocol, k);
        run.weights = model;
        run.write(&sweep);
    }
    let comparison = read(&[sweep]);
    let text = comparison.render(Format::Markdown);
    let titles: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect();
    assert_eq!(
        titles,
        [
            "## k 16, roberta-base, protocol paper",
            "## k 16, roberta-large, protocol paper",
            "## k 16, roberta-large, protocol reference-code",
            "## k 512, roberta-large, protocol paper",
        ]
    );
}

#[test]
fn one_task_put_in_two_ways_has_two_rows() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = dir.path().join("prompts");
    for template in [
        "*cls**sent_0*_It_was*mask*.*sep+*",
        "*cls**sent_0*_this_movie_is*mask*.*sep+*",
    ] {
        let mut run = run(13, "made-sentiment", "1e-6", 0.9);
        run.template = template;
        run.write(&sweep);
    }
    let comparison = read(&[sweep]);
    let rows: Vec<&str> = comparison.blocks[0]
        .methods
        .iter()
        .map(|row| row.method.as_str())
        .collect();
    assert_eq!(rows, ["MeZO", "MeZO [2]"]);
    assert_eq!(
        comparison.footnotes,
        [
            "to tell rows apart: template *cls**sent_0*_It_was*mask*.*sep+*",
            "to tell rows apart: template *cls**sent_0*_this_movie_is*mask*.*sep+*",
        ]
    );
}

#[test]
fn the_papers_own_prompt_needs_no_footnote_beside_another() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = dir.path().join("prompts");
    for template in [
        "*cls**sent_0*_It_was*mask*.*sep+*",
        "*cls**sent_0*_this_movie_is*mask*.*sep+*",
    ] {
        let mut run = run(13, "glue-sst2", "1e-6", 0.9);
        run.template = template;
        run.write(&sweep);
    }
    let comparison = read(&[sweep]);
    assert_eq!(
        comparison.footnotes,
        [
            "template *cls**sent_0*_this_movie_is*mask*.*sep+* (paper: *cls**sent_0*_It_was*mask*.*sep+*)"
        ]
    );
    let text = comparison.render(Format::Markdown);
    assert!(text.contains("| MeZO | 90.0 [1 seed] / "), "{text}");
    assert!(text.contains("| MeZO [2] | 90.0 [1 seed; a] / "), "{text}");
    assert!(!text.contains("tell rows apart"), "{text}");
}

#[test]
fn sweeps_of_other_steps_are_searches_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let sweeps = ["mezo", "ablations"].map(|name| dir.path().join(name));
    mezo(&sweeps[0], "glue-sst2", 0.80);
    for seed in SEEDS {
        for (lr, weight_decay) in [("1e-7", 0.0), ("1e-6", 0.1), ("1e-5", 0.1)] {
            let mut run = run(seed, "glue-sst2", lr, 0.9);
            (run.steps, run.eval_every, run.weight_decay) = (5000, 500, weight_decay);
            run.write(&sweeps[1]);
        }
    }
    let comparison = read(&sweeps);
    let text = comparison.render(Format::Markdown);
    for row in [
        "| MeZO | 82.0 (1.4) / 90.5 (1.2) |",
        "| MeZO [2] | 90.0 (0.0) [a,b,c] / 90.5 (1.2) |",
    ] {
        assert!(text.contains(row), "{text}");
    }
    assert_eq!(
        comparison.footnotes,
        [
            "weight decay 0, 0.1 (paper: 0)",
            "steps 5,000 (paper: 100,000)",
            "3 of 6 combinations of these",
        ]
    );
}

#[test]
fn a_training_that_the_paper_has_no_grid_for_is_told_apart() {
    let dir = tempfile::tempdir().unwrap();
    let sweep = dir.path().join("estimates");
    for scale_lr in [false, true] {
        let mut run = run(13, "glue-sst2", "1e-6", 0.9);
        run.more = json!({"method": {"estimates": {"count": 4, "scale_lr": scale_lr}}});
        run.write(&sweep);
    }
    let comparison = read(&[sweep]);
    let rows = comparison.blocks[0].methods.iter();
    let rows: Vec<&str> = rows.map(|row| row.method.as_str()).collect();
    assert_eq!(rows, ["MeZO, 4 estimates", "MeZO, 4 estimates [2]"]);
    assert_eq!(
        comparison.footnotes,
        [
            "to tell rows apart: estimates scale lr false",
            "to tell rows apart: estimates scale lr true",
        ]
    );
}
