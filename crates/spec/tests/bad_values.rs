//! What is said of a spec whose keys or values cannot be.
#![allow(clippy::unwrap_used)]

mod common;

use common::{TABLES, points, refused, said_of, spec};
use insta::assert_snapshot;
use mezo_spec::{Default, Method, MethodName, Names, Role, TABLES as ALL_TABLES, keys, markdown};

/// A sound spec with `sweep` as the lines of its `[sweep]`.
fn swept(sweep: &str) -> String {
    refused(&format!(
        "{TABLES}steps = 10\nbatch_size = 8\neval_every = 5\nseed = 1\neps = 1e-3\n[sweep]\n{sweep}\n"
    ))
}

/// A sound spec with `train` as further lines of its `[train]`.
fn trained(train: &str) -> String {
    refused(&format!(
        "{TABLES}lr = 1e-3\neps = 1e-3\nseed = 1\nbatch_size = 8\neval_every = 5\n{train}\n"
    ))
}

#[test]
fn unknown_keys() {
    assert_snapshot!(trained("steps = 10\nmomentun = 0.5"), @"
    error: spec.toml:16:1: unknown key `momentun` in [train]
       |
    16 | momentun = 0.5
       | ^^^^^^^^
    hint: did you mean `momentum`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(trained("steps = 10\nnesterov = true"), @"
    error: spec.toml:16:1: unknown key `nesterov` in [train]
       |
    16 | nesterov = true
       | ^^^^^^^^
    hint: [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(swept("lr = [1e-3]\n\"train.stepz\" = [10, 20]"), @r#"
    error: spec.toml:17:1: unknown key `stepz` in [train]
       |
    17 | "train.stepz" = [10, 20]
       | ^^^^^^^^^^^^^
    hint: did you mean `steps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
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
}

#[test]
fn what_people_call_a_key_elsewhere_is_known() {
    let mezo = |eps: &str| {
        format!("{TABLES}lr = 1e-3\nseed = 1\nsteps = 2\nbatch_size = 8\neval_every = 5\n{eps}\n")
    };
    assert_snapshot!(refused(&mezo("epsilon = 1e-3")), @"
    error: spec.toml:15:1: unknown key `epsilon` in [train]
       |
    15 | epsilon = 1e-3
       | ^^^^^^^
    hint: did you mean `eps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(refused(&mezo("[sweep]\nepsilon = [1e-3]")), @r#"
    error: spec.toml:16:1: unknown short name `epsilon` in [sweep]
       |
    16 | epsilon = [1e-3]
       | ^^^^^^^
    hint: did you mean `eps`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(trained("max_steps = 10"), @"
    error: spec.toml:15:1: unknown key `max_steps` in [train]
       |
    15 | max_steps = 10
       | ^^^^^^^^^
    hint: did you mean `steps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    assert_snapshot!(swept("batch_size = [8, 16]"), @r#"
    error: spec.toml:16:1: unknown short name `batch_size` in [sweep]
       |
    16 | batch_size = [8, 16]
       | ^^^^^^^^^^
    hint: any key may be swept by its path: `"train.batch_size"`
    "#);
    assert_snapshot!(trained("steps = 10\n[method.lora]\nlearning_rate = 3"), @"
    error: spec.toml:17:1: unknown key `learning_rate` in [method.lora]
       |
    17 | learning_rate = 3
       | ^^^^^^^^^^^^^
    hint: did you mean `train.lr`? [method.lora] has: `r`, `alpha`
    ");
}

#[test]
fn unknown_words() {
    assert_snapshot!(swept("lr = [1e-3]\nmethod.tuning = [\"lora\", \"adapter\"]"), @r#"
    error: spec.toml:17:26: unknown value `adapter` for `method.tuning`
       |
    17 | method.tuning = ["lora", "adapter"]
       |                          ^^^^^^^^^
    hint: it is one of: `full`, `lora`, `prefix`, `head`, `bias`
    "#);
    assert_snapshot!(trained("steps = 10\nschedule = 3"), @"
    error: spec.toml:16:12: expected a string for `train.schedule`, found the number 3
       |
    16 | schedule = 3
       |            ^
    ");
}

#[test]
fn wrong_types_and_ranges() {
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
    assert_snapshot!(trained("steps = 0"), @"
    error: spec.toml:15:9: expected 1 or more for `train.steps`, found 0
       |
    15 | steps = 0
       |         ^
    ");
    assert_snapshot!(trained("steps = 99999999999999999999999999999999999999999"), @"
    error: spec.toml:15:9: expected a whole number (0 or more) for `train.steps`, found a number that is too large
       |
    15 | steps = 99999999999999999999999999999999999999999
       |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
    assert_snapshot!(refused("name = \"demo\"\ntask = \"sst-2\"\n"), @r#"
    error: spec.toml:2:8: expected a table for `task`, found the string "sst-2"
      |
    2 | task = "sst-2"
      |        ^^^^^^^
    "#);
    assert_snapshot!(swept("lr = [1e-3]\n\"task.prompt\" = [1]"), @r#"
    error: spec.toml:17:18: expected `true` or `false` for `task.prompt`, found the number 1
       |
    17 | "task.prompt" = [1]
       |                  ^
    "#);
    assert_snapshot!(swept("lr = [\n  \"1e-3\",\n]"), @r#"
    error: spec.toml:17:3: expected a number for `train.lr`, found the string "1e-3"
       |
    17 |   "1e-3",
       |   ^^^^^^
    "#);
    assert_snapshot!(swept("lr = [1e-3, -1e-3, inf]"), @"
    error: spec.toml:16:13: expected a finite number above 0 for `train.lr`, found -0.001
       |
    16 | lr = [1e-3, -1e-3, inf]
       |             ^^^^^
    error: spec.toml:16:20: expected a finite number above 0 for `train.lr`, found inf
       |
    16 | lr = [1e-3, -1e-3, inf]
       |                    ^^^
    ");
}

#[test]
fn all_errors_are_told_each_once_in_the_order_of_the_file() {
    let text = "name = \"Demo\"\n[model]\nbuiltin = \"tiny\"\nrevision = \"main\"\n[task]\nname = \"sst-2\"\nk = 0\n\
                [method]\nname = \"mezo\"\ntuning = \"lorra\"\n[train]\nstepz = 10\nwarmup = -1\n\
                [sweep]\nseed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\nlr = [1e-3, \"x\"]\neps = [0, 1e-3]\n";
    assert_snapshot!(refused(text), @r#"
    error: spec.toml:1:8: expected a plain folder name (a-z, 0-9, `.`, `_`, `-`, at most 100 of them, a letter or digit first), found "Demo"
      |
    1 | name = "Demo"
      |        ^^^^^^
    hint: `name = "demo"` would do
    error: spec.toml:7:5: expected 1 or more for `task.k`, found 0
      |
    7 | k = 0
      |     ^
    error: spec.toml:10:10: unknown value `lorra` for `method.tuning`
       |
    10 | tuning = "lorra"
       |          ^^^^^^^
    hint: did you mean `lora`? it is one of: `full`, `lora`, `prefix`, `head`, `bias`
    error: spec.toml:12:1: unknown key `stepz` in [train]
       |
    12 | stepz = 10
       | ^^^^^
    hint: did you mean `steps`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    error: spec.toml:13:10: expected a whole number (0 or more) for `train.warmup`, found the number -1
       |
    13 | warmup = -1
       |          ^^
    error: spec.toml:16:13: the list of `train.lr` begins with a number and goes on with a string
       |
    16 | lr = [1e-3, "x"]
       |             ^^^
    hint: write every value of a list as the same type
    error: spec.toml:17:8: expected a finite number above 0 for `train.eps`, found 0.0
       |
    17 | eps = [0, 1e-3]
       |        ^
    "#);
    // A rule that ten runs break is told once, and what is missing may just be misspelt.
    let seeds = "seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]";
    let text = format!(
        "{TABLES}lr = 1e-3\neps = 1e-3\nsteps = 10\nwarmup = 10\nbatch_size = 8\neval_evry = 5\n[sweep]\n{seeds}\n"
    );
    assert_snapshot!(refused(&text), @"
    error: spec.toml:15:1: unknown key `eval_evry` in [train]
       |
    15 | eval_evry = 5
       | ^^^^^^^^^
    hint: did you mean `eval_every`? [train] has: `seed`, `steps`, `batch_size`, `eval_every`, `lr`, `weight_decay`, `decay_on`, `optimizer`, `momentum`, `schedule`, `warmup`, `eps`, `dropout`, `clip`
    ");
    let text = format!("{TABLES}lr = 1e-3\nwarmup = 1\nbatch_size = 8\n[sweep]\n{seeds}\n");
    assert_snapshot!(refused(&text), @"
    error: spec.toml:9:1: missing key `eps` in [train]
      |
    9 | [train]
      | ^^^^^^^
    hint: set `eps` in [train], or give a list of its values in [sweep]
    error: spec.toml:9:1: missing key `steps` in [train]
      |
    9 | [train]
      | ^^^^^^^
    hint: set `steps` in [train], or give a list of its values in [sweep]
    error: spec.toml:9:1: missing key `eval_every` in [train]
      |
    9 | [train]
      | ^^^^^^^
    hint: set `eval_every` in [train], or give a list of its values in [sweep]
    ");
}

#[test]
fn a_bracket_is_told_where_it_opens() {
    assert_snapshot!(swept("seed = [13\nlr = [1e-4, 3e-4]"), @"
    error: spec.toml:16:8: this `[` is never closed
       |
    16 | seed = [13
       |        ^
    hint: write `]` where it ends
    ");
    assert_snapshot!(refused("name = \"a\"\n[sweep]\nlr = [1e-4,\n  3e-4\n\n[train]\nsteps = 1\n"), @"
    error: spec.toml:3:6: this `[` is never closed
      |
    3 | lr = [1e-4,
      |      ^
    hint: write `]` where it ends
    ");
    assert_snapshot!(refused("name = \"a\"\n[method]\nlora = { r = 8, alpha = 16\n"), @"
    error: spec.toml:3:8: this `{` is never closed
      |
    3 | lora = { r = 8, alpha = 16
      |        ^
    hint: write `}` where it ends
    ");
}

#[test]
fn a_method_refuses_what_it_does_not_read() {
    let head = "name = \"a\"\nmodel.builtin = \"b\"\ntask = { name = \"c\", k = 5 }\n";
    for method in MethodName::ALL {
        let reads = Method::keys_of(method);
        let reads = |path: &str| reads.iter().any(|key| key.path == path);
        for key in keys() {
            let of_method = key.table() == "train" || key.table().starts_with("method");
            if !of_method || key.path == "method.name" || reads(key.path) {
                continue;
            }
            let value = match (key.kind, key.default) {
                (mezo_spec::Kind::Words(words), _) => format!("\"{}\"", words[0].0),
                (mezo_spec::Kind::Flag, _) => "true".to_owned(),
                (_, Default::Number(number)) if number > 0.0 => format!("{number:?}"),
                (mezo_spec::Kind::Number, _) => "0.5".to_owned(),
                _ => "1".to_owned(),
            };
            let text = format!("{head}method.name = \"{method}\"\n{} = {value}\n", key.path);
            let said = refused(&text);
            let expected = format!("`method.name` is \"{method}\", which does not read it");
            assert!(said.contains(&expected), "{method} {}: {said}", key.path);
            assert!(
                said.contains("it is read by"),
                "{method} {}: {said}",
                key.path
            );
        }
    }
    let full = "method = { name = \"ft\", tuning = \"full\", lora = { r = 8 } }\n\
                train = { seed = 1, lr = 1, steps = 1, batch_size = 1, eval_every = 1, eps = 1 }\n";
    assert_snapshot!(refused(&format!("{head}{full}")), @r#"
    error: spec.toml:4:49: `method.lora` is set, but `method.tuning` is "full", which does not read it
      |
    4 | method = { name = "ft", tuning = "full", lora = { r = 8 } }
      |                                                 ^^^^^^^^^
    hint: set `tuning = "lora"` in [method], or remove it
    error: spec.toml:5:78: `train.eps` is set, but `method.name` is "ft", which does not read it
      |
    5 | train = { seed = 1, lr = 1, steps = 1, batch_size = 1, eval_every = 1, eps = 1 }
      |                                                                              ^
    hint: remove it; it is read by `mezo`, `lp-mezo`
    "#);
}

#[test]
fn every_declaration_is_whole() {
    for key in keys() {
        assert!(!key.doc.trim().is_empty(), "{}", key.path);
        let table = key.table();
        let known = table.is_empty() || ALL_TABLES.iter().any(|known| known.path == table);
        assert!(known, "{}", key.path);
        assert!(
            key.label.is_none() || key.role != Role::Other,
            "{}",
            key.path
        );
    }
    let names = |paths: &[&str]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let schema = mezo_spec::schema(&Names {
        tasks: names(&["sst-2"]),
        models: names(&["tiny"]),
    });
    for key in keys() {
        let pointer = format!("/properties/{}", key.path.replace('.', "/properties/"));
        let described = schema.pointer(&pointer).unwrap();
        assert_eq!(described["description"], key.doc.trim(), "{}", key.path);
        let table = markdown(key.table());
        assert!(
            table.contains(&format!("| `{}` |", key.name())),
            "{}",
            key.path
        );
    }
}

#[test]
fn refused_by_the_caller() {
    let text = format!(
        "{TABLES}steps = 1\nbatch_size = 1\neval_every = 1\n[sweep]\nseed = [13, 21]\nlr = [1e-3, 1e-4]\n"
    );
    let spec = spec(&text);
    let points = points(&spec);
    let at = |point, key, message: &str| said_of(&spec.error_at(point, key, message, None));
    let hint = Some("a learning rate is positive".to_owned());
    let slow = spec.error_at(Some(&points[3]), "train.lr", "too slow", hint);
    assert_snapshot!(said_of(&slow), @"
    error: spec.toml:15:13: too slow
       |
    15 | lr = [1e-3, 1e-4]
       |             ^^^^
    hint: a learning rate is positive
    ");
    assert_snapshot!(at(Some(&points[2]), "lr", "the swept value is meant"), @"
    error: spec.toml:15:7: the swept value is meant
       |
    15 | lr = [1e-3, 1e-4]
       |       ^^^^
    ");
    assert_snapshot!(at(None, "lr", "no one value is meant"), @"
    error: spec.toml:15:1: no one value is meant
       |
    15 | lr = [1e-3, 1e-4]
       | ^^
    ");
    assert_snapshot!(at(Some(&points[0]), "train.steps", "expected more steps"), @"
    error: spec.toml:10:9: expected more steps
       |
    10 | steps = 1
       |         ^
    ");
    assert_snapshot!(at(Some(&points[0]), "train.eps", "needs an `eps`"), @"
    error: spec.toml:9:1: needs an `eps`
      |
    9 | [train]
      | ^^^^^^^
    ");
    assert_snapshot!(at(Some(&points[0]), "method.scale.by", "needs a scale"), @"
    error: spec.toml:7:1: needs a scale
      |
    7 | [method]
      | ^^^^^^^^
    ");
}
