//! References within a document.

use std::collections::BTreeSet;

use serde_json::Value;

/// Fields whose content is data, and no part of the document.
const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];

/// The references of a document to what is not in it.
pub(super) fn dangling(document: &Value) -> BTreeSet<String> {
    let mut references = BTreeSet::new();
    collect(document, &mut references);
    let is_dangling = |reference: &&str| {
        let pointer = reference.strip_prefix('#').filter(|pointer| pointer.starts_with('/'));
        pointer.is_some_and(|pointer| document.pointer(&decoded(pointer)).is_none())
    };
    references.into_iter().filter(is_dangling).map(str::to_owned).collect()
}

fn collect<'v>(value: &'v Value, references: &mut BTreeSet<&'v str>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
        // Below an `$id` references are relative to it.
        Value::Object(fields) if fields.contains_key("$id") => {}
        Value::Object(fields) => {
            references.extend(fields.get("$ref").and_then(Value::as_str));
            let is_data = |key: &str| DATA.contains(&key) || key.starts_with("x-");
            let parts = fields.iter().filter(|(key, _)| !is_data(key));
            parts.for_each(|(_, value)| collect(value, references));
        }
        _ => {}
    }
}

/// The JSON pointer in the fragment of a URI (RFC 6901 §6).
fn decoded(fragment: &str) -> String {
    let plain = fragment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let decoded = form_urlencoded::parse(plain.as_bytes()).next();
    decoded.map_or_else(String::new, |(decoded, _)| decoded.into_owned())
}
