//! The guarded router: axum's, where every route has a policy.
//!
//! It reads the rule from the type of the handler, so it knows method, path, handler and rule of every route: the
//! table, the checks at start and the published documents all come from that one list.

mod effective;
mod guarded_service;
mod method_router;
mod methods;
mod mounted;
mod path;
mod resolve;
mod router;
mod routes;

pub use axum::routing::MethodFilter;

/// The path that a fallback is listed by.
pub(crate) const FALLBACK: &str = "/(fallback)";

/// The path that routes are listed by which came by `merge_unguarded`.
pub(crate) const UNKNOWN: &str = "/(unknown)";

/// How the path of a service ends that is mounted with all that is below.
pub(crate) const BELOW: &str = "/{*}";

#[cfg(feature = "aide")]
pub(crate) use self::effective::words as rule_in_words;
#[cfg(feature = "token-routes")]
pub(crate) use self::method_router::beside;
pub use self::method_router::{IntoGuarded, MethodRouter, any, on};
#[cfg(feature = "openapi")]
pub(crate) use self::method_router::{METHODS, is_safe};
pub use self::methods::{delete, get, head, options, patch, post, put, trace};
pub(crate) use self::mounted::MountedRoute;
pub(crate) use self::path::{parameters as path_parameters, shape as path_shape};
pub use self::router::Router;
pub use self::routes::{RouteInfo, Routes};
