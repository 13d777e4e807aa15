use super::super::test_support::{Argument, assert_close, download};
use super::*;

#[test]
fn against_f64() {
    // x, bias, residual, gain, shift.
    for copies in [
        [1, 1, 1, 1, 1],
        [2, 1, 4, 1, 2],
        [1, 3, 1, 1, 6],
        [1, 1, 1, 4, 1],
    ] {
        for (rows, width) in [(1, 3), (1, 768), (5, 30), (3, 130), (2, 1024)] {
            for (with_bias, with_residual) in [(false, false), (true, true), (false, true)] {
                let x = Argument::random([copies[0], rows, width], 1);
                let bias = Argument::random([copies[1], 1, width], 2);
                let residual = Argument::random([copies[2], rows, width], 3);
                let gain = Argument::random([copies[3], 1, width], 4);
                let shift = Argument::random([copies[4], 1, width], 5);
                let bias = with_bias.then_some(bias);
                let residual = with_residual.then_some(residual);
                let of = AddNormalise {
                    bias: bias.as_ref().map(Argument::on_device),
                    residual: residual.as_ref().map(Argument::on_device),
                    gain: gain.on_device(),
                    shift: shift.on_device(),
                    epsilon: 1e-5,
                };
                let (out, second) = add_normalise(x.on_device(), of, Some(DType::F32));
                let all = [
                    Some(&x),
                    bias.as_ref(),
                    residual.as_ref(),
                    Some(&gain),
                    Some(&shift),
                ];
                let most = most(all.into_iter().flatten().map(|it| it.dims[0]));
                assert_eq!(out.meta.shape()[..], [most, rows, width]);
                let mut exact = Vec::new();
                for copy in 0..most {
                    for row in 0..rows {
                        let of = |it: Option<&Argument>, row: usize, i: usize| {
                            it.map_or(0.0, |it| f64::from(it.row(copy, most, row)[i]))
                        };
                        let sums: Vec<f64> = (0..width)
                            .map(|i| {
                                of(Some(&x), row, i)
                                    + of(bias.as_ref(), 0, i)
                                    + of(residual.as_ref(), row, i)
                            })
                            .collect();
                        let mean = sums.iter().sum::<f64>() / width as f64;
                        let variance = sums.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
                        let scale = 1.0 / (variance / width as f64 + 1e-5).sqrt();
                        exact.extend(sums.iter().enumerate().map(|(i, x)| {
                            (x - mean) * scale * of(Some(&gain), 0, i) + of(Some(&shift), 0, i)
                        }));
                    }
                }
                let out = download(out);
                assert_close(&out, &exact, 2e-6, 1e-5);
                assert_eq!(second.map(download), Some(out));
            }
        }
    }
}

#[test]
fn what_is_not_finite_stays_in_its_row() {
    let mut x = Argument::random([1, 2, 48], 1);
    x.values[3] = f32::NAN;
    let of = AddNormalise {
        bias: None,
        residual: None,
        gain: Argument::random([1, 1, 48], 2).on_device(),
        shift: Argument::random([1, 1, 48], 3).on_device(),
        epsilon: 1e-5,
    };
    let out = download(add_normalise(x.on_device(), of, None).0);
    assert!(out[..48].iter().all(|x| x.is_nan()) && out[48..].iter().all(|x| x.is_finite()));
}
