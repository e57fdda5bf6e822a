//! What is enforced, added to a document that somebody else's crate made of the handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::operation::{METHODS, QUERY};
use super::path::{place, template};
use super::served::Served;
use super::{Document, OpenApi, PathItem, merge};
use crate::engine::Auth;
use crate::error::DocumentError;
use crate::routing::Routes;

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
    /// Operations of the document, by method and path, that have no gate; [`OpenApi::fill_guarded`] alone can tell.
    pub unguarded: Vec<String>,
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
    /// The document is any type that is written and read as OpenAPI by serde. Call it when the routes are nested as they are served.
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
        let described = self.document(&served, auth)?;
        let coverage = fill(&mut whole, &described, &served)?;
        write(document, whole)?;
        Ok(coverage)
    }

    /// As [`fill`](Self::fill), for a document whose operations tell of their gates themselves: `aide` makes such a one of handlers
    /// that have `#[auth]`. Serve its router below the layer of `auth`, and leave the document's own `security` empty: `aide` writes
    /// no empty list, which is what says that an operation is public.
    ///
    /// ```
    /// use aide::axum::{ApiRouter, routing::get};
    /// use auth_runtime::openapi::OpenApi;
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
    /// let app: axum::Router = app.layer(auth.layer());
    /// let coverage = OpenApi::new("Shop", "1.0.0").fill_guarded(&mut document, &auth)?;
    /// assert!(coverage.is_complete(), "{coverage}"); // no operation is without a gate
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// As [`fill`](Self::fill); or if an `x-auth-gate` is there which no gate wrote.
    #[cfg(feature = "aide")]
    pub fn fill_guarded<D: Serialize + DeserializeOwned>(
        self,
        document: &mut D,
        auth: &Auth,
    ) -> Result<Coverage, DocumentError> {
        let mut whole = read(document)?;
        let mut mistakes = Vec::new();
        let served = super::aide::guarded(&whole, auth, &mut mistakes);
        if !mistakes.is_empty() {
            return Err(DocumentError::new(mistakes));
        }
        let described = self.document(&served, auth)?;
        let mut coverage = fill(&mut whole, &described, &served)?;
        write(document, whole)?;
        coverage.unguarded = std::mem::take(&mut coverage.not_served);
        Ok(coverage)
    }
}

fn unusable(why: &str) -> DocumentError {
    DocumentError::new(vec![format!("the document of the handlers can't be filled: {why}")])
}

/// The document as an object.
fn read(document: &impl Serialize) -> Result<Map<String, Value>, DocumentError> {
    let whole = serde_json::to_value(document).map_err(|error| unusable(&error.to_string()))?;
    let Value::Object(whole) = whole else { return Err(unusable("it is no object")) };
    match whole.get("openapi").or(whole.get("swagger")).and_then(Value::as_str) {
        Some(version) if !version.starts_with("3.") || version.starts_with("3.0") => Err(unusable(&format!(
            "it is of version {version}, where a security requirement has no place for roles: let it be of 3.1 or later"
        ))),
        _ => Ok(whole),
    }
}

fn write<D: DeserializeOwned>(document: &mut D, whole: Map<String, Value>) -> Result<(), DocumentError> {
    // By way of text: some read borrowed strings alone.
    let text = Value::Object(whole).to_string();
    *document = serde_json::from_str(&text).map_err(|error| {
        unusable(&format!(
            "its type writes what it can't read ({error}), as utoipa's does where a schema is empty: fill its JSON, \
             `let mut document = serde_json::to_value(document)?`"
        ))
    })?;
    Ok(())
}

/// What a document and what is served have in common.
struct Filling<'d> {
    /// By place, and then by method.
    enforced: BTreeMap<String, &'d PathItem>,
    met: BTreeSet<(String, String)>,
    ids: BTreeMap<String, usize>,
    coverage: Coverage,
    mistakes: Vec<String>,
}

fn fill(
    whole: &mut Map<String, Value>,
    described: &Document,
    served: &[Served<'_>],
) -> Result<Coverage, DocumentError> {
    let mut filling = Filling {
        enforced: enforced(described, served),
        met: BTreeSet::new(),
        ids: BTreeMap::new(),
        coverage: Coverage::default(),
        mistakes: Vec::new(),
    };
    merge::head(whole, described);
    merge::components(whole, &json!(described.components), &mut filling.mistakes);
    let referred = whole.get("components").and_then(|components| components.get("pathItems")).cloned();
    let paths = merge::object(whole, "paths");
    for one in served.iter().filter(|one| one.written.is_some()) {
        filling.put_in(paths, one);
    }
    for (path, item) in paths {
        inline(item, referred.as_ref());
        filling.item(path, item);
    }
    filling.finish(served)
}

/// What is enforced at each place: a service answers at its prefix too.
fn enforced<'d>(described: &'d Document, served: &[Served<'_>]) -> BTreeMap<String, &'d PathItem> {
    let mut enforced: BTreeMap<String, &PathItem> =
        described.paths.iter().map(|(path, item)| (place(path), item)).collect();
    for prefix in served.iter().filter_map(|one| one.path.strip_suffix("/{*}")) {
        if let Some(&item) = enforced.get(&place(&format!("{prefix}/{{*}}"))) {
            enforced.entry(place(prefix)).or_insert(item);
            enforced.entry(place(&format!("{prefix}/"))).or_insert(item);
        }
    }
    enforced
}

/// An item that stands elsewhere in the document is put where it is referred to: two paths may have one item, and two rules.
fn inline(item: &mut Value, referred: Option<&Value>) {
    let Some(theirs) = item.as_object_mut() else { return };
    let name = theirs.get("$ref").and_then(Value::as_str);
    let name = name.and_then(|reference| reference.strip_prefix("#/components/pathItems/"));
    let found = name.and_then(|name| referred?.get(name)?.as_object()).cloned();
    for (key, value) in found.into_iter().flatten() {
        theirs.remove("$ref");
        theirs.entry(key).or_insert(value);
    }
}

/// The operations of an item, by method.
fn operations(item: &mut Value) -> Vec<(String, &mut Map<String, Value>)> {
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

impl Filling<'_> {
    /// Puts in the operations that a route brings along, where none is written.
    fn put_in(&mut self, paths: &mut Map<String, Value>, served: &Served<'_>) {
        let path = template(&served.path).0;
        let Some(&item) = self.enforced.get(&place(&path)) else { return };
        let written = paths.keys().find(|written| place(written) == place(&path)).cloned();
        let theirs = merge::object(paths, &written.unwrap_or(path));
        for (method, operation) in item.iter().filter(|(method, _)| served.methods.contains(&&***method)) {
            theirs.entry(method).or_insert_with(|| {
                let mut operation = json!(operation);
                // As it was written, until ours is added.
                operation.as_object_mut().map(|operation| operation.remove(merge::POLICY));
                operation
            });
        }
    }

    fn item(&mut self, path: &str, item: &mut Value) {
        let of_item = item.get("parameters").cloned();
        for (method, operation) in operations(item) {
            let shown = format!("{} {path}", method.to_uppercase());
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                *self.ids.entry(id.to_owned()).or_default() += 1;
            }
            let served = self.enforced.get(&place(path)).and_then(|item| match &*method {
                // Where `GET` is served, `HEAD` is.
                "head" => item.get("head").or(item.get("get")),
                known if METHODS.contains(&known) => item.get(known),
                // Only a route of any method takes it.
                _ => item.get(QUERY),
            });
            let Some(ours) = served else {
                self.coverage.not_served.push(shown);
                continue;
            };
            let is_known = METHODS.contains(&&*method);
            self.met.insert((if is_known { method } else { QUERY.to_owned() }, place(path)));
            if operation.contains_key(merge::POLICY) {
                self.mistakes.push(format!(
                    "{shown} has an `{}` already, as after an earlier call: fill the document that the handlers make",
                    merge::POLICY
                ));
            }
            let ours = json!(ours);
            merge::operation(operation, &ours);
            merge::parameters(operation, of_item.as_ref(), &template(path).1);
            if operation.get("security") != ours.get("security") {
                self.coverage.own_security.push(shown);
            }
        }
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
