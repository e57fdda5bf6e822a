//! What is enforced, added to a document that somebody else's crate made of the handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::operation::{METHODS, template};
use super::{Document, OpenApi, PathItem};
use crate::engine::Auth;
use crate::error::DocumentError;
use crate::routing::{Routes, path_shape as shape};

/// What of the routes and of the document met. Prints as a list, and as nothing where all did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Routes that are served, by method and path, and of which the document says nothing.
    pub undocumented: Vec<String>,
    /// Operations of the document, by method and path, that no route serves.
    pub not_served: Vec<String>,
    /// Operation ids that stand more than once.
    pub repeated_ids: Vec<String>,
}

impl Coverage {
    /// Whether every route is documented, every operation served, and every id unique.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = [
            ("served, and not documented", &self.undocumented),
            ("documented, and not served", &self.not_served),
            ("an operation id of several", &self.repeated_ids),
        ];
        for (what, list) in lists {
            list.iter().try_for_each(|one| writeln!(f, "{what}: {one}"))?;
        }
        Ok(())
    }
}

impl OpenApi {
    /// Adds what is enforced to a document of the handlers, such as `utoipa::openapi::OpenApi`, by method and path: security schemes,
    /// and for each operation its security, the refusals that can happen, and the rule, in words and as `x-auth-policy`. What is
    /// written there already stays: a `security` of its own, a 401 of its own. Title, version and servers are the document's.
    ///
    /// The document is any type that is written and read as OpenAPI by serde. Call it when the routes are nested as they are served.
    ///
    /// # Errors
    /// [`DocumentError`]: as [`describe`](Self::describe); or if the document can't be written or read.
    pub fn fill<D: Serialize + DeserializeOwned>(
        self,
        document: &mut D,
        routes: &Routes,
        auth: &Auth,
    ) -> Result<Coverage, DocumentError> {
        let unusable = |error: serde_json::Error| {
            DocumentError::new(vec![format!(
                "the document of the handlers can't be written or read: {error}"
            )])
        };
        let described = self.describe(routes, auth)?;
        let mut whole = serde_json::to_value(&*document).map_err(unusable)?;
        let coverage = fill(&mut whole, &described, routes);
        *document = serde_json::from_value(whole).map_err(unusable)?;
        Ok(coverage)
    }
}

fn fill(whole: &mut Value, described: &Document, routes: &Routes) -> Coverage {
    let mut coverage = Coverage::default();
    let served: BTreeMap<String, &PathItem> =
        described.paths.iter().map(|(path, item)| (shape(path), item)).collect();
    let mut met = BTreeSet::new();
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    let paths = whole.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let Some(operation) = operation.as_object_mut().filter(|_| METHODS.contains(&&**method)) else {
                continue;
            };
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                *ids.entry(id.to_owned()).or_default() += 1;
            }
            match served.get(&shape(path)).and_then(|item| item.get(method)) {
                Some(ours) => {
                    met.insert(format!("{method} {}", shape(path)));
                    add(operation, &serde_json::to_value(ours).unwrap_or_default());
                }
                None => coverage.not_served.push(format!("{} {path}", method.to_uppercase())),
            }
        }
    }
    add_components(whole, described);
    for route in routes.iter().filter(|route| route.is_operation()) {
        let path = shape(&template(&route.path).0);
        let methods = METHODS.into_iter();
        let mut methods =
            methods.filter(|method| route.method == "ANY" || route.method.eq_ignore_ascii_case(method));
        // A route of any method is documented if one of them is.
        if !methods.any(|method| met.contains(&format!("{method} {path}"))) {
            coverage.undocumented.push(format!("{} {}", route.method, route.path));
        }
    }
    coverage.repeated_ids = ids.into_iter().filter(|(_, uses)| *uses > 1).map(|(id, _)| id).collect();
    coverage
}

/// Adds ours to an operation of theirs.
fn add(operation: &mut Map<String, Value>, ours: &Value) {
    for key in ["security", "x-auth-policy"] {
        if let Some(value) = ours.get(key) {
            operation.entry(key).or_insert_with(|| value.clone());
        }
    }
    let who = ours.get("description").and_then(Value::as_str).unwrap_or_default();
    let description = match operation.get("description").and_then(Value::as_str) {
        Some(theirs) if !theirs.is_empty() => format!("{theirs}\n\n{who}"),
        _ => who.to_owned(),
    };
    operation.insert("description".into(), description.into());
    let responses = operation.entry("responses").or_insert_with(|| Value::Object(Map::new()));
    let refusals = ours.get("responses").and_then(Value::as_object).into_iter().flatten();
    for (status, refusal) in refusals.filter(|(status, _)| status.parse::<u16>().is_ok()) {
        if let Some(responses) = responses.as_object_mut() {
            responses.entry(status).or_insert_with(|| refusal.clone());
        }
    }
}

fn add_components(whole: &mut Value, described: &Document) {
    let Some(whole) = whole.as_object_mut() else { return };
    let theirs = whole.entry("components").or_insert_with(|| Value::Object(Map::new()));
    if theirs.is_null() {
        *theirs = Value::Object(Map::new());
    }
    let ours = serde_json::to_value(&described.components).unwrap_or_default();
    for (kind, ours) in ours.as_object().into_iter().flatten() {
        let Some(theirs) = theirs.as_object_mut() else { return };
        let theirs = theirs.entry(kind).or_insert_with(|| Value::Object(Map::new()));
        for (name, ours) in ours.as_object().into_iter().flatten() {
            if let Some(theirs) = theirs.as_object_mut() {
                theirs.entry(name).or_insert_with(|| ours.clone());
            }
        }
    }
}
