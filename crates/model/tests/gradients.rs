//! Backpropagation against differences of the loss, and MeZO's estimates against backpropagation.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use std::io::Write as _; // straight to stderr: what a passing test prints is not shown

use burn::tensor::Device;
use common::{Packed, golden_folders};
use mezo_model::{
    Decay, DecayOn, Dropout, Gradients, LoraConfig, Model, Noise, Optimizer, Philox, PrefixConfig,
    PrefixInit, Probes, RobertaConfig, Rule, Tuning,
};
use rayon::prelude::*;

const LORA: LoraConfig = LoraConfig {
    rank: 4,
    alpha: 16.0,
};

/// A model, and a batch for it.
struct Case {
    name: String,
    model: Model,
    packed: Packed,
    words: Vec<usize>,
    labels: Vec<usize>,
}

impl Case {
    fn loss(&self, model: &Model, dropout: Option<Dropout>) -> f64 {
        match dropout {
            None => {
                let probes = Probes::unperturbed();
                let scores = model.scores(self.packed.batch(), &self.words, &probes);
                scores.losses(&self.labels)[0]
            }
            Some(_) => self.gradients(model, dropout).0,
        }
    }

    /// With the first sentences alone.
    fn first(mut self, sentences: usize) -> Self {
        self.packed.ids.truncate(self.packed.starts[sentences]);
        self.packed.starts.truncate(sentences + 1);
        self.packed.masks.truncate(sentences);
        self.labels.truncate(sentences);
        self
    }

    fn gradients(&self, model: &Model, dropout: Option<Dropout>) -> (f64, Gradients) {
        model.gradients(self.packed.batch(), &self.words, &self.labels, dropout)
    }
}

/// A random model, and the recorded ones where they are.
fn cases() -> Vec<Case> {
    let config = RobertaConfig {
        vocab_size: 200,
        hidden_size: 32,
        num_hidden_layers: 3,
        num_attention_heads: 4,
        intermediate_size: 64,
        max_position_embeddings: 40,
        ..RobertaConfig::base()
    };
    let mut model = Model::random(&config, 1, &Device::flex());
    // Far enough from the start for every weight to matter.
    model.train_only(Tuning::Full, false);
    tiny::descend(&mut model, &[(1, 0.15)], 0.0);
    let (mut sentences, masks) = tiny::sentences(6);
    for id in sentences.iter_mut().flatten() {
        *id %= 200;
    }
    let mut cases = vec![Case {
        name: "random".into(),
        model,
        packed: Packed::new(&sentences, &masks),
        words: vec![7, 100, 30],
        labels: vec![0, 1, 1, 2, 1, 0],
    }];
    for (folder, recorded) in golden_folders("gradients") {
        cases.push(Case {
            name: folder.file_name().unwrap().to_string_lossy().into(),
            model: common::model(&folder).model,
            packed: Packed::new(&recorded.input_ids, &recorded.mask_pos),
            words: recorded.label_words,
            labels: recorded.labels,
        });
    }
    cases
}

/// Every kind of training: what it is called, and the model made ready for it.
fn kinds(case: &Case) -> Vec<(&'static str, Model)> {
    let trained = |prepare: &dyn Fn(&mut Model), tuning, with_head| {
        let mut model = case.model.clone();
        prepare(&mut model);
        model.train_only(tuning, with_head);
        model
    };
    let lora = |model: &mut Model| {
        model.attach_lora(LORA, 3);
        // B begins at zero, where A has no gradient.
        model.train_only(Tuning::Lora, false);
        tiny::descend(model, &[(5, 0.05)], 0.0);
    };
    let none: &dyn Fn(&mut Model) = &|_| {};
    let untied: &dyn Fn(&mut Model) = &Model::untie_decoder;
    let prefix: &dyn Fn(&mut Model) = &|model| {
        let config = PrefixConfig {
            tokens: 3,
            init: PrefixInit::Activations,
        };
        model.attach_prefix(config, 5);
    };
    let classifier: &dyn Fn(&mut Model) = &|model| model.attach_classifier(case.words.len(), 9);
    vec![
        ("full", trained(none, Tuning::Full, false)),
        ("full, untied", trained(untied, Tuning::Full, false)),
        ("full, classifier", trained(classifier, Tuning::Full, false)),
        ("LoRA", trained(&lora, Tuning::Lora, false)),
        ("LoRA and head", trained(&lora, Tuning::Lora, true)),
        ("prefix", trained(prefix, Tuning::Prefix, false)),
        ("prefix and head", trained(prefix, Tuning::Prefix, true)),
        ("head", trained(none, Tuning::Head, false)),
        ("head, untied", trained(untied, Tuning::Head, false)),
        ("classifier", trained(classifier, Tuning::Head, false)),
        ("bias", trained(none, Tuning::Bias, false)),
    ]
}

/// `theta + distance * direction`, the direction told as a gradient is.
fn moved(model: &Model, direction: &Gradients, distance: f64) -> Model {
    let mut moved = model.clone();
    let no_decay = Decay {
        rate: 0.0,
        on: DecayOn::All,
    };
    Optimizer::new(Rule::Sgd { momentum: 0.0 }, no_decay).update(&mut moved, direction, -distance);
    moved
}

/// Directions within one tensor, each of length one: along its gradient, a random one among the elements that matter,
/// and one among all.
fn directions(gradient: &Gradients, parameter: usize) -> Vec<Gradients> {
    let own = &gradient.by_parameter()[parameter];
    let mut z = vec![0.0; own.len()];
    Philox.fill(17, parameter, 0, &mut z);
    let weighted = own.iter().zip(&z).map(|(g, z)| g.abs() * z).collect();
    let within = |values: Vec<f32>| {
        let mut all: Vec<Vec<f32>> = gradient
            .by_parameter()
            .iter()
            .map(|values| vec![0.0; values.len()])
            .collect();
        all[parameter] = values;
        let length = Gradients::new(all.clone()).norm();
        for value in &mut all[parameter] {
            *value /= length.max(f64::MIN_POSITIVE) as f32;
        }
        Gradients::new(all)
    };
    vec![within(own.clone()), within(weighted), within(z)]
}

fn product(a: &Gradients, b: &Gradients) -> f64 {
    let pairs = a.by_parameter().iter().zip(b.by_parameter());
    pairs
        .flat_map(|(a, b)| a.iter().zip(b))
        .map(|(a, b)| f64::from(*a) * f64::from(*b))
        .sum()
}

/// The derivative along a direction from four losses, exact up to the fourth power of the distance; `length` is the
/// gradient's.
fn difference(
    case: &Case,
    model: &Model,
    direction: &Gradients,
    length: f64,
    dropout: Option<Dropout>,
) -> f64 {
    // Where the loss is flat a wider difference stands out from its noise.
    let distance = (0.02 / length).clamp(0.02, 0.3);
    let slope = |distance| {
        let loss = |distance| case.loss(&moved(model, direction, distance), dropout);
        (loss(distance) - loss(-distance)) / (2.0 * distance)
    };
    (4.0 * slope(distance) - slope(2.0 * distance)) / 3.0
}

/// The largest difference found, in units of the whole gradient's length, and the tensor it was found in.
fn worst(case: &Case, model: &Model, dropout: Option<Dropout>) -> (f64, String) {
    let (_, gradient) = case.gradients(model, dropout);
    let names = model.trainable_names();
    assert_eq!(gradient.by_parameter().len(), names.len());
    let length = gradient.norm();
    let errors = names.into_par_iter().enumerate().map(|(parameter, name)| {
        let errors = directions(&gradient, parameter)
            .into_iter()
            .map(|direction| {
                let along = difference(case, model, &direction, length, dropout);
                (along - product(&gradient, &direction)).abs() / length
            });
        (errors.fold(0.0, f64::max), name)
    });
    errors
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .expect("something is trained")
}

/// Measured: 3e-5 at most, the noise of losses that come from f32.
const TOLERANCE: f64 = 1e-4;

fn assert_gradients(dropout: Option<Dropout>, of: impl Fn(&str) -> bool) {
    for case in cases() {
        for (kind, model) in kinds(&case).into_iter().filter(|(kind, _)| of(kind)) {
            let (error, name) = worst(&case, &model, dropout);
            let name_of_case = &case.name;
            let _ = writeln!(
                std::io::stderr(),
                "  {name_of_case}, {kind}: off by {error:.1e} of the gradient's length at most ({name})"
            );
            assert!(error < TOLERANCE, "{kind}: {name}");
        }
    }
}

#[test]
fn every_trained_tensor_against_differences() {
    assert_gradients(None, |_| true);
}

#[test]
fn with_dropout_too() {
    let dropout = Dropout {
        seed: 4,
        hidden: 0.1,
        attention: 0.2,
    };
    // Between them they have every site.
    assert_gradients(Some(dropout), |kind| {
        ["full, classifier", "LoRA and head", "prefix"].contains(&kind)
    });
}

#[test]
fn dropout_is_a_function_of_its_seed() {
    let case = cases().remove(0);
    let mut model = case.model.clone();
    model.train_only(Tuning::Full, false);
    let with = |seed, hidden, attention| {
        let dropout = Dropout {
            seed,
            hidden,
            attention,
        };
        case.gradients(&model, Some(dropout))
    };
    assert_eq!(with(1, 0.1, 0.1), with(1, 0.1, 0.1));
    assert_ne!(with(1, 0.1, 0.1).0, with(2, 0.1, 0.1).0);
    assert_ne!(with(1, 0.0, 0.1).0, with(1, 0.0, 0.0).0);
    assert_ne!(with(1, 0.1, 0.0).0, with(1, 0.0, 0.0).0);
    assert_eq!(with(1, 0.0, 0.0), case.gradients(&model, None));
}

#[test]
fn any_number_of_threads() {
    let case = cases().remove(0);
    let dropout = Some(Dropout {
        seed: 1,
        hidden: 0.1,
        attention: 0.1,
    });
    for (kind, model) in kinds(&case) {
        let recorded = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let pool = pool.build().unwrap();
            pool.install(|| case.gradients(&model, dropout))
        };
        assert!(recorded(1) == recorded(3), "{kind}");
    }
}

/// Noise in one tensor, none in the others: as if it alone were trained.
struct Within(usize);

impl Noise for Within {
    fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]) {
        if parameter == self.0 {
            Philox.fill(seed, 0, first, out);
        } else {
            out.fill(0.0);
        }
    }
}

/// The expectation of `g z` is the gradient (Malladi et al., 2023, definition 1, for small epsilon).
#[test]
fn the_mean_estimate_is_the_gradient() {
    const ESTIMATES: u64 = 20_000;
    const EPS: f32 = 1e-2;
    // A recorded model where there is one.
    let case = cases().pop().unwrap().first(2);
    let mut model = case.model.clone();
    model.train_only(Tuning::Bias, false);
    let names = model.trainable_names();
    let name = "roberta.encoder.layer.0.output.dense.bias";
    let parameter = names.iter().position(|it| it == name).unwrap();
    let (_, gradient) = case.gradients(&model, None);
    let gradient = &gradient.by_parameter()[parameter];
    assert!(gradient.len() <= 200);

    let noise = Within(parameter);
    let estimates: Vec<f64> = (0..ESTIMATES)
        .into_par_iter()
        .map(|seed| {
            let probes = Probes::two_sided(&noise, seed, EPS);
            let scores = model.scores(case.packed.batch(), &case.words, &probes);
            let losses = scores.losses(&case.labels);
            (losses[0] - losses[1]) / (2.0 * f64::from(EPS))
        })
        .collect();
    let mut mean = vec![0.0f64; gradient.len()];
    let mut z = vec![0.0f32; gradient.len()];
    for (seed, g) in estimates.iter().enumerate() {
        noise.fill(seed as u64, parameter, 0, &mut z);
        for (mean, z) in mean.iter_mut().zip(&z) {
            *mean += g * f64::from(*z) / ESTIMATES as f64;
        }
    }
    let gradient: Vec<f64> = gradient.iter().map(|&g| f64::from(g)).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let cosine = dot(&mean, &gradient) / (dot(&mean, &mean) * dot(&gradient, &gradient)).sqrt();
    let ratio = (dot(&mean, &mean) / dot(&gradient, &gradient)).sqrt();
    let _ = writeln!(
        std::io::stderr(),
        "  cosine of {ESTIMATES} estimates' mean with the gradient of {} scalars: {cosine:.5} (lengths {ratio:.4})",
        gradient.len()
    );
    assert!(cosine > 0.99);
    assert!((ratio - 1.0).abs() < 0.05);
}
