//! What is enforced, added to what somebody else wrote: theirs stays.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::operation::{OWN_COMPONENTS, WHO};
use super::{Document, Parameter};

/// The whole rule of an operation.
pub(super) const POLICY: &str = "x-auth-policy";
/// What a gate leaves in an operation of `aide`'s.
pub(super) const GATE: &str = "x-auth-gate";

/// Adds ours to an operation of theirs.
pub(super) fn operation(theirs: &mut Map<String, Value>, ours: &Value) {
    let ours = |key: &str| ours.get(key).cloned().unwrap_or_default();
    for key in ["security", "operationId", "summary"] {
        if theirs.get(key).is_none_or(Value::is_null) {
            theirs.insert(key.into(), ours(key));
        }
    }
    theirs.remove(GATE);
    theirs.insert(POLICY.into(), ours(POLICY));
    let who = ours("description");
    let who = who.as_str().and_then(|who| who.get(who.rfind(WHO)?..)).unwrap_or_default();
    let written = theirs.get("description").and_then(Value::as_str).unwrap_or_default();
    // Without what the gate itself put there.
    let written = written.strip_suffix(who).unwrap_or(written).trim_end();
    let description = if written.is_empty() { who.to_owned() } else { format!("{written}\n\n{who}") };
    theirs.insert("description".into(), description.into());
    if let Value::Object(ours) = ours("responses") {
        responses(object(theirs, "responses"), ours);
    }
}

fn responses(theirs: &mut Map<String, Value>, ours: Map<String, Value>) {
    let has_none = theirs.is_empty();
    for (status, answer) in ours {
        if has_none || status.parse::<u16>().is_ok() {
            theirs.entry(status).or_insert(answer);
        }
    }
    // OpenAPI 3.1 wants a description, and not every crate writes one.
    for (status, answer) in theirs {
        let Some(answer) = answer.as_object_mut().filter(|answer| !answer.contains_key("$ref")) else {
            continue;
        };
        answer.entry("description").or_insert_with(|| {
            let status = StatusCode::from_bytes(status.as_bytes()).ok();
            status.and_then(|status| status.canonical_reason()).unwrap_or_default().into()
        });
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
                mistakes.extend(other_place(name, written, ours));
            } else if OWN_COMPONENTS.contains(&&**name)
                && written.get("description") == ours.get("description")
            {
                // Of an earlier call; its type may have lost something of it.
                written.clone_from(ours);
            } else if written != ours {
                mistakes.push(clash(kind, name));
            }
        }
    }
}

/// Two that have one name among the components.
pub(super) fn clash(kind: &str, name: &str) -> String {
    let whose = if OWN_COMPONENTS.contains(&name) { ", which is a name of this library's own" } else { "" };
    format!(
        "there are two `{name}` in `components/{kind}` that are not the same{whose}: give one another name, as with \
             `#[schema(as = ..)]`"
    )
}

/// Says so where two security schemes of one name look for the credential in different places, or send the user to different ones for
/// it; what else they say is up to them.
fn other_place(name: &str, theirs: &Value, ours: &Value) -> Option<String> {
    let text =
        |scheme: &Value, key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = |scheme: &Value| {
        let lower = |key: &str| text(scheme, key).to_ascii_lowercase();
        // The name of a header is one in any case, and no other is.
        let named = if lower("in") == "header" { lower("name") } else { text(scheme, "name") };
        let mut flows = scheme.get("flows").cloned().unwrap_or_default();
        for flow in flows.as_object_mut().into_iter().flat_map(|flows| flows.values_mut()) {
            flow.as_object_mut().map(|flow| flow.remove("scopes"));
        }
        (lower("type"), lower("scheme"), lower("in"), named, text(scheme, "openIdConnectUrl"), flows)
    };
    if place(theirs) == place(ours) {
        return None;
    }
    let is_issued = |scheme: &Value| ["oauth2", "openIdConnect"].contains(&&*text(scheme, "type"));
    Some(if is_issued(theirs) {
        format!(
            "the document has a security scheme `{name}` of OAuth 2 or OpenID Connect: say the same of the source with `.oauth2(..)` or \
             `.open_id_connect(..)`, so that no roles are listed there, or give its scheme another name with `.scheme_name(..)`"
        )
    } else {
        format!(
            "the document has a security scheme `{name}` that looks for the credential in another place than the source does: take it out, \
             or give the source's another name with `.scheme_name(..)`"
        )
    })
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

/// The references of a document that lead nowhere in it.
pub(super) fn dangling(whole: &Value) -> BTreeSet<String> {
    fn collect<'v>(value: &'v Value, references: &mut BTreeSet<&'v str>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
            Value::Object(values) => {
                references.extend(values.get("$ref").and_then(Value::as_str));
                values.values().for_each(|value| collect(value, references));
            }
            _ => {}
        }
    }
    let mut references = BTreeSet::new();
    collect(whole, &mut references);
    let leads_nowhere = |reference: &&str| {
        reference.strip_prefix('#').is_some_and(|pointer| whole.pointer(pointer).is_none())
    };
    references.into_iter().filter(leads_nowhere).map(str::to_owned).collect()
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
