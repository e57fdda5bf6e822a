//! What is enforced, added to a document that somebody else's crate made of the handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::operation::{METHODS, QUERY, is_own_component};
use super::path::{place, template};
use super::served::Served;
use super::whole::{ids, kept, operations, read};
use super::{Components, Document, OpenApi, PathItem, WrittenOperations, merge};
use crate::engine::Auth;
use crate::error::DocumentError;
use crate::router::{BELOW, Routes};

/// What of the routes and of the document met. Prints as a list, and as nothing where all did. Of what is merged without a guard nothing
/// is known: its operations count as not served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Coverage {
    /// Routes that are served, by method and path, and of which the document says nothing.
    pub undocumented: Vec<String>,
    /// Operations of the document, by method and path, that no route serves.
    pub not_served: Vec<String>,
    /// Operation ids that stand more than once.
    pub repeated_ids: Vec<String>,
    /// Operations of the document, by method and path, with a `security` of their own that says something else than what is enforced.
    pub own_security: Vec<String>,
    /// Operations of the document, by method and path, that have no gate, as the routes [of `aide`](Routes) can tell.
    pub unguarded: Vec<String>,
    /// References of the document that lead nowhere in it.
    pub dangling: Vec<String>,
}

impl Coverage {
    /// Whether there is nothing to report.
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
            ("a security of its own, and not what is enforced", &self.own_security),
            ("documented, and not guarded", &self.unguarded),
            ("a reference that leads nowhere", &self.dangling),
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
    /// written there already stays: a `security` of its own, a 401 of its own, title, version and servers.
    ///
    /// Operations that the routes bring along themselves, by [`documented!`](crate::documented) and as the ready token routes do, are
    /// put in, with their schemas. What is served otherwise and not documented is not: the [`Coverage`] lists it.
    ///
    /// The document is any type that is written and read as OpenAPI by serde; with those of `utoipa` and `aide` it is tried. Call it when
    /// the routes are nested as they are served. For a router of `aide`'s (feature `aide`) the routes are in its document:
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
    /// let routes = Routes::of_aide(&document);
    /// let coverage = OpenApi::new("Shop", "1.0.0").fill(&mut document, &routes, &auth)?;
    /// assert!(coverage.is_complete(), "{coverage}"); // no operation is without a gate
    /// println!("{}", routes.table(&auth));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`DocumentError`]: as [`describe`](Self::describe); or if the document can't be written or read, was filled already, has a component
    /// of the name of ours that says something else, or is older than OpenAPI 3.1, where a security requirement has no place for roles.
    pub fn fill<D: Serialize + DeserializeOwned>(
        self,
        document: &mut D,
        routes: &Routes,
        auth: &Auth,
    ) -> Result<Coverage, DocumentError> {
        let mut whole = read(document)?;
        let served = Served::routes(routes, auth);
        let described = self.document(routes, &served, auth, ids(&mut whole))?;
        let mut coverage = fill(&mut whole, &described, routes, &served)?;
        let whole = Value::Object(whole);
        coverage.dangling = merge::dangling(&whole).into_iter().collect();
        *document = kept(whole)?;
        Ok(coverage)
    }
}

/// What a document and what is served have in common.
struct Filling<'d> {
    /// By place, and then by method.
    enforced: BTreeMap<String, &'d PathItem>,
    /// The places of wildcards, by the paths below them.
    below: matchit::Router<String>,
    /// Method and place of those that are known to have no gate.
    unguarded: BTreeSet<(String, String)>,
    met: BTreeSet<(String, String)>,
    ids: BTreeMap<String, usize>,
    coverage: Coverage,
    mistakes: Vec<String>,
}

fn fill(
    whole: &mut Map<String, Value>,
    described: &Document,
    routes: &Routes,
    served: &[Served<'_>],
) -> Result<Coverage, DocumentError> {
    let unguarded = routes.iter().filter(|route| route.unguarded);
    let mut filling = Filling {
        enforced: enforced(described, served),
        below: below(served),
        unguarded: unguarded.map(|route| (route.method.to_ascii_lowercase(), place(&route.path))).collect(),
        met: BTreeSet::new(),
        ids: BTreeMap::new(),
        coverage: Coverage::default(),
        mistakes: Vec::new(),
    };
    merge::head(whole, described);
    let referred = whole.get("components").and_then(|components| components.get("pathItems")).cloned();
    let paths = merge::object(whole, "paths");
    settle(paths, referred.as_ref());
    let mut there = BTreeMap::new();
    for path in paths.keys() {
        there.entry(place(path)).or_insert_with(|| path.clone());
    }
    let put_in: Vec<_> = served.iter().filter(|one| filling.put_in(paths, &mut there, one)).collect();
    let components = components(described, &put_in);
    for (path, item) in paths.iter_mut().filter(|(path, _)| !path.starts_with("x-")) {
        filling.item(path, item);
    }
    merge::components(whole, &json!(components), &mut filling.mistakes);
    filling.finish(served)
}

/// Our components, with those that the operations refer to which were put in. What is written already may have been changed for
/// operations that are.
fn components(described: &Document, put_in: &[&Served<'_>]) -> Components {
    let mut components = described.components.clone();
    components.responses.retain(|name, _| is_own_component(name));
    components.schemas.retain(|name, _| is_own_component(name));
    components.written.clear();
    for (kind, name, one) in
        put_in.iter().filter_map(|one| one.written).flat_map(WrittenOperations::components)
    {
        // Those of one name are the same.
        components.add(kind, name, one);
    }
    components
}

/// What is enforced at each place: a service answers at its prefix too.
fn enforced<'d>(described: &'d Document, served: &[Served<'_>]) -> BTreeMap<String, &'d PathItem> {
    let mut enforced: BTreeMap<String, &PathItem> =
        described.paths.iter().map(|(path, item)| (place(path), item)).collect();
    for prefix in served.iter().filter_map(|one| one.path.strip_suffix(BELOW)) {
        if let Some(&item) = enforced.get(&place(&format!("{prefix}{BELOW}"))) {
            enforced.entry(place(prefix)).or_insert(item);
            enforced.entry(place(&format!("{prefix}/"))).or_insert(item);
        }
    }
    enforced
}

/// Where a path leads that is below a service or a wildcard, and has no route of its own.
fn below(served: &[Served<'_>]) -> matchit::Router<String> {
    let mut below = matchit::Router::new();
    for one in served.iter().filter(|one| one.path.contains("{*")) {
        let path = one.path.replace("//{*}", "/{*}").replace("{*}", "{*rest}");
        // One that is there already has the same place; what the router does not take, axum does not serve.
        let _ = below.insert(path, place(&one.path));
    }
    below
}

/// Paths as OpenAPI writes them, and each with an item of its own: what stands elsewhere in the document is put where it is referred to,
/// since two paths may have one item, and two rules.
fn settle(paths: &mut Map<String, Value>, referred: Option<&Value>) {
    let wildcards: Vec<String> = paths.keys().filter(|path| path.contains("{*")).cloned().collect();
    for path in wildcards {
        let written = template(&path).0;
        if !paths.contains_key(&written)
            && let Some(item) = paths.remove(&path)
        {
            paths.insert(written, item);
        }
    }
    for theirs in paths.values_mut().filter_map(Value::as_object_mut) {
        let name = theirs.get("$ref").and_then(Value::as_str);
        let name = name.and_then(|reference| reference.strip_prefix("#/components/pathItems/"));
        let found = name.and_then(|name| referred?.get(name)?.as_object()).cloned();
        for (key, value) in found.into_iter().flatten() {
            theirs.remove("$ref");
            let theirs = theirs.entry(key).or_insert(Value::Null);
            if theirs.is_null() {
                *theirs = value;
            }
        }
    }
}

impl Filling<'_> {
    /// Puts in the operations that a route brings along, where none is written, and says whether it did; `there` has the paths by place.
    fn put_in(
        &self,
        paths: &mut Map<String, Value>,
        there: &mut BTreeMap<String, String>,
        served: &Served<'_>,
    ) -> bool {
        let Some(written) = served.written else { return false };
        let (path, parameters) = template(&served.path);
        let place = place(&path);
        let Some(&item) = self.enforced.get(&place) else { return false };
        let there = there.entry(place).or_insert(path);
        let theirs = merge::object(paths, there);
        let mut is_put_in = false;
        for (method, operation) in item.iter().filter(|(method, _)| served.methods.contains(&&***method)) {
            let theirs = theirs.entry(method).or_insert(Value::Null);
            if theirs.is_null() {
                *theirs = as_written(json!(operation), written.operation(method));
                merge::rename_parameters(theirs, &parameters, &template(there).1);
                is_put_in = true;
            }
        }
        is_put_in
    }

    fn item(&mut self, path: &str, item: &mut Value) {
        let of_item = item.get("parameters").cloned();
        for (method, operation) in operations(item) {
            let shown = format!("{} {path}", method.to_uppercase());
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                *self.ids.entry(id.to_owned()).or_default() += 1;
            }
            let place = self.place(path);
            // Only a route of any method takes one that OpenAPI does not know.
            let known = METHODS.into_iter().find(|known| *known == method).unwrap_or(QUERY);
            let served = self.enforced.get(&place).and_then(|item| {
                // Where `GET` is served, `HEAD` is.
                item.get_key_value(known).or_else(|| item.get_key_value("get").filter(|_| known == "head"))
            });
            let key = (known.to_owned(), place);
            let is_unguarded = self.unguarded.contains(&key);
            if operation.contains_key(merge::POLICY) {
                if served.is_some() || is_unguarded {
                    self.mistakes.push(format!(
                        "{shown} has an `{}` already, as after an earlier call: fill the document that the handlers make",
                        merge::POLICY
                    ));
                }
                // Else it is of another router.
                continue;
            }
            let Some((of, ours)) = served else {
                let list =
                    if is_unguarded { &mut self.coverage.unguarded } else { &mut self.coverage.not_served };
                list.push(shown);
                continue;
            };
            let mut ours = json!(ours);
            if *of != method {
                // Another operation has that id.
                ours.as_object_mut().map(|ours| ours.remove("operationId"));
            }
            self.met.insert(key);
            merge::operation(operation, &ours);
            merge::parameters(operation, of_item.as_ref(), &template(path).1);
            if !merge::is_same_security(operation.get("security"), ours.get("security")) {
                self.coverage.own_security.push(shown);
            }
        }
    }

    /// The place of what is served at a path: its own, or that of a wildcard above it.
    fn place(&self, path: &str) -> String {
        let own = place(path);
        if self.enforced.contains_key(&own) {
            return own;
        }
        let probe: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "{" } else { part }).collect();
        self.below.at(&probe.join("/")).map_or(own, |found| found.value.clone())
    }

    fn finish(self, served: &[Served<'_>]) -> Result<Coverage, DocumentError> {
        if !self.mistakes.is_empty() {
            return Err(DocumentError::new(self.mistakes));
        }
        let mut coverage = self.coverage;
        for one in served {
            let place = place(&one.path);
            // A route of any method is documented if one of them is. `CONNECT` has no place in a document.
            let is_met = |method: &&str| self.met.contains(&((*method).to_owned(), place.clone()));
            if !one.methods.is_empty() && !one.methods.iter().any(is_met) {
                coverage.undocumented.push(format!("{} {}", one.method, one.path));
            }
        }
        let ids = self.ids.into_iter();
        coverage.repeated_ids = ids.filter(|(_, uses)| *uses > 1).map(|(id, _)| id).collect();
        Ok(coverage)
    }
}

/// An operation with what is written of its security, and without what is enforced, which is added to it like to any other.
fn as_written(mut operation: Value, written: Option<&Map<String, Value>>) -> Value {
    if let Some(operation) = operation.as_object_mut() {
        operation.remove(merge::POLICY);
        operation.remove("security");
        let security = written.and_then(|written| written.get("security"));
        operation.extend(security.map(|security| ("security".to_owned(), security.clone())));
    }
    operation
}
