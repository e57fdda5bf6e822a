//! JSON objects.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The object under this key. It replaces a value that is not an object.
pub(super) fn object<'m>(map: &'m mut Map<String, Value>, key: &str) -> &'m mut Map<String, Value> {
    let value = map.entry(key).or_insert(Value::Null);
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("it was made an object"),
    }
}

/// The value with its fields by name: in the documents of others it is the same text, whichever map another crate makes `serde_json` use.
pub(super) fn sorted_by_name(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<_, _> =
                fields.into_iter().map(|(name, value)| (name, sorted_by_name(value))).collect();
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(values) => values.into_iter().map(sorted_by_name).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::sorted_by_name;

    /// With each map of `serde_json`: `.ci/run` tests with the feature `preserve_order` too.
    #[test]
    fn fields_are_sorted_at_every_depth() {
        let value = json!({ "b": [{ "d": 1, "c": 2 }], "a": { "f": null, "e": "" } });
        assert_eq!(sorted_by_name(value).to_string(), r#"{"a":{"e":"","f":null},"b":[{"c":2,"d":1}]}"#);
    }
}
