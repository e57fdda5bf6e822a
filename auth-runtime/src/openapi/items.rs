//! The paths and operations of a document of another crate.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::keys::METHODS;
use super::path::template;

/// The operations of a document, by method and path.
pub(super) fn operations(
    document: Option<&mut Map<String, Value>>,
) -> impl Iterator<Item = (String, &mut Map<String, Value>)> {
    let paths = document.and_then(|document| document.get_mut("paths")?.as_object_mut());
    paths.into_iter().flatten().flat_map(|(path, item)| {
        let operations = operations_of(item).into_iter();
        operations.map(move |(method, operation)| (format!("{} {path}", method.to_uppercase()), operation))
    })
}

/// The operations of a path item, by method.
pub(super) fn operations_of(item: &mut Value) -> Vec<(String, &mut Map<String, Value>)> {
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

/// The ids of the operations of a document.
pub(super) fn ids(document: &mut Map<String, Value>) -> BTreeSet<String> {
    let ids = operations(Some(document)).filter_map(|(_, operation)| operation.get("operationId")?.as_str());
    ids.map(str::to_owned).collect()
}

/// Writes wildcards as OpenAPI does, and copies path items that are `shared` among the components to each path that refers
/// to them: two paths with one item may have different rules.
pub(super) fn normalize_paths(paths: &mut Map<String, Value>, shared: Option<&Value>) {
    let wildcards: Vec<String> = paths.keys().filter(|path| path.contains("{*")).cloned().collect();
    for path in wildcards {
        let renamed = template(&path).0;
        if !paths.contains_key(&renamed)
            && let Some(item) = paths.remove(&path)
        {
            paths.insert(renamed, item);
        }
    }
    for item in paths.values_mut().filter_map(Value::as_object_mut) {
        let name = item.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|reference| reference.strip_prefix("#/components/pathItems/"));
        let found = name.and_then(|name| shared?.get(name)?.as_object()).cloned();
        for (key, value) in found.into_iter().flatten() {
            item.remove("$ref");
            let field = item.entry(key).or_insert(Value::Null);
            if field.is_null() {
                *field = value;
            }
        }
    }
}
