//! Who may call what: the table of all routes, as text, Markdown, JSON and a page, and its lock.
//!
//! The table is made from the list of routes and the engine that serves them, so it says what is enforced. What a role
//! may do is found by analysis of the rule, not by trying.
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

mod lock;
mod page;
mod reading;
mod text;

use serde::Serialize;

pub use self::lock::{AccessChanges, LockError};
pub(crate) use self::page::AccessPage;
use self::reading::SingleRole;
use crate::engine::Auth;
use crate::policy::{PolicyAccess, PolicyDocument};
use crate::routing::{RouteInfo, Routes};
use crate::vocabulary::Vocabulary;

/// Routes × roles, with what each role may do, and the rule in words.
///
/// A role's column is about a caller who has that role, what it implies, and no other role. [`Display`](std::fmt::Display)
/// prints it as aligned text.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AccessTable {
    /// The roles, in the order of the columns: those of the engine's vocabulary, or else those that a rule names.
    pub roles: Vec<RoleColumn>,
    /// The routes, in the order in which they were mounted.
    pub routes: Vec<RouteRow>,
    #[serde(skip)]
    vocabulary: Option<&'static Vocabulary>,
}

/// The head of a role's column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RoleColumn {
    /// The role.
    pub name: String,
    /// What it is for, as the vocabulary says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// A route.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RouteRow {
    /// `GET`, or `ANY`. A `GET` route answers `HEAD` too, unless that has one of its own.
    pub method: String,
    /// The path with its parameters.
    pub path: String,
    /// The handler, with its module.
    pub handler: String,
    /// Whoever sends no credential.
    pub anonymous: Cell,
    /// A caller without any of the roles.
    pub no_role: Cell,
    /// A cell for each role, in the order of [`AccessTable::roles`].
    pub cells: Vec<Cell>,
    /// The rule in words.
    pub who: String,
    /// The rule, whole.
    pub policy: PolicyDocument,
    /// The check, with its module.
    #[serde(skip)]
    check: Option<&'static str>,
}

/// What a caller of a column may do on a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Cell {
    /// Let in, whatever else the token says.
    Allowed,
    /// Refused, whatever else the token says.
    Denied,
    /// It depends on what else the token says, on the request, or on a check.
    Depends,
    /// Nothing is known: the route came by `merge_unguarded`.
    Unknown,
}

impl Routes {
    /// The access table of these routes, as `auth` serves them. Whether it can is for [`finish`](crate::Router::finish) to say.
    #[must_use]
    pub fn table(&self, auth: &Auth) -> AccessTable {
        let vocabulary = auth.engine().lexicon().vocabulary();
        let routes: Vec<(&RouteInfo, PolicyDocument)> =
            self.iter().map(|route| (route, route.policy(auth))).collect();
        let roles = match vocabulary {
            Some(vocabulary) => {
                let roles = vocabulary.roles.iter();
                roles.map(|role| RoleColumn::new(role.name, role.description)).collect()
            }
            None => {
                let mut named = Vec::new();
                for (_, policy) in &routes {
                    policy.all.iter().for_each(|condition| reading::roles(condition, &mut named));
                }
                named.into_iter().map(|role| RoleColumn::new(role, None)).collect::<Vec<_>>()
            }
        };
        let rows = routes.into_iter().map(|(route, policy)| {
            let cell = |role| SingleRole { role, vocabulary }.cell(&policy, &route.path);
            RouteRow {
                method: route.method.to_owned(),
                path: route.path.clone(),
                handler: route.handler.to_owned(),
                anonymous: match policy.access {
                    PolicyAccess::Unguarded => Cell::Unknown,
                    PolicyAccess::Public | PolicyAccess::Optional => Cell::Allowed,
                    PolicyAccess::Authenticated => Cell::Denied,
                },
                no_role: cell(None),
                cells: roles.iter().map(|role: &RoleColumn| cell(Some(&role.name))).collect(),
                who: route.who(),
                check: route.check,
                policy,
            }
        });
        let routes = rows.collect();
        AccessTable { roles, routes, vocabulary }
    }
}

impl RouteInfo {
    /// What is enforced on the route, whole, as `auth` serves it.
    #[must_use]
    pub fn policy(&self, auth: &Auth) -> PolicyDocument {
        if self.unguarded {
            return PolicyDocument::unguarded();
        }
        let sources = auth.engine().names_of_sources(self.sources().as_deref());
        PolicyDocument::new(self.access(), sources, &self.rules, self.check)
    }
}

impl AccessTable {
    /// The table as pretty-printed JSON, with the whole rule of each route.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl RoleColumn {
    fn new(name: &str, description: Option<&str>) -> Self {
        Self { name: name.to_owned(), description: description.map(str::to_owned) }
    }
}
