//! The document, as far as this library writes it. The fields are OpenAPI's own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::SecurityScheme;
use crate::policy::PolicyDocument;

/// An OpenAPI document.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Document {
    pub openapi: String,
    pub info: Info,
    pub servers: Vec<Server>,
    pub paths: BTreeMap<String, PathItem>,
    pub components: Components,
}

/// The Info Object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Info {
    pub title: String,
    pub version: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The Server Object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Server {
    pub url: String,
}

/// The Path Item Object: its operations, by method in lower case.
pub type PathItem = BTreeMap<String, Operation>;

/// The Security Requirement Object: names that are required, by scheme.
pub type SecurityRequirement = BTreeMap<String, Vec<String>>;

/// The Operation Object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Operation {
    pub operation_id: String,
    pub summary: String,
    pub description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<OrWritten<Parameter>>,
    pub security: Vec<SecurityRequirement>,
    pub responses: BTreeMap<String, OrWritten<ResponseOrReference>>,
    /// What is enforced, whole.
    #[serde(rename = "x-auth-policy")]
    pub policy: PolicyDocument,
    /// What else is written of the handler: its request body, say, and tags.
    #[serde(flatten)]
    pub written: BTreeMap<String, Value>,
}

/// What this library writes, or what whoever wrote a handler says of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum OrWritten<T> {
    /// Of this library.
    Ours(T),
    /// Of the handler.
    Written(Value),
}

/// The Parameter Object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "in")]
    pub place: String,
    pub required: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub schema: Schema,
}

/// The Components Object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Components {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub security_schemes: BTreeMap<String, SecurityScheme>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub responses: BTreeMap<String, OrWritten<Response>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub schemas: BTreeMap<String, Schema>,
    /// What else handlers refer to, by kind and name.
    #[serde(flatten)]
    pub written: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Components {
    /// Adds what is written of a handler; not if another one has its name.
    pub(super) fn add(&mut self, kind: &str, name: &str, written: &Value) -> bool {
        let name = name.to_owned();
        match kind {
            "schemas" => *self.schemas.entry(name).or_insert_with(|| written.clone()) == *written,
            "responses" => {
                let written = OrWritten::Written(written.clone());
                *self.responses.entry(name).or_insert_with(|| written.clone()) == written
            }
            _ => {
                let kind = self.written.entry(kind.to_owned()).or_default();
                *kind.entry(name).or_insert_with(|| written.clone()) == *written
            }
        }
    }
}

/// The Response Object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Response {
    pub description: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, Header>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub content: BTreeMap<String, MediaType>,
}

/// A response, or where it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the variants are those of the specification")]
pub enum ResponseOrReference {
    Reference(Reference),
    Response(Response),
}

/// The Reference Object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Reference {
    #[serde(rename = "$ref")]
    pub reference: String,
}

/// The Header Object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct Header {
    pub description: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    pub schema: Schema,
}

/// The Media Type Object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are those of the specification")]
pub struct MediaType {
    pub schema: Schema,
}

/// The Schema Object: JSON Schema.
pub type Schema = Value;
