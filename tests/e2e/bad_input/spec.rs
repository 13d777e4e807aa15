//! What is wrong with the spec itself.

use insta::assert_snapshot;

use super::world::{SPEC, World};

/// What is said of the sound spec after one edit.
fn edited(old: &str, new: &str) -> String {
    World::with(&[(old, new)]).refused()
}

#[test]
fn an_unknown_key_gets_the_nearest() {
    assert_snapshot!(edited("steps = 2", "stepz = 2"), @"
    error: experiments/small.toml:16:1: unknown key `stepz` in [train]
       |
    16 | stepz = 2
       | ^^^^^
    hint: did you mean `steps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(edited("[train]", "[trian]"), @r"
    error: experiments/small.toml:15:2: unknown key `trian`
       |
    15 | [trian]
       |  ^^^^^
    hint: did you mean `train`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(edited("eps = [1e-3]", "epz = [1e-3]"), @r#"
    error: experiments/small.toml:23:1: unknown short name `epz` in [sweep]
       |
    23 | epz = [1e-3]
       | ^^^
    hint: did you mean `eps`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(edited("eps = [1e-3]", "\"train.epz\" = [1e-3]"), @r#"
    error: experiments/small.toml:23:1: unknown key `epz` in [train]
       |
    23 | "train.epz" = [1e-3]
       | ^^^^^^^^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    "#);
}

#[test]
fn a_missing_key_is_named() {
    assert_snapshot!(edited("steps = 2\n", ""), @r"
    error: experiments/small.toml:15:1: missing key `steps` in [train]
       |
    15 | [train]
       | ^^^^^^^
    hint: set `steps` in [train], or give a list of its values in [sweep]
    ");
    assert_snapshot!(edited("eps = [1e-3]\n", ""), @r"
    error: experiments/small.toml:15:1: missing key `eps` in [train]
       |
    15 | [train]
       | ^^^^^^^
    hint: set `eps` in [train], or give a list of its values in [sweep]
    ");
    assert_snapshot!(edited("data = \"../data\"\n", ""), @r#"
    error: experiments/small.toml:6:1: expected `data` in [task], the folder that holds SST-2/, found none
      |
    6 | [task]
      | ^^^^^^
    hint: add `data = "<folder>"` to [task], or give `--data DIR`
    "#);
}

#[test]
fn a_wrong_type_is_told_with_the_right_one() {
    assert_snapshot!(edited("steps = 2", "steps = \"many\""), @r#"
    error: experiments/small.toml:16:9: expected a whole number (0 or more) for `train.steps`, found the string "many"
       |
    16 | steps = "many"
       |         ^^^^^^
    "#);
    assert_snapshot!(edited("k = 2", "k = 2.5"), @r"
    error: experiments/small.toml:9:5: expected a whole number (0 or more) for `task.k`, found the number 2.5
      |
    9 | k = 2.5
      |     ^^^
    ");
    assert_snapshot!(edited("lr = [1e-4, 3e-4]", "lr = [\"1e-4\", \"3e-4\"]"), @r#"
    error: experiments/small.toml:22:7: expected a number for `train.lr`, found the string "1e-4"
       |
    22 | lr = ["1e-4", "3e-4"]
       |       ^^^^^^
    error: experiments/small.toml:22:15: expected a number for `train.lr`, found the string "3e-4"
       |
    22 | lr = ["1e-4", "3e-4"]
       |               ^^^^^^
    "#);
    assert_snapshot!(edited("tuning = \"lora\"", "tuning = \"lorra\""), @r#"
    error: experiments/small.toml:13:10: unknown value `lorra` for `method.tuning`
       |
    13 | tuning = "lorra"
       |          ^^^^^^^
    hint: did you mean `lora`? it is one of: `full`, `lora`, `prefix`, `head`, `bias`
    "#);
}

#[test]
fn an_empty_list_is_no_sweep() {
    assert_snapshot!(edited("lr = [1e-4, 3e-4]", "lr = []"), @r"
    error: experiments/small.toml:22:6: the list of `train.lr` in [sweep] is empty
       |
    22 | lr = []
       |      ^^
    hint: give it at least one value, or remove the key
    ");
}

#[test]
fn rates_are_finite_and_above_zero() {
    let fixed = |train: &str, swept: &str| {
        let train = format!("eval_every = 1\n{train}");
        World::with(&[("eval_every = 1", &train), (swept, "")]).refused()
    };
    assert_snapshot!(fixed("lr = -1e-4", "lr = [1e-4, 3e-4]\n"), @r"
    error: experiments/small.toml:19:6: expected a finite number above 0 for `train.lr`, found -0.0001
       |
    19 | lr = -1e-4
       |      ^^^^^
    ");
    assert_snapshot!(fixed("lr = nan", "lr = [1e-4, 3e-4]\n"), @r"
    error: experiments/small.toml:19:6: expected a finite number above 0 for `train.lr`, found NaN
       |
    19 | lr = nan
       |      ^^^
    ");
    assert_snapshot!(fixed("eps = 0.0", "eps = [1e-3]\n"), @r"
    error: experiments/small.toml:19:7: expected a finite number above 0 for `train.eps`, found 0.0
       |
    19 | eps = 0.0
       |       ^^^
    ");
    assert_snapshot!(fixed("eps = -inf", "eps = [1e-3]\n"), @r"
    error: experiments/small.toml:19:7: expected a finite number above 0 for `train.eps`, found -inf
       |
    19 | eps = -inf
       |       ^^^^
    ");
}

#[test]
fn a_swept_rate_is_pointed_at() {
    assert_snapshot!(edited("lr = [1e-4, 3e-4]", "lr = [1e-4, 3e-4, -1e-3]"), @r"
    error: experiments/small.toml:22:19: expected a finite number above 0 for `train.lr`, found -0.001
       |
    22 | lr = [1e-4, 3e-4, -1e-3]
       |                   ^^^^^
    ");
    assert_snapshot!(edited("lr = [1e-4, 3e-4]", "lr = [1e-4, inf]"), @r"
    error: experiments/small.toml:22:13: expected a finite number above 0 for `train.lr`, found inf
       |
    22 | lr = [1e-4, inf]
       |             ^^^
    ");
    assert_snapshot!(edited("eps = [1e-3]", "eps = [1e-3, -1e-300]"), @r"
    error: experiments/small.toml:23:14: expected a finite number above 0 for `train.eps`, found -1e-300
       |
    23 | eps = [1e-3, -1e-300]
       |              ^^^^^^^
    ");
    assert_snapshot!(edited("eps = [1e-3]", "eps = [nan, 1e-3]"), @r"
    error: experiments/small.toml:23:8: expected a finite number above 0 for `train.eps`, found NaN
       |
    23 | eps = [nan, 1e-3]
       |        ^^^
    ");
    assert_snapshot!(edited("eps = [1e-3]", "\"train.eps\" = [\n  1e-3,\n  0,\n]"), @r"
    error: experiments/small.toml:25:3: expected a finite number above 0 for `train.eps`, found 0.0
       |
    25 |   0,
       |   ^
    ");
}

#[test]
fn counts_are_one_or_more() {
    assert_snapshot!(edited("k = 2", "k = 0"), @r"
    error: experiments/small.toml:9:5: expected 1 or more for `task.k`, found 0
      |
    9 | k = 0
      |     ^
    ");
    assert_snapshot!(edited("seed = [13]", "seed = [13, 4294967296]"), @r"
    error: experiments/small.toml:21:13: expected 0 to 4294967295 for `train.seed`, found 4294967296
       |
    21 | seed = [13, 4294967296]
       |             ^^^^^^^^^^
    ");
    assert_snapshot!(edited("eval_every = 1", "eval_every = 1\nweight_decay = -0.1"), @r"
    error: experiments/small.toml:19:16: expected a finite number, 0 or more, for `train.weight_decay`, found -0.1
       |
    19 | weight_decay = -0.1
       |                ^^^^
    ");
}

#[test]
fn a_hundred_thousand_runs_are_enough() {
    let list = |from: usize, to: usize| {
        let values: Vec<String> = (from..to).map(|value| value.to_string()).collect();
        format!("[{}]", values.join(", "))
    };
    let seeds = format!("seed = {}", list(0, 400));
    let rates = format!("lr = {}", list(1, 301));
    let world = World::with(&[("seed = [13]", &seeds), ("lr = [1e-4, 3e-4]", &rates)]);
    assert_snapshot!(world.refused(), @"
    error: experiments/small.toml:21:1: the sweep has 120,000 runs (400 x 300 x 1), the limit is 100,000
       |
    21 | seed = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,...
       | ^^^^
    hint: sweep fewer values at once, or split the spec
    ");
}

#[test]
fn a_spec_is_text() {
    let world = World::finished();
    world.write(SPEC, b"name = \"small\"\n# caf\xe9\n[model]\n");
    assert_snapshot!(world.refused(), @r"
    error: experiments/small.toml:2:6: expected UTF-8 text, found the byte 0xe9
      |
    2 | # caf�
      |      ^
    hint: save the file as UTF-8
    ");
}

#[test]
fn a_spec_is_toml_and_there() {
    assert_snapshot!(edited("seed = [13]", "seed = [13"), @"
    error: experiments/small.toml:21:8: this `[` is never closed
       |
    21 | seed = [13
       |        ^
    hint: write `]` where it ends
    ");
    assert_snapshot!(edited("name = \"small\"", "name = \"Small Sweep\""), @r#"
    error: experiments/small.toml:1:8: expected a plain folder name (a-z, 0-9, `.`, `_`, `-`, at most 100 of them, a letter or digit first), found "Small Sweep"
      |
    1 | name = "Small Sweep"
      |        ^^^^^^^^^^^^^
    hint: `name = "small-sweep"` would do
    "#);
    let world = World::finished();
    world.remove(SPEC);
    assert_snapshot!(world.refused(), @r"
    error: experiments/small.toml: cannot read the spec: No such file or directory (os error 2)
    hint: check the path; a spec is a TOML file such as `experiments/quickstart.toml`
    ");
}

#[test]
fn lora_goes_with_its_tuning() {
    let full = "tuning = \"full\"\nlora = { r = 8, alpha = 16 }";
    assert_snapshot!(edited("tuning = \"lora\"", full), @r#"
    error: experiments/small.toml:14:8: `method.lora` is set, but `method.tuning` is "full", which does not read it
       |
    14 | lora = { r = 8, alpha = 16 }
       |        ^^^^^^^^^^^^^^^^^^^^^
    hint: set `tuning = "lora"` in [method], or remove it
    "#);
}

#[test]
fn nothing_is_made_where_nothing_was() {
    let world = World::with(&[("k = 2", "k = 0")]);
    world.remove("runs");
    world.remove("results");
    world.refused();
    assert!(!world.path("runs").exists() && !world.path("results").exists());
}
