//! Which weights each tuning trains, and the heads that turn hidden states into scores.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use common::Packed;
use mezo_model::{LoraConfig, Model, Philox, Probes, Tuning};
use tiny::{DECODER, WORDS, descend, scores, sentences, tiny};

const LORA: LoraConfig = LoraConfig {
    rank: 8,
    alpha: 16.0,
};

fn names(model: &mut Model, tuning: Tuning, with_head: bool) -> Vec<String> {
    model.train_only(tuning, with_head);
    model.trainable_names()
}

#[test]
fn each_tuning_trains_its_names() {
    let mut model = tiny().model;
    model.attach_lora(LORA, 3);
    let all = names(&mut model, Tuning::Full, false);
    assert!(!all.iter().any(|name| name.contains("lora")));
    let head = names(&mut model, Tuning::Head, false);
    assert_eq!(
        head,
        [
            "lm_head.bias",
            "lm_head.dense.weight",
            "lm_head.dense.bias",
            "lm_head.layer_norm.weight",
            "lm_head.layer_norm.bias"
        ]
    );
    let biases: Vec<String> = all
        .iter()
        .filter(|name| name.ends_with(".bias"))
        .cloned()
        .collect();
    assert_eq!(names(&mut model, Tuning::Bias, false), biases);
    let lora = names(&mut model, Tuning::Lora, false);
    assert!(lora.iter().all(|name| name.contains("lora")));
    let with_head: Vec<String> = lora.iter().chain(&head).cloned().collect();
    assert_eq!(names(&mut model, Tuning::Lora, true), with_head);
    // The walk's order, not the rules', numbers them.
    let more = names(&mut model, Tuning::Bias, true);
    assert_eq!(more.len(), biases.len() + 2);
    assert!(
        more.iter()
            .is_sorted_by_key(|name| all.iter().position(|other| other == name))
    );
}

#[test]
fn a_decoder_of_its_own_starts_as_the_word_table() {
    let mut model = tiny().model;
    let tied = scores(&model);
    let head = names(&mut model, Tuning::Head, false).len();
    model.untie_decoder();
    assert_eq!(scores(&model), tied);
    let untied = names(&mut model, Tuning::Head, false);
    assert_eq!(untied.len(), head + 1);
    assert!(untied.contains(&DECODER.to_owned()));
    // Trained, it goes its own way; asked again, it is not overwritten.
    descend(&mut model, &[(1, 1e-3)], 0.0);
    let moved = scores(&model);
    assert_ne!(moved, tied);
    model.untie_decoder();
    assert_eq!(scores(&model), moved);
}

#[test]
fn decoder_rows_give_the_scores() {
    let (ids, masks) = sentences(6);
    let packed = Packed::new(&ids, &masks);
    let still = Probes::unperturbed();
    let mut model = tiny().model;
    let words: Vec<usize> = (0..model.vocabulary()).collect();
    let before = model.scores(packed.batch(), &words, &still);
    let features = model.features(packed.batch(), &still);
    assert_eq!(features.dims(), [1, 6, 128]);
    let features: Vec<f32> = features.into_data().iter::<f32>().collect();
    let row: Vec<f32> = (0..128).map(|i| (i as f32 * 0.1).sin()).collect();
    let half: Vec<f32> = row.iter().map(|x| 0.5 * x).collect();
    model.set_head_rows(&WORDS, &[row.clone(), half], &[0.25, -1.0]);
    let after = model.scores(packed.batch(), &words, &still);
    for sentence in 0..6 {
        let hidden = &features[sentence * 128..(sentence + 1) * 128];
        let dot: f64 = hidden
            .iter()
            .zip(&row)
            .map(|(x, w)| f64::from(*x) * f64::from(*w))
            .sum();
        for word in words.iter().copied() {
            let (old, new) = (before.row(0, sentence)[word], after.row(0, sentence)[word]);
            match WORDS.iter().position(|other| *other == word) {
                Some(0) => assert!((new - (dot + 0.25)).abs() < 1e-9),
                Some(_) => assert!((new - (0.5 * dot - 1.0)).abs() < 1e-5),
                None => assert_eq!(old.to_bits(), new.to_bits(), "word {word}"),
            }
        }
    }
}

/// The tiny model with a classifier of three classes.
fn classifier(seed: u64) -> Model {
    let mut model = tiny().model;
    model.attach_classifier(3, seed);
    model
}

#[test]
fn a_classifier_starts_from_its_seed() {
    let start = |seed| {
        let mut model = classifier(seed);
        model.train_only(Tuning::Head, false);
        model.trainable_tensors()
    };
    let first = start(1);
    let shapes: Vec<(&str, &[usize])> = first
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice()))
        .collect();
    assert_eq!(
        shapes,
        [
            ("classifier.out_proj.weight", [3, 128].as_slice()),
            ("classifier.out_proj.bias", &[3]),
            ("classifier.dense.weight", &[128, 128]),
            ("classifier.dense.bias", &[128]),
        ]
    );
    assert_eq!(first, start(1));
    let other = start(2);
    for (tensor, other) in first.iter().zip(&other) {
        if tensor.name.ends_with("bias") {
            assert!(tensor.values.iter().all(|&value| value == 0.0));
            continue;
        }
        assert_ne!(tensor.values, other.values);
        let n = tensor.values.len() as f64;
        let moment = |power: i32| {
            tensor
                .values
                .iter()
                .map(|&x| f64::from(x).powi(power))
                .sum::<f64>()
                / n
        };
        // Five standard errors of each moment of N(0, 0.02^2).
        assert!(moment(1).abs() < 5.0 * 0.02 / n.sqrt());
        assert!((moment(2) / 4e-4 - 1.0).abs() < 5.0 * (2.0 / n).sqrt());
    }
    assert_ne!(first[0].values[..8], first[2].values[..8]);
}

#[test]
fn a_classifier_replaces_the_head_for_words() {
    let (ids, _) = sentences(8);
    let packed = Packed::new(&ids, &[0; 8]);
    let mut model = classifier(1);
    model.train_only(Tuning::Full, false);
    assert!(
        !model
            .trainable_names()
            .iter()
            .any(|name| name.starts_with("lm_head"))
    );
    let score = |model: &Model, probes: &Probes<'_>| model.scores(packed.batch(), &[], probes);
    let start = score(&model, &Probes::unperturbed());
    assert_eq!((start.rows, start.classes), (8, 3));

    // Against the formula in f64, from the features and the file's tensors.
    model.train_only(Tuning::Head, false);
    descend(&mut model, &[(4, 0.02)], 0.0);
    let moved = score(&model, &Probes::unperturbed());
    assert_ne!(moved, start);
    let features = model.features(packed.batch(), &Probes::unperturbed());
    let features: Vec<f32> = features.into_data().iter::<f32>().collect();
    let tensors = model.trainable_tensors();
    let [out, out_bias, dense, dense_bias] = &tensors[..] else {
        unreachable!()
    };
    let row = |weights: &[f32], bias: &[f32], x: &[f64], number: usize| -> f64 {
        let weights = &weights[number * 128..(number + 1) * 128];
        let dot: f64 = weights.iter().zip(x).map(|(w, x)| f64::from(*w) * x).sum();
        dot + f64::from(bias[number])
    };
    for sentence in 0..8 {
        let x: Vec<f64> = features[sentence * 128..(sentence + 1) * 128]
            .iter()
            .copied()
            .map(f64::from)
            .collect();
        let inner: Vec<f64> = (0..128)
            .map(|unit| row(&dense.values, &dense_bias.values, &x, unit).tanh())
            .collect();
        for class in 0..3 {
            let expected = row(&out.values, &out_bias.values, &inner, class);
            assert!((moved.row(0, sentence)[class] - expected).abs() < 2e-5);
        }
    }

    // Every tensor of it is moved by a probe.
    let both = score(&model, &Probes::two_sided(&Philox, 3, 1e-2));
    assert_eq!(both.probes, 2);
    assert_ne!(both.row(0, 0), both.row(1, 0));
}

/// An encoder sees what follows a token, so that it has no likelihood of that.
#[test]
fn an_encoder_scores_no_continuation() {
    let (ids, masks) = sentences(3);
    let packed = Packed::new(&ids, &masks);
    let refused = tiny()
        .model
        .continuation_scores(packed.batch(), &Probes::unperturbed())
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a model of the family `roberta` has no scores of a continuation"
    );
}
