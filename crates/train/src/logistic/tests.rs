#![allow(clippy::unwrap_used)]
use mezo_tasks::FoldsError;

use super::{Data, LogisticError, LogisticFit, Settings, fit};

const EXACT: Settings = Settings {
    tolerance: 1e-9,
    max_iterations: 100_000,
};

/// Features and labels of 60 examples, from whole numbers alone.
fn made(classes: usize) -> (Vec<f32>, Vec<usize>) {
    let unit = |number: usize| (number % 1000) as f64 / 500.0 - 1.0;
    let feature = |i: usize, j: usize| unit(i * 7919 + j * 104_729 + i * i * 31 + i * j * 17);
    let label = |i: usize| {
        let score = feature(i, 0) - 0.5 * feature(i, 1) + 0.8 * unit(i * 613 + i * i * 97);
        match classes {
            2 => usize::from(score > 0.1),
            _ if score < -0.4 => 2,
            _ => usize::from(score >= 0.3),
        }
    };
    let features = (0..60).flat_map(|i| (0..5).map(move |j| feature(i, j) as f32));
    (features.collect(), (0..60).map(label).collect())
}

/// The same without all but the first three of class 1.
fn rare() -> (Vec<f32>, Vec<usize>) {
    let (features, labels) = made(3);
    let mut left = 3;
    let kept: Vec<usize> = (0..60)
        .filter(|row| {
            let keep = labels[*row] != 1 || left > 0;
            left -= usize::from(keep && labels[*row] == 1);
            keep
        })
        .collect();
    let rows = kept
        .iter()
        .flat_map(|row| features[row * 5..][..5].to_vec());
    (
        rows.collect(),
        kept.iter().map(|row| labels[*row]).collect(),
    )
}

fn near(found: &LogisticFit, rows: &[[f64; 5]], bias: &[f64]) {
    let found_rows = found.rows.iter().flatten().chain(&found.bias);
    let expected = rows.iter().flatten().chain(bias);
    assert_eq!(found_rows.clone().count(), expected.clone().count());
    for (found, expected) in found_rows.zip(expected) {
        let near = (f64::from(*found) - expected).abs() < 1e-6 * expected.abs().max(1.0);
        assert!(near, "{found}, expected {expected}");
    }
}

// The numbers are those of scikit-learn 1.7.2: LogisticRegressionCV(multi_class="multinomial", tol=1e-12,
// max_iter=100000).

#[test]
fn two_classes_are_scikit_learns() {
    let (features, labels) = made(2);
    let found = fit(&features, &labels, 2, EXACT).unwrap();
    assert_eq!((found.c, found.converged), (2.782559402207126, true));
    assert!((found.accuracy - 0.8166666666666667).abs() < 1e-12);
    let coef = [
        2.033084686583905,
        -1.0277262029501522,
        -0.2855065719758183,
        0.43580187538210835,
        0.4824367687590226,
    ];
    let half = |sign: f64| coef.map(|own| sign * own / 2.0);
    let bias = 0.6602595754299496 / 2.0;
    near(&found, &[half(-1.0), half(1.0)], &[bias, -bias]);
}

#[test]
fn three_classes_are_scikit_learns() {
    let (features, labels) = made(3);
    let found = fit(&features, &labels, 3, EXACT).unwrap();
    assert_eq!((found.c, found.converged), (21.54434690031882, true));
    assert!((found.accuracy - 0.65).abs() < 1e-12);
    let rows = [
        [
            -1.1674353376971969,
            0.6071075680841354,
            0.3230220774334358,
            -0.42844342897716764,
            -0.694546707551036,
        ],
        [
            4.037780423757902,
            -2.2060375012675215,
            -0.4219607443182124,
            1.086788743267677,
            1.018543644627969,
        ],
        [
            -2.8703450860607136,
            1.5989299331833822,
            0.09893866688477876,
            -0.6583453142905105,
            -0.32399693707693294,
        ],
    ];
    near(
        &found,
        &rows,
        &[0.85273527399208, -0.86297267891554, 0.010237404923459658],
    );
}

#[test]
fn a_rare_class_is_in_some_folds_alone() {
    let (features, labels) = rare();
    let found = fit(&features, &labels, 3, EXACT).unwrap();
    assert_eq!(found.c, 0.3593813663804626);
    let rows = [
        [
            0.18765937075168698,
            -0.23492843327028048,
            0.25111259817869963,
            0.1032368222847733,
            -0.16351417126445153,
        ],
        [
            0.529284529029675,
            -0.08661505823898999,
            -0.3047058374846166,
            -0.018498863121987744,
            0.09263197715322997,
        ],
        [
            -0.7169438997813621,
            0.3215434915092704,
            0.053593239305917,
            -0.08473795916278551,
            0.07088219411122168,
        ],
    ];
    near(
        &found,
        &rows,
        &[0.8101519658705276, -1.1184542635579653, 0.3083022976874259],
    );
}

#[test]
fn the_reference_tolerances_choose_the_same() {
    for (classes, c) in [(2, 2.782559402207126), (3, 21.54434690031882)] {
        let (features, labels) = made(classes);
        for settings in [Settings::PROBE, Settings::START] {
            let found = fit(&features, &labels, classes, settings).unwrap();
            assert_eq!((found.c, found.converged), (c, true));
        }
    }
}

/// Many features with means and spreads far apart, as a model's are; the classes can be told apart without error.
fn wide(n: usize, width: usize, classes: usize) -> (Vec<f32>, Vec<usize>) {
    let mut state = 1u64;
    let mut draw = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / (1u64 << 30) as f64 - 1.0
    };
    let ways: Vec<f64> = (0..classes * width).map(|_| draw()).collect();
    let labels: Vec<usize> = (0..n).map(|row| row % classes).collect();
    let mut features = Vec::with_capacity(n * width);
    for label in &labels {
        for at in 0..width {
            let (spread, mean) = if at % 37 == 3 {
                (30.0, 12.0)
            } else {
                (1.0, 0.3)
            };
            let spread = 4.0 * spread / (1.0 + at as f64 / 20.0);
            let value = 0.25 * ways[label * width + at] + 3.0 * draw();
            features.push((spread * value + mean) as f32);
        }
    }
    (features, labels)
}

#[test]
fn separable_features_of_any_size_converge() {
    let (features, labels) = wide(1_024, 1_024, 2);
    let data = Data {
        features: &features,
        width: 1_024,
        labels: &labels,
        classes: 2,
    };
    let all: Vec<usize> = (0..labels.len()).collect();
    for c in [1e-4, 1.0, 1e4] {
        let settings = Settings {
            max_iterations: 500,
            ..Settings::PROBE
        };
        let found = data.solve(&all, c, None, settings);
        assert!(found.converged, "C = {c}");
        let objective = data.objective(&all, c);
        let mut gradient = vec![0.0; objective.len()];
        objective.evaluate(&found.weights, &mut gradient);
        assert!(gradient.iter().all(|own| own.abs() <= 1e-4));
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let (features, labels) = wide(96, 40, 6);
    let with = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let fit = || fit(&features, &labels, 6, Settings::PROBE).unwrap();
        pool.unwrap().install(fit)
    };
    let one = with(1);
    assert_eq!(one, with(4));
    assert!(one.converged);
}

#[test]
fn what_cannot_be_fitted_is_named() {
    let fit = |features: &[f32], labels: &[usize]| fit(features, labels, 2, Settings::PROBE);
    let zeros = [0.0; 12];
    assert_eq!(
        fit(&zeros, &[0, 0, 0, 0, 0, 1]).unwrap_err(),
        LogisticError::Folds(FoldsError::RareClass { class: 1, found: 1 })
    );
    let error = fit(&zeros, &[0, 0, 0, 0, 1, 1]).unwrap_err();
    assert_eq!(
        error,
        LogisticError::Folds(FoldsError::FewerThanFolds { found: 4 })
    );
    assert_eq!(
        error.to_string(),
        "the largest class has 4 train examples, expected at least 5: one for each fold of the cross-validation"
    );
    let mut features = [0.0; 14];
    features[7] = f32::NAN;
    assert_eq!(
        fit(&features, &[0, 0, 0, 0, 0, 1, 1]).unwrap_err(),
        LogisticError::NotFinite { example: 3 }
    );
}

#[test]
fn of_equal_accuracies_the_smallest_c_wins() {
    let (features, labels) = wide(100, 8, 2);
    let still: Vec<f32> = features.iter().map(|_| 1.0).collect();
    assert_eq!(fit(&still, &labels, 2, Settings::PROBE).unwrap().c, 1e-4);
}
