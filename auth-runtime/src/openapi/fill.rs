//! What is enforced, added to a document that somebody else's crate made of the handlers.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::operation::{METHODS, template};
use super::served::Served;
use super::{Document, OpenApi, PathItem, merge};
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
    /// Operations of the document, by method and path, that have no gate; [`OpenApi::fill_guarded`] alone can tell.
    pub unguarded: Vec<String>,
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
    /// [`DocumentError`]: as [`describe`](Self::describe); or if the document can't be written or read, or is one of OpenAPI 3.0, where
    /// a security requirement has no place for roles.
    pub fn fill<D: Serialize + DeserializeOwned>(
        self,
        document: &mut D,
        routes: &Routes,
        auth: &Auth,
    ) -> Result<Coverage, DocumentError> {
        let mut whole = read(document)?;
        let served = Served::routes(routes, auth);
        let described = self.document(&served, auth)?;
        let coverage = fill(&mut whole, &described, &served);
        write(document, whole)?;
        Ok(coverage)
    }

    /// As [`fill`](Self::fill), for a document whose operations tell of their gates themselves: `aide` makes such a one of handlers
    /// that have `#[auth]`. Serve its router below the layer of `auth`.
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
    /// As [`fill`](Self::fill); or if an `x-auth-policy` is there which no gate wrote.
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
        let Coverage { not_served: unguarded, repeated_ids, .. } = fill(&mut whole, &described, &served);
        write(document, whole)?;
        Ok(Coverage { repeated_ids, unguarded, ..Coverage::default() })
    }
}

fn unusable(why: &str) -> DocumentError {
    DocumentError::new(vec![format!("the document of the handlers can't be filled: {why}")])
}

/// The document as an object.
fn read(document: &impl Serialize) -> Result<Map<String, Value>, DocumentError> {
    let whole = serde_json::to_value(document).map_err(|error| unusable(&error.to_string()))?;
    let Value::Object(whole) = whole else { return Err(unusable("it is no object")) };
    match whole.get("openapi").and_then(Value::as_str) {
        Some(version) if !version.starts_with("3.") || version.starts_with("3.0") => Err(unusable(&format!(
            "it is one of version {version}, where a security requirement has no place for roles: let it be of 3.1 or later"
        ))),
        _ => Ok(whole),
    }
}

fn write<D: DeserializeOwned>(document: &mut D, whole: Map<String, Value>) -> Result<(), DocumentError> {
    // By way of text: some read borrowed strings alone.
    let text = Value::Object(whole).to_string();
    *document = serde_json::from_str(&text).map_err(|error| unusable(&error.to_string()))?;
    Ok(())
}

/// What tells of a place and nothing else: names of parameters don't.
fn place(path: &str) -> String {
    shape(&template(path).0)
}

fn fill(whole: &mut Map<String, Value>, described: &Document, served: &[Served<'_>]) -> Coverage {
    let mut coverage = Coverage::default();
    merge::head(whole, described);
    let paths = merge::object(whole, "paths");
    for one in served.iter().filter(|one| one.written.is_some()) {
        put_in(paths, one, described);
    }
    let enforced: BTreeMap<String, &PathItem> =
        described.paths.iter().map(|(path, item)| (place(path), item)).collect();
    let mut met = BTreeSet::new();
    let mut ids: BTreeMap<String, usize> = BTreeMap::new();
    for (path, item) in paths {
        let of_item = item.get("parameters").cloned();
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let Some(operation) = operation.as_object_mut().filter(|_| METHODS.contains(&&**method)) else {
                continue;
            };
            if let Some(id) = operation.get("operationId").and_then(Value::as_str) {
                *ids.entry(id.to_owned()).or_default() += 1;
            }
            let ours = enforced.get(&place(path)).and_then(|item| match &**method {
                // Where `GET` is served, `HEAD` is.
                "head" => item.get("head").or(item.get("get")),
                method => item.get(method),
            });
            match ours {
                Some(ours) => {
                    met.insert((method.clone(), place(path)));
                    merge::operation(operation, &json!(ours));
                    merge::parameters(operation, of_item.as_ref(), &template(path).1);
                }
                None => coverage.not_served.push(format!("{} {path}", method.to_uppercase())),
            }
        }
    }
    merge::components(whole, &json!(described.components));
    for one in served {
        let path = place(&one.path);
        // A route of any method is documented if one of them is.
        let is_met = |method: &str| one.answers(method) && met.contains(&(method.to_owned(), path.clone()));
        if !METHODS.into_iter().any(is_met) {
            coverage.undocumented.push(format!("{} {}", one.method, one.path));
        }
    }
    coverage.repeated_ids = ids.into_iter().filter(|(_, uses)| *uses > 1).map(|(id, _)| id).collect();
    coverage
}

/// Puts in the operations that a route brings along, where none is written.
fn put_in(paths: &mut Map<String, Value>, served: &Served<'_>, described: &Document) {
    let path = template(&served.path).0;
    let Some(item) = described.paths.get(&path) else { return };
    let written = paths.keys().find(|written| place(written) == place(&path)).cloned();
    let theirs = merge::object(paths, &written.unwrap_or(path));
    for (method, operation) in item.iter().filter(|(method, _)| served.answers(method)) {
        theirs.entry(method).or_insert_with(|| json!(operation));
    }
}
