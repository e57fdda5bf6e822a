//! What is enforced, added to what somebody else wrote: theirs stays.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::operation::{WHO, is_own_component};
use super::{Document, Parameter};

/// The whole rule of an operation.
pub(super) const POLICY: &str = "x-auth-policy";

/// Adds ours to an operation of theirs.
pub(super) fn operation(theirs: &mut Map<String, Value>, ours: &Value) {
    let ours = |key: &str| ours.get(key).cloned().unwrap_or_default();
    for key in ["security", "operationId", "summary"] {
        if theirs.get(key).is_none_or(Value::is_null) {
            theirs.insert(key.into(), ours(key));
        }
    }
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
    for (status, answer) in theirs.iter_mut().filter(|(status, _)| !status.starts_with("x-")) {
        let Some(answer) = answer.as_object_mut().filter(|answer| !answer.contains_key("$ref")) else {
            continue;
        };
        let description = answer.entry("description").or_insert(Value::Null);
        if description.is_null() {
            let status = StatusCode::from_bytes(status.as_bytes()).ok();
            *description = status.and_then(|status| status.canonical_reason()).unwrap_or_default().into();
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

/// The parameters of the path by the names that they have in another one of the same place.
pub(super) fn rename_parameters(operation: &mut Value, from: &[Parameter], to: &[Parameter]) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "path") {
        let renamed = from.iter().zip(to).find(|(from, _)| parameter["name"] == *from.name);
        if let (Some((_, to)), Some(parameter)) = (renamed, parameter.as_object_mut()) {
            parameter.insert("name".into(), to.name.as_str().into());
        }
    }
}

/// Adds our components to those of a whole document. One of theirs that has the name of ours and says something else would change
/// what ours says: that is a mistake.
pub(super) fn components(whole: &mut Map<String, Value>, ours: &Value, mistakes: &mut Vec<String>) {
    let theirs = object(whole, "components");
    for (kind, ours) in ours.as_object().into_iter().flatten() {
        let theirs = object(theirs, kind);
        for (name, ours) in ours.as_object().into_iter().flatten() {
            let written = theirs.entry(name).or_insert(Value::Null);
            if written.is_null() {
                written.clone_from(ours);
            } else if kind == "securitySchemes" {
                mistakes.extend(other_place(name, written, ours));
            } else if is_own_component(name) && written.get("description") == ours.get("description") {
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
    let whose = if is_own_component(name) { ", which is a name of this library's own" } else { "" };
    format!(
        "there are two `{name}` in `components/{kind}` that are not the same{whose}: give one another name, as with \
             `#[schema(as = ..)]`"
    )
}

/// Says so where two security schemes of one name look for the credential in different places, or send the user to different ones for
/// it; what else theirs says is up to them.
fn other_place(name: &str, theirs: &Value, ours: &Value) -> Option<String> {
    let text =
        |scheme: &Value, key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let place = |scheme: &Value| {
        let lower = |key: &str| text(scheme, key).to_ascii_lowercase();
        // The name of a header is one in any case, and no other is.
        let named = if lower("in") == "header" { lower("name") } else { text(scheme, "name") };
        (lower("type"), lower("scheme"), lower("in"), named, text(scheme, "openIdConnectUrl"))
    };
    let flows = ours.get("flows").and_then(Value::as_object).into_iter().flatten();
    let same_flows = flows.into_iter().all(|(flow, ours)| {
        let theirs = theirs.pointer(&format!("/flows/{flow}")).unwrap_or(&Value::Null);
        ["authorizationUrl", "tokenUrl"]
            .iter()
            .all(|key| theirs.is_null() || text(theirs, key) == text(ours, key))
    });
    // What a reference says is not looked up.
    if theirs.get("$ref").is_some() || (place(theirs) == place(ours) && same_flows) {
        return None;
    }
    let is_issued = ["oauth2", "openIdConnect"].contains(&&*text(theirs, "type"));
    Some(if is_issued {
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

/// Whether two lists of requirements let the same callers in: their order says nothing, and a requirement of nothing is as good as an
/// empty list.
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

/// Keys below which there is data.
const DATA: [&str; 6] = ["example", "examples", "default", "const", "enum", "value"];

/// A fragment of a URI as the text that it stands for (RFC 6901 §6).
fn decoded(pointer: &str) -> String {
    let plain = pointer.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let decoded = form_urlencoded::parse(plain.as_bytes()).next();
    decoded.map_or_else(String::new, |(decoded, _)| decoded.into_owned())
}

/// The references of a document that lead nowhere in it.
pub(super) fn dangling(whole: &Value) -> BTreeSet<String> {
    fn collect<'v>(value: &'v Value, references: &mut BTreeSet<&'v str>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| collect(value, references)),
            // Below an `$id` references are relative to it.
            Value::Object(values) if values.contains_key("$id") => {}
            Value::Object(values) => {
                references.extend(values.get("$ref").and_then(Value::as_str));
                // What is an example of something says nothing of the document.
                let is_data = |key: &str| DATA.contains(&key) || key.starts_with("x-");
                values
                    .iter()
                    .filter(|(key, _)| !is_data(key))
                    .for_each(|(_, value)| collect(value, references));
            }
            _ => {}
        }
    }
    let mut references = BTreeSet::new();
    collect(whole, &mut references);
    let leads_nowhere = |reference: &&str| {
        let pointer = reference.strip_prefix('#').filter(|pointer| pointer.starts_with('/'));
        pointer.is_some_and(|pointer| whole.pointer(&decoded(pointer)).is_none())
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
