//! The slope's interval holds the truth as often as it says, and the needed steps are enough.

use mezo_report::{Slope, Verdict, slope};

use crate::fixture::Noise;

const STEPS: usize = 1000;

/// Noise of unit variance with autocorrelation `rho`.
fn autoregressive(noise: &mut Noise, rho: f64, steps: usize) -> Vec<f64> {
    let mut value = noise.normal();
    let fresh = (1.0 - rho * rho).sqrt();
    let mut next = || {
        let now = value;
        value = rho * value + fresh * noise.normal();
        now
    };
    (0..steps).map(|_| next()).collect()
}

/// How often the interval holds the true slope.
fn coverage(rho: f64, steps: usize, repeats: usize) -> f64 {
    let mut noise = Noise::new(17);
    let truth = 0.3;
    let held = (0..repeats).filter(|_| {
        let drawn = autoregressive(&mut noise, rho, steps);
        let losses: Vec<f64> = drawn
            .iter()
            .enumerate()
            .map(|(t, noise)| noise + truth * t as f64 / 1000.0)
            .collect();
        let slope = slope(&losses).unwrap();
        (slope.low..=slope.high).contains(&truth)
    });
    held.count() as f64 / repeats as f64
}

#[test]
fn the_interval_holds_the_true_slope_as_often_as_it_says() {
    for (rho, least, most) in [(0.0, 0.93, 0.98), (0.5, 0.92, 0.98), (0.9, 0.90, 0.97)] {
        let held = coverage(rho, STEPS, 1000);
        println!(
            "rho {rho}: the interval holds the truth {:.1} % of the time",
            100.0 * held
        );
        assert!((least..most).contains(&held), "rho {rho}: {held}");
    }
}

#[test]
fn short_runs_get_an_honest_interval_too() {
    for (steps, rho, least) in [(20, 0.0, 0.92), (100, 0.0, 0.92), (100, 0.5, 0.90)] {
        let held = coverage(rho, steps, 1000);
        assert!(held >= least, "{steps} steps, rho {rho}: {held}");
    }
}

#[test]
fn epochs_of_distinct_minibatches_do_not_widen_the_interval() {
    // Sixteen minibatches that together are the training set: their noise cancels over each epoch.
    let mut noise = Noise::new(5);
    let mut losses = Vec::new();
    while losses.len() < STEPS {
        let epoch: Vec<f64> = (0..16).map(|_| noise.normal()).collect();
        let mean = epoch.iter().sum::<f64>() / 16.0;
        losses.extend(epoch.iter().map(|value| value - mean));
    }
    let cancelling = slope(&losses).unwrap();
    let fresh = slope(&autoregressive(&mut noise, 0.0, STEPS)).unwrap();
    assert!(cancelling.high - cancelling.low < 0.6 * (fresh.high - fresh.low));
}

#[test]
fn a_clear_slope_is_seen() {
    let mut noise = Noise::new(3);
    let drawn = autoregressive(&mut noise, 0.5, STEPS);
    let losses: Vec<f64> = drawn
        .iter()
        .enumerate()
        .map(|(t, noise)| 0.69 - 0.05 * t as f64 / 1000.0 + 0.03 * noise)
        .collect();
    let falling = slope(&losses).unwrap();
    assert_eq!(falling.verdict(), Verdict::Falls);
    assert!((falling.low..falling.high).contains(&-0.05), "{falling:?}");
    assert_eq!(falling.steps_needed, None);
    let upwards: Vec<f64> = losses.iter().map(|loss| -loss).collect();
    assert_eq!(slope(&upwards).unwrap().verdict(), Verdict::Rises);
}

/// Noise without any slope of its own, so that a series made with it has exactly the slope it is given.
fn noise_without_slope(noise: &mut Noise, sd: f64, steps: usize) -> Vec<f64> {
    let drawn: Vec<f64> = (0..steps).map(|_| noise.normal()).collect();
    let middle = (steps as f64 - 1.0) / 2.0;
    let mean = drawn.iter().sum::<f64>() / steps as f64;
    let time = || (0..steps).map(|t| t as f64 - middle);
    let own =
        time().zip(&drawn).map(|(t, y)| t * y).sum::<f64>() / time().map(|t| t * t).sum::<f64>();
    time()
        .zip(&drawn)
        .map(|(t, y)| sd * (y - mean - own * t))
        .collect()
}

/// The loss that went from 0.5775 to 0.5774 in 1,000 steps, going on so for `steps`.
fn first_users_case(sd: f64, steps: usize) -> Slope {
    let mut noise = Noise::new(2026);
    let noise = noise_without_slope(&mut noise, sd, steps);
    let line = |t: usize| 0.5775 - 0.0001 * t as f64 / 1000.0;
    slope(
        &noise
            .iter()
            .enumerate()
            .map(|(t, noise)| line(t) + noise)
            .collect::<Vec<_>>(),
    )
    .unwrap()
}

#[test]
fn the_first_users_loss_shows_no_slope_in_a_thousand_steps() {
    for sd in [0.02, 0.03, 0.05] {
        let case = first_users_case(sd, STEPS);
        assert!((case.per_1000 + 0.0001).abs() < 1e-12);
        assert_eq!(case.verdict(), Verdict::NotSeen);
        assert!(
            case.low < -10.0 * 0.0001 && case.high > 10.0 * 0.0001,
            "{case:?}"
        );

        let needed = case.steps_needed.unwrap();
        let counted = count_needed_steps(0.0001 / 1000.0, case.long_run_sd);
        println!("sd {sd}: {needed} steps needed, counted {counted}");
        assert!(
            (needed as f64 / counted as f64 - 1.0).abs() < 0.02,
            "{needed} against {counted}"
        );

        // The noise's own deviation is known here: about 12,000, 16,000 and 22,600 steps at 1.96.
        let known = (1.96 * sd * 12f64.sqrt() / (0.0001 / 1000.0)).powf(2.0 / 3.0);
        assert!(
            (needed as f64 / known - 1.0).abs() < 0.15,
            "{needed} against {known}"
        );
    }
}

/// Walks up in steps of one until the exact sum of squares of so many steps is enough for a 1.96
/// interval to leave zero: no closed form, no other quantile.
fn count_needed_steps(slope: f64, sd: f64) -> u64 {
    let mut n = 2u64;
    loop {
        let sxx: f64 = n as f64 * (n as f64 - 1.0) * (n as f64 + 1.0) / 12.0;
        if slope * sxx.sqrt() >= 1.96 * sd {
            return n;
        }
        n += 1;
    }
}

#[test]
fn the_slope_is_seen_once_the_series_is_as_long_as_was_said() {
    for sd in [0.02, 0.05] {
        let needed = first_users_case(sd, STEPS).steps_needed.unwrap();
        // The noise's deviation was estimated from 1,000 steps: a tenth above the number is sure.
        let seen = first_users_case(sd, (needed as f64 * 1.1) as usize);
        assert_eq!(seen.verdict(), Verdict::Falls, "{seen:?}");
        let unseen = first_users_case(sd, (needed as f64 * 0.8) as usize);
        assert_eq!(unseen.verdict(), Verdict::NotSeen, "{unseen:?}");
    }
}

#[test]
fn a_thousand_steps_of_noise_alone_are_rarely_called_a_slope() {
    let mut noise = Noise::new(99);
    let seen = (0..500).filter(|_| {
        let losses: Vec<f64> = (0..STEPS).map(|_| 0.5775 + 0.03 * noise.normal()).collect();
        slope(&losses).unwrap().verdict() != Verdict::NotSeen
    });
    let seen = seen.count();
    assert!((10..45).contains(&seen), "{seen} of 500");
}

#[test]
fn a_loss_that_never_moves_has_no_slope() {
    let flat = slope(&[0.577_4; 50]).unwrap();
    assert_eq!((flat.per_1000, flat.low, flat.high), (0.0, 0.0, 0.0));
    assert_eq!(
        (flat.verdict(), flat.steps_needed),
        (Verdict::NotSeen, None)
    );
    assert!(slope(&[0.5; 19]).is_none());
}
