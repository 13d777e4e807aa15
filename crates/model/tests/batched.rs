//! A sentence's scores depend on nothing beside it: not on its neighbours, the other probes or the threads.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use common::Packed;
use mezo_model::{
    LoraConfig, Model, Part, Philox, PrefixConfig, PrefixInit, Probe, Probes, Scores, Tuning,
    scores_batched,
};
use tiny::{WORDS, descend, sentences, tiny};

const EPS: f32 = 1e-3;

/// Sentences and their masks.
type Sentences = (Vec<Vec<u32>>, Vec<usize>);

fn scores_of(model: &Model, (ids, masks): &Sentences, probes: &[Probe]) -> Vec<Vec<Vec<u64>>> {
    let packed = Packed::new(ids, masks);
    let scores = model.scores(
        packed.batch(),
        &WORDS,
        &Probes::new(&Philox, probes.to_vec()),
    );
    assert_eq!(scores.rows, ids.len());
    (0..probes.len())
        .map(|probe| {
            // Where no probe moves anything there is one copy for all.
            let copy = probe.min(scores.probes - 1);
            let row = |row| {
                scores
                    .row(copy, row)
                    .iter()
                    .map(|score| score.to_bits())
                    .collect()
            };
            (0..scores.rows).map(row).collect()
        })
        .collect()
}

fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap()
        .install(work)
}

/// Each sentence alone with each probe alone on one thread, against batches of both on one thread and more.
fn scores_stand_alone(model: &Model) {
    let (ids, masks) = sentences(41);
    let probe = |seed, scale| Probe { seed, scale };
    let probes = [probe(1, EPS), probe(1, -EPS), probe(2, EPS), probe(2, -EPS)];
    let alone: Vec<Vec<Vec<u64>>> = with_threads(1, || {
        let one = |probe: &Probe| {
            let pairs = ids.iter().zip(&masks);
            pairs
                .map(|(ids, &mask)| {
                    let sentence = (vec![ids.clone()], vec![mask]);
                    scores_of(model, &sentence, &[*probe]).remove(0).remove(0)
                })
                .collect()
        };
        probes.iter().map(one).collect()
    });
    for threads in [1, 2, 3, 8] {
        for count in [1, 2, 4] {
            // Turned about, every sentence comes to lie at the front, at the end and between.
            for turn in (0..41).step_by(8) {
                let order: Vec<usize> = (0..41).map(|place| (place + turn) % 41).collect();
                let turned = (
                    order
                        .iter()
                        .map(|&sentence| ids[sentence].clone())
                        .collect(),
                    order.iter().map(|&sentence| masks[sentence]).collect(),
                );
                let batched = with_threads(threads, || scores_of(model, &turned, &probes[..count]));
                for (number, rows) in batched.iter().enumerate() {
                    for (place, row) in rows.iter().enumerate() {
                        let sentence = order[place];
                        assert_eq!(
                            row, &alone[number][sentence],
                            "sentence {sentence} at place {place}, probe {number} of {count}, {threads} threads"
                        );
                    }
                }
            }
            // Alone again, with the other probes and threads.
            for sentence in 0..41 {
                let one = (vec![ids[sentence].clone()], vec![masks[sentence]]);
                let batched = with_threads(threads, || scores_of(model, &one, &probes[..count]));
                for (number, rows) in batched.iter().enumerate() {
                    assert_eq!(rows[0], alone[number][sentence]);
                }
            }
        }
    }
}

#[test]
fn a_sentence_s_scores_are_its_own_full() {
    let mut model = tiny().model;
    model.train_only(Tuning::Full, false);
    scores_stand_alone(&model);
}

#[test]
fn a_sentence_s_scores_are_its_own_lora() {
    let mut model = tiny().model;
    let (rank, alpha) = (8, 16.0);
    model.attach_lora(LoraConfig { rank, alpha }, 1);
    model.train_only(Tuning::Lora, true);
    descend(&mut model, &[(5, 0.05)], 0.0);
    scores_stand_alone(&model);
}

#[test]
fn a_sentence_s_scores_are_its_own_prefix() {
    let mut model = tiny().model;
    let init = PrefixInit::Activations;
    model.attach_prefix(PrefixConfig { tokens: 5, init }, 1);
    model.train_only(Tuning::Prefix, false);
    scores_stand_alone(&model);
}

#[test]
fn a_sentence_s_scores_are_its_own_classifier() {
    let mut model = tiny().model;
    model.attach_classifier(3, 1);
    model.train_only(Tuning::Bias, true);
    scores_stand_alone(&model);
}

#[test]
fn a_sentence_s_scores_are_its_own_in_evaluation() {
    let model = tiny().model;
    let all = sentences(41);
    let still = [Probe {
        seed: 0,
        scale: 0.0,
    }];
    let batched = scores_of(&model, &all, &still).remove(0);
    for (sentence, (ids, mask)) in all.0.iter().zip(&all.1).enumerate() {
        let alone = scores_of(&model, &(vec![ids.clone()], vec![*mask]), &still);
        assert_eq!(alone[0][0], batched[sentence], "sentence {sentence}");
    }
}

/// Runs beside each other in one pass against each alone: other trained values, seeds, numbers of sentences and lengths.
fn batched_as_alone(models: &[Model]) {
    let (ids, masks) = sentences(41);
    // Neither the number of sentences nor the longest is the same in any two.
    let cuts = [0..41, 5..22, 30..31];
    let own: Vec<Sentences> = cuts
        .map(|cut| (ids[cut.clone()].to_vec(), masks[cut].to_vec()))
        .into();
    let packed: Vec<Packed> = own
        .iter()
        .map(|(ids, masks)| Packed::new(ids, masks))
        .collect();
    for sides in [vec![EPS, -EPS], vec![EPS]] {
        let probes = |run: usize| {
            let probe = |&scale: &f32| Probe {
                seed: 10 + run as u64,
                scale,
            };
            Probes::new(&Philox, sides.iter().map(probe).collect())
        };
        let alone: Vec<Scores> = (0..3)
            .map(|run| models[run].scores(packed[run].batch(), &WORDS, &probes(run)))
            .collect();
        for threads in [1, 2, 3] {
            for order in [vec![0, 1, 2], vec![2, 0], vec![1]] {
                let part = |&run: &usize| Part {
                    model: &models[run],
                    batch: packed[run].batch(),
                    probes: probes(run),
                };
                let batched = with_threads(threads, || {
                    let parts: Vec<Part<'_>> = order.iter().map(part).collect();
                    scores_batched(&parts, &WORDS)
                });
                for (&run, scores) in order.iter().zip(&batched) {
                    assert_eq!(
                        scores, &alone[run],
                        "run {run} of {order:?}, {threads} threads"
                    );
                }
            }
        }
    }
}

/// Three of a kind, each with its own trained values.
fn three(attach: impl Fn(&mut Model, u64)) -> Vec<Model> {
    let base = tiny().model;
    (1..4)
        .map(|seed| {
            let mut model = base.clone();
            attach(&mut model, seed);
            descend(&mut model, &[(seed, 0.05)], 0.0);
            model
        })
        .collect()
}

#[test]
fn a_batched_run_is_as_alone_lora() {
    for with_head in [false, true] {
        batched_as_alone(&three(|model, seed| {
            let (rank, alpha) = (8, 16.0);
            if with_head {
                model.untie_decoder();
            }
            model.attach_lora(LoraConfig { rank, alpha }, seed);
            model.train_only(Tuning::Lora, with_head);
        }));
    }
}

#[test]
fn a_batched_run_is_as_alone_prefix() {
    batched_as_alone(&three(|model, seed| {
        let init = PrefixInit::Activations;
        model.attach_prefix(PrefixConfig { tokens: 5, init }, seed);
        model.train_only(Tuning::Prefix, false);
    }));
}

#[test]
fn a_batched_run_is_as_alone_with_all_trained() {
    batched_as_alone(&three(|model, _| model.train_only(Tuning::Full, false)));
    batched_as_alone(&three(|model, seed| {
        model.attach_classifier(3, seed);
        model.train_only(Tuning::Bias, true);
    }));
}

#[test]
fn a_batched_run_is_as_alone_at_its_own_scales() {
    let models = three(|model, seed| {
        let init = PrefixInit::Activations;
        model.attach_prefix(PrefixConfig { tokens: 5, init }, seed);
        model.train_only(Tuning::Prefix, false);
    });
    let (ids, masks) = sentences(7);
    let packed = Packed::new(&ids, &masks);
    let count = models[0].trainable_names().len();
    // One run moves nothing at all, another every second tensor.
    let factors = [
        vec![0.0; count],
        (0..count).map(|i| (i % 2) as f32).collect(),
        vec![2.0; count],
    ];
    let probes =
        |run: usize| Probes::two_sided(&Philox, 3, EPS).with_parameter_scales(&factors[run]);
    let parts: Vec<Part<'_>> = (0..3)
        .map(|run| Part {
            model: &models[run],
            batch: packed.batch(),
            probes: probes(run),
        })
        .collect();
    for (run, batched) in scores_batched(&parts, &WORDS).iter().enumerate() {
        let alone = models[run].scores(packed.batch(), &WORDS, &probes(run));
        for probe in 0..2 {
            for row in 0..batched.rows {
                let copy = probe.min(alone.probes - 1);
                assert_eq!(batched.row(probe, row), alone.row(copy, row), "run {run}");
            }
        }
    }
}
