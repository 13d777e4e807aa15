use super::*;

const GRADIENTS: [[f32; 3]; 3] = [[0.1, -0.2, 0.3], [-0.4, 0.05, 0.6], [0.7, 0.8, -0.9]];

/// Three updates at a learning rate of 0.05 and a decay of 0.1, the three weights repeated over several chunks.
fn after_three(rule: Rule) -> Vec<f32> {
    let mut theta = [0.5, -1.25, 2.0].repeat(1000);
    let mut averages = [vec![0.0; 3000], vec![0.0; 3000]];
    for (step, gradient) in GRADIENTS.iter().enumerate() {
        let rates = Rates {
            lr: 0.05,
            decay: 0.1,
            steps: step as u64 + 1,
        };
        let fill = |first: usize, factor: f64, out: &mut [f32]| {
            for (element, out) in out.iter_mut().enumerate() {
                *out = factor as f32 * gradient[(first + element) % 3];
            }
        };
        rates.apply(rule, &mut theta, &mut averages, &fill);
    }
    theta
}

#[track_caller]
fn assert_near(rule: Rule, expected: [f64; 3], tolerance: f64) {
    for (element, theta) in after_three(rule).iter().enumerate() {
        let off = (f64::from(*theta) - expected[element % 3]).abs();
        assert!(off < tolerance, "element {element}: {theta}, off by {off}");
    }
}

/// What torch 2's `SGD(lr=0.05, momentum=0.9, weight_decay=0.1)` makes of the same.
#[test]
fn momentum_as_torch() {
    let torch = [0.475_479_811, -1.232_914_567, 1.891_924_500];
    assert_near(Rule::Sgd { momentum: 0.9 }, torch, 2e-7);
}

/// What the lines of transformers 4.28's `AdamW.step` make of the same in f32.
#[test]
fn adam_as_transformers() {
    let transformers = [0.454_508_364, -1.185_126_782, 1.876_431_584];
    assert_near(Rule::ADAM, transformers, 3e-7);
}

#[test]
fn adam_against_its_equations_in_f64() {
    let (lr, decay, epsilon) = (0.05, 0.1, 1e-8);
    let expected = std::array::from_fn(|element| {
        let (mut theta, mut first, mut second) = ([0.5, -1.25, 2.0][element], 0.0f64, 0.0f64);
        for (step, gradient) in GRADIENTS.iter().enumerate() {
            let (g, t) = (f64::from(gradient[element]), step as i32 + 1);
            first = 0.9 * first + 0.1 * g;
            second = 0.999 * second + 0.001 * g * g;
            let correction = (1.0 - 0.999f64.powi(t)).sqrt() / (1.0 - 0.9f64.powi(t));
            theta -= lr * correction * first / (second.sqrt() + epsilon);
            theta -= lr * decay * theta;
        }
        theta
    });
    assert_near(Rule::ADAM, expected, 3e-7);
}

#[test]
fn biases_and_norms_need_not_decay() {
    let decay = |on| Decay { rate: 0.1, on };
    let of_all = decay(DecayOn::All);
    let of_some = decay(DecayOn::NoBiasNorm);
    let of_most = decay(DecayOn::ReferenceOptimizer);
    assert_eq!(of_most.rate("lm_head.layer_norm.weight"), 0.1);
    assert_eq!(of_most.rate("lm_head.layer_norm.bias"), 0.0);
    assert_eq!(of_most.rate("a.output.LayerNorm.weight"), 0.0);
    assert_eq!(of_most.rate("a.output.dense.weight"), 0.1);
    for name in [
        "roberta.encoder.layer.0.attention.self.query.bias",
        "roberta.encoder.layer.0.output.LayerNorm.weight",
        "lm_head.layer_norm.weight",
        "lm_head.bias",
    ] {
        assert_eq!(
            (of_all.rate(name), of_some.rate(name)),
            (0.1, 0.0),
            "{name}"
        );
    }
    for name in [
        "lm_head.dense.weight",
        "roberta.embeddings.word_embeddings.weight",
    ] {
        assert_eq!(
            (of_all.rate(name), of_some.rate(name)),
            (0.1, 0.1),
            "{name}"
        );
    }
}
