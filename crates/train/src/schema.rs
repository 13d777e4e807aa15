//! The JSON schema of a run's tables in a spec.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use serde_json::Value;

use crate::spec::RunSpec;

/// The JSON schema (draft 2020-12) of the tables that a [`RunSpec`] is read from, without references.
///
/// It requires nothing, and it knows no rule that goes over several keys: those are for
/// [`RunSpec::check`].
pub fn schema() -> Value {
    SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = true)
        .with_transform(RecursiveTransform(as_in_a_spec))
        .into_generator()
        .into_root_schema_for::<RunSpec>()
        .to_value()
}

/// From what serde takes to what stands in a spec.
fn as_in_a_spec(schema: &mut Schema) {
    without_null(schema);
    // A key that a run needs may be missing in its table: [sweep] gives it then.
    schema.remove("required");
    // Words such as `uint64`, which are schemars' own and which editors warn of.
    schema.remove("format");
}

/// TOML has no null. What may be left out is of its one type where it stands.
fn without_null(schema: &mut Schema) {
    let Some(schema) = schema.as_object_mut() else {
        return;
    };
    if let Some(Value::Array(mut types)) = schema.get("type").cloned() {
        types.retain(|name| name != "null");
        let types = match types.as_slice() {
            [only] => only.clone(),
            _ => Value::Array(types),
        };
        schema.insert("type".to_owned(), types);
    }
    if let Some(Value::Array(mut choices)) = schema.remove("anyOf") {
        choices.retain(|choice| choice["type"] != "null");
        if let [Value::Object(only)] = choices.as_slice() {
            // What is said of the key stays, before what is said of its type.
            for (keyword, value) in only {
                schema
                    .entry(keyword.clone())
                    .or_insert_with(|| value.clone());
            }
        } else {
            schema.insert("anyOf".to_owned(), Value::Array(choices));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mezo_tasks::Task;
    use serde_json::json;

    use super::*;

    fn at(path: &str) -> Value {
        let pointer = path.replace('.', "/properties/");
        let schema = schema();
        let found = schema.pointer(&format!("/properties/{pointer}"));
        found
            .cloned()
            .unwrap_or_else(|| panic!("no {path} in {schema:#}"))
    }

    #[test]
    fn nothing_is_required_or_null() {
        let text = schema().to_string();
        for word in ["\"required\"", "null", "\"format\"", "\"$ref\""] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }

    #[test]
    fn a_key_has_its_type_its_words_and_what_it_is() {
        assert_eq!(
            at("train.lr"),
            json!({ "description": "Learning rate, at its highest.", "type": "number" })
        );
        let schedule = at("train.schedule");
        assert_eq!(schedule["oneOf"][1]["const"], "linear");
        let said = schedule["description"].as_str().unwrap();
        assert!(said.starts_with("Constant by default"), "{said}");
        assert_eq!(at("task.test_cap")["default"], 1000);
        assert_eq!(at("task.name")["enum"], json!(Task::names()));
        assert_eq!(at("method.lora")["additionalProperties"], false);
        let precision = at("model.precision");
        assert_eq!(precision["type"], "string");
        assert_eq!(precision["enum"], json!(["f32", "tf32", "f16", "bf16"]));
    }
}
