//! A bracket that is never closed is told where it opens, and nothing that follows from it.

use insta::assert_snapshot;

use crate::support::{edited, refused, told};

/// What is told of the sound spec with other lines in the place of `seed`.
#[track_caller]
fn train(lines: &str) -> String {
    told(&edited(&[("seed = 13", lines)])).join("\n")
}

/// What is told of a `[sweep]` at the spec's end, or before another table.
#[track_caller]
fn sweep(lines: &str) -> [String; 2] {
    let end = format!("{}[sweep]\n{lines}", edited(&[]));
    let middle = edited(&[("[train]", &format!("[sweep]\n{lines}\n[train]"))]);
    [end, middle].map(|text| {
        let told = told(&text);
        assert_eq!(told.len(), 1, "{told:#?}");
        // The line apart, both are told the same.
        told[0].split_once(':').unwrap().1.to_owned()
    })
}

#[test]
fn it_is_shown_where_it_opens() {
    let text = edited(&[("eps = 1e-3\n", "")]) + "[sweep]\nseed = [13, 21\nlr = [1e-4, 3e-4]\n";
    assert_snapshot!(refused(&text), @"
    error: spec.toml:20:8: this `[` is never closed
       |
    20 | seed = [13, 21
       |        ^
    hint: write `]` where it ends
    ");
    assert_snapshot!(refused(&edited(&[("[train]", "[train")])), @"
    error: spec.toml:13:1: this `[` is never closed
       |
    13 | [train
       | ^
    hint: write `]` where it ends
    ");
}

#[test]
fn whatever_follows_it() {
    // The end of the text, a key, a table, several lines of values.
    let open = "6 this `[` is never closed";
    assert_eq!(sweep("lr = [1e-4, 3e-4"), [open, open]);
    assert_eq!(sweep("lr = [1e-4,"), [open, open]);
    assert_eq!(sweep("lr = ["), [open, open]);
    assert_eq!(sweep("lr = [\n  1e-4,\n  3e-4,\n"), [open, open]);
    assert_eq!(sweep("lr = [1e-4, # ]\n"), [open, open]);
    assert_eq!(
        sweep("lr = [\"]\", 1\n\"train.eps\" = [1e-3]"),
        [open, open]
    );
    assert_eq!(
        sweep("lr = [1e-4\ntrain.eps = [1e-3]\nseed = [13]"),
        [open, open]
    );
    assert_eq!(sweep("lr = [1e-4\n'train.eps' = [1e-3]"), [open, open]);
}

#[test]
fn whatever_it_is_in() {
    assert_eq!(
        sweep("zip = [[\"lr\", \"eps\"]\nseed = [13]"),
        ["7 this `[` is never closed"; 2]
    );
    assert_eq!(
        sweep("zip = [[\"lr\", \"eps\"\nseed = [13]"),
        ["8 this `[` is never closed"; 2]
    );
    assert_eq!(
        sweep("list = [{ lr = 1e-4, eps = 1e-3]"),
        ["9 this `{` is never closed"; 2]
    );
    assert_eq!(
        sweep("list = [{ lr = 1e-4, eps = 1e-3 }\nseed = [13]"),
        ["8 this `[` is never closed"; 2]
    );
    assert_eq!(
        sweep("exclude = [\n  { lr = 1e-4 },\n  { lr = 3e-4,\n]\n"),
        ["3 this `{` is never closed"; 2]
    );
    assert_snapshot!(train("lora = { r = 8"), @"14:8 this `{` is never closed");
    assert_snapshot!(train("lora = { r = [8 }"), @"14:14 this `[` is never closed");
    assert_snapshot!(told(&edited(&[("[method]", "[[method]")])).join("\n"), @"10:1 this `[` is never closed");
}

#[test]
fn what_is_wrong_before_it_is_told_too() {
    assert_snapshot!(train("seed = = 13\nlr = [1e-4"), @"
    14:8 extra `=`, expected nothing
    15:6 this `[` is never closed
    ");
}

#[test]
fn brackets_that_are_closed_are_not_told() {
    // Broken in another way.
    assert_snapshot!(train("seed = thirteen\nx = [\"a = 1\",\n \"[\"] # ["), @"14:8 invalid boolean, expected `true`");
    assert_snapshot!(train("seed = 13]"), @"14:10 unexpected key or value, expected newline, `#`");
    assert_snapshot!(train("seed = \"[13"), @r#"14:12 invalid basic string, expected `"`"#);
    assert_snapshot!(train("seed = [13, 21]]"), @"14:16 unexpected key or value, expected newline, `#`");
}
