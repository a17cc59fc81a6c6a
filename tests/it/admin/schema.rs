//! Checks a JSON value against a schema of the API's description, as far as that uses JSON Schema. A field that is not
//! described is a mistake.

use serde_json::Value;

/// What is wrong with `value`; nothing if it is what the schema says.
pub(super) fn mistakes(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    check(root, schema, value, "$", &mut wrong);
    wrong
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, wrong: &mut Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let found = root.pointer(name.trim_start_matches('#'));
        let found = found.unwrap_or_else(|| panic!("{name} is not described"));
        return check(root, found, value, at, wrong);
    }
    for key in ["oneOf", "anyOf"] {
        if let Some(choices) = schema[key].as_array() {
            let fits = |choice: &&Value| {
                let mut wrong = Vec::new();
                check(root, choice, value, at, &mut wrong);
                wrong.is_empty()
            };
            let fitting = choices.iter().filter(fits).count();
            if fitting == 0 || (key == "oneOf" && fitting > 1) {
                wrong.push(format!("{at}: {fitting} of the choices fit {value}"));
            }
            return;
        }
    }
    if let Some(kind) = schema.get("type") {
        let kinds: Vec<&str> = match kind {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
            other => panic!("{at}: type {other}"),
        };
        if !kinds.iter().any(|kind| is_of(kind, value)) {
            wrong.push(format!("{at}: {value} is no {kinds:?}"));
            return;
        }
    }
    if let Some(values) = schema["enum"].as_array()
        && !values.contains(value)
    {
        wrong.push(format!("{at}: {value} is none of {values:?}"));
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (number, item) in items.iter().enumerate() {
            check(root, schema, item, &format!("{at}[{number}]"), wrong);
        }
    }
    let Some(fields) = value.as_object() else {
        return;
    };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap_or_default();
        if !fields.contains_key(name) {
            wrong.push(format!("{at}.{name} is missing"));
        }
    }
    for (name, field) in fields {
        let at = format!("{at}.{name}");
        match (
            &schema["properties"][name],
            schema.get("additionalProperties"),
        ) {
            (Value::Null, Some(more)) if !more.is_boolean() => {
                check(root, more, field, &at, wrong);
            }
            // An object of which nothing is said.
            (Value::Null, _) if schema.get("properties").is_none() => {}
            (Value::Null, _) => wrong.push(format!("{at} is not described")),
            (schema, _) => check(root, schema, field, &at, wrong),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_not_as_described_is_found() {
        let root = json!({"components": {"schemas": {"A": {
            "type": "object", "required": ["n"],
            "properties": {"n": {"type": "integer"}, "t": {"type": ["string", "null"]}},
        }}}});
        let schema = json!({"$ref": "#/components/schemas/A"});
        for (value, count) in [
            (json!({"n": 1, "t": null}), 0),
            (json!({"n": 1.5}), 1),
            (json!({"t": "x"}), 1),
            (json!({"n": 1, "more": 1}), 1),
            (json!({"n": 1, "t": 2}), 1),
            (json!([]), 1),
        ] {
            assert_eq!(mistakes(&root, &schema, &value).len(), count, "{value}");
        }
        let one = json!({"oneOf": [{"type": "null"}, {"enum": ["a"]}]});
        assert!(mistakes(&root, &one, &json!("a")).is_empty());
        assert_eq!(mistakes(&root, &one, &json!("b")).len(), 1);
    }
}
