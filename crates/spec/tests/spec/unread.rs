//! Keys that a method does not read are refused, and those methods that do are named.

use insta::assert_snapshot;
use mezo_spec::{Key, Literal, Method, MethodName, keys};

use crate::support::{beside, errors, of_method, runs, spec, told, toml, values};

/// The keys of the tables whose keys belong to methods.
fn of_methods() -> impl Iterator<Item = &'static Key> {
    let keys = keys().iter().copied();
    keys.filter(|key| matches!(key.path.split_once('.'), Some(("method" | "train", _))))
        .filter(|key| key.path != "method.name")
}

fn reads(method: MethodName, key: &Key) -> bool {
    Method::keys_of(method)
        .iter()
        .any(|known| known.path == key.path)
}

fn line(key: &Key, value: &Literal) -> String {
    format!("{} = {}\n", key.path, toml(value))
}

#[test]
fn every_method_takes_what_it_reads() {
    for method in &MethodName::ALL {
        for key in of_methods().filter(|key| reads(*method, key)) {
            for value in values(key) {
                let text = of_method(*method, &format!("{}{}", beside(key), line(key, &value)));
                let config = &runs(&spec(&text))[0];
                assert_eq!(config.method.name(), *method);
            }
        }
    }
}

#[test]
fn every_method_refuses_what_it_does_not_read() {
    let mut refused = 0;
    for method in &MethodName::ALL {
        for key in of_methods().filter(|key| !reads(*method, key)) {
            let text = of_method(*method, &line(key, &values(key)[0]));
            let errors = errors(&text);
            let all: Vec<_> = errors.iter().collect();
            assert_eq!(all.len(), 1, "{method} {}:\n{errors}", key.path);
            let subject = match key.table() {
                "method" | "train" => key.path,
                table => table,
            };
            assert_eq!(
                all[0].problem().to_string(),
                format!(
                    "`{subject}` is set, but `method.name` is \"{method}\", which does not read it"
                )
            );
            let readers = MethodName::ALL.iter().filter(|method| reads(**method, key));
            let readers: Vec<_> = readers.map(|method| format!("`{method}`")).collect();
            let hint = format!("remove it; it is read by {}", readers.join(", "));
            assert_eq!(all[0].hint(), Some(hint));
            refused += 1;
        }
    }
    // `mezo` and `lp-mezo` refuse two keys of `ft` each, `lp` and `zero-shot` nearly all.
    assert!(refused > 40, "only {refused}");
}

#[test]
fn a_table_is_refused_once_and_by_its_name() {
    let lora = "method.lora.r = 4\nmethod.lora.alpha = 8\nmethod.scale.by = \"gradient-norm\"\n";
    assert_snapshot!(told(&of_method(MethodName::Lp, lora)).join("\n"), @r#"
    7:8 `method.lora` is set, but `method.name` is "lp", which does not read it
    9:8 `method.scale` is set, but `method.name` is "lp", which does not read it
    "#);
    // An empty one is none the less set.
    assert_snapshot!(told(&of_method(MethodName::Ft, "[method.estimates]\n")).join("\n"), @r#"11:1 `method.estimates` is set, but `method.name` is "ft", which does not read it"#);
}

#[test]
fn the_tables_of_a_tuning_go_with_it() {
    let mezo = |more: &str| told(&of_method(MethodName::Mezo, more)).join("\n");
    assert_snapshot!(mezo("method.lora.r = 4\n"), @r#"12:8 `method.lora` is set, but `method.tuning` is "full", which does not read it"#);
    assert_snapshot!(mezo("method.tuning = \"lora\"\nmethod.prefix.tokens = 4\n"), @r#"13:8 `method.prefix` is set, but `method.tuning` is "lora", which does not read it"#);
    assert_snapshot!(mezo("[method.lora]\n"), @r#"12:1 `method.lora` is set, but `method.tuning` is "full", which does not read it"#);
    let hints = errors(&of_method(MethodName::Ft, "method.prefix.tokens = 4\n"));
    let hint = hints.iter().next().unwrap().hint();
    assert_eq!(
        hint.as_deref(),
        Some("set `tuning = \"prefix\"` in [method], or remove it")
    );
}

#[test]
fn a_seed_draws_the_head_where_there_is_no_prompt() {
    let text = of_method(
        MethodName::ZeroShot,
        "task.prompt = false\ntrain.seed = 13\n",
    );
    assert_eq!(runs(&spec(&text))[0].method.seed(), Some(13));
    let none = of_method(MethodName::ZeroShot, "task.prompt = false\n");
    assert_snapshot!(told(&none).join("\n"), @"missing key `seed` in [train]");
}
