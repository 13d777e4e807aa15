//! The whole measurement on the CPU, on toy sizes.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::DEFAULT_PRECISION;
use super::*;
use crate::bench::tests::small;

fn least() -> Scale {
    Scale {
        base: small(),
        large: small(),
        sentences: 4,
        normals: 1003,
        compared_steps: 3,
        compared_runs: 2,
        compared_batches: [3, 2],
        evaluated: 8,
        steps: [1, 2],
        series: Duration::ZERO,
    }
}

fn bench(peer: Option<Peer>) -> Bench {
    let beside = Beside {
        peer,
        ..Beside::default()
    };
    Bench::new("cpu", least(), beside).expect("there is a processor")
}

#[test]
fn every_part_on_the_processor() {
    let bench = bench(None);
    let budget = Budget::new(Duration::from_secs(600));
    for part in parts() {
        let outcome = bench.measure(part, budget);
        assert!(!outcome.is_bad(), "{part:?}: {outcome:?}");
        match (part, &outcome) {
            (
                Part::Normals | Part::Scores | Part::Losses(_) | Part::Batched,
                Outcome::Checks(checks),
            ) => {
                // It is compared with itself.
                assert!(
                    checks.iter().all(|check| check.difference == 0.0),
                    "{checks:?}"
                );
                assert!(checks.iter().any(|check| check.passed == Some(true)));
            }
            (Part::Alone(_), Outcome::Alone(alone)) => {
                assert!(alone.step_s > 0.0 && alone.mean_step_s > 0.0);
                assert!(alone.run_s > alone.evaluation_s, "{alone:?}");
                let ceiling = alone.ceiling.as_ref().expect("there is time");
                assert!(ceiling.floor_s >= ceiling.bare_floor_s);
                assert!(ceiling.tflops > 0.0 && ceiling.multiply_adds > 0.0);
            }
            (Part::Gradients(_), Outcome::Gradients(agreements)) => {
                assert!(agreements.batches >= 2 && agreements.rms > 0.0);
                // On the CPU there is one precision.
                let same = |it: &Agreement| it.same_sign == 1.0 && it.rms_difference == 0.0;
                assert!(agreements.of.iter().all(same), "{agreements:?}");
            }
            (Part::Together(group), Outcome::Together(together)) => {
                let rate = group.runs as f64 / together.mean_step_s;
                assert_eq!(together.run_steps_per_s, rate);
            }
            (Part::Phases(_), Outcome::Phases(step)) => {
                assert!(step.phases.sum() <= step.step_s, "{step:?}");
            }
            (Part::Peer(_) | Part::Goldens, Outcome::Skipped(_)) => {}
            _ => panic!("{part:?}: {outcome:?}"),
        }
        let json = serde_json::to_string(&outcome).expect("numbers and words");
        let read: Outcome = serde_json::from_str(&json).expect("what was written");
        assert_eq!(read, outcome);
    }
}

#[test]
fn a_part_without_time_says_so() {
    let outcome = bench(None).measure(Part::Normals, Budget::new(Duration::ZERO));
    assert_eq!(outcome, Outcome::OutOfTime);
    assert!(!outcome.is_bad());
}

#[test]
fn a_part_that_breaks_down_is_told_of() {
    let peer: Peer = Box::new(|precision, _| match precision {
        Precision::F32 => Err("there is no torch".into()),
        _ => panic!("it came to an end"),
    });
    let (bench, budget) = (bench(Some(peer)), Budget::new(Duration::from_secs(600)));
    let told = bench.measure(Part::Peer(Precision::F32), budget);
    assert_eq!(told, Outcome::Skipped("there is no torch".into()));
    let outcome = bench.measure(Part::Peer(DEFAULT_PRECISION), budget);
    assert!(matches!(outcome, Outcome::Failed(_)) && outcome.is_bad());
}

#[test]
fn what_the_reference_gave() {
    let shared = std::env::var_os("MEZO_SHARED").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let goldens = shared.unwrap_or_else(beside).join("reference/goldens");
    if !goldens.is_dir() {
        // Straight to stderr: what a passing test prints is not shown.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: recorded cases (none at {})",
            goldens.display()
        );
        return;
    }
    let of = |goldens| {
        let beside = Beside {
            goldens: Some(goldens),
            peer: None,
        };
        let bench = Bench::new("cpu", least(), beside).expect("there is a processor");
        bench.measure(Part::Goldens, Budget::new(Duration::from_secs(600)))
    };
    let Outcome::Checks(checks) = of(goldens) else {
        panic!("no checks");
    };
    assert!(checks.len() >= 4, "{checks:?}");
    assert!(
        checks.iter().all(|check| check.passed == Some(true)),
        "{checks:?}"
    );
    let empty = tempfile::tempdir().expect("a folder");
    assert!(matches!(of(empty.path().into()), Outcome::Skipped(_)));
}

#[test]
fn there_must_be_such_a_device() {
    assert!(Bench::new("abacus", least(), Beside::default()).is_err());
}
