//! The documentation that comes with a handler, in OpenAPI's terms.

use std::sync::Arc;

use axum::routing::MethodFilter;
use serde::Serialize;
use serde_json::{Map, Value};

use super::method_router::METHODS;
use crate::policy::{Access, Rule};

/// The documentation of one handler: its operations as their author wrote them. `openapi` adds what is enforced.
#[derive(Clone, Debug, Default)]
pub(crate) struct HandlerDocs {
    /// By method, in lower case.
    operations: Map<String, Value>,
    /// By kind.
    components: Map<String, Value>,
    /// The same where a gate may reject its callers, if its operations say so.
    guarded: Option<Arc<Self>>,
}

impl HandlerDocs {
    /// One operation that refers to no schema.
    pub(crate) fn one(method: &str, operation: Value) -> Self {
        Self { operations: Map::from_iter([(method.to_owned(), operation)]), ..Self::default() }
    }

    /// The same operation for each of these methods, with the schemas that it refers to.
    #[cfg(feature = "token-routes")]
    pub(crate) fn for_each(methods: &[&str], operation: &Value, schemas: &Map<String, Value>) -> Self {
        let operations = methods.iter().map(|method| (method.to_ascii_lowercase(), operation.clone()));
        let components = Map::from_iter([("schemas".to_owned(), Value::Object(schemas.clone()))]);
        Self { operations: operations.collect(), components, guarded: None }
    }

    /// What is said instead where a gate may reject its callers.
    #[cfg(feature = "token-routes")]
    pub(crate) fn or_guarded(self, guarded: Self) -> Self {
        Self { guarded: Some(Arc::new(guarded)), ..self }
    }

    /// What is said of a route with these rules, which are all of its own and of the routers around it.
    pub(super) fn under(self: &Arc<Self>, rules: &[Rule]) -> Arc<Self> {
        let is_guarded = rules.iter().any(|rule| rule.access() != Access::Public);
        Arc::clone(self.guarded.as_ref().filter(|_| is_guarded).unwrap_or(self))
    }

    /// What a document of one handler says of it: for each path the methods, and the documentation.
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
            Some((path, methods, Self { operations, components: components.clone(), guarded: None }))
        });
        paths.collect()
    }

    pub(crate) fn operation(&self, method: &str) -> Option<&Map<String, Value>> {
        self.operations.get(method).and_then(Value::as_object)
    }

    /// What its operations refer to, by kind and name.
    pub(crate) fn components(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
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
    // OpenAPI has no place for `CONNECT`, and writes methods in lower case.
    let mut known = METHODS.into_iter().filter(|(_, name)| *name != "CONNECT");
    known.find(|(_, name)| name.to_ascii_lowercase() == operation).map(|(filter, _)| filter)
}
