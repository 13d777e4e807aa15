//! What runs take, counted by hand.

#![allow(clippy::unwrap_used)]
use super::*;

/// 100 rows of 10 tokens to train on, 50 to choose by, 30 of 20 tokens to report on.
const SIZES: Sizes = Sizes {
    train: part(100, 10.0),
    dev: part(50, 10.0),
    test: part(30, 20.0),
};

const fn part(rows: usize, mean_tokens: f64) -> Part {
    Part { rows, mean_tokens }
}

/// The work of ten steps by a method with more keys of its own.
fn work(name: &str, more: &str, batch_size: usize, sizes: Sizes) -> Work {
    let steps = format!(
        "train = {{ seed = 1, steps = 10, batch_size = {batch_size}, eval_every = 4, lr = 1.0{} }}",
        if name == "ft" { "" } else { ", eps = 1.0" }
    );
    work_of(
        &format!("method = {{ name = \"{name}\"{more} }}\n{steps}"),
        sizes,
    )
}

fn work_of(tables: &str, sizes: Sizes) -> Work {
    let text =
        format!("name = \"a\"\nmodel.builtin = \"b\"\ntask = {{ name = \"c\", k = 1 }}\n{tables}");
    let spec = mezo_spec::Spec::parse("a.toml", text).unwrap();
    let runs = spec.runs(&mezo_spec::Overrides::default()).unwrap();
    Work::of(&runs[0].1.method, sizes)
}

fn cost(steps: u64, forward_passes: u64, backward_passes: u64, tokens: u64) -> Cost {
    Cost {
        steps,
        forward_passes,
        backward_passes,
        tokens,
    }
}

#[test]
fn a_step_of_mezo_is_two_passes_and_one_of_fine_tuning_goes_back_too() {
    // Dev at steps 4, 8 and 10 in 2 batches of 25, test at the last and the best in 2 batches.
    let evaluations = 3 * 2 + 2 * 2;
    let evaluated = 3 * 50 * 10 + 2 * 30 * 20;
    assert_eq!(
        work("mezo", "", 25, SIZES).total(),
        cost(10, 20 + evaluations, 0, 20 * 250 + evaluated)
    );
    assert_eq!(
        work("ft", "", 25, SIZES).total(),
        cost(10, 10 + evaluations, 10, 10 * 250 * 3 + evaluated)
    );
    let one_point = ", estimator = \"one-point\"";
    assert_eq!(
        work("mezo", one_point, 25, SIZES).total(),
        cost(10, 10 + evaluations, 0, 10 * 250 + evaluated)
    );
}

#[test]
fn batches_are_no_larger_than_the_data_and_the_last_may_be_short() {
    let tokens = |batch_size| {
        let sizes = Sizes {
            train: SIZES.train,
            ..Sizes::default()
        };
        work("mezo", "", batch_size, sizes).total().tokens
    };
    assert_eq!(tokens(1000), 20 * 1000);
    // 64 and 36 in turn.
    assert_eq!(tokens(64), 20 * 500);
}

#[test]
fn estimates_multiply_passes_by_their_schedule() {
    let passes = |schedule| {
        let more = format!(", estimates = {{ count = 4, schedule = \"{schedule}\" }}");
        let work = work("mezo", &more, 100, Sizes::default());
        (work.total().forward_passes, work.left(7).forward_passes)
    };
    assert_eq!(passes(EstimatesSchedule::Constant), (80, 24));
    // 1 1 1 1 1 2 2 2 3 3
    assert_eq!(passes(EstimatesSchedule::Linear), (34, 16));
    let step_by_step = |count: u64, steps: u64| -> u64 {
        (0..steps).map(|done| (done * count / steps).max(1)).sum()
    };
    for (count, steps) in [(1, 7), (2, 7), (3, 9), (16, 1000), (30, 8)] {
        let mut work = work("mezo", "", 100, SIZES);
        work.steps = steps;
        work.estimates = Some(Estimates {
            count: count as u32,
            schedule: EstimatesSchedule::Linear,
            scale_lr: false,
        });
        let half = work.estimates(0, steps / 2) + work.estimates(steps / 2, steps);
        assert_eq!(
            work.estimates(0, steps),
            step_by_step(count, steps),
            "{count} {steps}"
        );
        assert_eq!(half, step_by_step(count, steps), "{count} {steps}");
    }
}

#[test]
fn methods_without_steps_read_their_rows_once() {
    let zero_shot = Work::of(&Method::ZERO_SHOT, SIZES).total();
    assert_eq!(zero_shot, cost(0, 1, 0, 600));
    // 100 rows in two batches of at most 64, then dev and test.
    let probe = work_of("method.name = \"lp\"\ntrain.seed = 1", SIZES).total();
    assert_eq!(probe, cost(0, 4, 0, 1000 + 500 + 600));
    let mezo = work("mezo", "", 50, SIZES).total();
    let mut after_probing = cost(0, 2, 0, 1000);
    after_probing += mezo;
    assert_eq!(work("lp-mezo", "", 50, SIZES).total(), after_probing);
}

#[test]
fn what_is_done_and_what_is_left_are_all_of_it() {
    for name in ["mezo", "ft", "lp-mezo"] {
        let work = work(name, "", 25, SIZES);
        for done in 1..=10 {
            let mut sum = work.start();
            sum += work.between(0, done);
            sum += work.left(done);
            assert_eq!(sum, work.total(), "{name:?} {done}");
        }
    }
}

#[test]
fn more_than_can_be_counted_is_as_much_as_can_be() {
    let sizes = Sizes::stated("cr", usize::MAX, usize::MAX).unwrap();
    let mut work = work("ft", "", 1, sizes);
    work.steps = u64::MAX;
    work.eval_every = 1;
    assert_eq!(work.total(), cost(u64::MAX, u64::MAX, u64::MAX, u64::MAX));
}

#[test]
fn nothing_is_left_of_a_run_that_went_on_for_too_long() {
    let linear = ", estimates = { count = 4, schedule = \"linear\" }";
    let work = work("mezo", linear, 25, SIZES);
    assert_eq!(work.left(20), work.end());
}

#[test]
fn what_sources_state_is_of_the_papers_size() {
    let sizes = Sizes::stated("glue-sst2", 512, 1000).unwrap();
    let rows = [sizes.train.rows, sizes.dev.rows, sizes.test.rows];
    assert_eq!(rows, [1024, 1024, 872]);
    assert!(Sizes::stated("sst2", 16, 1000).is_err());
}
