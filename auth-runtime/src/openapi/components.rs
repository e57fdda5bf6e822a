//! The components of a document: what its operations refer to.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::json::object;
use super::rejections::is_own_component;

/// The kind of component that a security scheme is.
pub(super) const SECURITY_SCHEMES: &str = "securitySchemes";

/// Components by kind and name.
#[derive(Clone, Debug, Default)]
pub(super) struct Components(BTreeMap<String, BTreeMap<String, Value>>);

impl Components {
    /// Adds a component.
    ///
    /// # Errors
    /// There is a different one of this kind and name.
    pub(super) fn add(&mut self, kind: &str, name: &str, component: &Value) -> Result<(), String> {
        let of_kind = self.0.entry(kind.to_owned()).or_default();
        let present = of_kind.entry(name.to_owned()).or_insert_with(|| component.clone());
        if present == component { Ok(()) } else { Err(conflict(kind, name)) }
    }

    /// The Components Object.
    pub(super) fn into_value(self) -> Value {
        let kinds = self.0.into_iter().filter(|(_, components)| !components.is_empty());
        Value::Object(kinds.map(|(kind, components)| (kind, components.into_iter().collect())).collect())
    }

    /// Adds these to the components of a document of another crate, whose own components stay as they are. A component of
    /// the document with the name of one of these must say the same, because operations refer to it by that name. What does
    /// not is an error.
    pub(super) fn merge_into(&self, document: &mut Map<String, Value>, errors: &mut Vec<String>) {
        let theirs = object(document, "components");
        for (kind, ours) in &self.0 {
            if ours.is_empty() {
                continue;
            }
            let theirs = object(theirs, kind);
            for (name, ours) in ours {
                let present = theirs.entry(name.as_str()).or_insert(Value::Null);
                if present.is_null() {
                    present.clone_from(ours);
                } else if kind == SECURITY_SCHEMES {
                    errors.extend(scheme_conflict(name, present, ours));
                } else if is_own_component(name) && present.get("description") == ours.get("description") {
                    // It was added by an earlier call, and the document's type may have lost a part of it.
                    present.clone_from(ours);
                } else if present != ours {
                    errors.push(conflict(kind, name));
                }
            }
        }
    }
}

fn conflict(kind: &str, name: &str) -> String {
    let owner = if is_own_component(name) { " (this library uses that name)" } else { "" };
    format!(
        "two different components have the name `{name}` in `components/{kind}`{owner}: give one of them another name, for a schema with \
         `#[schema(as = ..)]`"
    )
}

/// An error where two security schemes of one name take the credential from different places, or send the user to different
/// URLs. The rest of the document's scheme is not compared.
fn scheme_conflict(name: &str, theirs: &Value, ours: &Value) -> Option<String> {
    // References are not resolved.
    if theirs.get("$ref").is_some()
        || (credential_place(theirs) == credential_place(ours) && has_same_flows(theirs, ours))
    {
        return None;
    }
    let is_issued = ["oauth2", "openIdConnect"].contains(&&*text(theirs, "type"));
    Some(if is_issued {
        format!(
            "the document has a security scheme `{name}` of OAuth 2 or OpenID Connect with other URLs than the source's: configure the \
             source with `.oauth2(..)` or `.open_id_connect(..)` and the same URLs, or give its scheme another name with \
             `.scheme_name(..)`"
        )
    } else {
        format!(
            "the document has a security scheme `{name}` that takes the credential from another place than the source does: remove it \
             from the document, or give the source's scheme another name with `.scheme_name(..)`"
        )
    })
}

fn text(scheme: &Value, key: &str) -> String {
    scheme.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Where a client puts the credential: equal for two schemes that take it from the same place.
fn credential_place(scheme: &Value) -> [String; 5] {
    let lower = |key: &str| text(scheme, key).to_ascii_lowercase();
    // Only header names are case-insensitive.
    let name = if lower("in") == "header" { lower("name") } else { text(scheme, "name") };
    [lower("type"), lower("scheme"), lower("in"), name, text(scheme, "openIdConnectUrl")]
}

/// Whether `theirs` has the URLs of `ours` in the flows that both have.
fn has_same_flows(theirs: &Value, ours: &Value) -> bool {
    let flows = ours.get("flows").and_then(Value::as_object).into_iter().flatten();
    let both = flows.filter_map(|(flow, ours)| Some((theirs.get("flows")?.get(flow)?, ours)));
    let mut both = both.filter(|(theirs, _)| !theirs.is_null());
    both.all(|(theirs, ours)| {
        ["authorizationUrl", "tokenUrl"].iter().all(|key| text(theirs, key) == text(ours, key))
    })
}
