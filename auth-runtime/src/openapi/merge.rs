//! What is enforced, added to an operation of another crate's document: what the operation says already stays.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::json::object;
use super::keys::{DECLARED, POLICY, WHO};
use super::path::PathParameter;

/// Adds our operation to theirs.
pub(super) fn operation(theirs: &mut Map<String, Value>, ours: &Map<String, Value>) {
    let field = |key: &str| ours.get(key).cloned().unwrap_or_default();
    for key in ["security", "operationId", "summary"] {
        if theirs.get(key).is_none_or(Value::is_null) {
            theirs.insert(key.into(), field(key));
        }
    }
    theirs.insert(POLICY.into(), field(POLICY));
    theirs.extend(ours.get(DECLARED).map(|declared| (DECLARED.to_owned(), declared.clone())));
    let description = description(
        theirs.get("description").and_then(Value::as_str).unwrap_or_default(),
        ours.get("description").and_then(Value::as_str).unwrap_or_default(),
    );
    theirs.insert("description".into(), description.into());
    if let Value::Object(ours) = field("responses") {
        responses(object(theirs, "responses"), ours);
    }
}

/// Their description, followed by the rule.
fn description(theirs: &str, ours: &str) -> String {
    let rule = ours.rfind(WHO).and_then(|start| ours.get(start..)).unwrap_or_default();
    // The gate itself may have written the rule there, for `aide`.
    let theirs = theirs.strip_suffix(rule).unwrap_or(theirs).trim_end();
    if theirs.is_empty() { rule.to_owned() } else { format!("{theirs}\n\n{rule}") }
}

fn responses(theirs: &mut Map<String, Value>, ours: Map<String, Value>) {
    let has_none = theirs.is_empty();
    for (status, response) in ours {
        if has_none || status.parse::<u16>().is_ok() {
            theirs.entry(status).or_insert(response);
        }
    }
    // OpenAPI requires a description, and not every crate writes one.
    for (status, response) in theirs.iter_mut().filter(|(status, _)| !status.starts_with("x-")) {
        let Some(response) = response.as_object_mut().filter(|response| !response.contains_key("$ref"))
        else {
            continue;
        };
        let description = response.entry("description").or_insert(Value::Null);
        if description.is_null() {
            let status = StatusCode::from_bytes(status.as_bytes()).ok();
            *description = status.and_then(|status| status.canonical_reason()).unwrap_or_default().into();
        }
    }
}

/// Adds the parameters of the path that neither the operation nor its path item has, such as those of a prefix that the
/// handler does not know.
pub(super) fn parameters(
    operation: &mut Map<String, Value>,
    of_path_item: Option<&Value>,
    of_path: &[PathParameter],
) {
    let present = operation.get("parameters").into_iter().chain(of_path_item);
    let present: Vec<&Value> = present.filter_map(Value::as_array).flatten().collect();
    // References are not resolved: a parameter that is missing does less harm than one that is there twice.
    let is_same = |present: &Value, name: &str| {
        present.get("$ref").is_some() || (present["in"] == "path" && present["name"] == name)
    };
    let missing =
        of_path.iter().filter(|parameter| !present.iter().any(|present| is_same(present, &parameter.name)));
    let missing: Vec<Value> = missing.map(PathParameter::to_value).collect();
    if missing.is_empty() {
        return;
    }
    match operation.entry("parameters").or_insert(Value::Null) {
        Value::Array(present) => present.extend(missing),
        nothing => *nothing = Value::Array(missing),
    }
}

/// Gives the parameters of the path the names that they have in another path of the same place.
pub(super) fn rename_parameters(
    operation: &mut Map<String, Value>,
    from: &[PathParameter],
    to: &[PathParameter],
) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "path") {
        let renamed = from.iter().zip(to).find(|(from, _)| parameter["name"] == *from.name);
        if let (Some((_, to)), Some(parameter)) = (renamed, parameter.as_object_mut()) {
            parameter.insert("name".into(), to.name.as_str().into());
        }
    }
}

/// Adds `openapi`, `info` and `servers` to a document that lacks them.
pub(super) fn head(document: &mut Map<String, Value>, ours: &Map<String, Value>) {
    let add = |theirs: &mut Map<String, Value>, ours: &Map<String, Value>| {
        for (key, ours) in ours {
            let theirs = theirs.entry(key).or_insert(Value::Null);
            if theirs.is_null() || theirs == "" {
                theirs.clone_from(ours);
            }
        }
    };
    if let Some(info) = ours.get("info").and_then(Value::as_object) {
        add(object(document, "info"), info);
    }
    add(document, ours);
}

/// Whether two lists of security requirements admit the same callers. Their order does not matter, and a single empty
/// requirement is the same as an empty list.
pub(super) fn is_same_security(one: Option<&Value>, other: Option<&Value>) -> bool {
    let alternatives = |security: Option<&Value>| -> Option<BTreeSet<BTreeMap<String, BTreeSet<String>>>> {
        let mut read: BTreeSet<BTreeMap<String, BTreeSet<String>>> =
            serde_json::from_value(security?.clone()).ok()?;
        if read.len() == 1 {
            read.retain(|only| !only.is_empty());
        }
        Some(read)
    };
    let (one, other) = (alternatives(one), alternatives(other));
    one.is_some() && one == other
}
