//! What is enforced, added to what somebody else wrote: theirs stays.

use serde_json::{Map, Value, json};

use super::operation::{OWN_PREFIX, WHO};
use super::{Document, Parameter};

/// The whole rule of an operation.
pub(super) const POLICY: &str = "x-auth-policy";
/// What a gate tells of its rule, until it is completed.
pub(super) const GATE: &str = "x-auth-gate";

/// Adds ours to an operation of theirs.
pub(super) fn operation(theirs: &mut Map<String, Value>, ours: &Value) {
    let ours = |key: &str| ours.get(key).cloned().unwrap_or_default();
    if theirs.get("security").is_none_or(Value::is_null) {
        theirs.insert("security".into(), ours("security"));
    }
    theirs.remove(GATE);
    theirs.insert(POLICY.into(), ours(POLICY));
    let who = ours("description");
    let who = who.as_str().and_then(|who| who.get(who.find(WHO)?..)).unwrap_or_default();
    let written = theirs.get("description").and_then(Value::as_str).unwrap_or_default();
    // Without what the gate itself put there.
    let written = written.split(WHO).next().unwrap_or_default().trim_end();
    let description = if written.is_empty() { who.to_owned() } else { format!("{written}\n\n{who}") };
    theirs.insert("description".into(), description.into());
    let Value::Object(ours) = ours("responses") else { return };
    let theirs = object(theirs, "responses");
    let has_none = theirs.is_empty();
    for (status, answer) in ours {
        if has_none || status.parse::<u16>().is_ok() {
            theirs.entry(status).or_insert(answer);
        }
    }
}

/// Adds the parameters of the path that neither the operation nor its item tells of, such as those of a prefix that the handler does
/// not know.
pub(super) fn parameters(theirs: &mut Map<String, Value>, of_item: Option<&Value>, ours: &[Parameter]) {
    let written = theirs.get("parameters").into_iter().chain(of_item).filter_map(Value::as_array).flatten();
    // What a reference says is not looked up: better none than one twice.
    let is_known = |other: &Value, name: &str| {
        other.get("$ref").is_some() || (other["in"] == "path" && other["name"] == name)
    };
    let written: Vec<&Value> = written.collect();
    let missing = ours.iter().filter(|ours| !written.iter().any(|other| is_known(other, &ours.name)));
    let missing: Vec<Value> = missing.map(|parameter| json!(parameter)).collect();
    if missing.is_empty() {
        return;
    }
    match theirs.entry("parameters").or_insert(Value::Null) {
        Value::Array(theirs) => theirs.extend(missing),
        nothing => *nothing = Value::Array(missing),
    }
}

/// Adds our components to those of a whole document. One of theirs that has the name of ours and says something else would change
/// what ours says: that is a mistake.
pub(super) fn components(whole: &mut Map<String, Value>, ours: &Value, mistakes: &mut Vec<String>) {
    let theirs = object(whole, "components");
    for (kind, ours) in ours.as_object().into_iter().flatten() {
        let theirs = object(theirs, kind);
        for (name, ours) in ours.as_object().into_iter().flatten() {
            let written = theirs.entry(name).or_insert_with(|| ours.clone());
            if kind == "securitySchemes" {
                if !is_same_place(written, ours) {
                    mistakes.push(format!(
                        "the document has a security scheme `{name}` that looks for the credential in another place than the source \
                         does: take it out, or give the source's another name with `scheme_name(..)`"
                    ));
                }
            } else if written != ours && name.starts_with(OWN_PREFIX) {
                mistakes.push(format!(
                    "the document has a component `{name}` of its own, or of another version of this library: take it out of `{kind}`"
                ));
            }
        }
    }
}

/// Whether two security schemes look for the credential in the same place; what else they say of it is up to them.
fn is_same_place(one: &Value, other: &Value) -> bool {
    let says =
        |scheme: &Value, key: &str| scheme.get(key).and_then(Value::as_str).map(str::to_ascii_lowercase);
    ["type", "scheme", "in", "name"].into_iter().all(|key| says(one, key) == says(other, key))
}

/// Adds title, version, description and servers to a document that has none.
pub(super) fn head(whole: &mut Map<String, Value>, ours: &Document) {
    let add = |theirs: &mut Map<String, Value>, ours: Value| {
        for (key, ours) in ours.as_object().into_iter().flatten() {
            let theirs = theirs.entry(key).or_insert(Value::Null);
            if theirs.is_null() || theirs == "" {
                *theirs = ours.clone();
            }
        }
    };
    add(object(whole, "info"), json!(ours.info));
    add(whole, json!({ "openapi": ours.openapi, "servers": ours.servers }));
}

/// The object of this name, made where there is none.
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
