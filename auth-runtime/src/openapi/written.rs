//! What whoever wrote a handler says of it, in OpenAPI's words.

use axum::routing::MethodFilter;
use serde::Serialize;
use serde_json::{Map, Value};

use super::operation;
use crate::router::METHODS;

/// The operations of one handler, as they are written; what is enforced is added to them.
#[derive(Clone, Debug, Default)]
pub(crate) struct WrittenOperations {
    /// By method, in lower case.
    operations: Map<String, Value>,
    /// By kind.
    components: Map<String, Value>,
}

impl WrittenOperations {
    /// One operation that refers to no schema.
    #[cfg(feature = "token-routes")]
    pub(crate) fn one(method: &str, operation: Value) -> Self {
        Self { operations: Map::from_iter([(method.to_owned(), operation)]), components: Map::new() }
    }

    /// What a document that tells of one handler says of it: at which path it stands, for which methods.
    pub(crate) fn of(document: &impl Serialize) -> Vec<(String, MethodFilter, Self)> {
        let mut document = serde_json::to_value(document).unwrap_or_default();
        let mut taken = |pointer: &str| match document.pointer_mut(pointer).map(Value::take) {
            Some(Value::Object(map)) => map,
            _ => Map::new(),
        };
        let components = taken("/components");
        let paths = taken("/paths").into_iter().filter_map(|(path, item)| {
            let Value::Object(mut operations) = item else { return None };
            operations.values_mut().for_each(without_tags_of_the_path);
            let methods = operations.keys().filter_map(|method| filter(method)).reduce(MethodFilter::or)?;
            let path = if path.is_empty() { "/".to_owned() } else { path };
            Some((path, methods, Self { operations, components: components.clone() }))
        });
        paths.collect()
    }

    pub(super) fn operation(&self, method: &str) -> Option<&Map<String, Value>> {
        self.operations.get(method).and_then(Value::as_object)
    }

    /// What its operations refer to, by kind and name.
    pub(super) fn components(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        let kinds = self.components.iter().filter(|(kind, _)| *kind != "securitySchemes");
        kinds.flat_map(|(kind, components)| {
            components.as_object().into_iter().flatten().map(move |(name, one)| (&**kind, &**name, one))
        })
    }
}

/// `utoipa` takes the first part of a handler's path for a tag, where it has none.
fn without_tags_of_the_path(operation: &mut Value) {
    if let Some(tags) = operation.get_mut("tags").and_then(Value::as_array_mut) {
        tags.retain(|tag| !["self", "super", "crate"].iter().any(|path| tag == path));
    }
}

fn filter(operation: &str) -> Option<MethodFilter> {
    let known = operation::METHODS.into_iter().find(|known| *known == operation)?;
    METHODS.into_iter().find(|(_, name)| name.eq_ignore_ascii_case(known)).map(|(filter, _)| filter)
}
