//! What the schema takes and refuses.

use super::*;

fn schema() -> Value {
    super::schema(&Names::default())
}

#[test]
fn a_path_has_the_values_of_its_key() {
    let schema = schema();
    let list = json!({
        "type": "array",
        "minItems": 1,
        "items": { "$ref": "#/properties/task/properties/k" },
        "description": TaskSpec::K.doc.trim(),
    });
    let sweep = &schema["$defs"]["sweep"]["properties"];
    assert_eq!(sweep["task.k"], list);
    assert_eq!(sweep["task"]["properties"]["k"], list);
    let entry = &schema["$defs"]["entry"]["properties"];
    assert_eq!(entry["task.k"], list["items"]);
    assert_eq!(entry["task"]["properties"]["k"], list["items"]);
}

#[test]
fn short_names_stand_for_their_paths_if_there_are_such() {
    let schema = schema();
    let sweep = &schema["$defs"]["sweep"]["properties"];
    let protocol = &sweep["protocol"]["items"]["$ref"];
    assert_eq!(protocol, "#/properties/protocol");
    assert_eq!(
        sweep["lr"]["items"]["$ref"],
        "#/properties/train/properties/lr"
    );
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(part: &Value, whole: &Value) {
        match part {
            Value::Object(map) => {
                if let Some(pointer) = map.get("$ref").and_then(Value::as_str) {
                    let pointer = pointer.trim_start_matches('#');
                    assert!(whole.pointer(pointer).is_some(), "{pointer}");
                }
                map.values().for_each(|part| check(part, whole));
            }
            Value::Array(list) => list.iter().for_each(|part| check(part, whole)),
            _ => {}
        }
    }
    let schema = schema();
    check(&schema, &schema);
}

#[test]
fn the_name_alone_is_required() {
    let schema = schema();
    assert_eq!(schema["required"], json!(["name"]));
    assert_eq!(schema["properties"]["name"]["maxLength"], 100);
    assert_eq!(schema["additionalProperties"], false);
}
