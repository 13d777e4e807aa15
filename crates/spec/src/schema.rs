//! The JSON schema of a spec: its name and `[sweep]` beside the tables of a run.

use serde_json::{Map, Value, json};

use crate::catalog::{self, TABLES};
use crate::key::{Key, Range};
use crate::problem::MAX_NAME;
use crate::tables::{ModelSpec, TaskSpec};
use crate::value::Kind as Takes;

/// What a spec may name and others know: the tasks and the models in the binary.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// The tasks.
    pub tasks: Vec<String>,
    /// The built-in models.
    pub models: Vec<String>,
}

/// The JSON schema (draft 2020-12) of a spec.
///
/// It is for editors: it knows every key that can be swept by its path, but leaves it to
/// [`Spec`](crate::Spec) to refuse others, which it does with a better message, and to hold the rules that go over several
/// keys.
pub fn schema(names: &Names) -> Value {
    whole(tables(names))
}

/// The schema of the tables beside `[sweep]`.
fn tables(names: &Names) -> Value {
    let mut root = closed_table("A sweep: its name, the tables of a run, and what varies.");
    for table in TABLES {
        put(&mut root, table.path, closed_table(table.doc));
    }
    for key in catalog::keys() {
        put(&mut root, key.path, of_key(key, names));
    }
    root
}

fn closed_table(doc: &str) -> Value {
    json!({
        "type": "object",
        "description": doc,
        "properties": {},
        "additionalProperties": false,
    })
}

/// Puts the schema of a key or table among the properties of the table it stands in.
fn put(root: &mut Value, path: &str, schema: Value) {
    let mut at = root;
    for name in path.split('.') {
        at = &mut at["properties"][name];
    }
    *at = schema;
}

fn of_key(key: &Key, names: &Names) -> Value {
    let mut schema = match key.kind {
        Takes::Whole => json!({ "type": "integer", "minimum": 0 }),
        Takes::Number => json!({ "type": "number" }),
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Words(words) => {
            let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            json!({ "type": "string", "enum": words })
        }
        Takes::Text | Takes::Path => json!({ "type": "string" }),
        Takes::Texts => {
            json!({ "type": "object", "additionalProperties": { "type": "string" } })
        }
    };
    schema["description"] = key.doc.trim().into();
    match key.range {
        Range::Any => {}
        Range::Count => schema["minimum"] = 1.into(),
        Range::NotNegative => schema["minimum"] = 0.into(),
        Range::Positive | Range::PositiveF32 => schema["exclusiveMinimum"] = 0.into(),
        Range::Share => {
            schema["minimum"] = 0.into();
            schema["exclusiveMaximum"] = 1.into();
        }
        Range::Bits32 => schema["maximum"] = u32::MAX.into(),
    }
    if let Some(default) = key.default.literal(None) {
        schema["default"] = default.to_json();
    }
    let known = match key.path {
        path if path == TaskSpec::NAME.path => &names.tasks,
        path if path == ModelSpec::BUILTIN.path => &names.models,
        _ => return schema,
    };
    schema["enum"] = known.as_slice().into();
    schema
}

/// A spec's schema from that of its tables.
fn whole(tables: Value) -> Value {
    let definitions = definitions(&tables);
    let mut spec = match tables {
        Value::Object(spec) => spec,
        _ => Map::new(),
    };
    let own = [
        ("name", name()),
        ("sweep", json!({ "$ref": "#/$defs/sweep" })),
    ];
    let own = own.map(|(key, value)| (key.to_owned(), value));
    let properties = spec.entry("properties").or_insert_with(|| json!({}));
    if let Value::Object(properties) = properties {
        properties.extend(own);
    }
    let head = [
        (
            "$schema",
            json!("https://json-schema.org/draft/2020-12/schema"),
        ),
        ("title", json!("A spec of mezo")),
        (
            "description",
            json!("A sweep: its name, the tables of a run, and what varies."),
        ),
        ("required", json!(["name"])),
        ("$defs", definitions),
    ];
    spec.extend(head.map(|(keyword, value)| (keyword.to_owned(), value)));
    Value::Object(spec)
}

/// What a name is held against.
fn name() -> Value {
    json!({
        "description": "The sweep's name: its runs go to runs/NAME, its tables and figures to results/NAME.",
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9._-]*$",
        "maxLength": MAX_NAME,
    })
}

fn definitions(tables: &Value) -> Value {
    json!({
        "sweep": sweep(tables),
        "entry": entry(tables),
        "value": { "type": ["string", "number", "boolean"] },
        // A list, or the table that TOML makes of dotted keys, with lists in it.
        "swept": {
            "type": ["array", "object"],
            "minItems": 1,
            "items": { "$ref": "#/$defs/value" },
            "minProperties": 1,
            "additionalProperties": { "$ref": "#/$defs/swept" },
        },
        "setting": {
            "type": ["string", "number", "boolean", "object"],
            "minProperties": 1,
            "additionalProperties": { "$ref": "#/$defs/setting" },
        },
    })
}

/// One `[sweep]`, or a list of several `[[sweep]]`. Both are one schema and no choice of two, of which an editor could not
/// say where a spec keeps to neither.
fn sweep(tables: &Value) -> Value {
    let words = [
        (
            "zip",
            json!({
                "description": "Keys whose lists go side by side, the first value with the first: [[\"lr\", \"eps\"]].",
                "type": "array",
                "items": { "type": "array", "minItems": 2, "items": { "type": "string" } },
            }),
        ),
        (
            "list",
            json!({
                "description": "Combinations written out, all with the same keys: [{ lr = 1e-4, eps = 1e-3 }].",
                "type": "array",
                "minItems": 1,
                "items": { "$ref": "#/$defs/entry" },
            }),
        ),
        (
            "exclude",
            json!({
                "description": "Combinations that are left out, by some of their values: [{ lr = 1e-4, seed = 13 }].",
                "type": "array",
                "items": { "$ref": "#/$defs/entry" },
            }),
        ),
    ];
    let mut keys = Form::List.keys(tables);
    keys.extend(words.map(|(word, value)| (word.to_owned(), value)));
    let mut sweep = Form::List.by_paths(keys);
    let head = [
        (
            "description",
            json!(
                "What varies: every combination of the lists is a run. Several [[sweep]] are several grids."
            ),
        ),
        ("type", json!(["object", "array"])),
        ("minItems", json!(1)),
        ("items", json!({ "$ref": "#/$defs/sweep" })),
    ];
    sweep.extend(head.map(|(keyword, value)| (keyword.to_owned(), value)));
    Value::Object(sweep)
}

/// A table of `list` or `exclude`.
fn entry(tables: &Value) -> Value {
    let mut entry = Form::One.by_paths(Form::One.keys(tables));
    entry.insert("minProperties".to_owned(), json!(1));
    Value::Object(entry)
}

/// What stands at a key: in `[sweep]` a list of its values, in an entry one of them.
#[derive(Clone, Copy)]
enum Form {
    List,
    One,
}

impl Form {
    /// What stands at a key that no table has.
    fn other(self) -> Value {
        match self {
            Self::List => json!({ "$ref": "#/$defs/swept" }),
            Self::One => json!({ "$ref": "#/$defs/setting" }),
        }
    }

    /// What stands at a key whose values have this schema, found at `pointer`.
    fn value(self, schema: &Value, pointer: &str) -> Value {
        let value = json!({ "$ref": pointer });
        match self {
            Self::One => value,
            Self::List => {
                let mut list = json!({ "type": "array", "minItems": 1, "items": value });
                if let Some(said) = schema.get("description") {
                    list["description"] = said.clone();
                }
                list
            }
        }
    }

    /// A table at whose top are these keys and paths in quotes. A key without a dot that is no short name can only begin
    /// a path, with a table after it.
    fn by_paths(self, keys: Map<String, Value>) -> Map<String, Value> {
        Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), Value::Object(keys)),
            (
                "patternProperties".to_owned(),
                json!({ r"\.": self.other() }),
            ),
            (
                "additionalProperties".to_owned(),
                table(Map::new(), self.other()),
            ),
        ])
    }

    /// Every key of the tables: by its short name, by its path in quotes, and in a table of its own.
    fn keys(self, tables: &Value) -> Map<String, Value> {
        let mut keys = Map::new();
        for (name, schema) in properties(tables) {
            if matches!(kind(schema), Kind::Value) {
                continue;
            }
            let pointer = below("#", name);
            keys.insert(name.clone(), self.in_table(schema, &pointer));
            self.add_paths(schema, name, &pointer, &mut keys);
        }
        for (short, key) in catalog::short_names() {
            keys.insert(short.to_owned(), self.at(tables, key.path));
        }
        keys
    }

    /// What stands at the key of this path.
    fn at(self, tables: &Value, path: &str) -> Value {
        let mut found = (tables, "#".to_owned());
        for name in path.split('.') {
            let Some(schema) = found.0.get("properties").and_then(|keys| keys.get(name)) else {
                return self.value(&Value::Null, "#/$defs/value");
            };
            found = (schema, below(&found.1, name));
        }
        self.value(found.0, &found.1)
    }

    /// What stands at a key in TOML's own tables.
    fn in_table(self, schema: &Value, pointer: &str) -> Value {
        match kind(schema) {
            Kind::Value => self.value(schema, pointer),
            Kind::Open(values) => {
                let pointer = format!("{pointer}/additionalProperties");
                table(Map::new(), self.value(values, &pointer))
            }
            Kind::Table => {
                let keys = properties(schema)
                    .map(|(name, schema)| {
                        (name.clone(), self.in_table(schema, &below(pointer, name)))
                    })
                    .collect();
                table(keys, self.other())
            }
        }
    }

    /// Adds the paths of a table's keys, and of those in its tables. Those of an open table are not known.
    fn add_paths(self, schema: &Value, path: &str, pointer: &str, keys: &mut Map<String, Value>) {
        for (name, schema) in properties(schema) {
            let (path, pointer) = (format!("{path}.{name}"), below(pointer, name));
            match kind(schema) {
                Kind::Value => {
                    keys.insert(path, self.value(schema, &pointer));
                }
                Kind::Table => self.add_paths(schema, &path, &pointer, keys),
                Kind::Open(_) => {}
            }
        }
    }
}

/// What a schema of the tables describes.
enum Kind<'s> {
    /// A table of known keys.
    Table,
    /// A table of the user's own keys, whose values have this schema.
    Open(&'s Value),
    Value,
}

fn kind(schema: &Value) -> Kind<'_> {
    match (schema.get("properties"), schema.get("additionalProperties")) {
        (Some(_), _) => Kind::Table,
        (None, Some(values)) if values.is_object() => Kind::Open(values),
        _ => Kind::Value,
    }
}

/// The keys of a table.
fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.into_iter().flatten()
}

/// Where the schema of a key is, in the table whose own is at `pointer`. Keys are words of `a-z` and `_`, which stand for
/// themselves in a pointer.
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/properties/{name}")
}

/// A table of these keys and others. An empty one would name no value.
fn table(keys: Map<String, Value>, others: Value) -> Value {
    json!({
        "type": "object",
        "minProperties": 1,
        "properties": keys,
        "additionalProperties": others,
    })
}

#[cfg(test)]
mod tests;
