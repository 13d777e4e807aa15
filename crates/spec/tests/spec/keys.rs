//! The declarations: each is whole, and holds against its own check.

use std::collections::BTreeSet;

use mezo_spec::{Kind, MethodName, Range, Role, Spec, TABLES, key, keys, markdown};

use crate::support::{default, toml, values};

/// What is said of a spec that sweeps one key through one value, or nothing.
fn said_of(path: &str, value: &str) -> Option<String> {
    let text = format!("name = \"demo\"\n[sweep]\n\"{path}\" = [{value}]\n");
    let errors = Spec::parse("spec.toml", text).err()?;
    Some(errors.to_string())
}

/// What is said of a key with this value in its table, or nothing.
fn said_in_table(path: &str, value: &str) -> Option<String> {
    let text = format!("name = \"demo\"\n{path} = {value}\n");
    let errors = Spec::parse("spec.toml", text).err()?;
    Some(errors.to_string())
}

#[test]
fn a_key_stands_in_a_table_once_and_has_a_doc() {
    let mut paths = BTreeSet::new();
    for known in keys() {
        let path = known.path;
        assert!(paths.insert(path), "{path} is declared twice");
        assert_eq!(key(path).map(|found| found.path), Some(path));
        let mut tables = TABLES.iter();
        let table = known.table().is_empty() || tables.any(|table| table.path == known.table());
        assert!(table, "{path} stands in no table");
        assert!(known.doc.trim().ends_with('.'), "{path} has no doc");
        let word = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(known.name().chars().all(word), "{path} is no word");
    }
    for table in TABLES {
        assert!(table.doc.ends_with('.'), "{} has no doc", table.path);
        let mut keys = keys().iter();
        assert!(
            keys.any(|key| key.table() == table.path),
            "{} is empty",
            table.path
        );
    }
    assert!(key("train.learning_rate").is_none());
}

#[test]
fn short_and_other_names_mean_one_key() {
    let short: Vec<_> = keys().iter().filter_map(|key| key.short).collect();
    assert_eq!(short.iter().collect::<BTreeSet<_>>().len(), short.len());
    let mut others = BTreeSet::new();
    for key in keys() {
        for other in key.others {
            assert!(others.insert(other), "{other} means two keys");
            let taken = keys().iter().any(|known| known.name() == *other);
            assert!(!taken, "{other} is a key itself");
        }
    }
}

#[test]
fn what_a_label_begins_with_is_of_some_use_to_a_search() {
    let labelled: Vec<_> = keys().iter().filter(|key| key.label.is_some()).collect();
    assert!(labelled.len() > 3);
    for key in labelled {
        assert_ne!(key.role, Role::Other, "{}", key.path);
    }
}

#[test]
fn a_column_belongs_to_one_key() {
    let columns: BTreeSet<_> = keys().iter().map(|key| key.column()).collect();
    assert_eq!(columns.len(), keys().len());
}

#[test]
fn every_default_passes_its_own_check() {
    for key in keys() {
        for method in &MethodName::ALL {
            if let Some(value) = default(key, *method) {
                assert_eq!(said_of(key.path, &toml(&value)), None, "{}", key.path);
            }
        }
        for value in values(key).iter().filter(|_| key.kind != Kind::Texts) {
            assert_eq!(said_of(key.path, &toml(value)), None, "{}", key.path);
        }
    }
}

#[test]
fn a_value_outside_the_range_is_refused_with_its_key() {
    for key in keys() {
        let (bad, good): (&[&str], &[&str]) = match key.range {
            Range::Any => (&[], &[]),
            Range::Count => (&["0"], &["1"]),
            Range::NotNegative => (&["-1e-300", "nan", "inf", "-inf"], &["0", "1e300"]),
            Range::Positive => (&["0", "-0.0", "-1", "nan", "inf"], &["1e-300", "1e300"]),
            Range::PositiveF32 => (
                &["0", "-1", "nan", "inf", "1e-39", "1e39"],
                &["1.2e-38", "3.4e38"],
            ),
            Range::Share => (&["1", "-0.1", "nan", "1.5"], &["0", "0.999"]),
            Range::Bits32 => (&["4294967296"], &["0", "4294967295"]),
        };
        for value in bad {
            let words = format!("for `{}`, found ", key.path);
            for said in [said_of(key.path, value), said_in_table(key.path, value)] {
                let said = said.unwrap_or_default();
                assert!(said.contains("expected "), "{} = {value}: {said}", key.path);
                assert!(said.contains(&words), "{} = {value}: {said}", key.path);
            }
        }
        for value in good {
            assert_eq!(said_of(key.path, value), None, "{} = {value}", key.path);
        }
    }
}

#[test]
fn a_value_of_another_type_is_refused_with_its_key() {
    for key in keys() {
        let wrong: &[&str] = match key.kind {
            Kind::Whole => &["1.5", "-1", "\"1\"", "true", "[1]", "{}"],
            Kind::Number => &["\"1\"", "true", "[1]", "{}"],
            Kind::Flag => &["1", "\"true\"", "[true]"],
            Kind::Words(_) | Kind::Text | Kind::Path => &["1", "true", "[\"a\"]", "2026-11-22"],
            Kind::Texts => &["1", "\"a\"", "{ 0 = 1 }", "[\"a\"]"],
        };
        for value in wrong {
            let said = said_in_table(key.path, value).unwrap_or_default();
            let words = format!(" for `{}", key.path);
            assert!(said.contains("expected "), "{} = {value}: {said}", key.path);
            assert!(said.contains(&words), "{} = {value}: {said}", key.path);
        }
        if let Kind::Words(_) = key.kind {
            let said = said_in_table(key.path, "\"no such word\"").unwrap_or_default();
            let words = format!("unknown value `no such word` for `{}`", key.path);
            assert!(said.contains(&words), "{said}");
        }
    }
}

#[test]
fn every_key_has_a_line_in_the_table_of_its_table() {
    for table in [""]
        .into_iter()
        .chain(TABLES.iter().map(|table| table.path))
    {
        let text = markdown(table);
        let lines: Vec<_> = text.lines().skip(2).collect();
        let keys: Vec<_> = keys().iter().filter(|key| key.table() == table).collect();
        assert_eq!(lines.len(), keys.len(), "{text}");
        for (line, key) in lines.iter().zip(keys) {
            let cells: Vec<_> = line.split(" | ").collect();
            assert_eq!(cells.len(), 4, "{line}");
            assert_eq!(cells[0], format!("| `{}`", key.name()));
            assert!(
                !cells[1].is_empty() && cells[3].contains(key.doc.trim()),
                "{line}"
            );
        }
    }
}
