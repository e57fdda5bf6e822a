//! A whole document of somebody else's, as JSON: read from its type, and given back to it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::merge;
use super::operation::METHODS;
use crate::error::DocumentError;

fn unusable(why: &str) -> DocumentError {
    DocumentError::new(vec![format!("the document of the handlers can't be filled: {why}")])
}

/// What helps where the type of a document can't hold it.
const ADVICE: &str = "fill its JSON instead, `let mut document = serde_json::to_value(document)?`";

/// The document as JSON, if its type reads what it writes.
pub(super) fn read<D: Serialize + DeserializeOwned>(
    document: &D,
) -> Result<Map<String, Value>, DocumentError> {
    let whole = serde_json::to_value(document).map_err(|error| unusable(&error.to_string()))?;
    let (_, again) = read_again::<D>(&whole)?;
    if again != whole {
        return Err(unusable(&format!("its type reads something else than it writes: {ADVICE}")));
    }
    let Value::Object(whole) = whole else { return Err(unusable("it is no object")) };
    let is_known =
        |version: &str| version.is_empty() || version.starts_with("3.1") || version.starts_with("3.2");
    match whole.get("openapi").or(whole.get("swagger")).filter(|version| !version.is_null()) {
        Some(version) if !version.as_str().is_some_and(is_known) => Err(unusable(&format!(
            "it is of version {version}, where a security requirement has no place for roles: let it be of 3.1 or later"
        ))),
        _ => Ok(whole),
    }
}

/// The document as its own type, if that keeps what was added.
pub(super) fn kept<D: Serialize + DeserializeOwned>(mut whole: Value) -> Result<D, DocumentError> {
    let mut lost = None;
    for _ in 0..2 {
        let (document, mut again) = read_again::<D>(&whole)?;
        let after = said(again.as_object_mut());
        lost = said(whole.as_object_mut())
            .into_iter()
            .find(|(operation, said)| after.get(operation) != Some(said));
        if lost.is_none() {
            // What handlers bring along must be there as well; of answers and headers a type may have its own view.
            let schemas = |whole: &Value| whole.pointer("/components/schemas").cloned();
            let is_kept = schemas(&whole) == schemas(&again);
            return if is_kept {
                Ok(document)
            } else {
                Err(unusable(&format!("its type does not keep the schemas: {ADVICE}")))
            };
        }
        // `aide` writes no empty list; a list of nothing that is required says the same.
        for security in
            operations_of(whole.as_object_mut()).filter_map(|(_, operation)| operation.get_mut("security"))
        {
            if *security == json!([]) {
                *security = json!([{}]);
            }
        }
    }
    let operation = lost.map(|(operation, _)| operation).unwrap_or_default();
    Err(unusable(&format!("its type does not keep the security of {operation}: {ADVICE}")))
}

/// What the type makes of this JSON, and the JSON that it makes of that.
fn read_again<D: Serialize + DeserializeOwned>(whole: &Value) -> Result<(D, Value), DocumentError> {
    // By way of text: some read borrowed strings alone.
    let document: D = serde_json::from_str(&whole.to_string())
        .map_err(|error| unusable(&format!("its type can't hold what is to be said ({error}): {ADVICE}")))?;
    let again = serde_json::to_value(&document).map_err(|error| unusable(&error.to_string()))?;
    Ok((document, again))
}

/// What each operation says of who is let in.
fn said(whole: Option<&mut Map<String, Value>>) -> BTreeMap<String, (Option<Value>, Option<Value>)> {
    let said = |operation: &Map<String, Value>| {
        (operation.get("security").cloned(), operation.get(merge::POLICY).cloned())
    };
    operations_of(whole).map(|(shown, operation)| (shown, said(operation))).collect()
}

/// The operations of a document, by method and path.
fn operations_of(
    whole: Option<&mut Map<String, Value>>,
) -> impl Iterator<Item = (String, &mut Map<String, Value>)> {
    let paths = whole.and_then(|whole| whole.get_mut("paths")?.as_object_mut());
    paths.into_iter().flatten().flat_map(|(path, item)| {
        let operations = operations(item).into_iter();
        operations.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    })
}

/// The ids that operations have.
pub(super) fn ids(whole: &mut Map<String, Value>) -> BTreeSet<String> {
    let ids = operations_of(Some(whole)).filter_map(|(_, operation)| operation.get("operationId")?.as_str());
    ids.map(str::to_owned).collect()
}

/// The operations of an item, by method.
pub(super) fn operations(item: &mut Value) -> Vec<(String, &mut Map<String, Value>)> {
    let mut operations = Vec::new();
    for (key, value) in item.as_object_mut().into_iter().flatten() {
        match (&**key, value) {
            ("additionalOperations", Value::Object(others)) => {
                let others = others
                    .iter_mut()
                    .filter_map(|(method, operation)| Some((method.clone(), operation.as_object_mut()?)));
                operations.extend(others);
            }
            (method, Value::Object(operation)) if METHODS.contains(&method) => {
                operations.push((method.to_owned(), operation));
            }
            _ => {}
        }
    }
    operations
}
