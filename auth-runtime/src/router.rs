//! The guarded router: axum's, where every route has a policy.
//!
//! It reads the rule from the type of the handler, so it has a list of all routes with method, path, handler and rule. The
//! table, the checks at start and the published documents are made from this list. [`Router`] has a table of axum's
//! methods and what they are called here.

#[cfg(test)]
mod axum_names;
mod declared;
mod demands;
#[cfg(feature = "openapi")]
mod documentation;
mod effective;
mod fallback;
mod finish;
mod guarded_router;
mod into_guarded;
mod login_page;
mod method_router;
mod methods;
mod other_methods;
mod panics;
mod path;
mod protected_resource;
mod resolve;
mod route_index;
mod routes;
mod served_methods;
mod service;
mod unfinished;

pub use axum::routing::MethodFilter;

/// The path that a fallback is listed by.
pub(crate) const FALLBACK: &str = "/(fallback)";

/// The path that routes are listed by which came by `dangerously_merge_unguarded`.
pub(crate) const UNKNOWN: &str = "/(unknown)";

/// How the path of a service ends that is nested with all that is below.
pub(crate) const BELOW: &str = "/{*}";

pub use self::declared::DeclaredRule;
pub(crate) use self::declared::{RULE, label as declared_label};
#[cfg(feature = "token-routes")]
pub(crate) use self::demands::Demands;
#[cfg(feature = "openapi")]
pub(crate) use self::documentation::HandlerDocs;
#[cfg(feature = "aide")]
pub(crate) use self::effective::words as rule_in_words;
pub use self::fallback::IntoFallback;
pub use self::guarded_router::Router;
pub(crate) use self::into_guarded::beside;
pub use self::into_guarded::{IntoGuarded, ServiceWithRule};
#[cfg(feature = "aide")]
pub(crate) use self::method_router::METHODS;
pub use self::method_router::{MethodRouter, any, on};
pub use self::methods::{connect, delete, get, head, options, patch, post, put, trace};
pub(crate) use self::path::{parameters as path_parameters, shape as path_shape};
pub use self::protected_resource::ProtectedResource;
pub use self::routes::{RouteInfo, Routes};
#[cfg(feature = "token-routes")]
pub(crate) use self::served_methods::names as method_names;
pub(crate) use self::served_methods::{ANY, OTHER};
