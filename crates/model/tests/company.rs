//! A sentence's scores depend on nothing beside it: not on its neighbours, the other probes or the threads.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use common::Packed;
use mezo_model::{LoraConfig, Philox, PrefixConfig, PrefixInit, Probe, Probes, Roberta, Tuning};
use tiny::{WORDS, descend, sentences, tiny};

const EPS: f32 = 1e-3;

/// Sentences and their masks.
type Sentences = (Vec<Vec<u32>>, Vec<usize>);

fn scores_of(model: &Roberta, (ids, masks): &Sentences, probes: &[Probe]) -> Vec<Vec<Vec<u64>>> {
    let packed = Packed::new(ids, masks);
    let scores = model.scores(
        packed.batch(),
        &WORDS,
        &Probes::new(&Philox, probes.to_vec()),
    );
    assert_eq!(scores.rows, ids.len());
    (0..probes.len())
        .map(|probe| {
            // Where no probe moves anything there is one plane for all.
            let plane = probe.min(scores.probes - 1);
            let row = |row| {
                scores
                    .row(plane, row)
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

/// Each sentence alone with each probe alone on one thread, against companies of both on one thread and more.
fn feels_no_company(model: &Roberta) {
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
                let together =
                    with_threads(threads, || scores_of(model, &turned, &probes[..count]));
                for (number, rows) in together.iter().enumerate() {
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
                let together = with_threads(threads, || scores_of(model, &one, &probes[..count]));
                for (number, rows) in together.iter().enumerate() {
                    assert_eq!(rows[0], alone[number][sentence]);
                }
            }
        }
    }
}

#[test]
fn a_sentence_feels_no_company_full() {
    let mut model = tiny().model;
    model.train_only(Tuning::Full, false);
    feels_no_company(&model);
}

#[test]
fn a_sentence_feels_no_company_lora() {
    let mut model = tiny().model;
    let (rank, alpha) = (8, 16.0);
    model.attach_lora(LoraConfig { rank, alpha }, 1);
    model.train_only(Tuning::Lora, true);
    descend(&mut model, &[(5, 0.05)], 0.0);
    feels_no_company(&model);
}

#[test]
fn a_sentence_feels_no_company_prefix() {
    let mut model = tiny().model;
    let init = PrefixInit::Activations;
    model.attach_prefix(PrefixConfig { tokens: 5, init }, 1);
    model.train_only(Tuning::Prefix, false);
    feels_no_company(&model);
}

#[test]
fn a_sentence_feels_no_company_classifier() {
    let mut model = tiny().model;
    model.attach_classifier(3, 1);
    model.train_only(Tuning::Bias, true);
    feels_no_company(&model);
}

#[test]
fn a_sentence_feels_no_company_in_evaluation() {
    let model = tiny().model;
    let all = sentences(41);
    let still = [Probe {
        seed: 0,
        scale: 0.0,
    }];
    let together = scores_of(&model, &all, &still).remove(0);
    for (sentence, (ids, mask)) in all.0.iter().zip(&all.1).enumerate() {
        let alone = scores_of(&model, &(vec![ids.clone()], vec![*mask]), &still);
        assert_eq!(alone[0][0], together[sentence], "sentence {sentence}");
    }
}
