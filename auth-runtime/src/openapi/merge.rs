//! What is enforced, added to what somebody else wrote: theirs stays, but for what would not be true.

use serde_json::{Map, Value, json};

use super::operation::WHO;
use super::{Document, Parameter};

/// Adds ours to an operation of theirs.
pub(super) fn operation(theirs: &mut Map<String, Value>, ours: &Value) {
    if let Some(security) = ours.get("security") {
        theirs.entry("security").or_insert_with(|| security.clone());
    }
    if let Some(policy) = ours.get("x-auth-policy") {
        theirs.insert("x-auth-policy".into(), policy.clone());
    }
    let who = ours.get("description").and_then(Value::as_str).unwrap_or_default();
    let who = who.find(WHO).and_then(|start| who.get(start..)).unwrap_or_default();
    let written = theirs.get("description").and_then(Value::as_str).unwrap_or_default();
    // Without what an earlier call, or the gate itself, put there.
    let written = written.split(WHO).next().unwrap_or_default().trim_end();
    let description = if written.is_empty() { who.to_owned() } else { format!("{written}\n\n{who}") };
    theirs.insert("description".into(), description.into());
    let Some(ours) = ours.get("responses").and_then(Value::as_object) else { return };
    match theirs.entry("responses").or_insert_with(|| Value::Object(Map::new())) {
        Value::Object(theirs) if !theirs.is_empty() => {
            let refusals = ours.iter().filter(|(status, _)| status.parse::<u16>().is_ok());
            for (status, refusal) in refusals {
                theirs.entry(status).or_insert_with(|| refusal.clone());
            }
        }
        nothing => *nothing = Value::Object(ours.clone()),
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

/// Adds our components to those of a whole document.
pub(super) fn components(whole: &mut Map<String, Value>, ours: &Value) {
    let theirs = object(whole, "components");
    for (kind, ours) in ours.as_object().into_iter().flatten() {
        let theirs = object(theirs, kind);
        for (name, ours) in ours.as_object().into_iter().flatten() {
            theirs.entry(name).or_insert_with(|| ours.clone());
        }
    }
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
