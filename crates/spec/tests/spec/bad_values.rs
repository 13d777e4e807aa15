//! What is said of a spec whose keys or values are not those that there are.

use insta::assert_snapshot;

use crate::support::{SOUND, edited, refused, spec};

const STEPS: &str = "steps = 10\n";
const LR: &str = "lr = 1e-4\n";

/// The sound spec with other lines in the place of `steps`.
#[track_caller]
fn trained(train: &str) -> String {
    refused(&edited(&[(STEPS, &format!("{train}\n"))]))
}

/// The sound spec without `lr`, and with `sweep` as the lines of a `[sweep]`.
#[track_caller]
fn swept(sweep: &str) -> String {
    refused(&format!("{}[sweep]\n{sweep}\n", edited(&[(LR, "")])))
}

#[test]
fn unknown_keys() {
    assert_snapshot!(trained("steps = 10\nepss = 1e-3"), @"
    error: spec.toml:16:1: unknown key `epss` in [train]
       |
    16 | epss = 1e-3
       | ^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(trained("steps = 10\ntemperature = 0.9"), @"
    error: spec.toml:16:1: unknown key `temperature` in [train]
       |
    16 | temperature = 0.9
       | ^^^^^^^^^^^
    hint: [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(swept("lr = [1e-3]\n\"train.epz\" = [1e-3, 1e-2]"), @r#"
    error: spec.toml:21:1: unknown key `epz` in [train]
       |
    21 | "train.epz" = [1e-3, 1e-2]
       | ^^^^^^^^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    "#);
    assert_snapshot!(refused("name = \"demo\"\n[taks]\nname = \"sst-2\"\n"), @"
    error: spec.toml:2:2: unknown key `taks`
      |
    2 | [taks]
      |  ^^^^
    hint: did you mean `task`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(refused("name = \"demo\"\n[swep]\nseed = [13]\n"), @"
    error: spec.toml:2:2: unknown key `swep`
      |
    2 | [swep]
      |  ^^^^
    hint: did you mean `sweep`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(trained("steps = 10\nwarmup.steps = 1"), @"
    error: spec.toml:16:1: expected a whole number (0 or more) for `train.warmup`, found a table
       |
    16 | warmup.steps = 1
       | ^^^^^^
    ");
}

#[test]
fn unknown_words() {
    assert_snapshot!(refused(&edited(&[("\"mezo\"", "\"mezo\"\ntuning = \"lorra\"")])), @r#"
    error: spec.toml:12:10: unknown value `lorra` for `method.tuning`
       |
    12 | tuning = "lorra"
       |          ^^^^^^^
    hint: did you mean `lora`? it is one of: `full`, `lora`, `prefix`, `head`, `bias`
    "#);
    assert_snapshot!(swept("lr = [1e-3]\nmethod.tuning = [\"lora\", \"adapter\"]"), @r#"
    error: spec.toml:21:26: unknown value `adapter` for `method.tuning`
       |
    21 | method.tuning = ["lora", "adapter"]
       |                          ^^^^^^^^^
    hint: it is one of: `full`, `lora`, `prefix`, `head`, `bias`
    "#);
    assert_snapshot!(refused(&edited(&[("\"mezo\"", "\"mezo\"\ntuning = 3")])), @"
    error: spec.toml:12:10: expected a string for `method.tuning`, found the number 3
       |
    12 | tuning = 3
       |          ^
    ");
}

#[test]
fn wrong_types() {
    assert_snapshot!(trained("steps = 10\nwarmup = \"some\""), @r#"
    error: spec.toml:16:10: expected a whole number (0 or more) for `train.warmup`, found the string "some"
       |
    16 | warmup = "some"
       |          ^^^^^^
    "#);
    assert_snapshot!(trained("steps = 10.5"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found the number 10.5
       |
    15 | steps = 10.5
       |         ^^^^
    ");
    assert_snapshot!(trained("steps = -10"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found the number -10
       |
    15 | steps = -10
       |         ^^^
    ");
    assert_snapshot!(trained("steps = [10]"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found a list
       |
    15 | steps = [10]
       |         ^^^^
    ");
    assert_snapshot!(trained("steps = 2026-11-22"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found a date
       |
    15 | steps = 2026-11-22
       |         ^^^^^^^^^^
    ");
    assert_snapshot!(refused(&edited(&[("k = 16", "k = 16\nprompt = 1")])), @"
    error: spec.toml:9:10: expected `true` or `false` for `task.prompt`, found the number 1
      |
    9 | prompt = 1
      |          ^
    ");
    assert_snapshot!(refused(&edited(&[("k = 16", "k = 16\nlabel_words = { 0 = 1, 1 = \"good\" }")])), @r#"
    error: spec.toml:9:21: expected a string for `task.label_words.0`, found the number 1
      |
    9 | label_words = { 0 = 1, 1 = "good" }
      |                     ^
    "#);
    assert_snapshot!(refused(&edited(&[("k = 16", "k = 16\nlabel_words = [\"bad\", \"good\"]")])), @r#"
    error: spec.toml:9:15: expected a table of strings for `task.label_words`, found a list
      |
    9 | label_words = ["bad", "good"]
      |               ^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(trained("steps = 99999999999999999999999999999999999999999"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found a number that is too large
       |
    15 | steps = 99999999999999999999999999999999999999999
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(trained("steps = 99999999999999999999"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found a number that is too large
       |
    15 | steps = 99999999999999999999
       |         ^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(refused("name = \"demo\"\ntask = \"sst-2\"\n"), @r#"
    error: spec.toml:2:8: expected a table for `task`, found the string "sst-2"
      |
    2 | task = "sst-2"
      |        ^^^^^^^
    "#);
}

#[test]
fn wrong_types_in_a_sweep() {
    assert_snapshot!(swept("lr = [1e-3]\n\"method.estimates.count\" = [16, 5000000000]"), @r#"
    error: spec.toml:21:33: expected 0 to 4294967295 for `method.estimates.count`, found 5000000000
       |
    21 | "method.estimates.count" = [16, 5000000000]
       |                                 ^^^^^^^^^^
    "#);
    assert_snapshot!(swept("lr = [\n  \"1e-3\",\n]"), @r#"
    error: spec.toml:21:3: expected a number for `train.lr`, found the string "1e-3"
       |
    21 |   "1e-3",
       |   ^^^^^^
    "#);
    assert_snapshot!(swept("lr = [1e-3]\n\"task.label_words.0\" = [1]"), @r#"
    error: spec.toml:21:25: expected a string for `task.label_words.0`, found the number 1
       |
    21 | "task.label_words.0" = [1]
       |                         ^
    "#);
}

#[test]
fn values_out_of_range() {
    assert_snapshot!(trained("steps = 0"), @"
    error: spec.toml:15:9: expected 1 or more for `train.steps`, found 0
       |
    15 | steps = 0
       |         ^
    ");
    assert_snapshot!(swept("lr = [1e-3, nan, 0, -inf]"), @"
    error: spec.toml:20:13: expected a finite number above 0 for `train.lr`, found NaN
       |
    20 | lr = [1e-3, nan, 0, -inf]
       |             ^^^

    error: spec.toml:20:18: expected a finite number above 0 for `train.lr`, found 0.0
       |
    20 | lr = [1e-3, nan, 0, -inf]
       |                  ^

    error: spec.toml:20:21: expected a finite number above 0 for `train.lr`, found -inf
       |
    20 | lr = [1e-3, nan, 0, -inf]
       |                     ^^^^
    ");
    assert_snapshot!(refused(&edited(&[("eps = 1e-3", "eps = 1e-300")])), @"
    error: spec.toml:19:7: expected 1.2e-38 to 3.4e38 for `train.eps`, found 1e-300
       |
    19 | eps = 1e-300
       |       ^^^^^^
    ");
    assert_snapshot!(refused(&edited(&[("eps = 1e-3", "eps = -1e-300")])), @"
    error: spec.toml:19:7: expected a finite number above 0 for `train.eps`, found -1e-300
       |
    19 | eps = -1e-300
       |       ^^^^^^^
    ");
    assert_snapshot!(trained("steps = 10\nmomentum = 1\nweight_decay = -0.1"), @"
    error: spec.toml:16:12: expected 0 or more and less than 1 for `train.momentum`, found 1.0
       |
    16 | momentum = 1
       |            ^

    error: spec.toml:17:16: expected a finite number, 0 or more, for `train.weight_decay`, found -0.1
       |
    17 | weight_decay = -0.1
       |                ^^^^
    ");
    assert_snapshot!(refused(&edited(&[("seed = 13", "seed = 4294967296")])), @"
    error: spec.toml:14:8: expected 0 to 4294967295 for `train.seed`, found 4294967296
       |
    14 | seed = 4294967296
       |        ^^^^^^^^^^
    ");
    assert_snapshot!(refused(&edited(&[(LR, "lr = 99999999999999999999999999999999999999999\n")])), @"
    error: spec.toml:18:6: expected a number for `train.lr`, found a number that is too large
       |
    18 | lr = 99999999999999999999999999999999999999999
       |      ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn missing_keys() {
    assert_snapshot!(trained(""), @"
    error: spec.toml:13:1: missing key `steps` in [train]
       |
    13 | [train]
       | ^^^^^^^
    hint: set `steps` in [train], or give a list of its values in [sweep]
    ");
    assert_snapshot!(refused("name = \"demo\"\n[task]\nname = \"sst-2\"\n"), @"
    error: spec.toml: expected one of `builtin`, `path` and `hub` in [model], found none
    hint: name the model by one of them

    error: spec.toml: missing key `name` in [method]
    hint: set `name` in [method], or give a list of its values in [sweep]

    error: spec.toml:2:1: missing key `k` in [task]
      |
    2 | [task]
      | ^^^^^^
    hint: set `k` in [task], or give a list of its values in [sweep]
    ");
    let train = SOUND.find("[train]").unwrap();
    assert_snapshot!(refused(&format!("{}[sweep]\nlr = [1e-3]\n", &SOUND[..train])), @"
    error: spec.toml: missing key `seed` in [train]
    hint: set `seed` in [train], or give a list of its values in [sweep]

    error: spec.toml: missing key `steps` in [train]
    hint: set `steps` in [train], or give a list of its values in [sweep]

    error: spec.toml: missing key `batch_size` in [train]
    hint: set `batch_size` in [train], or give a list of its values in [sweep]

    error: spec.toml: missing key `eval_every` in [train]
    hint: set `eval_every` in [train], or give a list of its values in [sweep]

    error: spec.toml: missing key `eps` in [train]
    hint: set `eps` in [train], or give a list of its values in [sweep]
    ");
    assert_snapshot!(refused(&edited(&[("builtin = \"roberta-imdb-tiny\"\n", "")])), @"
    error: spec.toml:3:1: expected one of `builtin`, `path` and `hub` in [model], found none
      |
    3 | [model]
      | ^^^^^^^
    hint: name the model by one of them
    ");
    // What stands in a table of a wrong name is not told to be missing.
    assert_snapshot!(refused(&edited(&[("[train]", "[trian]")])), @"
    error: spec.toml:13:2: unknown key `trian`
       |
    13 | [trian]
       |  ^^^^^
    hint: did you mean `train`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(refused(&edited(&[("[model]", "[modle]")])), @"
    error: spec.toml:3:2: unknown key `modle`
      |
    3 | [modle]
      |  ^^^^^
    hint: did you mean `model`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
}

#[test]
fn refused_by_the_caller() {
    let text = edited(&[("seed = 13\n", ""), (LR, ""), ("eps = 1e-3\n", "")]);
    let sweep = "[sweep]\nseed = [13, 21]\nlr = [1e-3, 1e-4]\n";
    let spec = spec(&(text + sweep));
    let points: Vec<_> = spec.points().collect();
    let at = |point, key, message: &str| {
        let error = spec.error_at(point, key, message, None);
        assert_eq!(error.hint(), None);
        error.to_string()
    };
    let hint = Some("a learning rate is low".to_owned());
    let high = spec.error_at(Some(&points[3]), "train.lr", "`lr` is too high", hint);
    assert_eq!(high.hint().as_deref(), Some("a learning rate is low"));
    assert_snapshot!(high, @"
    spec.toml:19:13: `lr` is too high
       |
    19 | lr = [1e-3, 1e-4]
       |             ^^^^
    ");
    assert_snapshot!(at(Some(&points[2]), "lr", "the swept value is meant"), @"
    spec.toml:19:7: the swept value is meant
       |
    19 | lr = [1e-3, 1e-4]
       |       ^^^^
    ");
    assert_snapshot!(at(None, "lr", "no one value is meant"), @"
    spec.toml:19:1: no one value is meant
       |
    19 | lr = [1e-3, 1e-4]
       | ^^
    ");
    assert_snapshot!(at(Some(&points[0]), "train.steps", "expected more steps"), @"
    spec.toml:14:9: expected more steps
       |
    14 | steps = 10
       |         ^^
    ");
    assert_snapshot!(at(Some(&points[0]), "train.eps", "needs an `eps`"), @"
    spec.toml:13:1: needs an `eps`
       |
    13 | [train]
       | ^^^^^^^
    ");
    assert_snapshot!(at(Some(&points[0]), "method.lora.r", "needs a rank"), @"
    spec.toml:10:1: needs a rank
       |
    10 | [method]
       | ^^^^^^^^
    ");
    assert_snapshot!(at(Some(&points[0]), "protocol", "needs a protocol"), @"spec.toml: needs a protocol");
}
