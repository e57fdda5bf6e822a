#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod access;
#[cfg(feature = "token-routes")]
mod address;
pub mod audit;
pub mod clock;
mod engine;
mod error;
mod gate;
#[cfg(any(doc, doctest))]
pub mod guide;
mod layer;
#[cfg(feature = "openapi")]
pub mod openapi;
mod origin;
mod pipeline;
pub mod policy;
mod principal;
pub mod rejection;
mod request_auth;
pub mod revocation;
pub mod routing;
pub mod session;
pub mod source;
pub mod store;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod verify;
pub mod vocabulary;

pub use auth_macros::{auth, check, rule, vocabulary};

#[cfg(feature = "token-routes")]
pub use self::address::ForwardedHeader;
pub use self::engine::{Auth, AuthBuilder, Revocations};
#[cfg(feature = "openapi")]
pub use self::error::DocumentError;
pub use self::error::{BuildError, KeysError, RoutesError};
pub use self::gate::{
    Authorized, CarriesPolicy, Check, CheckAnswer, CheckOutcome, HandlerInfo, NamedCheck, NoCheck, Policy,
};
pub use self::layer::{AuthFuture, AuthLayer, AuthService};
pub use self::origin::SameOrigin;
pub use self::principal::{Claims, Principal};
pub use self::request_auth::{Outcome, RequestAuth};
pub use self::routing::Router;
