//! The OpenAPI document of what is enforced (feature `openapi`).
//!
//! [`OpenApi::describe`] makes it of the list of routes and the engine that serves them: security schemes for the sources in
//! use, and for each operation its security, the refusals that can happen, and the rule, in words and whole.
//!
//! ```
//! # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
//! use auth_runtime::openapi::OpenApi;
//! use auth_runtime::{Auth, Principal, Router, auth, routing::get};
//!
//! /// Nobody but an admin.
//! #[auth(roles = ["admin"])]
//! async fn purge(user: Principal) {}
//!
//! # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
//! let auth = Auth::builder().issuer(issuer).build()?;
//! let routes: Router = Router::new().route("/purge", get(purge));
//! let document = OpenApi::new("Shop", "1.0.0").describe(&routes.routes(), &auth)?;
//! assert!(document.to_json().contains(r#""bearer": ["#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **With `utoipa`.** [`documented!`](crate::documented) mounts, guards and documents handlers that have `#[utoipa::path]`, and
//! [`OpenApi::fill`] adds what is enforced to the document that `utoipa` makes of them, derived or collected. It says which routes are not
//! in it, and which of its operations are not served.
//!
//! **With `aide`** (feature `aide`). Its routers take handlers that have `#[auth]` as they are, and [`Routes::of_aide`](crate::router::Routes)
//! finds the rules behind the document that it makes of them, to [`fill`](OpenApi::fill) it.
//!
//! **What `security` says.** Alternatives are several objects of the list, joint requirements one; a public operation has `[]`,
//! an optional one `{}` among others, and each source of a route is an alternative. Roles, scopes and permissions are listed by
//! their names, with `role:`, `scope:` or `permission:` in front where one name is of two kinds. What OpenAPI has no words for
//! (`not`, claims, the login, checks, more than 64 alternatives) is left out, so that whom the rule admits the document
//! admits too; `x-auth-policy` has the rule as it is. Of OAuth 2 and OpenID Connect schemes only scopes may be listed.

#[cfg(feature = "aide")]
mod aide;
mod document;
mod documented;
mod fill;
mod merge;
mod operation;
mod path;
mod scheme;
mod security;
mod served;
mod whole;
mod written;

use std::collections::{BTreeMap, BTreeSet};

pub use self::document::{
    Components, Document, Header, Info, MediaType, Operation, OrWritten, Parameter, PathItem, Reference,
    Response, ResponseOrReference, Schema, SecurityRequirement, Server,
};
pub use self::fill::Coverage;
use self::operation::Operations;
use self::scheme::Schemes;
pub use self::scheme::{OAuthFlow, OAuthFlows, SecurityScheme};
use self::security::Kinds;
use self::served::Served;
pub(crate) use self::written::WrittenOperations;
use crate::engine::Auth;
pub use crate::error::DocumentError;
use crate::policy::PolicyAccess;
use crate::router::Routes;

/// Describes an API: its title, where it is, how its security schemes are called and where their tokens come from.
#[derive(Clone, Debug)]
#[must_use = "call `describe`"]
pub struct OpenApi {
    version: OpenApiVersion,
    info: Info,
    servers: Vec<Server>,
    /// By the source's name.
    scheme_names: BTreeMap<String, String>,
    issued_by: BTreeMap<String, scheme::IssuedBy>,
}

/// A version of the specification.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenApiVersion {
    /// 3.1.1.
    #[default]
    V3_1,
    /// 3.2.0.
    V3_2,
}

impl OpenApi {
    /// An API with this title, in this version of its own.
    pub fn new(title: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            version: OpenApiVersion::default(),
            info: Info { title: title.into(), version: version.into(), description: None },
            servers: Vec::new(),
            scheme_names: BTreeMap::new(),
            issued_by: BTreeMap::new(),
        }
    }

    /// The version of the specification. Default: 3.1. A document that is filled keeps its own.
    pub fn version(mut self, version: OpenApiVersion) -> Self {
        self.version = version;
        self
    }

    /// What the API is for, in CommonMark.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.info.description = Some(description.into());
        self
    }

    /// A URL where the API is served. Default: `/`, the host that the document is read from.
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.servers.push(Server { url: url.into() });
        self
    }

    /// What the security scheme of this source is called. Default: as the source.
    pub fn scheme_name(mut self, source: impl Into<String>, name: impl Into<String>) -> Self {
        self.scheme_names.insert(source.into(), name.into());
        self
    }

    /// The credential of this source, which is a bearer token, is given out by OAuth 2 at these URLs.
    pub fn oauth2(mut self, source: impl Into<String>, flows: OAuthFlows) -> Self {
        self.issued_by.insert(source.into(), scheme::IssuedBy::OAuth2(flows));
        self
    }

    /// The credential of this source, which is a bearer token, is given out by OpenID Connect, whose configuration is at this
    /// URL.
    pub fn open_id_connect(mut self, source: impl Into<String>, url: impl Into<String>) -> Self {
        self.issued_by.insert(source.into(), scheme::IssuedBy::OpenIdConnect(url.into()));
        self
    }

    /// The document of these routes, as `auth` serves them. Fallbacks and routes without a guard are not in it.
    ///
    /// # Errors
    /// [`DocumentError`], which lists every mistake: a route that `auth` can't serve, a source that does not say where its credential
    /// stands, a name that can't be a scheme's, URLs for a source that is none, two schemas of one name.
    pub fn describe(self, routes: &Routes, auth: &Auth) -> Result<Document, DocumentError> {
        let version = self.version;
        let served = Served::routes(routes, auth);
        let mut document = self.document(routes, &served, auth, BTreeSet::new())?;
        if version == OpenApiVersion::V3_1 {
            document.paths.values_mut().for_each(|item| drop(item.remove(operation::QUERY)));
        }
        document.paths.retain(|_, item| !item.is_empty());
        let dangling = merge::dangling(&serde_json::json!(document)).into_iter();
        let dangling: Vec<String> = dangling
            .map(|reference| {
                format!("what is written of a handler refers to `{reference}`, which is not there: `fill` a document that has it")
            })
            .collect();
        if dangling.is_empty() { Ok(document) } else { Err(DocumentError::new(dangling)) }
    }

    /// `ids` are those that operations of others have.
    fn document(
        self,
        routes: &Routes,
        served: &[Served<'_>],
        auth: &Auth,
        ids: BTreeSet<String>,
    ) -> Result<Document, DocumentError> {
        let guarded = routes.iter().filter(|route| !route.unguarded);
        // Of what can't be served nothing is true: a source that there is not would make a route look public.
        let mut mistakes: Vec<String> = guarded.flat_map(|route| route.objections(auth)).collect();
        let kinds = Kinds::of(
            served.iter().map(|one| &one.policy),
            auth.engine().authorization.vocabulary.vocabulary(),
        );
        let schemes = Schemes::new(&self, served, &kinds, auth, &mut mistakes);
        let mut operations = Operations::new(&schemes, &kinds, auth, ids, &mut mistakes);
        served.iter().for_each(|one| operations.add(one));
        let paths = operations.paths();
        let mut components = Components { security_schemes: schemes.described(), ..Components::default() };
        if served.iter().any(|one| one.policy.access != PolicyAccess::Public) {
            operation::add_refusals(&mut components, auth);
        }
        for (kind, name, written) in
            served.iter().filter_map(|one| one.written).flat_map(WrittenOperations::components)
        {
            if !components.add(kind, name, written) {
                mistakes.push(merge::clash(kind, name));
            }
        }
        mistakes.dedup();
        if !mistakes.is_empty() {
            return Err(DocumentError::new(mistakes));
        }
        let version = match self.version {
            OpenApiVersion::V3_1 => "3.1.1",
            OpenApiVersion::V3_2 => "3.2.0",
        };
        let servers = if self.servers.is_empty() { vec![Server { url: "/".into() }] } else { self.servers };
        Ok(Document { openapi: version.into(), info: self.info, servers, paths, components })
    }
}

impl Document {
    /// As pretty-printed JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }

    /// As YAML, which a reader of YAML 1.1 takes for the same.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).unwrap_or_default()
    }
}
