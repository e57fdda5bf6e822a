//! The document of the routes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::api::{OpenApi, OpenApiVersion};
use super::components::{Components, SECURITY_SCHEMES};
use super::document::Document;
use super::error::DocumentError;
use super::keys::QUERY;
use super::names::NameKinds;
use super::operation::{Operations, PathItem};
use super::references::dangling;
use super::rejections;
use super::route::ServedRoute;
use super::schemes::Schemes;
use crate::engine::Auth;
use crate::policy::PolicyAccess;
use crate::router::HandlerDocs;
use crate::router::Routes;

/// What is enforced, in the parts of a document.
pub(super) struct Described {
    /// `openapi`, `info` and `servers`.
    pub(super) head: Map<String, Value>,
    pub(super) paths: BTreeMap<String, PathItem>,
    /// Those of this library.
    pub(super) components: Components,
}

impl OpenApi {
    /// The document of these routes, as `auth` serves them. Fallbacks and routes without a guard are not in it.
    ///
    /// # Errors
    /// [`DocumentError::Misconfigured`], which lists every error: a route that `auth` can't serve, a source that does not
    /// say where its credential is, a name that a security scheme can't have, a configured source that the engine does not
    /// have, two different schemas of one name.
    pub fn describe(self, routes: &Routes, auth: &Auth) -> Result<Document, DocumentError> {
        let routes_in_document = ServedRoute::all(routes, auth);
        let described = described(&self, routes, &routes_in_document, auth, BTreeSet::new())?;
        let mut paths = described.paths;
        if self.version == OpenApiVersion::V3_1 {
            paths.values_mut().for_each(|item| drop(item.remove(QUERY)));
        }
        paths.retain(|_, item| !item.is_empty());
        let mut components = described.components;
        add_components(&mut components, routes_in_document.iter().filter_map(|route| route.documentation))
            .map_err(|errors| DocumentError::Misconfigured { errors })?;
        let mut document = described.head;
        document.insert("paths".into(), json!(paths));
        document.insert("components".into(), components.into_value());
        let document = Value::Object(document);
        let dangling = dangling(&document).into_iter().map(|reference| {
            format!(
                "the documentation of a handler refers to `{reference}`, and no handler documents that: `fill` a document that has it"
            )
        });
        let errors: Vec<String> = dangling.collect();
        if errors.is_empty() {
            Ok(Document::new(document))
        } else {
            Err(DocumentError::Misconfigured { errors })
        }
    }
}

/// What is enforced on these routes. `taken_ids` are not given to an operation.
pub(super) fn described(
    api: &OpenApi,
    all_routes: &Routes,
    routes: &[ServedRoute<'_>],
    auth: &Auth,
    taken_ids: BTreeSet<String>,
) -> Result<Described, DocumentError> {
    // A route that the engine can't serve may look public, because the engine has none of its sources.
    let guarded = all_routes.iter().filter(|route| !route.unguarded);
    let mut errors: Vec<String> = guarded.flat_map(|route| route.objections(auth)).collect();
    for declared in all_routes.declared() {
        errors.extend(declared.objections(auth.engine()).iter().map(|objection| declared.error(objection)));
    }
    let vocabulary = auth.engine().authorization.vocabulary.vocabulary();
    let kinds = NameKinds::new(routes.iter().map(|route| &route.policy), vocabulary);
    let schemes = Schemes::new(api, routes, &kinds, auth, &mut errors);
    let mut operations = Operations::new(&schemes, &kinds, auth, taken_ids);
    routes.iter().for_each(|route| operations.add(route));
    let components = own_components(&schemes, routes, auth, &mut errors);
    // An error here too, so that `fill` reports conflicts of components that it does not add.
    let conflicts =
        add_components(&mut components.clone(), routes.iter().filter_map(|route| route.documentation));
    errors.extend(conflicts.err().into_iter().flatten());
    errors.dedup();
    if errors.is_empty() {
        Ok(Described { head: api.head(), paths: operations.into_paths(), components })
    } else {
        Err(DocumentError::Misconfigured { errors })
    }
}

fn own_components(
    schemes: &Schemes,
    routes: &[ServedRoute<'_>],
    auth: &Auth,
    errors: &mut Vec<String>,
) -> Components {
    let mut components = Components::default();
    // Two schemes of one name are among the errors already.
    for scheme in schemes.iter() {
        let _ = components.add(SECURITY_SCHEMES, &scheme.name, &scheme.object);
    }
    if routes.iter().any(|route| route.policy.access != PolicyAccess::Public) {
        for (kind, name, component) in rejections::components(auth) {
            errors.extend(components.add(kind, name, &component).err());
        }
    }
    components
}

/// Adds the components that the documentation of handlers refers to.
///
/// # Errors
/// An error for each component that differs from another one of its name.
pub(super) fn add_components<'w>(
    components: &mut Components,
    documentation: impl Iterator<Item = &'w HandlerDocs>,
) -> Result<(), Vec<String>> {
    let all = documentation.flat_map(HandlerDocs::components);
    let conflicts = all.filter_map(|(kind, name, component)| components.add(kind, name, component).err());
    let conflicts: Vec<String> = conflicts.collect();
    if conflicts.is_empty() { Ok(()) } else { Err(conflicts) }
}
