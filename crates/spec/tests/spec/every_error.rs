//! All that is wrong with a spec is told, in the order of the file, each thing once and nothing that follows from another.

use insta::assert_snapshot;
use mezo_spec::MethodName;

use crate::support::{SOUND, edited, errors, list, of_method, refused, said, told};

#[test]
fn all_errors_are_told_in_the_order_of_the_file() {
    let text = edited(&[
        (
            "name = \"demo\"",
            "name = \"My Demo\"\nprotocol = \"papre\"",
        ),
        ("[task]", "revision = \"main\"\n\n[task]"),
        ("k = 16", "k = 0\nshots = 16"),
        ("[train]", "lr = 1e-3\n[train]"),
        ("steps = 10", "steps = 10\nwarmup = 20\ndropout = 0.1"),
        ("lr = 1e-4", "lr = \"1e-4\"\nclip = 1"),
    ]);
    assert_snapshot!(refused(&text), @r#"
    error: spec.toml:1:8: expected a plain folder name (a-z, 0-9, `.`, `_`, `-`, at most 100 of them, a letter or digit first), found "My Demo"
      |
    1 | name = "My Demo"
      |        ^^^^^^^^^
    hint: `name = "my-demo"` would do

    error: spec.toml:2:12: unknown value `papre` for `protocol`
      |
    2 | protocol = "papre"
      |            ^^^^^^^
    hint: did you mean `paper`? it is one of: `paper`, `reference-code`

    error: spec.toml:7:12: `model.revision` is set, but [model] has no `hub`
      |
    7 | revision = "main"
      |            ^^^^^^
    hint: remove it, or name the model by `hub`

    error: spec.toml:11:5: expected 1 or more for `task.k`, found 0
       |
    11 | k = 0
       |     ^

    error: spec.toml:12:1: unknown key `shots` in [task]
       |
    12 | shots = 16
       | ^^^^^
    hint: did you mean `k`? [task] has: `name`, `data`, `k`, `test_cap`, `prompt`, `template`, `label_words`, `max_length`, `cut`

    error: spec.toml:17:1: unknown key `lr` in [method]
       |
    17 | lr = 1e-3
       | ^^
    hint: did you mean `train.lr`? [method] has: `name`, `tuning`, `objective`, `estimator`, `lora`, `prefix`, `estimates`, `scale`

    error: spec.toml:22:11: `train.dropout` is set, but `method.name` is "mezo", which does not read it
       |
    22 | dropout = 0.1
       |           ^^^
    hint: remove it; it is read by `ft`

    error: spec.toml:25:6: expected a number for `train.lr`, found the string "1e-4"
       |
    25 | lr = "1e-4"
       |      ^^^^^^

    error: spec.toml:26:8: `train.clip` is set, but `method.name` is "mezo", which does not read it
       |
    26 | clip = 1
       |        ^
    hint: remove it; it is read by `ft`
    "#);
}

#[test]
fn what_is_said_of_all_is_what_is_said_of_each() {
    let all = errors(&edited(&[("k = 16", "k = 0"), ("steps = 10", "steps = 0")]));
    assert_eq!(all.iter().count(), 2);
    assert_eq!(all.to_string(), said(&all).replace("error: ", ""));
    assert_snapshot!(all, @"
    spec.toml:8:5: expected 1 or more for `task.k`, found 0
      |
    8 | k = 0
      |     ^

    spec.toml:15:9: expected 1 or more for `train.steps`, found 0
       |
    15 | steps = 0
       |         ^
    ");
}

#[test]
fn the_sweep_and_the_tables_are_told_together() {
    let text = edited(&[("seed = 13\n", ""), ("eps = 1e-3\n", "epsilon = 1e-3\n")]);
    let sweep = "[[sweep]]\nsede = [13]\nlr = []\n[[sweep]]\nseed = [13, -1]\n\"task.l\" = [2]\n";
    assert_snapshot!(told(&(text + sweep)).join("\n"), @"
    18:1 unknown key `epsilon` in [train]
    20:1 unknown short name `sede` in [sweep]
    21:6 the list of `train.lr` in [sweep] is empty
    23:13 expected a whole number (0 or more) for `train.seed`, found the number -1
    24:1 unknown key `l` in [task]
    ");
}

#[test]
fn a_thing_is_told_once_whatever_the_number_of_runs() {
    let text = edited(&[
        ("seed = 13\n", ""),
        (
            "steps = 10",
            "steps = 10\ndropout = 0.1\ndecay_on = \"all\"",
        ),
    ]);
    let sweep = format!("[sweep]\nseed = {}\n", list(100));
    assert_snapshot!(told(&(text + &sweep)).join("\n"), @r#"
    15:11 `train.dropout` is set, but `method.name` is "mezo", which does not read it
    16:12 `train.decay_on` is set, but nothing decays without a `train.weight_decay`
    "#);
}

#[test]
fn a_swept_key_that_nothing_reads_is_told_at_its_name() {
    let zero_shot = of_method(MethodName::ZeroShot, "");
    let sweep = format!("[sweep]\nseed = {}\nmethod.lora.r = [4, 8]\n", list(100));
    assert_snapshot!(told(&(zero_shot + &sweep)).join("\n"), @r#"
    7:1 `train.seed` is set, but `method.name` is "zero-shot", which does not read it
    8:13 `method.lora` is set, but `method.name` is "zero-shot", which does not read it
    "#);
}

#[test]
fn a_value_is_told_where_it_breaks_a_rule() {
    let text = edited(&[("seed = 13\n", ""), ("steps = 10", "")]);
    let sweep = "[sweep]\nseed = [13, 21]\ntrain.steps = [10, 20]\ntrain.warmup = [5, 10, 30]\n";
    assert_snapshot!(told(&(text + sweep)).join("\n"), @"
    22:20 a warm-up of 10 steps does not end within 10 steps
    22:24 a warm-up of 30 steps does not end within 10 steps
    22:24 a warm-up of 30 steps does not end within 20 steps
    ");
}

#[test]
fn a_missing_key_is_not_told_where_a_key_is_misspelt() {
    assert_snapshot!(told(&edited(&[("steps = 10", "stepz = 10")])).join("\n"), @"15:1 unknown key `stepz` in [train]");
    assert_snapshot!(told(&SOUND.replace("[train]", "[trian]")).join("\n"), @"13:2 unknown key `trian`");
    assert_snapshot!(told(&SOUND.replace("builtin", "biultin")).join("\n"), @"4:1 unknown key `biultin` in [model]");
    // Alone it is.
    let missing = edited(&[("steps = 10\n", ""), ("eps = 1e-3\n", ""), ("k = 16\n", "")]);
    assert_snapshot!(told(&missing).join("\n"), @"
    6:1 missing key `k` in [task]
    12:1 missing key `steps` in [train]
    12:1 missing key `eps` in [train]
    ");
}

#[test]
fn nothing_is_made_of_a_default_in_the_place_of_a_wrong_value() {
    // Each would break a rule if the key were at its default.
    let lora = "name = \"mezo\"\ntuning = \"lorra\"\nlora.r = 4";
    assert_snapshot!(told(&edited(&[("name = \"mezo\"", lora)])).join("\n"), @"12:10 unknown value `lorra` for `method.tuning`");
    let lora = lora.replace("tuning = \"lorra\"", "tunning = \"lora\"");
    assert_snapshot!(told(&edited(&[("name = \"mezo\"", &lora)])).join("\n"), @"12:1 unknown key `tunning` in [method]");
    let decay = "steps = 10\ndecay_on = \"all\"\nweight_decay = -1";
    assert_snapshot!(told(&edited(&[("steps = 10", decay)])).join("\n"), @"17:16 expected a finite number, 0 or more, for `train.weight_decay`, found -1.0");
    let decay = decay.replace("weight_decay = -1", "weight_decai = 0.1");
    assert_snapshot!(told(&edited(&[("steps = 10", &decay)])).join("\n"), @"17:1 unknown key `weight_decai` in [train]");
    let zero_shot = of_method(
        MethodName::ZeroShot,
        "train.seed = 13\ntask.prompt = \"no\"\n",
    );
    assert_snapshot!(told(&zero_shot).join("\n"), @r#"7:15 expected `true` or `false` for `task.prompt`, found the string "no""#);
    // What is wrong beside it is told all the same.
    let lora = lora
        .replace("tunning", "tuning")
        .replace("lora.r = 4", "lora.r = 0\nprefix.tokens = 5");
    assert_snapshot!(told(&edited(&[("name = \"mezo\"", &lora)])).join("\n"), @r#"
    13:10 expected 1 or more for `method.lora.r`, found 0
    14:1 `method.prefix` is set, but `method.tuning` is "lora", which does not read it
    "#);
}
