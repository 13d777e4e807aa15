//! Combinations of method, protocol and numbers that cannot be: each is refused with the rule it breaks.

use super::world::World;

/// A spec with these edits is refused at this place, by this rule.
#[track_caller]
fn refused(edits: &[(&str, &str)], place: &str, rule: &str) {
    let said = World::with(edits).refused();
    let first = said.lines().next().unwrap_or_default();
    assert!(
        first.starts_with(&format!("error: experiments/small.toml:{place}")),
        "expected an error at {place}, found:\n{said}"
    );
    assert!(
        first.contains(rule),
        "expected the rule {rule:?}, found:\n{said}"
    );
    assert!(said.contains("\nhint: "), "expected a way out:\n{said}");
}

const TUNING: &str = "tuning = \"lora\"";
const STEPS: &str = "steps = 2";
const NAME: &str = "name = \"small\"";

#[test]
fn what_the_public_code_lacks_is_not_done_in_its_name() {
    let reference = (NAME, "name = \"small\"\nprotocol = \"reference-code\"");
    refused(
        &[reference, (TUNING, "tuning = \"bias\"")],
        "14:10",
        "the public code does, which trains no subset of biases",
    );
    refused(
        &[reference, (STEPS, "steps = 2\nmomentum = 0.9")],
        "18:12",
        "has no momentum",
    );
    refused(
        &[reference, (TUNING, "objective = \"f1\"")],
        "14:13",
        "optimises accuracy, but not F1",
    );
    refused(
        &[reference, (TUNING, "estimator = \"one-point\"")],
        "14:13",
        "has no one-point estimate",
    );
    let scaled = "tuning = \"prefix\"\nscale = { by = \"parameter-norm\" }";
    refused(
        &[reference, (TUNING, scaled)],
        "15:9",
        "which a prefix alone leaves empty",
    );
}

#[test]
fn a_step_has_at_least_one_estimate() {
    let none = "tuning = \"lora\"\nestimates = { count = 0, schedule = \"linear\" }";
    refused(
        &[(TUNING, none)],
        "14:23",
        "a linear schedule up to 0 gives 0 estimates",
    );
    let flat = "tuning = \"lora\"\nestimates = { count = 2, schedule = \"linear\" }";
    refused(
        &[(TUNING, flat)],
        "14:23",
        "a linear schedule reaches one less than it",
    );
    let counted = "objective = \"f1\"\nscale = { by = \"backpropagated-norm\" }";
    refused(
        &[(TUNING, counted)],
        "14:16",
        "a count of right answers has no gradient",
    );
    let two = "estimator = \"one-point\"\nestimates = { count = 2 }";
    refused(
        &[(TUNING, two)],
        "14:23",
        "a one-point estimate is one a step",
    );
}

#[test]
fn a_prefix_is_no_longer_than_a_sentence() {
    let long = "tuning = \"prefix\"\nprefix = { tokens = 129 }";
    refused(
        &[(TUNING, long)],
        "14:21",
        "a prefix of 129 tokens is longer than the 128 positions",
    );
}

#[test]
fn an_f1_score_needs_two_classes() {
    let world = World::with(&[(TUNING, "objective = \"f1\"")]);
    // Of one class there is nothing to compare.
    let path = "data/SST-2/train.tsv";
    world.write(path, "sentence\tlabel\na\t1\nb\t1\nc\t1\nd\t1\n");
    let said = world.refused();
    assert!(said.contains("small.toml:13:13"), "{said}");
    assert!(
        said.contains("a macro-averaged F1 needs at least two classes"),
        "{said}"
    );
}

#[test]
fn keys_of_one_method_are_not_read_by_another() {
    refused(
        &[(TUNING, "tuning = \"full\"\nlora = { r = 8, alpha = 16 }")],
        "14:8",
        "`method.lora` is set, but `method.tuning` is \"full\", which does not read it",
    );
    refused(
        &[(STEPS, "steps = 2\ndropout = 0.1")],
        "17:11",
        "`train.dropout` is set, but `method.name` is \"mezo\", which does not read it",
    );
    refused(
        &[("name = \"mezo\"", "name = \"ft\"")],
        "23:1",
        "`train.eps` is set, but `method.name` is \"ft\", which does not read it",
    );
    let ft = ("name = \"mezo\"", "name = \"ft\"\nobjective = \"accuracy\"");
    refused(
        &[ft, ("eps = [1e-3]\n", "")],
        "13:13",
        "`method.objective` is set, but `method.name` is \"ft\"",
    );
    refused(
        &[("name = \"mezo\"", "name = \"lp\"")],
        "13:10",
        "`method.tuning` is set, but `method.name` is \"lp\", which does not read it",
    );
    refused(
        &[(STEPS, "steps = 2\ndecay_on = \"all\"")],
        "17:12",
        "nothing decays without a `train.weight_decay`",
    );
    refused(
        &[("name = \"mezo\"\ntuning = \"lora\"", "name = \"lp\"")],
        "15:9",
        "`train.steps` is set, but `method.name` is \"lp\"",
    );
    let adam = "steps = 2\nmomentum = 0.9\noptimizer = \"adam\"";
    refused(
        &[(STEPS, adam)],
        "17:12",
        "Adam, the optimiser here, has its own",
    );
    refused(
        &[(STEPS, "steps = 2\nwarmup = 2")],
        "17:10",
        "a warm-up of 2 steps does not end within 2 steps",
    );
}

#[test]
fn without_a_prompt_there_are_no_words_to_ask_for() {
    refused(
        &[("k = 2", "k = 2\nprompt = false\ntemplate = \"*cls**mask*\"")],
        "11:12",
        "`task.template` belongs to a prompt",
    );
}
