use burn::tensor::Device;
use proptest::prelude::*;

use super::*;
use crate::noise::Philox;
use crate::ops::simd::same_at_every_level;
use crate::test_support::{random, values};

fn probe(seed: u64, scale: f32) -> Probe {
    Probe { seed, scale }
}

/// `theta + scale z`, one element after another.
fn plainly(theta: &[f32], first: usize, probe: Probe) -> Vec<f32> {
    let mut z = vec![0.0; theta.len()];
    Philox.fill(probe.seed, 3, first, &mut z);
    let moved = theta.iter().zip(&z);
    moved
        .map(|(theta, z)| probe.scale.mul_add(*z, *theta))
        .collect()
}

/// One probe, two that share their noise, two that do not, and an odd one behind.
fn probe_sets() -> [Vec<Probe>; 4] {
    [
        vec![probe(7, 0.1)],
        vec![probe(7, 0.1), probe(7, -0.1)],
        vec![probe(7, 0.1), probe(8, 0.3)],
        vec![probe(7, 0.1), probe(7, -0.1), probe(9, f32::NAN)],
    ]
}

fn same(ours: &[f32], plain: &[f32]) {
    assert_eq!(ours.len(), plain.len());
    for (a, b) in ours.iter().zip(plain) {
        assert!(a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
    }
}

/// At and around the widths of registers, groups, pieces; all are one task, which stays on the test's own thread.
#[test]
fn whole_tensors_against_the_plain_path() {
    for n in [
        1, 15, 16, 17, 31, 33, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025,
    ] {
        let theta = random::<2>([1, n], 5);
        for probes in probe_sets() {
            let ours =
                same_at_every_level(|| values(whole_of_one(theta.clone(), 3, &Philox, &probes)));
            let theta = values(theta.clone());
            let plain: Vec<f32> = probes
                .iter()
                .flat_map(|it| plainly(&theta, 0, *it))
                .collect();
            same(&ours, &plain);
        }
    }
}

#[test]
fn tasks_meet_without_a_seam() {
    for n in [TASK - 1, TASK, TASK + 1, 3 * TASK + 77] {
        let theta = random::<2>([1, n], 5);
        for probes in probe_sets() {
            let ours = values(whole_of_one(theta.clone(), 3, &Philox, &probes));
            let theta = values(theta.clone());
            let plain: Vec<f32> = probes
                .iter()
                .flat_map(|it| plainly(&theta, 0, *it))
                .collect();
            same(&ours, &plain);
        }
    }
}

#[test]
fn no_elements_and_no_probes() {
    let none =
        || Tensor::<2>::from_data(TensorData::new(Vec::<f32>::new(), [0, 4]), &Device::flex());
    assert_eq!(
        whole_of_one(none(), 0, &Philox, &[probe(1, 1.0)]).dims(),
        [1, 0, 4]
    );
    let theta = random::<2>([3, 4], 5);
    assert_eq!(
        rows_of_one(theta.clone(), &[], 0, &Philox, &[probe(1, 1.0)]).dims(),
        [1, 0, 4]
    );
    let as_they_are = picked(theta.clone(), &[2, 0]);
    let theta = values(theta);
    assert_eq!(values(as_they_are), [&theta[8..12], &theta[..4]].concat());
}

#[test]
fn not_finite_weights_stay_so() {
    let mut theta = [1.0f32; 20];
    (theta[3], theta[17]) = (f32::NAN, f32::NEG_INFINITY);
    let tensor = || Tensor::from_data(TensorData::new(theta.to_vec(), [1, 20]), &Device::flex());
    let ours = same_at_every_level(|| values(whole_of_one(tensor(), 3, &Philox, &[probe(7, 0.1)])));
    assert!(ours[3].is_nan() && ours[17] == f32::NEG_INFINITY);
    assert_eq!(ours.iter().filter(|it| it.is_finite()).count(), 18);
}

proptest! {
    #[test]
    fn rows_against_the_plain_path(
        (columns, numbers) in (1usize..300, prop::collection::vec(0usize..40, 0..60)),
        set in 0usize..4,
    ) {
        let theta = random::<2>([40, columns], 5);
        let probes = &probe_sets()[set];
        let ours = values(rows_of_one(theta.clone(), &numbers, 3, &Philox, probes));
        let theta = values(theta);
        let plain: Vec<f32> = probes
            .iter()
            .flat_map(|probe| numbers.iter().map(move |number| (probe, number * columns)))
            .flat_map(|(probe, first)| plainly(&theta[first..first + columns], first, *probe))
            .collect();
        same(&ours, &plain);
    }
}
