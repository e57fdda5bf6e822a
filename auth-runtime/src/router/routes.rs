//! The list of all routes, and the table that it prints as.

use std::fmt;
#[cfg(feature = "openapi")]
use std::sync::Arc;

use super::declared::{DeclaredRule, RULE};
#[cfg(feature = "openapi")]
use super::documentation::HandlerDocs;
use super::effective;
#[cfg(feature = "openapi")]
use super::resolve::read;
#[cfg(feature = "openapi")]
use crate::engine::Auth;
#[cfg(feature = "openapi")]
use crate::method::takes_credentials_in_url;
use crate::policy::{Access, Rule};

/// All routes of a router: method, path, handler, rule; and the rules that it declares. Prints as an aligned table, where the method of a
/// declared rule is `RULE`.
#[derive(Clone, Debug)]
pub struct Routes {
    pub(super) routes: Vec<RouteInfo>,
    pub(super) declared: Vec<DeclaredRule>,
}

/// One route.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RouteInfo {
    /// `GET` or another method. `ANY`: every method for which the path has no other route. `OTHER`: the same, of a fallback
    /// of the path ([`MethodRouter::fallback`](super::MethodRouter::fallback),
    /// [`Router::method_not_allowed_fallback`](crate::Router::method_not_allowed_fallback)). A `GET` route answers `HEAD` too.
    pub method: &'static str,
    /// The path with its parameters, from the outermost router on. A fallback's ends in `(fallback)`.
    pub path: String,
    /// The handler, with its module.
    pub handler: &'static str,
    /// The rules, which must all be satisfied: those that the routers around the route require, and the route's own.
    pub rules: Vec<Rule>,
    /// The path of the check function that must allow the request too.
    pub check: Option<&'static str>,
    /// Whether the route came by `dangerously_merge_unguarded`: nothing is known of it.
    pub unguarded: bool,
    /// Whether the scopes of its rules are for its callers alone.
    pub(crate) hides_scopes: bool,
    /// Whether the handler accepts a WebSocket; `None`: that is not known.
    #[cfg(feature = "openapi")]
    pub(crate) opens_web_socket: Option<bool>,
    /// Whether the handler or its check takes `SessionData`, and whether a caller without a session is rejected for it.
    #[cfg(feature = "openapi")]
    pub(crate) takes_session_data: Option<bool>,
    #[cfg(feature = "openapi")]
    pub(crate) docs: Option<Arc<HandlerDocs>>,
}

impl Routes {
    #[cfg(feature = "aide")]
    pub(crate) fn new(routes: Vec<RouteInfo>) -> Self {
        Self { routes, declared: Vec::new() }
    }

    /// The routes, in the order in which they were mounted.
    pub fn iter(&self) -> std::slice::Iter<'_, RouteInfo> {
        self.routes.iter()
    }

    /// The rules that are declared for [`Auth::require`](crate::Auth::require), in the order in which they were declared.
    pub fn declared(&self) -> std::slice::Iter<'_, DeclaredRule> {
        self.declared.iter()
    }
}

impl<'a> IntoIterator for &'a Routes {
    type Item = &'a RouteInfo;
    type IntoIter = std::slice::Iter<'a, RouteInfo>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl RouteInfo {
    /// Whether it is an operation that a document describes: guarded, at a path of its own, and no fallback.
    #[cfg(feature = "openapi")]
    pub(crate) fn is_operation(&self) -> bool {
        !self.unguarded && !self.path.ends_with(super::FALLBACK) && self.method != super::OTHER
    }

    /// Why the engine can't serve it, as [`finish`](crate::Router::finish) says.
    #[cfg(feature = "openapi")]
    pub(crate) fn objections(&self, auth: &Auth) -> Vec<String> {
        let mut objections = Vec::new();
        let mut wrong = |what: String| {
            objections.push(format!("{} {} ({}): {what}", self.method, self.path, self.handler));
        };
        let takes_in_url = takes_credentials_in_url(self.method);
        read(auth.engine(), &self.rules, self.check, takes_in_url, &self.path, &mut wrong);
        objections
    }

    /// Whether a request of this method, in lower case, may open a WebSocket here from this source: the handler takes axum's
    /// `WebSocketUpgrade`, or its own rule names the source, or what it takes is not known.
    #[cfg(feature = "openapi")]
    pub(crate) fn may_open_web_socket(&self, method: &str, source: &str) -> bool {
        let is_named = || self.rules.last().is_some_and(|own| own.source_names().contains(&source));
        method == "get" && (self.opens_web_socket != Some(false) || is_named())
    }

    /// The rules in English, as in the column WHO of the access table.
    #[must_use]
    pub fn who(&self) -> String {
        if self.unguarded { "NOT GUARDED".into() } else { effective::words(&self.rules, self.check) }
    }

    /// Who is let in before any requirement is looked at.
    #[must_use]
    pub fn access(&self) -> Access {
        effective::access(&self.rules)
    }

    /// The sources that a credential may come from; `None`: the default of the engine.
    #[must_use]
    pub fn sources(&self) -> Option<Vec<&'static str>> {
        effective::sources(&self.rules)
    }
}

impl fmt::Display for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["METHOD".to_owned(), "PATH".to_owned(), "WHO".to_owned(), "HANDLER".to_owned()];
        let rows: Vec<[String; 4]> = std::iter::once(header)
            .chain(self.routes.iter().map(|route| {
                [route.method.to_owned(), route.path.clone(), route.who(), route.handler.to_owned()]
            }))
            .chain(
                self.declared
                    .iter()
                    .map(|declared| [RULE.to_owned(), declared.label(), declared.who(), "-".to_owned()]),
            )
            .collect();
        let width = |column: fn(&[String; 4]) -> &String| {
            rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0)
        };
        let [methods, paths, who] =
            [width(|[method, ..]| method), width(|[_, path, ..]| path), width(|[_, _, who, _]| who)];
        for [method, path, rule, handler] in &rows {
            writeln!(f, "{method:methods$}  {path:paths$}  {rule:who$}  {handler}")?;
        }
        Ok(())
    }
}
