//! JSON Schema, as far as the documents of these tests use it. A keyword that is not known here fails the test.

use serde_json::Value;

/// Fails the test if the value is not of this schema of the document.
#[track_caller]
pub(super) fn check(document: &Value, schema: &Value, value: &Value) {
    if let Err(error) = matches(document, schema, value) {
        panic!("{error}\nin {value}\nby {schema}");
    }
}

fn matches(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(keywords) = schema.as_object() else {
        return if *schema == Value::Bool(true) { Ok(()) } else { Err(format!("{schema} is no schema")) };
    };
    for (keyword, content) in keywords {
        match keyword.as_str() {
            "description" | "format" | "default" => {}
            "$ref" => {
                let pointer =
                    content.as_str().and_then(|reference| reference.strip_prefix('#')).unwrap_or_default();
                let target =
                    document.pointer(pointer).ok_or_else(|| format!("{content} is not in the document"))?;
                matches(document, target, value)?;
            }
            "type" => {
                let allowed = content.as_array().map_or(std::slice::from_ref(content), Vec::as_slice);
                if !allowed.iter().any(|kind| is_of(kind.as_str().unwrap_or_default(), value)) {
                    return Err(format!("{value} is no {content}"));
                }
            }
            "enum" if content.as_array().is_some_and(|values| values.contains(value)) => {}
            "enum" => return Err(format!("{value} is not in {content}")),
            "anyOf" => {
                let errors =
                    content.as_array().into_iter().flatten().map(|one| matches(document, one, value).err());
                let errors: Vec<Option<String>> = errors.collect();
                if errors.iter().all(Option::is_some) {
                    return Err(format!("{value} is none of {content}: {errors:?}"));
                }
            }
            "properties" => {
                for (name, schema) in content.as_object().into_iter().flatten() {
                    if let Some(value) = value.get(name) {
                        matches(document, schema, value).map_err(|error| format!("`{name}`: {error}"))?;
                    }
                }
            }
            "required" => {
                let missing = content
                    .as_array()
                    .into_iter()
                    .flatten()
                    .find(|name| value.get(name.as_str().unwrap()).is_none());
                if let Some(missing) = missing {
                    return Err(format!("it lacks {missing}"));
                }
            }
            "additionalProperties" if *content == Value::Bool(false) => {
                let known = schema["properties"].as_object();
                let unknown = value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .find(|(name, _)| known.is_none_or(|known| !known.contains_key(*name)));
                if let Some((name, _)) = unknown {
                    return Err(format!("`{name}` is not in the schema"));
                }
            }
            "items" => {
                for item in value.as_array().into_iter().flatten() {
                    matches(document, content, item)?;
                }
            }
            other => return Err(format!("`{other}` is not known to this test")),
        }
    }
    Ok(())
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[test]
fn it_finds_what_is_wrong() {
    use serde_json::json;
    let document = json!({ "components": { "schemas": { "Id": { "type": "integer" } } } });
    let schema = json!({
        "type": "object",
        "properties": { "id": { "$ref": "#/components/schemas/Id" }, "names": { "type": "array", "items": { "type": ["string", "null"] } } },
        "required": ["id"],
        "additionalProperties": false,
    });
    matches(&document, &schema, &json!({ "id": 1, "names": ["a", null] })).unwrap();
    for wrong in [
        json!(1),
        json!({}),
        json!({ "id": "1" }),
        json!({ "id": 1, "x": 1 }),
        json!({ "id": 1, "names": [2] }),
    ] {
        matches(&document, &schema, &wrong).unwrap_err();
    }
    let either = json!({ "anyOf": [{ "type": "string", "enum": ["a"] }, { "type": "boolean" }] });
    for (value, is_right) in [(json!("a"), true), (json!(true), true), (json!("b"), false), (json!(1), false)]
    {
        assert_eq!(matches(&document, &either, &value).is_ok(), is_right, "{value}");
    }
    for wrong in [json!({ "$ref": "#/components/schemas/No" }), json!({ "maxLength": 1 }), json!(false)] {
        matches(&document, &wrong, &json!("")).unwrap_err();
    }
}
