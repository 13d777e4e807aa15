//! Whatever is trained moves the loss.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::path::Path;

use common::Packed;
use mezo_model::{
    LoraConfig, Model, NamedTensor, Noise, Philox, PrefixConfig, PrefixInit, Probe, Probes, Tuning,
};
use tiny::{WORDS, descend, scores, sentences, tiny};

const LORA: LoraConfig = LoraConfig {
    rank: 8,
    alpha: 16.0,
};
const EPS: f32 = 1e-3;

/// The tiny model with LoRA as it starts: B is zero.
fn fresh(seed: u64) -> Model {
    let mut model = tiny().model;
    model.attach_lora(LORA, seed);
    model.train_only(Tuning::Lora, false);
    model
}

/// The tiny model with LoRA some way off from its start: B is not zero.
fn grown() -> Model {
    let mut model = fresh(1);
    descend(&mut model, &[(5, 0.05)], 0.0);
    model
}

/// The tiny model with prefixes as they start.
fn prefixed(init: PrefixInit, seed: u64) -> Model {
    let mut model = tiny().model;
    model.attach_prefix(PrefixConfig { tokens: 5, init }, seed);
    model.train_only(Tuning::Prefix, false);
    model
}

fn losses(model: &Model, probes: &Probes<'_>) -> Vec<f64> {
    let (sentences, masks) = sentences(8);
    let packed = Packed::new(&sentences, &masks);
    let labels = [0, 1, 1, 0, 1, 0, 0, 1];
    model.scores(packed.batch(), &WORDS, probes).losses(&labels)
}

fn loss(model: &Model) -> f64 {
    losses(model, &Probes::unperturbed())[0]
}

fn set(model: &mut Model, tensors: &[NamedTensor]) {
    model
        .set_trainable(tensors.to_vec(), Path::new("test"))
        .unwrap();
}

/// The generator's numbers for the chosen tensors, and zeros for all others.
struct Only {
    chosen: Vec<bool>,
}

impl Only {
    fn names(model: &Model, wanted: impl Fn(&str) -> bool) -> Self {
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

/// Each trained tensor alone, moved a little and put back.
fn every_tensor_moves_the_loss(model: &mut Model) {
    let start = model.trainable_tensors();
    let before = loss(model);
    for number in 0..start.len() {
        let mut tensors = start.clone();
        let name = tensors[number].name.clone();
        let mut z = vec![0.0; tensors[number].values.len()];
        Philox.fill(1, number, 0, &mut z);
        for (value, z) in tensors[number].values.iter_mut().zip(z) {
            *value += 0.05 * z;
        }
        set(model, &tensors);
        let moved = loss(model);
        println!("{name}: {before} -> {moved}");
        // Far above what rounding could do.
        assert!(
            (moved - before).abs() > 1e-6,
            "{name}: {before} and {moved}"
        );
        set(model, &start);
        assert_eq!(loss(model), before, "{name}");
    }
}

/// The same by the probes of a step.
fn every_tensor_is_perturbed_by_a_probe(model: &Model) {
    for name in model.trainable_names() {
        let noise = Only::names(model, |other| other == name);
        let both = losses(model, &Probes::two_sided(&noise, 3, 0.05));
        let before = loss(model);
        assert!((both[0] - both[1]).abs() > 1e-6, "{name}: {both:?}");
        assert!(
            both[0] != before && both[1] != before,
            "{name}: {both:?} and {before}"
        );
    }
}

#[test]
fn every_lora_tensor_moves_the_loss() {
    let mut model = grown();
    assert_eq!(model.trainable_names().len(), 2 * 2 * 2);
    assert_eq!(model.trainable_scalars(), 2 * 2 * 2 * 8 * 128);
    every_tensor_moves_the_loss(&mut model);
    every_tensor_is_perturbed_by_a_probe(&model);
}

#[test]
fn every_prefix_tensor_moves_the_loss() {
    for init in [PrefixInit::Activations, PrefixInit::Random] {
        let mut model = prefixed(init, 1);
        assert_eq!(
            model.trainable_names(),
            [
                "layer.0.prefix_key",
                "layer.0.prefix_value",
                "layer.1.prefix_key",
                "layer.1.prefix_value"
            ]
        );
        assert_eq!(model.trainable_scalars(), 2 * 2 * 5 * 128);
        every_tensor_moves_the_loss(&mut model);
        every_tensor_is_perturbed_by_a_probe(&model);
    }
}

#[test]
fn every_tensor_of_a_head_moves_the_loss() {
    let mut words = tiny().model;
    words.untie_decoder();
    let mut classes = tiny().model;
    classes.attach_classifier(2, 1);
    for mut model in [words, classes] {
        model.train_only(Tuning::Head, false);
        every_tensor_moves_the_loss(&mut model);
        every_tensor_is_perturbed_by_a_probe(&model);
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

#[test]
fn prefixes_start_from_their_seed() {
    for init in [PrefixInit::Activations, PrefixInit::Random] {
        let start = prefixed(init, 1).trainable_tensors();
        assert_eq!(start, prefixed(init, 1).trainable_tensors());
        // Attached again, they start from the model alone.
        let mut again = prefixed(init, 2);
        again.attach_prefix(PrefixConfig { tokens: 5, init }, 1);
        again.train_only(Tuning::Prefix, false);
        assert_eq!(start, again.trainable_tensors());
        let other = prefixed(init, 2).trainable_tensors();
        let mut seen: Vec<&[f32]> = start
            .iter()
            .chain(&other)
            .flat_map(|tensor| tensor.values.chunks_exact(128))
            .collect();
        let rows = seen.len();
        seen.sort_by(|a, b| a.partial_cmp(b).unwrap());
        seen.dedup();
        assert_eq!((seen.len(), rows), (40, 40));
    }
    let random = prefixed(PrefixInit::Random, 3).trainable_tensors();
    let values: Vec<f64> = random
        .iter()
        .flat_map(|tensor| tensor.values.iter().copied().map(f64::from))
        .collect();
    let n = values.len() as f64;
    let moment = |power| values.iter().map(|x| x.powi(power)).sum::<f64>() / n;
    // Five standard errors of each moment of N(0, 1).
    assert!(moment(1).abs() < 5.0 / n.sqrt());
    assert!((moment(2) - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
}

/// The first layer's keys and values are linear in the embeddings: the prefix's rows are those of its tokens.
#[test]
fn activations_are_those_of_a_sentence() {
    let model = prefixed(PrefixInit::Activations, 7);
    let tensors = model.trainable_tensors();
    let base = tiny().model;
    let mut full = tiny().model;
    full.train_only(Tuning::Full, false);
    let weights = full.trainable_tensors();
    let tensor = |name: &str| {
        let name = format!("roberta.encoder.layer.0.attention.self.{name}");
        let found = weights.iter().find(|tensor| tensor.name == name);
        found.unwrap().values.clone()
    };
    let key = (tensor("key.weight"), tensor("key.bias"));
    let value = (tensor("value.weight"), tensor("value.bias"));
    // The position says which token it can be: every word of the vocabulary is tried at it.
    for place in [0, 4] {
        let found = (0..base.vocabulary() as u32).filter(|&word| {
            let ids = vec![word; place + 1];
            let packed = Packed::new(&[ids], &[place]);
            let states = base.hidden_states(packed.batch(), &Probes::unperturbed());
            let x: Vec<f32> = states[0].clone().into_data().iter::<f32>().collect();
            let x = &x[place * 128..];
            let close = |(weight, bias): &(Vec<f32>, Vec<f32>), row: &[f32]| {
                let unit = |unit: usize| {
                    let weights = &weight[unit * 128..(unit + 1) * 128];
                    weights.iter().zip(x).map(|(w, x)| w * x).sum::<f32>() + bias[unit]
                };
                (0..128).all(|number| (unit(number) - row[number]).abs() < 1e-4)
            };
            let row = |number: usize| &tensors[number].values[place * 128..(place + 1) * 128];
            close(&key, row(0)) && close(&value, row(1))
        });
        assert_eq!(found.count(), 1, "place {place}");
    }
}

/// With everything trained they go one after another (`Model::scores`), which must not be seen in the numbers.
#[test]
fn probes_in_one_pass_or_one_after_another() {
    let mut model = tiny().model;
    model.train_only(Tuning::Full, false);
    let (sentences, masks) = sentences(8);
    let packed = Packed::new(&sentences, &masks);
    let bits = |probes: Vec<Probe>| -> Vec<u32> {
        let features = model.features(packed.batch(), &Probes::new(&Philox, probes));
        features
            .into_data()
            .iter::<f32>()
            .map(f32::to_bits)
            .collect()
    };
    let [plus, minus] = [EPS, -EPS].map(|scale| Probe { seed: 3, scale });
    let alone = [bits(vec![plus]), bits(vec![minus])].concat();
    assert_eq!(bits(vec![plus, minus]), alone);
}
