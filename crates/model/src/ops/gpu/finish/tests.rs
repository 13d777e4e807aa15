use super::super::test_support::{Argument, assert_close, download, upload};
use super::*;

/// The error function's complement by its continued fraction or series, to f64's last digits.
fn erfc(x: f64) -> f64 {
    if x < 0.0 {
        return 2.0 - erfc(-x);
    }
    let root = std::f64::consts::PI.sqrt();
    if x < 2.5 {
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return 1.0 - 2.0 / root * sum;
    }
    let mut fraction = x;
    for k in (1..200).rev() {
        fraction = x + f64::from(k) / 2.0 / fraction;
    }
    (-x * x).exp() / root / fraction
}

fn then_in_f64(then: Activation, x: f64) -> f64 {
    match then {
        Activation::None => x,
        Activation::Gelu => x * 0.5 * erfc(-x / 2f64.sqrt()),
        Activation::Tanh => x.tanh(),
        Activation::Relu => x.max(0.0),
    }
}

#[test]
fn activations_against_f64() {
    let xs: Vec<f32> = (-9000..=9000).map(|i| i as f32 * 1e-3 + 1e-5).collect();
    let count = xs.len();
    let zeros = || upload(&vec![0.0; count], [1, 1, count]);
    for then in [Activation::Gelu, Activation::Tanh, Activation::Relu] {
        let ours = finish(upload(&xs, [1, 1, count]), zeros(), None, then, DType::F32);
        let exact: Vec<f64> = xs.iter().map(|&x| then_in_f64(then, x.into())).collect();
        let ours = download(ours);
        assert_close(&ours, &exact, 2e-6, 1e-9);
        // Far in gelu's tail the last bits of a square count, which lavapipe's fma loses; nothing cancels even so.
        assert_close(&ours, &exact, 5e-6, 1e-30);
    }
    let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e30, 1e30];
    let of = |then| {
        let none = upload(&[0.0; 5], [1, 1, 5]);
        download(finish(
            upload(&odd, [1, 1, 5]),
            none,
            None,
            then,
            DType::F32,
        ))
    };
    let ours = of(Activation::Gelu);
    assert!(
        ours[0].is_nan() && ours[1..] == [f32::INFINITY, 0.0, 0.0, 1e30],
        "{ours:?}"
    );
    let ours = of(Activation::Tanh);
    assert!(ours[0].is_nan());
    assert_close(&ours[1..], &[1.0, -1.0, -1.0, 1.0], 3e-7, 0.0);
}

#[test]
fn against_f64() {
    // Product, bias, inner, b.
    for copies in [[1, 1, 1, 1], [4, 2, 1, 4], [1, 1, 2, 6]] {
        for (rows, width, rank) in [(1, 3, 0), (1, 768, 8), (5, 30, 1), (3, 130, 17), (7, 64, 0)] {
            for then in [
                Activation::None,
                Activation::Gelu,
                Activation::Tanh,
                Activation::Relu,
            ] {
                let product = Argument::random([copies[0], rows, width], 1);
                let bias = Argument::random([copies[1], 1, width], 2);
                let inner = Argument::random([copies[2], rows, rank.max(1)], 3);
                let b = Argument::random([copies[3], rank.max(1), width], 4).scaled(0.2);
                let low_rank = (rank > 0).then(|| LowRank {
                    inner: inner.on_device(),
                    b: b.on_device(),
                    scale: 0.5,
                });
                let counted = if rank > 0 { 4 } else { 2 };
                let most = most(copies[..counted].iter().copied());
                let ours = finish(
                    product.on_device(),
                    bias.on_device(),
                    low_rank,
                    then,
                    DType::F32,
                );
                assert_eq!(ours.meta.shape()[..], [most, rows, width]);
                let mut exact = Vec::new();
                for copy in 0..most {
                    for row in 0..rows {
                        for i in 0..width {
                            let of = |it: &Argument, row, i: usize| {
                                f64::from(it.row(copy, most, row)[i])
                            };
                            let added: f64 =
                                (0..rank).map(|r| of(&inner, row, r) * of(&b, r, i)).sum();
                            let x = of(&product, row, i) + of(&bias, 0, i) + 0.5 * added;
                            exact.push(then_in_f64(then, x));
                        }
                    }
                }
                assert_close(&download(ours), &exact, 2e-6, 2e-6);
            }
        }
    }
}
