//! What a word was most likely meant to be.

use insta::assert_snapshot;
use mezo_spec::keys;

use crate::support::{edited, errors, refused};

/// What is said of the sound spec with another line in the place of `old`.
#[track_caller]
fn instead(old: &str, new: &str) -> String {
    refused(&edited(&[(old, new)]))
}

/// What is said of the sound spec with this `[sweep]` in the place of `eps`.
#[track_caller]
fn swept(sweep: &str) -> String {
    let text = edited(&[("eps = 1e-3\n", "")]);
    refused(&format!("{text}[sweep]\n{sweep}\n"))
}

#[test]
fn a_misspelt_key_gets_the_nearest() {
    assert_snapshot!(instead("steps = 10", "stepz = 10"), @"
    error: spec.toml:15:1: unknown key `stepz` in [train]
       |
    15 | stepz = 10
       | ^^^^^
    hint: did you mean `steps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(instead("[method]", "[methods]"), @"
    error: spec.toml:10:2: unknown key `methods`
       |
    10 | [methods]
       |  ^^^^^^^
    hint: did you mean `method`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(swept("epz = [1e-3]"), @r#"
    error: spec.toml:20:1: unknown short name `epz` in [sweep]
       |
    20 | epz = [1e-3]
       | ^^^
    hint: did you mean `eps`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("\"train.epz\" = [1e-3]"), @r#"
    error: spec.toml:20:1: unknown key `epz` in [train]
       |
    20 | "train.epz" = [1e-3]
       | ^^^^^^^^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    "#);
}

#[test]
fn a_key_of_another_name_elsewhere_gets_the_one_here() {
    assert_snapshot!(instead("eps = 1e-3", "epsilon = 1e-3"), @"
    error: spec.toml:19:1: unknown key `epsilon` in [train]
       |
    19 | epsilon = 1e-3
       | ^^^^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(instead("lr = 1e-4", "learning_rate = 1e-4"), @"
    error: spec.toml:18:1: unknown key `learning_rate` in [train]
       |
    18 | learning_rate = 1e-4
       | ^^^^^^^^^^^^^
    hint: did you mean `lr`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(instead("lr = 1e-4", "Learning-Rate = 1e-4"), @"
    error: spec.toml:18:1: unknown key `Learning-Rate` in [train]
       |
    18 | Learning-Rate = 1e-4
       | ^^^^^^^^^^^^^
    hint: did you mean `lr`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(swept("epsilon = [1e-3]"), @r#"
    error: spec.toml:20:1: unknown short name `epsilon` in [sweep]
       |
    20 | epsilon = [1e-3]
       | ^^^^^^^
    hint: did you mean `eps`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("learning_rate = [1e-3]"), @r#"
    error: spec.toml:20:1: unknown short name `learning_rate` in [sweep]
       |
    20 | learning_rate = [1e-3]
       | ^^^^^^^^^^^^^
    hint: did you mean `lr`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("max_steps = [10]"), @r#"
    error: spec.toml:20:1: unknown short name `max_steps` in [sweep]
       |
    20 | max_steps = [10]
       | ^^^^^^^^^
    hint: any key may be swept by its path: `"train.steps"`
    "#);
}

#[test]
fn every_other_name_gets_its_key() {
    for key in keys() {
        for other in key.others {
            let table = key.table();
            let text = format!("name = \"demo\"\n[{table}]\n{other} = 1\n");
            let hints: Vec<_> = errors(&text)
                .iter()
                .filter_map(|error| error.hint())
                .collect();
            let meant = format!("did you mean `{}`?", key.name());
            assert!(hints[0].starts_with(&meant), "{other}: {hints:?}");
        }
    }
}

#[test]
fn a_key_in_the_wrong_table_gets_the_right_one() {
    assert_snapshot!(instead("name = \"mezo\"", "name = \"mezo\"\nlr = 1e-3"), @"
    error: spec.toml:12:1: unknown key `lr` in [method]
       |
    12 | lr = 1e-3
       | ^^
    hint: did you mean `train.lr`? [method] has: `name`, `tuning`, `objective`, `estimator`, `lora`, `prefix`, `estimates`, `scale`
    ");
    assert_snapshot!(instead("name = \"demo\"", "name = \"demo\"\nseed = 13"), @"
    error: spec.toml:2:1: unknown key `seed`
      |
    2 | seed = 13
      | ^^^^
    hint: did you mean `train.seed`? a spec has: `protocol`, `model`, `task`, `method`, `train`, `name`, `sweep`
    ");
    assert_snapshot!(instead("[train]", "[train]\nlearning_rate = 1\ntuning = \"lora\""), @r#"
    error: spec.toml:14:1: unknown key `learning_rate` in [train]
       |
    14 | learning_rate = 1
       | ^^^^^^^^^^^^^
    hint: did you mean `lr`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`

    error: spec.toml:15:1: unknown key `tuning` in [train]
       |
    15 | tuning = "lora"
       | ^^^^^^
    hint: did you mean `method.tuning`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    "#);
    assert_snapshot!(instead("name = \"mezo\"", "name = \"mezo\"\nlora.learning_rate = 3"), @r#"
    error: spec.toml:12:1: `method.lora` is set, but `method.tuning` is "full", which does not read it
       |
    12 | lora.learning_rate = 3
       | ^^^^
    hint: set `tuning = "lora"` in [method], or remove it

    error: spec.toml:12:6: unknown key `learning_rate` in [method.lora]
       |
    12 | lora.learning_rate = 3
       |      ^^^^^^^^^^^^^
    hint: did you mean `train.lr`? [method.lora] has: `r`, `alpha`
    "#);
    // Two tables have a `schedule`, and every table could have a `name`.
    assert_snapshot!(instead("name = \"mezo\"", "name = \"mezo\"\nschedule = \"linear\""), @r#"
    error: spec.toml:12:1: unknown key `schedule` in [method]
       |
    12 | schedule = "linear"
       | ^^^^^^^^
    hint: [method] has: `name`, `tuning`, `objective`, `estimator`, `lora`, `prefix`, `estimates`, `scale`
    "#);
    assert_snapshot!(instead("builtin", "name = \"roberta\"\nbuiltin"), @r#"
    error: spec.toml:4:1: unknown key `name` in [model]
      |
    4 | name = "roberta"
      | ^^^^
    hint: [model] has: `builtin`, `path`, `hub`, `revision`, `precision`
    "#);
}

#[test]
fn a_key_without_a_short_name_is_swept_by_its_path() {
    assert_snapshot!(swept("batch_size = [16, 64]"), @r#"
    error: spec.toml:20:1: unknown short name `batch_size` in [sweep]
       |
    20 | batch_size = [16, 64]
       | ^^^^^^^^^^
    hint: any key may be swept by its path: `"train.batch_size"`
    "#);
    assert_snapshot!(swept("k = [16, 512]"), @r#"
    error: spec.toml:20:1: unknown short name `k` in [sweep]
       |
    20 | k = [16, 512]
       | ^
    hint: any key may be swept by its path: `"task.k"`
    "#);
    assert_snapshot!(swept("schedule = [\"linear\"]"), @r#"
    error: spec.toml:20:1: unknown short name `schedule` in [sweep]
       |
    20 | schedule = ["linear"]
       | ^^^^^^^^
    hint: any key may be swept by its path: `"method.estimates.schedule"` or `"train.schedule"`
    "#);
}
