//! LoRA moves the loss, and a sentence's scores depend on nothing beside it.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::path::Path;

use common::Packed;
use mezo_model::{LoraConfig, NamedTensor, Noise, Philox, Probe, Probes, Roberta, Tuning};
use tiny::{WORDS, descend, scores, sentences, tiny};

const LORA: LoraConfig = LoraConfig {
    rank: 8,
    alpha: 16.0,
};
const EPS: f32 = 1e-3;

/// The tiny model with LoRA as it starts: B is zero.
fn fresh(seed: u64) -> Roberta {
    let mut model = tiny().model;
    model.attach_lora(LORA, seed);
    model.train_only(Tuning::Lora, false);
    model
}

/// The tiny model with LoRA some way off from its start: B is not zero.
fn grown() -> Roberta {
    let mut model = fresh(1);
    descend(&mut model, &[(5, 0.05)], 0.0);
    model
}

fn losses(model: &Roberta, probes: &Probes<'_>) -> Vec<f64> {
    let (sentences, masks) = sentences(8);
    let packed = Packed::new(&sentences, &masks);
    let labels = [0, 1, 1, 0, 1, 0, 0, 1];
    model.scores(packed.batch(), &WORDS, probes).losses(&labels)
}

fn loss(model: &Roberta) -> f64 {
    losses(model, &Probes::unperturbed())[0]
}

fn set(model: &mut Roberta, tensors: &[NamedTensor]) {
    model
        .set_trainable(tensors.to_vec(), Path::new("test"))
        .unwrap();
}

/// The generator's numbers for the chosen tensors, and zeros for all others.
struct Only {
    chosen: Vec<bool>,
}

impl Only {
    fn names(model: &Roberta, wanted: impl Fn(&str) -> bool) -> Self {
        Self {
            chosen: model
                .trainable_names()
                .iter()
                .map(|name| wanted(name))
                .collect(),
        }
    }
}

impl Noise for Only {
    fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]) {
        if self.chosen[parameter] {
            Philox.fill(seed, parameter, first, out);
        } else {
            out.fill(0.0);
        }
    }
}

#[test]
fn every_lora_tensor_moves_the_loss() {
    let mut model = grown();
    let start = model.trainable_tensors();
    assert_eq!(start.len(), 2 * 2 * 2);
    assert_eq!(model.trainable_scalars(), 2 * 2 * 2 * 8 * 128);
    let before = loss(&model);
    for number in 0..start.len() {
        let mut tensors = start.clone();
        let name = tensors[number].name.clone();
        let mut z = vec![0.0; tensors[number].values.len()];
        Philox.fill(1, number, 0, &mut z);
        for (value, z) in tensors[number].values.iter_mut().zip(z) {
            *value += 0.05 * z;
        }
        set(&mut model, &tensors);
        let moved = loss(&model);
        println!("{name}: {before} -> {moved}");
        // Far above what rounding could do.
        assert!(
            (moved - before).abs() > 1e-6,
            "{name}: {before} and {moved}"
        );
        set(&mut model, &start);
        assert_eq!(loss(&model), before, "{name}");
    }
}

#[test]
fn every_lora_tensor_is_perturbed_by_a_probe() {
    let model = grown();
    for name in model.trainable_names() {
        let noise = Only::names(&model, |other| other == name);
        let both = losses(&model, &Probes::two_sided(&noise, 3, 0.05));
        let before = loss(&model);
        assert!((both[0] - both[1]).abs() > 1e-6, "{name}: {both:?}");
        assert!(
            both[0] != before && both[1] != before,
            "{name}: {both:?} and {before}"
        );
    }
}

#[test]
fn with_b_zero_a_alone_gives_no_gradient() {
    let model = fresh(1);
    let before = loss(&model);
    for seed in 0..4 {
        let a = Only::names(&model, |name| name.ends_with("lora_A"));
        let both = losses(&model, &Probes::two_sided(&a, seed, EPS));
        assert_eq!(both[0].to_bits(), both[1].to_bits());
        assert_eq!(both[0].to_bits(), before.to_bits());
        let projected = (both[0] - both[1]) / (2.0 * f64::from(EPS));
        assert_eq!(projected, 0.0);
        // B carries it all: what A adds is of second order, and the same on both sides.
        let b = Only::names(&model, |name| name.ends_with("lora_B"));
        let both = losses(&model, &Probes::two_sided(&b, seed, EPS));
        assert!((both[0] - both[1]).abs() > 1e-6, "seed {seed}: {both:?}");
    }
}

#[test]
fn fresh_lora_leaves_the_scores_as_they_were() {
    let base = tiny().model;
    for seed in [0, 1, u64::MAX] {
        assert_eq!(scores(&fresh(seed)), scores(&base));
    }
    assert_ne!(scores(&grown()), scores(&base));
}

#[test]
fn lora_starts_from_its_seed() {
    let start = fresh(1).trainable_tensors();
    assert_eq!(start, fresh(1).trainable_tensors());
    let other = fresh(2).trainable_tensors();
    // A of one seed, of another, and of every place beside it, has its own numbers.
    let mut seen: Vec<&[f32]> = Vec::new();
    for tensor in start.iter().chain(&other) {
        if tensor.name.ends_with("lora_B") {
            assert!(tensor.values.iter().all(|&value| value == 0.0));
            continue;
        }
        assert_eq!(tensor.shape, [8, 128]);
        // Kaiming's uniform rule with a = sqrt(5): U(-1/sqrt(in), 1/sqrt(in)).
        let bound = 1.0 / 128f64.sqrt();
        let values = || tensor.values.iter().map(|&value| f64::from(value));
        assert!(values().all(|value| value.abs() < bound + 1e-9));
        let n = tensor.values.len() as f64;
        let variance = values().map(|value| value * value).sum::<f64>() / n;
        let five = 5.0 * bound * bound * (4.0 / 45.0 / n).sqrt();
        assert!(
            (variance - bound * bound / 3.0).abs() < five,
            "{}: {variance}",
            tensor.name
        );
        assert!(values().sum::<f64>().abs() / n < 5.0 * bound / (3.0 * n).sqrt());
        assert!(
            !seen.contains(&tensor.values.as_slice()),
            "{} repeats another",
            tensor.name
        );
        seen.push(&tensor.values);
    }
    assert_eq!(seen.len(), 8);
}

#[test]
fn lora_equals_its_merged_weights() {
    let lora = grown();
    let terms = lora.trainable_tensors();
    let mut merged = tiny().model;
    merged.train_only(Tuning::Full, false);
    let mut tensors = merged.trainable_tensors();
    for pair in terms.chunks_exact(2) {
        let [a, b] = pair else { unreachable!() };
        let place = a.name.strip_suffix(".lora_A").unwrap();
        assert_eq!(b.name, format!("{place}.lora_B"));
        let name = format!("{place}.weight");
        let weight = tensors
            .iter_mut()
            .find(|tensor| tensor.name == name)
            .unwrap();
        // W + alpha / r * B A, all as files hold them: W [out, in], A [r, in], B [out, r].
        for out in 0..128 {
            for input in 0..128 {
                let sum: f32 = (0..8)
                    .map(|r| b.values[out * 8 + r] * a.values[r * 128 + input])
                    .sum();
                weight.values[out * 128 + input] += 2.0 * sum;
            }
        }
    }
    set(&mut merged, &tensors);
    let (ours, theirs) = (scores(&lora), scores(&merged));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert!((ours - theirs).abs() < 2e-5, "{ours} and {theirs}");
    }
    let base = scores(&tiny().model);
    assert!(
        ours.iter()
            .zip(&base)
            .any(|(ours, base)| (ours - base).abs() > 1e-2)
    );
}

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

/// Each sentence alone with each probe alone on one thread, against companies of both on one thread and two.
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
    for threads in [1, 2] {
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
    feels_no_company(&grown());
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
