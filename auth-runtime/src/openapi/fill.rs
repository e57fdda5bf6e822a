//! What is enforced, added to a document that another crate made of the handlers.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::api::OpenApi;
use super::components::Components;
use super::coverage::Coverage;
use super::describe::{Described, add_components, described};
use super::error::DocumentError;
use super::items::{ids, normalize_paths, operations_of};
use super::json::object;
use super::keys::{DECLARED, METHODS, POLICY, QUERY};
use super::path::{place, template};
use super::places::Places;
use super::references::dangling;
use super::route::ServedRoute;
use super::{merge, typed};
use crate::engine::Auth;
use crate::router::Routes;

impl OpenApi {
    /// Adds what is enforced to a document of the handlers, such as `utoipa::openapi::OpenApi`, by method and path:
    /// security schemes, and for each operation its security, the rejections that can happen, and the rule, in words and as
    /// `x-auth-policy`. What the document says already stays: a `security` of its own, a 401 of its own, title, version and
    /// servers.
    ///
    /// Operations that the routes document themselves, by [`documented!`](crate::documented) and as the ready token routes do, are
    /// added with their schemas. Other routes that the document lacks are not added: the [`Coverage`] lists them.
    ///
    /// The document may have any type that serde reads and writes as OpenAPI. The types of `utoipa` and `aide` are tested.
    /// A type that loses something is an error ([`DocumentError::Lossy`], [`DocumentError::Deserialize`]): then fill a
    /// `serde_json::Value`. Call `fill` when the routes are nested as they are served. For a router of `aide` (feature
    /// `aide`) the routes are in its document:
    ///
    /// ```
    /// # #[cfg(feature = "aide")]
    /// # fn app() -> Result<(), Box<dyn std::error::Error>> {
    /// use aide::axum::{ApiRouter, routing::get};
    /// use auth_runtime::openapi::OpenApi;
    /// use auth_runtime::routing::Routes;
    /// use auth_runtime::{Auth, Principal, auth};
    /// # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
    ///
    /// #[auth(roles = ["admin"])]
    /// async fn purge(user: Principal) {}
    ///
    /// # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
    /// let auth = Auth::builder().issuer(issuer).build()?;
    /// let mut document = aide::openapi::OpenApi::default();
    /// let app = ApiRouter::new().api_route("/purge", get(purge)).finish_api(&mut document);
    /// let app: axum::Router = app.layer(auth.layer()); // the gates find the engine there
    /// let routes = Routes::from_aide(&document);
    /// let coverage = OpenApi::new("Shop", "1.0.0").fill(&mut document, &routes, &auth)?;
    /// assert!(coverage.is_complete(), "{coverage}"); // no operation is without a gate
    /// println!("{}", routes.table(&auth));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DocumentError`]: what [`describe`](Self::describe) reports; a document that can't be serialized or deserialized,
    /// that was filled before, that has a different component of a name that this library uses, or that is older than
    /// OpenAPI 3.1, where a security requirement can't list roles. The document is then unchanged.
    pub fn fill<D: Serialize + DeserializeOwned>(
        self,
        document: &mut D,
        routes: &Routes,
        auth: &Auth,
    ) -> Result<Coverage, DocumentError> {
        let mut json = typed::to_json(document)?;
        let routes_in_document = ServedRoute::all(routes, auth);
        let described = described(&self, routes, &routes_in_document, auth, ids(&mut json))?;
        let mut coverage = fill(&mut json, &described, routes, &routes_in_document)?;
        let json = Value::Object(json);
        coverage.dangling = dangling(&json).into_iter().collect();
        *document = typed::from_json(json)?;
        Ok(coverage)
    }
}

fn fill(
    document: &mut Map<String, Value>,
    described: &Described,
    all_routes: &Routes,
    routes: &[ServedRoute<'_>],
) -> Result<Coverage, DocumentError> {
    merge::head(document, &described.head);
    let shared = document.get("components").and_then(|components| components.get("pathItems")).cloned();
    let paths = object(document, "paths");
    normalize_paths(paths, shared.as_ref());
    let places = Places::new(&described.paths, routes);
    let components = insert_documented(paths, &places, described, routes)?;
    let mut filling = Filling::new(places, all_routes);
    for (path, item) in paths.iter_mut().filter(|(path, _)| !path.starts_with("x-")) {
        filling.fill_item(path, item);
    }
    let mut errors = Vec::new();
    components.merge_into(document, &mut errors);
    if !errors.is_empty() {
        return Err(DocumentError::Misconfigured { errors });
    }
    filling.finish(routes)
}

/// Inserts the operations that routes document themselves, and that the document lacks. The components of this library, and
/// those that the inserted operations refer to: of an operation that the document has, it may have changed the schemas.
fn insert_documented(
    paths: &mut Map<String, Value>,
    places: &Places<'_>,
    described: &Described,
    routes: &[ServedRoute<'_>],
) -> Result<Components, DocumentError> {
    let mut paths_by_place = BTreeMap::new();
    for path in paths.keys() {
        paths_by_place.entry(place(path)).or_insert_with(|| path.clone());
    }
    let inserted = routes.iter().filter(|route| insert_route(paths, &mut paths_by_place, places, route));
    let inserted: Vec<&ServedRoute<'_>> = inserted.collect();
    let mut components = described.components.clone();
    add_components(&mut components, inserted.iter().filter_map(|route| route.documentation))
        .map_err(|errors| DocumentError::Misconfigured { errors })?;
    Ok(components)
}

/// Inserts the operations that a route documents itself, and returns whether there was one that the document lacked.
fn insert_route(
    paths: &mut Map<String, Value>,
    paths_by_place: &mut BTreeMap<String, String>,
    places: &Places<'_>,
    route: &ServedRoute<'_>,
) -> bool {
    let Some(documentation) = route.documentation else { return false };
    let (path, parameters) = template(&route.path);
    let place = place(&path);
    let Some(enforced) = places.item(&place) else { return false };
    let path = paths_by_place.entry(place).or_insert(path);
    let item = object(paths, path);
    let mut is_inserted = false;
    for (method, operation) in enforced.iter().filter(|(method, _)| route.methods.contains(&&***method)) {
        let present = item.entry(method).or_insert(Value::Null);
        if present.is_null() {
            let mut operation = without_policy(operation.clone(), documentation.operation(method));
            merge::rename_parameters(&mut operation, &parameters, &template(path).1);
            *present = Value::Object(operation);
            is_inserted = true;
        }
    }
    is_inserted
}

/// An operation with the security that its handler documents, and without what is enforced: that is added to it as to any
/// other one.
fn without_policy(
    mut operation: Map<String, Value>,
    documented: Option<&Map<String, Value>>,
) -> Map<String, Value> {
    operation.remove(POLICY);
    operation.remove(DECLARED);
    operation.remove("security");
    let security = documented.and_then(|documented| documented.get("security"));
    operation.extend(security.map(|security| ("security".to_owned(), security.clone())));
    operation
}

/// A method in lower case, and the place where it is served.
type MethodAndPlace = (String, String);

/// What is found while the operations of a document are filled.
struct Filling<'d> {
    places: Places<'d>,
    /// Those that are known to have no gate.
    unguarded: BTreeSet<MethodAndPlace>,
    documented: BTreeSet<MethodAndPlace>,
    /// How many operations have each id.
    ids: BTreeMap<String, usize>,
    already_filled: Vec<String>,
    coverage: Coverage,
}

impl<'d> Filling<'d> {
    fn new(places: Places<'d>, all_routes: &Routes) -> Self {
        let unguarded = all_routes.iter().filter(|route| route.unguarded);
        let unguarded = unguarded.map(|route| (route.method.to_ascii_lowercase(), place(&route.path)));
        Self {
            places,
            unguarded: unguarded.collect(),
            documented: BTreeSet::new(),
            ids: BTreeMap::new(),
            already_filled: Vec::new(),
            coverage: Coverage::default(),
        }
    }

    fn fill_item(&mut self, path: &str, item: &mut Value) {
        let of_path_item = item.get("parameters").cloned();
        for (method, operation) in operations_of(item) {
            self.fill_operation(path, &method, operation, of_path_item.as_ref());
        }
    }

    fn fill_operation(
        &mut self,
        path: &str,
        method: &str,
        operation: &mut Map<String, Value>,
        of_path_item: Option<&Value>,
    ) {
        let name = format!("{} {path}", method.to_uppercase());
        if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
            *self.ids.entry(id.to_owned()).or_default() += 1;
        }
        let place = self.places.place(path);
        // Only a route of any method serves a method that OpenAPI has no field for, and it serves `query` too.
        let field = METHODS.into_iter().find(|known| *known == method).unwrap_or(QUERY);
        let enforced = self.places.item(&place).and_then(|item| {
            // Where `GET` is served, `HEAD` is.
            item.get_key_value(field).or_else(|| item.get_key_value("get").filter(|_| field == "head"))
        });
        let key = (field.to_owned(), place);
        let is_unguarded = self.unguarded.contains(&key);
        if operation.contains_key(POLICY) {
            if enforced.is_some() || is_unguarded {
                self.already_filled.push(name);
            }
            // Otherwise it was filled from the routes of another router.
            return;
        }
        let Some((enforced_method, enforced)) = enforced else {
            let list =
                if is_unguarded { &mut self.coverage.unguarded } else { &mut self.coverage.not_served };
            list.push(name);
            return;
        };
        let mut enforced = enforced.clone();
        if enforced_method != method {
            // That id is the other operation's.
            enforced.remove("operationId");
        }
        self.documented.insert(key);
        merge::operation(operation, &enforced);
        merge::parameters(operation, of_path_item, &template(path).1);
        if !merge::is_same_security(operation.get("security"), enforced.get("security")) {
            self.coverage.own_security.push(name);
        }
    }

    fn finish(self, routes: &[ServedRoute<'_>]) -> Result<Coverage, DocumentError> {
        if !self.already_filled.is_empty() {
            return Err(DocumentError::AlreadyFilled { operations: self.already_filled });
        }
        let mut coverage = self.coverage;
        for route in routes {
            let place = place(&route.path);
            let is_documented =
                |method: &&str| self.documented.contains(&((*method).to_owned(), place.clone()));
            // A route of any method is documented if one of its methods is. OpenAPI 3.1 has no field for `CONNECT`.
            if !route.methods.is_empty() && !route.methods.iter().any(is_documented) {
                coverage.undocumented.push(format!("{} {}", route.method, route.path));
            }
        }
        let repeated = self.ids.into_iter().filter(|(_, operations)| *operations > 1);
        coverage.repeated_ids = repeated.map(|(id, _)| id).collect();
        Ok(coverage)
    }
}
