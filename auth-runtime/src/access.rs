//! The access table: who may call which route. As text, as Markdown, as JSON and as a page; and the access lock, a
//! committed file that shows changes of access in review.
//!
//! The table is made from the list of routes and from the engine that serves them, so it shows what is enforced. What a
//! role may do is found by exact analysis of the rule; no request is made.
//!
//! ```
//! # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
//! use auth_runtime::{Auth, Principal, Router, auth, routing::get};
//!
//! #[auth(roles = ["admin"])]
//! async fn purge(user: Principal) {}
//!
//! # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
//! let auth = Auth::builder().issuer(issuer).build()?;
//! let routes: Router = Router::new().route("/purge", get(purge));
//! println!("{}", routes.routes().table(&auth));
//! # Ok::<(), auth_runtime::BuildError>(())
//! ```

mod authenticators;
mod lock;
mod page;
mod reading;
mod text;

use std::collections::BTreeMap;

use serde::Serialize;

pub use self::lock::{AccessChanges, LockError};
use self::reading::SingleRole;
use crate::engine::Auth;
use crate::policy::{Access, PolicyAccess, PolicyDocument};
use crate::router::{DeclaredRule, RouteInfo, Routes};
use crate::vocabulary::Vocabulary;

/// The access table: a row for each route, a column for each role, and the rule in words.
///
/// The column of a role is about a caller that has this role and what it implies, and no other role.
/// [`Display`](std::fmt::Display) prints the table as aligned text.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccessTable {
    /// The roles, in the order of the columns: those of the engine's vocabulary; without one, those that a rule names.
    pub roles: Vec<RoleColumn>,
    /// The routes, in the order in which they were mounted.
    pub routes: Vec<RouteRow>,
    /// The rules that are decided outside of requests, in the order in which they were declared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub declared: Vec<DeclaredRow>,
    #[serde(skip)]
    vocabulary: Option<&'static Vocabulary>,
    /// Where the credentials of authenticators are, by the names of their sources.
    #[serde(skip)]
    authenticators: BTreeMap<String, String>,
    /// The sources of a rule that names none.
    #[serde(skip)]
    default_sources: Vec<String>,
}

/// The head of a role's column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RoleColumn {
    /// The role.
    pub name: String,
    /// The description in the vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// The row of a route.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RouteRow {
    /// The method, such as `GET`; `ANY` for all methods. A `GET` route answers `HEAD` too, unless `HEAD` has a route of its own.
    pub method: String,
    /// The path with its parameters.
    pub path: String,
    /// The handler, with its module.
    pub handler: String,
    /// A caller that sends no credential.
    pub anonymous: Verdict,
    /// An authenticated caller that has none of the roles.
    pub no_role: Verdict,
    /// A cell for each role, in the order of [`AccessTable::roles`].
    pub cells: Vec<Verdict>,
    /// The rule in words.
    pub who: String,
    /// The complete rule, as data.
    pub policy: PolicyDocument,
    /// The check, with its module.
    #[serde(skip)]
    check: Option<&'static str>,
}

/// The row of a rule that [`Auth::require`](crate::Auth::require) decides. An anonymous caller never satisfies it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DeclaredRow {
    /// The path of the route that declares it; `None` if a router does, for no route of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What it is for.
    pub name: String,
    /// An authenticated caller that has none of the roles.
    pub no_role: Verdict,
    /// A cell for each role, in the order of [`AccessTable::roles`].
    pub cells: Vec<Verdict>,
    /// The rule in words.
    pub who: String,
    /// The complete rule, as data.
    pub policy: PolicyDocument,
}

/// Whether the callers of a column may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Verdict {
    /// Allowed, whatever else the token says.
    Allowed,
    /// Denied, whatever else the token says.
    Denied,
    /// It depends on what else the token says, on the request, or on a check.
    Depends,
    /// Nothing is known: the route came by `dangerously_merge_unguarded`.
    Unknown,
}

impl Routes {
    /// The access table of these routes, as `auth` serves them. It does not check whether `auth` can serve them:
    /// [`finish`](crate::Router::finish) does.
    #[must_use]
    pub fn table(&self, auth: &Auth) -> AccessTable {
        let vocabulary = auth.engine().authorization.vocabulary.vocabulary();
        let routes: Vec<(&RouteInfo, PolicyDocument)> =
            self.iter().map(|route| (route, route.policy(auth))).collect();
        let declared: Vec<_> = self.declared().map(|rule| (rule, rule.policy())).collect();
        let policies =
            routes.iter().map(|(_, policy)| policy).chain(declared.iter().map(|(_, policy)| policy));
        let roles = columns(vocabulary, policies);
        let rows = routes.into_iter().map(|(route, policy)| {
            let cell = |role| SingleRole { role, vocabulary }.cell(&policy, &route.path);
            RouteRow {
                method: route.method.to_owned(),
                path: route.path.clone(),
                handler: route.handler.to_owned(),
                anonymous: match policy.access {
                    PolicyAccess::Unguarded => Verdict::Unknown,
                    PolicyAccess::Public | PolicyAccess::Optional => Verdict::Allowed,
                    PolicyAccess::Authenticated => Verdict::Denied,
                },
                no_role: cell(None),
                cells: roles.iter().map(|role: &RoleColumn| cell(Some(&role.name))).collect(),
                who: route.who(),
                check: route.check,
                policy,
            }
        });
        let routes: Vec<RouteRow> = rows.collect();
        let authenticators = authenticators::of_routes(&routes, auth);
        let declared = declared.into_iter().map(|(declared, policy)| {
            let cell = |role| SingleRole { role, vocabulary }.cell(&policy, "");
            DeclaredRow {
                path: declared.path.clone(),
                name: declared.name.clone(),
                no_role: cell(None),
                cells: roles.iter().map(|role: &RoleColumn| cell(Some(&role.name))).collect(),
                who: declared.who(),
                policy,
            }
        });
        let declared = declared.collect();
        let default_sources = auth.engine().names_of_sources(None);
        AccessTable { roles, routes, declared, vocabulary, authenticators, default_sources }
    }
}

impl RouteInfo {
    /// Everything that is enforced on the route when `auth` serves it.
    #[must_use]
    pub fn policy(&self, auth: &Auth) -> PolicyDocument {
        if self.unguarded {
            return PolicyDocument::unguarded();
        }
        let sources = auth.engine().names_of_sources(self.sources().as_deref());
        PolicyDocument::new(self.access(), sources, &self.rules, self.check)
    }
}

impl DeclaredRule {
    /// Everything that [`Auth::require`](crate::Auth::require) requires by it.
    #[must_use]
    pub fn policy(&self) -> PolicyDocument {
        PolicyDocument::new(Access::Authenticated, Vec::new(), &[self.rule], None)
    }
}

impl AccessTable {
    /// The table as pretty-printed JSON, with the complete rule of each route.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

/// The roles of the vocabulary; without one, those that the rules name, each once.
fn columns<'p>(
    vocabulary: Option<&'static Vocabulary>,
    policies: impl Iterator<Item = &'p PolicyDocument>,
) -> Vec<RoleColumn> {
    if let Some(vocabulary) = vocabulary {
        return vocabulary.roles.iter().map(|role| RoleColumn::new(role.name, role.description)).collect();
    }
    let mut named = Vec::new();
    for policy in policies {
        policy.all.iter().for_each(|condition| reading::roles(condition, &mut named));
    }
    named.into_iter().map(|role| RoleColumn::new(role, None)).collect()
}

impl RoleColumn {
    fn new(name: &str, description: Option<&str>) -> Self {
        Self { name: name.to_owned(), description: description.map(str::to_owned) }
    }
}
