use super::super::test_support::{assert_close, download, normals, upload};
use super::*;
use crate::noise::{Noise, Philox, philox_words};
use burn::tensor::DType;

#[cube(launch_unchecked)]
fn words_kernel(arguments: &[u32], out: &mut [u32]) {
    if ABSOLUTE_POS == 0 {
        let (a, b, c, d) = words(
            arguments[0],
            arguments[1],
            arguments[2],
            arguments[3],
            arguments[4],
            arguments[5],
        );
        out[0] = a;
        out[1] = b;
        out[2] = c;
        out[3] = d;
    }
}

/// The known answers of Random123 and a few counters of our own.
#[test]
fn words_are_the_cpu_s() {
    let client = upload(&[0.0], [1]).client;
    for (counter, key) in [
        ([0; 4], 0),
        ([u32::MAX; 4], u64::MAX),
        (
            [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
            0x299f_31d0_a409_3822,
        ),
        ([77, 0, 5, 0], 42),
        ([1 << 29, 0, 200, 0], 0xfedc_ba98_7654_3210),
    ] {
        let arguments = [&counter[..], &[key as u32, (key >> 32) as u32]].concat();
        let arguments = super::upload(&client, &arguments).arg();
        let out = client.empty(16);
        // SAFETY: six words are read, four written.
        unsafe {
            words_kernel::launch_unchecked(
                &client,
                CubeCount::new_single(),
                CubeDim::new_single(),
                arguments,
                BufferArg::from_raw_parts(out.clone(), 4),
            );
        }
        let bytes = client.read_one_unchecked(out);
        assert_eq!(u32::from_bytes(&bytes), philox_words(counter, key));
    }
}

fn probe(seed: u64, scale: f32) -> Probe {
    Probe { seed, scale }
}

/// What the copies should hold, those no probe writes as they were.
fn expected(
    [theta, before]: [&[f32]; 2],
    [stored, columns]: [usize; 2],
    rows: Option<&[usize]>,
    probes: &[Probe],
    first: usize,
) -> Vec<f64> {
    let mut all: Vec<f64> = before.iter().map(|&x| f64::from(x)).collect();
    let numbers: Vec<usize> = rows.map_or_else(|| (0..stored).collect(), <[usize]>::to_vec);
    let copy = numbers.len() * columns;
    for (probe, out) in probes.iter().zip(all.chunks_mut(copy).skip(first)) {
        let mut z = vec![0.0; theta.len()];
        Philox.fill(probe.seed, 3, 0, &mut z);
        for (&row, out) in numbers.iter().zip(out.chunks_mut(columns)) {
            for (column, out) in out.iter_mut().enumerate() {
                let at = row * columns + column;
                *out = f64::from(theta[at]) + f64::from(probe.scale) * f64::from(z[at]);
            }
        }
    }
    all
}

#[test]
fn perturbed_as_on_the_cpu() {
    let seed = 0x1234_5678_9abc_def0;
    let probes = [
        probe(seed, 1.0),
        probe(seed, -1.0),
        probe(7, 0.5),
        probe(8, 0.25),
        probe(8, -2.0),
    ];
    for (stored, columns) in [(1, 1), (1, 7), (3, 5), (2, 64), (9, 768), (5, 30)] {
        for rows in [None, Some(vec![stored - 1, 0, stored / 2])] {
            for (count, first, copies) in [(1, 0, 1), (2, 0, 2), (5, 1, 7)] {
                let theta = normals(stored * columns, 11);
                let taken = rows.as_ref().map_or(stored, Vec::len);
                let before = normals(copies * taken * columns, 12);
                let out = upload(&before, [copies, taken, columns]);
                perturb(
                    upload(&theta, [stored, columns]),
                    rows.as_deref(),
                    3,
                    &probes[..count],
                    &out,
                    first,
                );
                assert_eq!(out.dtype, DType::F32);
                let exact = expected(
                    [&theta, &before],
                    [stored, columns],
                    rows.as_deref(),
                    &probes[..count],
                    first,
                );
                assert_close(&download(out), &exact, 0.0, 1e-5);
            }
        }
    }
}

/// A few million, so that every corner of the functions is met.
#[test]
fn z_is_philox_s() {
    let count = 1 << 21;
    let out = upload(&vec![0.0; count], [1, 1, count]);
    let zeros = upload(&vec![0.0; count], [1, count]);
    perturb(zeros, None, 3, &[probe(99, 1.0)], &out, 0);
    let mut z = vec![0.0; count];
    Philox.fill(99, 3, 0, &mut z);
    let z: Vec<f64> = z.into_iter().map(f64::from).collect();
    assert_close(&download(out), &z, 0.0, 5e-6);
}
