//! What is said of a spec whose name, `[sweep]` or very text is wrong.

use std::fs;

use insta::assert_snapshot;
use mezo_spec::{Kind, Range, Spec, keys};

use crate::support::{list, refused, said, spec, told};

/// A sound spec with `sweep` as the lines of its `[sweep]`.
fn swept(sweep: &str) -> String {
    refused(&format!(
        "name = \"demo\"\n[task]\nname = \"sst-2\"\n[train]\nsteps = 10\n[sweep]\n{sweep}\n"
    ))
}

#[test]
fn no_lists() {
    assert_snapshot!(swept("lr = []"), @r"
    error: spec.toml:7:6: the list of `train.lr` in [sweep] is empty
      |
    7 | lr = []
      |      ^^
    hint: give it at least one value, or remove the key
    ");
    assert_snapshot!(swept("lr = 1e-3"), @r"
    error: spec.toml:7:6: expected a list of values for `train.lr` in [sweep], found a number
      |
    7 | lr = 1e-3
      |      ^^^^
    hint: write a list, even of one value; a fixed value of `train.lr` belongs in its own table
    ");
    assert_snapshot!(swept("lr = { from = 1e-4, to = 1e-3 }"), @r"
    error: spec.toml:7:6: expected a list of values for `train.lr` in [sweep], found a table
      |
    7 | lr = { from = 1e-4, to = 1e-3 }
      |      ^^^^^^^^^^^^^^^^^^^^^^^^^^
    hint: write a list, even of one value; a fixed value of `train.lr` belongs in its own table
    ");
    assert_snapshot!(swept("\"task.k\" = {}"), @r#"
    error: spec.toml:7:12: expected a list of values for `task.k` in [sweep], found a table
      |
    7 | "task.k" = {}
      |            ^^
    hint: write a list, even of one value; a fixed value of `task.k` belongs in its own table
    "#);
    assert_snapshot!(refused("name = \"demo\"\nsweep = [1]\n"), @r"
    error: spec.toml:2:9: expected a table for `sweep`, found a list
      |
    2 | sweep = [1]
      |         ^^^
    ");
}

#[test]
fn bad_lists() {
    assert_snapshot!(swept("lr = [1e-3, \"1e-4\"]"), @r#"
    error: spec.toml:7:13: the list of `train.lr` begins with a number and goes on with a string
      |
    7 | lr = [1e-3, "1e-4"]
      |             ^^^^^^
    hint: write every value of a list as the same type
    "#);
    assert_snapshot!(swept("\"task.name\" = [\"sst-2\", true]"), @r#"
    error: spec.toml:7:25: the list of `task.name` begins with a string and goes on with a boolean
      |
    7 | "task.name" = ["sst-2", true]
      |                         ^^^^
    hint: write every value of a list as the same type
    "#);
    assert_snapshot!(swept("lr = [[1e-3], [1e-4]]"), @r"
    error: spec.toml:7:7: expected numbers, strings or booleans in the list of `train.lr`, found a list
      |
    7 | lr = [[1e-3], [1e-4]]
      |       ^^^^^^
    ");
    assert_snapshot!(swept("lr = [{ low = 1e-3 }]"), @r"
    error: spec.toml:7:7: expected numbers, strings or booleans in the list of `train.lr`, found a table
      |
    7 | lr = [{ low = 1e-3 }]
      |       ^^^^^^^^^^^^^^
    ");
    assert_snapshot!(swept("lr = [2026-11-22]"), @r"
    error: spec.toml:7:7: expected numbers, strings or booleans in the list of `train.lr`, found a date
      |
    7 | lr = [2026-11-22]
      |       ^^^^^^^^^^
    ");
    assert_snapshot!(swept("lr = [1e-3, 1e-4, 0.001]"), @r"
    error: spec.toml:7:19: the list of `train.lr` holds 0.001 twice, the first time as 1e-3
      |
    7 | lr = [1e-3, 1e-4, 0.001]
      |                   ^^^^^
    hint: every combination runs once; remove one of them
    ");
    assert_snapshot!(swept("seed = [13, 21, 13]"), @r"
    error: spec.toml:7:17: the list of `train.seed` holds 13 twice
      |
    7 | seed = [13, 21, 13]
      |                 ^^
    hint: every combination runs once; remove one of them
    ");
}

#[test]
fn bad_keys() {
    assert_snapshot!(swept("sed = [13]"), @r#"
    error: spec.toml:7:1: unknown short name `sed` in [sweep]
      |
    7 | sed = [13]
      | ^^^
    hint: did you mean `seed`? any key may be swept by its path, as in "task.k"; short names are: `protocol`, `seed`, `lr`, `eps`
    "#);
    assert_snapshot!(swept("batch_size = [16, 64]"), @r#"
    error: spec.toml:7:1: unknown short name `batch_size` in [sweep]
      |
    7 | batch_size = [16, 64]
      | ^^^^^^^^^^
    hint: any key may be swept by its path: `"train.batch_size"`
    "#);
    assert_snapshot!(swept("\"train.\" = [16, 64]"), @r#"
    error: spec.toml:7:1: expected a path like "task.k", found "train."
      |
    7 | "train." = [16, 64]
      | ^^^^^^^^
    "#);
    // No such key can be, and along a path tables are made.
    for long in ["a.".repeat(20_000), "a".repeat(300), "task.é".repeat(40)] {
        let said = swept(&format!("\"{long}k\" = [1]"));
        let expected = format!(
            "error: spec.toml:7:1: expected a path like \"task.k\", found \"{}",
            &long[..100]
        );
        assert!(said.starts_with(&expected), "{said}");
        assert!(said.len() < 800, "{said}");
        let said = swept(&format!("[sweep.\"{long}\"]\nk = [1]"));
        assert!(said.contains("expected a path like \"task.k\""), "{said}");
    }
    assert_snapshot!(swept("\"name.x\" = [1]"), @r#"
    error: spec.toml:7:1: expected a path like "task.k", found "name.x"
      |
    7 | "name.x" = [1]
      | ^^^^^^^^
    "#);
    assert_snapshot!(swept("lr = [1e-3]\n\"train.lr\" = [1e-4]"), @r#"
    error: spec.toml:8:1: `train.lr` stands in [sweep] on line 7 already
      |
    8 | "train.lr" = [1e-4]
      | ^^^^^^^^^^
    hint: join the two lists
    "#);
}

#[test]
fn clashes() {
    assert_snapshot!(swept("lr = [1e-3]\n\"train.steps\" = [10, 20]"), @r#"
    error: spec.toml:8:1: `train.steps` is set in [sweep] and on line 5
      |
    8 | "train.steps" = [10, 20]
      | ^^^^^^^^^^^^^
    hint: keep `train.steps` in one of the two places
    "#);
    assert_snapshot!(swept("lr = [1e-3]\n\"task.name.x\" = [1]"), @r#"
    error: spec.toml:8:1: unknown key `name.x` in [task]
      |
    8 | "task.name.x" = [1]
      | ^^^^^^^^^^^^^
    hint: did you mean `name`? [task] has: `name`, `data`, `k`, `test_cap`, `prompt`, `template`, `label_words`, `max_length`, `cut`
    "#);
}

#[test]
fn tables_are_not_swept() {
    assert_snapshot!(swept("\"method.lora\" = [8, 16]"), @r#"
    error: spec.toml:7:1: `method.lora` is a table; only a key can be swept
      |
    7 | "method.lora" = [8, 16]
      | ^^^^^^^^^^^^^
    hint: sweep a key of it by its path: `"method.lora.r"`, `"method.lora.alpha"`
    "#);
    assert_snapshot!(swept("\"task.label_words\" = [\"great\", \"good\"]"), @r#"
    error: spec.toml:7:1: `task.label_words` is a table; only a key can be swept
      |
    7 | "task.label_words" = ["great", "good"]
      | ^^^^^^^^^^^^^^^^^^
    hint: sweep a key of it by its path: `"task.label_words.0"`
    "#);
    // A value where there must be a table is told once, and not again by what is swept in it.
    let text = "name = \"demo\"\nmethod.lora = 8\n[sweep]\nmethod.lora.r = [4]\n";
    assert_snapshot!(refused(text), @"
    error: spec.toml:2:15: expected a table for `method.lora`, found the number 8
      |
    2 | method.lora = 8
      |               ^
    ");
}

#[test]
fn too_many_runs() {
    let text = format!(
        "seed = {}\nlr = {}\neps = {}",
        list(1000),
        list(101),
        list(1)
    );
    assert_snapshot!(swept(&text), @"
    error: spec.toml:7:1: the sweep has 101,000 runs (1000 x 101 x 1), the limit is 100,000
      |
    7 | seed = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25...
      | ^^^^
    hint: sweep fewer values at once, or split the spec
    ");
    // So many that they cannot even be counted.
    let numbers = keys()
        .iter()
        .filter(|key| matches!(key.kind, Kind::Whole | Kind::Number) && key.range != Range::Share);
    let text: String = numbers
        .map(|key| format!("\"{}\" = {}\n", key.path, list(1000)))
        .collect();
    let told = told(&format!("name = \"demo\"\n[sweep]\n{text}"));
    assert_eq!(told.len(), 1, "{told:#?}");
    let said = "3:1 the sweep has more than 1,000,000,000,000 runs";
    assert!(told[0].starts_with(said), "{told:#?}");
}

#[test]
fn just_enough_runs() {
    let text = format!(
        "name = \"demo\"\n[sweep]\nseed = {}\nlr = {}\n",
        list(1000),
        list(100)
    );
    assert_eq!(spec(&text).points().count(), 100_000);
}

#[test]
fn bad_names() {
    assert_snapshot!(refused("[task]\nname = \"sst-2\"\n"), @r#"
    error: spec.toml: missing key `name`
    hint: write `name = "..."` above the first [table]
    "#);
    assert_snapshot!(refused("name = \"../Up and away\"\n"), @r#"
    error: spec.toml:1:8: expected a plain folder name (a-z, 0-9, `.`, `_`, `-`, at most 100 of them, a letter or digit first), found "../Up and away"
      |
    1 | name = "../Up and away"
      |        ^^^^^^^^^^^^^^^^
    hint: `name = "up-and-away"` would do
    "#);
    assert_snapshot!(refused("name = \"..\"\n"), @r#"
    error: spec.toml:1:8: expected a plain folder name (a-z, 0-9, `.`, `_`, `-`, at most 100 of them, a letter or digit first), found ".."
      |
    1 | name = ".."
      |        ^^^^
    "#);
    assert_snapshot!(refused("name = 3\n"), @"
    error: spec.toml:1:8: expected a string for `name`, found the number 3
      |
    1 | name = 3
      |        ^
    ");
}

#[test]
fn no_toml() {
    assert_snapshot!(refused("name = \"demo\"\n[train\nsteps = 10\n"), @"
    error: spec.toml:2:1: this `[` is never closed
      |
    2 | [train
      | ^
    hint: write `]` where it ends
    ");
    assert_snapshot!(refused("name = \"demo\"\n[train]\nlr = 1e-3\nlr = 1e-4\n"), @r"
    error: spec.toml:4:1: `lr` is set twice
      |
    4 | lr = 1e-4
      | ^^
    ");
    assert_snapshot!(refused("name = \"demo\"\n[train]\n[task]\n[train]\n"), @r"
    error: spec.toml:4:2: `train` is set twice
      |
    4 | [train]
      |  ^^^^^
    ");
    assert_snapshot!(refused("name = \"demo\"\n[sweep]\nlr = [1e-3,\n"), @"
    error: spec.toml:3:6: this `[` is never closed
      |
    3 | lr = [1e-3,
      |      ^
    hint: write `]` where it ends
    ");
    assert_snapshot!(refused("name = \"demo\n"), @r#"
    error: spec.toml:1:13: invalid basic string, expected `"`
      |
    1 | name = "demo
      |             ^
    "#);
    assert_snapshot!(refused("name = demo\n"), @r"
    error: spec.toml:1:8: string values must be quoted, expected literal string
      |
    1 | name = demo
      |        ^^^^
    ");
    assert_snapshot!(refused(""), @r#"
    error: spec.toml: missing key `name`
    hint: write `name = "..."` above the first [table]
    "#);
}

#[test]
fn no_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spec.toml");
    let refused =
        || said(&Spec::read(&path).unwrap_err()).replace(path.to_str().unwrap(), "spec.toml");

    assert_snapshot!(refused(), @r"
    error: spec.toml: cannot read the spec: No such file or directory (os error 2)
    hint: check the path; a spec is a TOML file such as `experiments/quickstart.toml`
    ");

    fs::write(&path, b"name = \"demo\"\n# caf\xe9 au lait\n").unwrap();
    assert_snapshot!(refused(), @r"
    error: spec.toml:2:6: expected UTF-8 text, found the byte 0xe9
      |
    2 | # caf� au lait
      |      ^
    hint: save the file as UTF-8
    ");

    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_snapshot!(refused(), @r"
    error: spec.toml: cannot read the spec: Is a directory (os error 21)
    ");
}
