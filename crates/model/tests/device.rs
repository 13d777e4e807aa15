//! A model on a GPU against the same on the CPU: scores, updates, batched runs. On Vulkan, whichever device it has: on
//! machines without a GPU that is Mesa's, which computes on the processor.
#![cfg(feature = "vulkan")]
#![allow(clippy::unwrap_used, missing_docs)]

mod common;
#[path = "common/tiny.rs"]
mod tiny;

use burn::tensor::Device;
use common::Packed;
use mezo_model::{
    Decay, DecayOn, Estimates, LoraConfig, Model, Optimizer, Part, Philox, Precision, PrefixConfig,
    PrefixInit, Probe, Probes, Rule, Scores, Term, Tuning, load, scores_batched,
};
use tiny::{WORDS, builtin, descend, sentences};

const EPS: f32 = 1e-2;

/// What is put beside a model, and trained.
type Attach = fn(&mut Model, u64);

fn full(model: &mut Model, _: u64) {
    model.train_only(Tuning::Full, false);
}

fn lora(model: &mut Model, seed: u64) {
    let (rank, alpha) = (8, 16.0);
    model.attach_lora(LoraConfig { rank, alpha }, seed);
    model.train_only(Tuning::Lora, true);
}

fn prefix(model: &mut Model, seed: u64) {
    let init = PrefixInit::Activations;
    model.attach_prefix(PrefixConfig { tokens: 5, init }, seed);
    model.train_only(Tuning::Prefix, false);
}

fn classifier(model: &mut Model, seed: u64) {
    model.attach_classifier(3, seed);
    model.train_only(Tuning::Bias, true);
}

const ATTACHED: [(&str, Attach); 4] = [
    ("full", full),
    ("lora", lora),
    ("prefix", prefix),
    ("classifier", classifier),
];

/// The CPU, and the device in question.
fn devices() -> [Device; 2] {
    ["cpu", "vulkan:0"].map(|name| mezo_model::device::open(name).unwrap())
}

fn base(device: &Device) -> Model {
    load(&builtin(), device).unwrap().model
}

fn probes(seed: u64) -> Probes<'static> {
    let probe = |seed, scale| Probe { seed, scale };
    Probes::new(&Philox, vec![probe(seed, EPS), probe(seed, -EPS)])
}

/// The differences between two models' scores.
fn differences(a: &Scores, b: &Scores) -> Vec<f64> {
    assert_eq!((a.probes, a.rows, a.classes), (b.probes, b.rows, b.classes));
    let cells = (0..a.probes).flat_map(|probe| (0..a.rows).map(move |row| (probe, row)));
    let of_cell = |(probe, row)| a.row(probe, row).iter().zip(b.row(probe, row));
    cells.flat_map(of_cell).map(|(a, b)| a - b).collect()
}

/// The largest of them.
fn apart(a: &Scores, b: &Scores) -> f64 {
    let differences = differences(a, b).into_iter();
    differences.map(f64::abs).fold(0.0, f64::max)
}

/// The root of their mean square.
fn rms_apart(a: &Scores, b: &Scores) -> f64 {
    let differences = differences(a, b);
    let squares = differences.iter().map(|it| it * it).sum::<f64>();
    (squares / differences.len() as f64).sqrt()
}

#[test]
fn scores_and_updates_are_the_cpu_s() {
    let (ids, masks) = sentences(21);
    let packed = Packed::new(&ids, &masks);
    for (what, attach) in ATTACHED {
        let [ours, theirs] = devices().map(|device| {
            let mut model = base(&device);
            attach(&mut model, 1);
            let scores = |model: &Model, probes| model.scores(packed.batch(), &WORDS, &probes);
            let probed = scores(&model, probes(7));
            let before = scores(&model, Probes::unperturbed());
            // Two terms and decay.
            descend(&mut model, &[(5, 0.03), (6, -0.02)], 0.01);
            [probed, before, scores(&model, Probes::unperturbed())]
        });
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let apart = apart(ours, theirs);
            assert!(apart < 1e-3, "{what}: {apart}");
        }
        // The update did something.
        assert!(apart(&ours[1], &ours[2]) > 1e-2, "{what}");
    }
}

/// Products of half precision do to scores what rounding does on the CPU. They do not come to the same numbers: where the rest of
/// a pass differs in its last bits, a few numbers are rounded to the other side, which is about as much again.
#[test]
fn half_precision_is_as_far_from_f32_as_on_the_cpu() {
    let (ids, masks) = sentences(21);
    let packed = Packed::new(&ids, &masks);
    for (what, attach) in ATTACHED {
        let [cpu, device] = devices();
        let scores = |device: &Device, set: fn(&mut Model)| {
            let mut model = base(device);
            attach(&mut model, 1);
            set(&mut model);
            model.scores(packed.batch(), &WORDS, &probes(7))
        };
        let exact = scores(&cpu, |_| {});
        let rounded = scores(&cpu, |model| model.round_to(Precision::F16));
        let ours = scores(&device, |model| model.set_precision(Precision::F16));
        let ratio = rms_apart(&ours, &exact) / rms_apart(&rounded, &exact);
        assert!((0.5..2.0).contains(&ratio), "{what}: {ratio}");
    }
}

#[test]
fn batched_runs_are_each_alone() {
    let [_, device] = devices();
    let (ids, masks) = sentences(21);
    let cuts = [0..21, 3..12, 20..21];
    let batches = cuts.map(|cut| Packed::new(&ids[cut.clone()], &masks[cut]));
    for (what, attach) in ATTACHED {
        let base = base(&device);
        let models = [1, 2, 3].map(|seed| {
            let mut model = base.clone();
            attach(&mut model, seed);
            descend(&mut model, &[(seed, 0.03)], 0.0);
            model
        });
        let part = |run: usize| Part {
            model: &models[run],
            batch: batches[run].batch(),
            probes: probes(10 + run as u64),
        };
        let parts: Vec<Part<'_>> = (0..3).map(part).collect();
        let batched = scores_batched(&parts, &WORDS);
        for (part, batched) in parts.iter().zip(&batched) {
            let alone = part.model.scores(part.batch, &WORDS, &part.probes);
            let apart = apart(batched, &alone);
            assert!(apart < 1e-4, "{what}: {apart}");
        }
    }
}

/// Some decay and some do not, and each is moved by a factor of its own.
#[test]
fn tensors_with_sums_of_their_own_are_the_cpu_s() {
    let (ids, masks) = sentences(9);
    let packed = Packed::new(&ids, &masks);
    for (what, attach) in ATTACHED {
        let [ours, theirs] = devices().map(|device| {
            let mut model = base(&device);
            attach(&mut model, 1);
            let trained = model.trainable_names().len();
            let factors: Vec<f32> = (0..trained).map(|it| (it % 3) as f32 / 2.0).collect();
            let scaled = probes(7).with_parameter_scales(&factors);
            let scores = model.scores(packed.batch(), &WORDS, &scaled);
            let decay = Decay {
                rate: 0.1,
                on: DecayOn::NoBiasNorm,
            };
            let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.0 }, decay);
            for factors in [None, Some(&factors[..])] {
                let coefficient = 0.03;
                let gradient = Estimates {
                    noise: &Philox,
                    terms: vec![Term {
                        seed: 5,
                        coefficient,
                    }],
                    factors,
                };
                optimizer.update(&mut model, &gradient, 0.5);
            }
            (scores, model.trainable_tensors())
        });
        let apart = apart(&ours.0, &theirs.0);
        assert!(apart < 1e-3, "{what}: {apart}");
        for (ours, theirs) in ours.1.iter().zip(&theirs.1) {
            assert_eq!((&ours.name, &ours.shape), (&theirs.name, &theirs.shape));
            for (a, b) in ours.values.iter().zip(&theirs.values) {
                assert!((a - b).abs() < 1e-5, "{what}, {}: {a} and {b}", ours.name);
            }
        }
    }
}

#[test]
fn weights_come_back_as_they_went() {
    let [cpu, device] = devices().map(|device| {
        let mut model = base(&device);
        lora(&mut model, 1);
        model.trainable_tensors()
    });
    assert_eq!(cpu, device);
}
