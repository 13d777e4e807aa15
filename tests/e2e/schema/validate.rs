//! Holds a value against a JSON schema (draft 2020-12), by the keywords that `mezo sweep schema` prints and those that
//! it would with other types in a spec.
//!
//! A keyword, a type, a pattern or a reference that is not known here is a panic, so that none is passed over.

use serde_json::{Map, Value, json};

pub struct Validator(Value);

impl Validator {
    pub fn new(schema: Value) -> Self {
        let validator = Self(schema);
        // Tries every keyword of every part, those included that no spec comes to.
        let probes = [json!(""), json!(0), json!([""]), json!({ "": "" })];
        for part in parts(&validator.0) {
            for probe in &probes {
                validator.faults_at(part, probe, "");
            }
        }
        validator
    }

    /// Where the value does not keep to the schema, as a JSON pointer, and to what of it: `/train/lr: type "number"`.
    pub fn faults(&self, value: &Value) -> Vec<String> {
        self.faults_at(&self.0, value, "")
    }

    fn faults_at(&self, schema: &Value, value: &Value, place: &str) -> Vec<String> {
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(true) => return Vec::new(),
            Value::Bool(false) => return vec![format!("{place}: nothing may stand here")],
            _ => panic!("not a schema: {schema}"),
        };
        let broken = keywords
            .iter()
            .filter(|(keyword, said)| !self.keeps_to(keyword, said, value));
        let mut faults: Vec<String> = broken
            .map(|(keyword, said)| format!("{place}: {keyword} {said}"))
            .collect();
        if let Some(reference) = keywords.get("$ref") {
            faults.extend(self.faults_at(self.referred(reference), value, place));
        }
        for schema in keywords.get("allOf").into_iter().flat_map(list) {
            faults.extend(self.faults_at(schema, value, place));
        }
        for (i, item) in value.as_array().into_iter().flatten().enumerate() {
            if let Some(schema) = keywords.get("items") {
                faults.extend(self.faults_at(schema, item, &format!("{place}/{i}")));
            }
        }
        for (key, value) in value.as_object().into_iter().flatten() {
            for schema in of_key(keywords, key) {
                let place = match schema {
                    // A key that may not be there is a fault of its table.
                    Value::Bool(false) => format!("{place}: {key}"),
                    _ => format!("{place}/{}", key.replace('~', "~0").replace('/', "~1")),
                };
                faults.extend(self.faults_at(schema, value, &place));
            }
        }
        faults
    }

    /// Whether the value keeps to a keyword, apart from those by which [`Self::faults_at`] goes on to other schemas.
    fn keeps_to(&self, keyword: &str, said: &Value, value: &Value) -> bool {
        // No keyword but `type` speaks of values of other types than its own.
        let number = value.as_f64();
        let string = value.as_str();
        let characters = string.map(|string| string.chars().count());
        let items = value.as_array();
        let table = value.as_object();
        let limit = || said.as_u64().unwrap();
        let at_least = |size: Option<usize>| size.is_none_or(|size| size as u64 >= limit());
        let at_most = |size: Option<usize>| size.is_none_or(|size| size as u64 <= limit());
        let keeps = |schema: &Value| self.faults_at(schema, value, "").is_empty();
        match keyword {
            "title" | "description" | "default" | "examples" | "deprecated" => true,
            "$schema" | "$comment" | "$defs" => true,
            "$ref" | "allOf" | "items" => true,
            "properties" | "patternProperties" | "additionalProperties" => true,
            "type" if said.is_array() => list(said).iter().any(|name| is_a(name, value)),
            "type" => is_a(said, value),
            "enum" => list(said).iter().any(|choice| same(choice, value)),
            "const" => same(said, value),
            "minimum" => number.is_none_or(|number| number >= said.as_f64().unwrap()),
            "maximum" => number.is_none_or(|number| number <= said.as_f64().unwrap()),
            "exclusiveMinimum" => number.is_none_or(|number| number > said.as_f64().unwrap()),
            "exclusiveMaximum" => number.is_none_or(|number| number < said.as_f64().unwrap()),
            "minLength" => at_least(characters),
            "maxLength" => at_most(characters),
            "pattern" => string.is_none_or(|string| fits(said.as_str().unwrap(), string)),
            "minItems" => at_least(items.map(Vec::len)),
            "uniqueItems" => !said.as_bool().unwrap() || items.is_none_or(|all| are_unique(all)),
            "minProperties" => at_least(table.map(Map::len)),
            "required" => table.is_none_or(|table| {
                let mut keys = list(said).iter().map(|key| key.as_str().unwrap());
                keys.all(|key| table.contains_key(key))
            }),
            "anyOf" => list(said).iter().any(keeps),
            "oneOf" => list(said).iter().filter(|schema| keeps(schema)).count() == 1,
            _ => panic!("unknown keyword {keyword}"),
        }
    }

    fn referred(&self, reference: &Value) -> &Value {
        let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
        // No key needs one of URLs' escapes.
        let pointer = pointer.filter(|pointer| !pointer.contains('%'));
        let schema = pointer.and_then(|pointer| self.0.pointer(pointer));
        schema.unwrap_or_else(|| panic!("unknown reference {reference}"))
    }
}

/// A schema and all that are written in it.
fn parts(schema: &Value) -> Vec<&Value> {
    let mut all = vec![schema];
    for (keyword, said) in schema.as_object().into_iter().flatten() {
        let inner: Vec<&Value> = match keyword.as_str() {
            "properties" | "patternProperties" | "$defs" => {
                said.as_object().unwrap().values().collect()
            }
            "anyOf" | "oneOf" | "allOf" => list(said).iter().collect(),
            "items" | "additionalProperties" => vec![said],
            _ => Vec::new(),
        };
        all.extend(inner.into_iter().flat_map(parts));
    }
    all
}

/// The schemas of what stands at a key.
fn of_key<'s>(keywords: &'s Map<String, Value>, key: &str) -> Vec<&'s Value> {
    let named = keywords.get("properties").and_then(|named| named.get(key));
    let patterns = keywords.get("patternProperties");
    let patterns = patterns.and_then(Value::as_object).into_iter().flatten();
    let fitting = patterns.filter(|(pattern, _)| fits(pattern, key));
    let mut schemas: Vec<&Value> = named.into_iter().collect();
    schemas.extend(fitting.map(|(_, schema)| schema));
    if schemas.is_empty() {
        schemas.extend(keywords.get("additionalProperties"));
    }
    schemas
}

fn list(said: &Value) -> &Vec<Value> {
    said.as_array().unwrap()
}

fn is_a(name: &Value, value: &Value) -> bool {
    match name.as_str().unwrap() {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        name => panic!("unknown type {name}"),
    }
}

/// Whether two values are equal; 1 and 1.0 are one number.
fn same(a: &Value, b: &Value) -> bool {
    a == b || (a.is_number() && a.as_f64() == b.as_f64())
}

fn are_unique(items: &[Value]) -> bool {
    let is_new = |i: usize| !items[..i].iter().any(|item| same(item, &items[i]));
    (0..items.len()).all(is_new)
}

/// Whether the text has what the pattern, one of those that occur, looks for.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern {
        r"\." => text.contains('.'),
        "^[a-z0-9][a-z0-9._-]*$" => {
            let begins = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
            let goes_on = |c: char| begins(c) || "._-".contains(c);
            text.starts_with(begins) && text.chars().all(goes_on)
        }
        _ => panic!("unknown pattern {pattern}"),
    }
}
