//! A document of another crate's type, as JSON: read from its type, and written back to it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::error::DocumentError;
use super::items::operations;
use super::keys::POLICY;

/// The document as JSON.
///
/// # Errors
/// Its type does not read what it writes, or it is of an OpenAPI version before 3.1.
pub(super) fn to_json<D: Serialize + DeserializeOwned>(
    document: &D,
) -> Result<Map<String, Value>, DocumentError> {
    let json = serde_json::to_value(document).map_err(|source| DocumentError::Serialize { source })?;
    let (_, again) = round_trip::<D>(&json)?;
    if again != json {
        return Err(DocumentError::Lossy { lost: "a part of the document before it is filled".into() });
    }
    let Value::Object(json) = json else { return Err(DocumentError::NotAnObject) };
    let is_supported =
        |version: &str| version.is_empty() || version.starts_with("3.1") || version.starts_with("3.2");
    match json.get("openapi").or(json.get("swagger")).filter(|version| !version.is_null()) {
        Some(Value::String(version)) if is_supported(version) => Ok(json),
        Some(Value::String(version)) => Err(DocumentError::UnsupportedVersion { version: version.clone() }),
        Some(version) => Err(DocumentError::UnsupportedVersion { version: version.to_string() }),
        None => Ok(json),
    }
}

/// The filled document as its own type.
///
/// # Errors
/// Its type loses the security of an operation, or a schema.
pub(super) fn from_json<D: Serialize + DeserializeOwned>(mut filled: Value) -> Result<D, DocumentError> {
    let (document, mut again) = round_trip::<D>(&filled)?;
    if lost_security(&mut filled, &mut again).is_none() {
        return with_schemas(document, &filled, &again);
    }
    // `aide` writes no empty list. A list with one empty requirement means the same.
    for (_, operation) in operations(filled.as_object_mut()) {
        if let Some(security) = operation.get_mut("security").filter(|security| **security == json!([])) {
            *security = json!([{}]);
        }
    }
    let (document, mut again) = round_trip::<D>(&filled)?;
    match lost_security(&mut filled, &mut again) {
        None => with_schemas(document, &filled, &again),
        Some(operation) => Err(DocumentError::Lossy { lost: format!("the security of {operation}") }),
    }
}

/// The document, if it has the schemas that handlers refer to. Responses and headers may be in the type's own form.
fn with_schemas<D>(document: D, filled: &Value, again: &Value) -> Result<D, DocumentError> {
    let schemas = |document: &Value| document.pointer("/components/schemas").cloned();
    if schemas(filled) == schemas(again) {
        Ok(document)
    } else {
        Err(DocumentError::Lossy { lost: "a part of the schemas".into() })
    }
}

/// The document that the type reads from this JSON, and the JSON that it writes for it.
fn round_trip<D: Serialize + DeserializeOwned>(json: &Value) -> Result<(D, Value), DocumentError> {
    // From text, because some types read borrowed strings only.
    let document: D =
        serde_json::from_str(&json.to_string()).map_err(|source| DocumentError::Deserialize { source })?;
    let again = serde_json::to_value(&document).map_err(|source| DocumentError::Serialize { source })?;
    Ok((document, again))
}

/// An operation whose security or rule is not the same in `again`.
fn lost_security(filled: &mut Value, again: &mut Value) -> Option<String> {
    let after = security(again);
    security(filled)
        .into_iter()
        .find(|(operation, said)| after.get(operation) != Some(said))
        .map(|(operation, _)| operation)
}

/// The security and the rule of each operation.
fn security(document: &mut Value) -> BTreeMap<String, (Option<Value>, Option<Value>)> {
    let operations = operations(document.as_object_mut());
    let fields =
        |operation: &Map<String, Value>| (operation.get("security").cloned(), operation.get(POLICY).cloned());
    operations.map(|(name, operation)| (name, fields(operation))).collect()
}
