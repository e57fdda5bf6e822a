//! OpenAPI documents that say what is enforced (feature `openapi`).
//!
//! | To | call |
//! |---|---|
//! | describe all routes | [`OpenApi::describe`], which returns a [`Document`]: [`to_json`](Document::to_json), [`to_yaml`](Document::to_yaml), [`to_value`](Document::to_value) |
//! | complete a document that `utoipa` or `aide` made of the handlers | [`OpenApi::fill`], which returns the [`Coverage`]: where document and routes differ |
//! | mount, guard and document handlers in one list, with `utoipa` | [`documented!`](crate::documented) |
//! | list the routes of `aide`'s router (feature `aide`) | [`Routes::from_aide`](crate::router::Routes::from_aide) |
//! | see in review how access changed | the [lock](crate::access), which compares rules; a document is for those who call the API |
//!
//! ```
//! # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
//! use auth_runtime::openapi::OpenApi;
//! use auth_runtime::{Auth, Principal, Router, auth, routing::get};
//!
//! /// Deletes everything.
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
//! **What is in a document.** A security scheme for each source in use, and for each operation its `security`, the
//! rejections that can happen, and the rule: in words at the end of `description`, and whole as `x-auth-policy`.
//!
//! **What `security` says.** Alternatives are several objects of the list, and joint requirements are in one object. A
//! public operation has `[]`, an optional one has `{}` among others, and each source of a route is an alternative. Roles,
//! scopes and permissions are listed by their names, with the prefix `role:`, `scope:` or `permission:` where one name is
//! of two kinds. OpenAPI can't express `not`, claims, the age or class of a login, and checks; these, and more than 64
//! alternatives, are left out. So every caller that the rule admits satisfies `security` too, and `x-auth-policy` has the
//! complete rule. The schemes of OAuth 2 and OpenID Connect list scopes only.

#[cfg(feature = "aide")]
mod aide;
mod api;
mod components;
mod coverage;
mod describe;
mod document;
mod error;
mod fill;
mod items;
mod json;
mod keys;
mod merge;
mod names;
mod oauth;
mod operation;
mod path;
mod places;
mod references;
mod rejections;
mod route;
mod schemes;
mod security;
mod typed;

pub use self::api::{OpenApi, OpenApiVersion};
pub use self::coverage::Coverage;
pub use self::document::Document;
pub use self::error::DocumentError;
pub use self::oauth::OAuthFlows;
