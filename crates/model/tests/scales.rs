//! Perturbations with a factor for each trained tensor, and what such factors are made of.
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use common::Packed;
use mezo_model::{Model, Noise, Philox, Probes, Scores, Tuning};
use tiny::{WORDS, sentences, tiny};

fn full() -> Model {
    let mut model = tiny().model;
    model.train_only(Tuning::Full, false);
    model
}

fn scores(model: &Model, probes: &Probes<'_>) -> Scores {
    let (ids, masks) = sentences(5);
    let packed = Packed::new(&ids, &masks);
    model.scores(packed.batch(), &WORDS, probes)
}

/// The generator's numbers times the factor of the tensor.
struct Scaled<'a>(&'a [f32]);

impl Noise for Scaled<'_> {
    fn fill(&self, seed: u64, parameter: usize, first: usize, out: &mut [f32]) {
        Philox.fill(seed, parameter, first, out);
        for z in out {
            *z *= self.0[parameter];
        }
    }
}

#[test]
fn a_factor_scales_the_noise_of_its_tensor() {
    let model = full();
    // Powers of two, so that it does not matter where they are multiplied.
    let factors: Vec<f32> = (0..model.trainable_names().len())
        .map(|number| [0.5, 1.0, 4.0][number % 3])
        .collect();
    let probes = Probes::two_sided(&Philox, 3, 1e-3).with_parameter_scales(&factors);
    let noise = Scaled(&factors);
    let expected = scores(&model, &Probes::two_sided(&noise, 3, 1e-3));
    assert_eq!(scores(&model, &probes), expected);
    assert_ne!(
        expected,
        scores(&model, &Probes::two_sided(&Philox, 3, 1e-3))
    );
    // One for all is none.
    let ones = vec![1.0; factors.len()];
    let probes = Probes::two_sided(&Philox, 3, 1e-3).with_parameter_scales(&ones);
    assert_eq!(
        scores(&model, &probes),
        scores(&model, &Probes::two_sided(&Philox, 3, 1e-3))
    );
}

#[test]
fn the_factor_zero_leaves_a_tensor_frozen() {
    let model = full();
    let count = model.trainable_names().len();
    let nothing = vec![0.0; count];
    let still = scores(&model, &Probes::unperturbed());
    let probes = Probes::two_sided(&Philox, 3, 1e-3).with_parameter_scales(&nothing);
    // One copy, as of a model that nothing moves.
    assert_eq!(scores(&model, &probes), still);

    // The head alone: the same bits as with all else frozen, and one copy up to there.
    let groups = model.groups();
    let head = groups.names.iter().position(|name| name == "lm_head");
    let factors: Vec<f32> = groups
        .of
        .iter()
        .map(|&group| f32::from(u8::from(Some(group) == head)))
        .collect();
    let probes = Probes::two_sided(&Philox, 3, 1e-3).with_parameter_scales(&factors);
    let noise = Scaled(&factors);
    let expected = scores(&model, &Probes::two_sided(&noise, 3, 1e-3));
    assert_eq!(scores(&model, &probes), expected);
    assert_ne!(expected.row(0, 0), expected.row(1, 0));
    let (ids, masks) = sentences(5);
    let packed = Packed::new(&ids, &masks);
    for state in model.hidden_states(packed.batch(), &probes) {
        assert_eq!(state.dims()[0], 1);
    }
}

#[test]
fn the_groups_are_the_reference_s() {
    let mut model = full();
    let groups = model.groups();
    assert_eq!(groups.names, ["embed", "layer.0.", "layer.1.", "lm_head"]);
    let names = model.trainable_names();
    assert_eq!(groups.of.len(), names.len());
    for (name, group) in names.iter().zip(&groups.of) {
        let group = &groups.names[*group];
        assert!(name.contains(group.as_str()), "{name} in {group}");
    }
    model.attach_classifier(2, 1);
    model.train_only(Tuning::Head, false);
    let groups = model.groups();
    assert_eq!(
        (groups.names, groups.of),
        (vec!["lm_head".into()], vec![0; 4])
    );
}

#[test]
fn norms_are_those_of_the_tensors() {
    let model = full();
    let norms = model.parameter_norms();
    let tensors = model.trainable_tensors();
    assert_eq!(norms.len(), tensors.len());
    for (norm, tensor) in norms.iter().zip(&tensors) {
        let square = |x: &f32| f64::from(*x) * f64::from(*x);
        let expected = tensor.values.iter().map(square).sum::<f64>().sqrt();
        assert!(
            (norm - expected).abs() <= 1e-12 * expected,
            "{}",
            tensor.name
        );
    }
    let one = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    assert_eq!(one.install(|| model.parameter_norms()), norms);
}
