//! Combinations of method, protocol and numbers that cannot be: each is refused with the rule it breaks.

use insta::assert_snapshot;

use crate::support::{edited, errors, told};

const NAME: &str = "name = \"demo\"";
const METHOD: &str = "name = \"mezo\"";
const STEPS: &str = "steps = 10";
const REFERENCE: (&str, &str) = (NAME, "name = \"demo\"\nprotocol = \"reference-code\"");

/// What the sound spec breaks after some edits; each rule has a way out.
#[track_caller]
fn broken(edits: &[(&str, &str)]) -> String {
    let text = edited(edits);
    for error in errors(&text).iter() {
        assert!(error.hint().is_some(), "no way out: {error}");
    }
    told(&text).join("\n")
}

/// The same with another line in the place of the method's name.
#[track_caller]
fn method(lines: &str) -> String {
    broken(&[(METHOD, lines)])
}

#[test]
fn what_the_public_code_lacks_is_not_done_in_its_name() {
    let reference = |old: &str, new: &str| broken(&[REFERENCE, (old, new)]);
    let of_method = |lines: &str| reference(METHOD, &format!("name = \"mezo\"\n{lines}"));
    assert_snapshot!(of_method("tuning = \"bias\""), @r#"13:10 protocol "reference-code" does what the public code does, which trains no subset of biases"#);
    assert_snapshot!(reference(STEPS, "steps = 10\nmomentum = 0.9"), @r#"17:12 protocol "reference-code" does what the public code does, which has no momentum"#);
    assert_snapshot!(of_method("objective = \"f1\""), @r#"13:13 protocol "reference-code" does what the public code does, which optimises accuracy, but not F1"#);
    assert_snapshot!(of_method("estimator = \"one-point\""), @r#"13:13 protocol "reference-code" does what the public code does, which has no one-point estimate"#);
    let scaled = "tuning = \"prefix\"\nscale = { by = \"parameter-norm\" }";
    assert_snapshot!(of_method(scaled), @r#"14:9 protocol "reference-code" does what the public code does, which makes its scales for the groups `embed`, `lm_head` and `layer.i.` of trained weights, which a prefix alone leaves empty"#);
    // Backpropagation is held against it too.
    let ft = "name = \"ft\"\ntuning = \"bias\"";
    assert_snapshot!(broken(&[REFERENCE, (METHOD, ft), ("eps = 1e-3\n", "")]), @r#"13:10 protocol "reference-code" does what the public code does, which trains no subset of biases"#);
}

#[test]
fn a_step_has_at_least_one_estimate() {
    assert_snapshot!(method("name = \"mezo\"\nestimates = { count = 0, schedule = \"linear\" }"), @"12:23 a linear schedule up to 0 gives 0 estimates: every step needs at least one to move by");
    assert_snapshot!(method("name = \"mezo\"\nestimates = { count = 2, schedule = \"linear\" }"), @"12:23 `method.estimates.count` is too low, but a linear schedule reaches one less than it, which is one estimate at every step");
    assert_snapshot!(method("name = \"mezo\"\nestimator = \"one-point\"\nestimates = { count = 2 }"), @"13:23 `method.estimates.count` is above 1, but a one-point estimate is one a step: it is the difference to the last step's");
    let counted = "name = \"mezo\"\nobjective = \"f1\"\nscale = { by = \"backpropagated-norm\" }";
    assert_snapshot!(method(counted), @r#"13:16 `method.scale.by` is "backpropagated-norm", but a count of right answers has no gradient to backpropagate"#);
}

#[test]
fn a_table_without_its_key_is_told() {
    assert_snapshot!(method("name = \"mezo\"\nscale = {}\nestimates = {}"), @"
    12:9 missing key `by` in [method.scale]
    13:13 missing key `count` in [method.estimates]
    ");
}

#[test]
fn a_schedule_fits_its_run() {
    let train = |lines: &str| broken(&[(STEPS, &format!("steps = 10\n{lines}"))]);
    assert_snapshot!(train("warmup = 10"), @"16:10 a warm-up of 10 steps does not end within 10 steps");
    assert_snapshot!(train("decay_on = \"all\""), @"16:12 `train.decay_on` is set, but nothing decays without a `train.weight_decay`");
    assert_snapshot!(train("momentum = 0.9\noptimizer = \"adam\""), @"16:12 `train.momentum` is set, but Adam, the optimiser here, has its own");
    // `ft` has Adam by itself.
    let ft = (METHOD, "name = \"ft\"");
    assert_snapshot!(broken(&[ft, ("eps = 1e-3", "momentum = 0.9")]), @"19:12 `train.momentum` is set, but Adam, the optimiser here, has its own");
}

#[test]
fn a_model_is_named_once() {
    let builtin = "builtin = \"roberta-imdb-tiny\"";
    let model = |lines: &str| broken(&[(builtin, lines)]);
    assert_snapshot!(model("builtin = \"a\"\nhub = \"b\""), @"3:1 expected one of `builtin`, `path` and `hub` in [model], found more");
    assert_snapshot!(model("builtin = \"a\"\nrevision = \"main\""), @"5:12 `model.revision` is set, but [model] has no `hub`");
    assert_snapshot!(model("revision = \"main\""), @"3:1 expected one of `builtin`, `path` and `hub` in [model], found none");
}

#[test]
fn without_a_prompt_there_are_no_words_to_ask_for() {
    let words = "k = 16\nprompt = false\ntemplate = \"*cls**mask*\"\nlabel_words.0 = \"bad\"";
    assert_snapshot!(broken(&[("k = 16", words)]), @"
    10:12 `task.template` belongs to a prompt, but `task.prompt` is false
    11:1 `task.label_words` belongs to a prompt, but `task.prompt` is false
    ");
}
