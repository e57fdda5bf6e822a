#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[doc(hidden)]
#[path = "private.rs"]
pub mod __private;
pub mod access;
#[cfg(feature = "api-keys")]
pub mod api_key;
pub mod audit;
pub mod authenticator;
mod catch_panic;
mod client_address;
pub mod clock;
#[cfg(feature = "openapi")]
mod documented;
mod engine;
mod error;
mod excerpt;
mod gate;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "jwks")]
mod http_client;
mod issue;
mod jose;
mod load_cache;
mod login_page;
#[cfg(any(feature = "provider-logout", feature = "token-routes"))]
mod media_type;
mod method;
#[cfg(feature = "openapi")]
pub mod openapi;
mod origin;
mod original_uri;
mod pipeline;
pub mod policy;
mod principal;
#[cfg(feature = "provider-logout")]
pub mod provider_logout;
pub mod rejection;
pub mod revocation;
mod router;
#[cfg(feature = "provider-logout")]
mod security_event;
pub mod session;
pub mod source;
pub mod store;
pub mod streams;
#[cfg(feature = "test-util")]
pub mod testing;
pub mod users;
pub mod verify;
pub mod vocabulary;

pub use auth_macros::{auth, authenticator, check, rule, vocabulary};

pub use self::client_address::ForwardedHeader;
pub use self::engine::{Auth, AuthBuilder, StartError};
pub use self::error::{BuildError, RoutesError};
pub use self::gate::{
    AuthFuture, AuthLayer, AuthService, Authorized, Caller, Claims, ClientAddress, ReturnTo, SameOrigin, User,
};
pub use self::login_page::LoginPage;
pub use self::pipeline::{Checked, RequestAuth};
pub use self::principal::Principal;
pub use self::router::Router;

/// `get`, `post` and the others, as in `axum::routing`, for handlers that have `#[auth]`.
pub mod routing {
    pub use crate::router::{
        DeclaredRule, IntoFallback, IntoGuarded, MethodFilter, MethodRouter, ProtectedResource, RouteInfo,
        Routes, ServiceWithRule, any, connect, delete, get, head, on, options, patch, post, put, trace,
    };
}

/// Traits and types that the expansions of the macros use, and that messages of the compiler name. Do not use them directly.
pub mod macro_support {
    pub use crate::authenticator::attribute::{
        AuthenticatorAnswer, AuthenticatorFunction, IntoAuthentication, WithState,
    };
    pub use crate::gate::CarriesPolicy;
    pub use crate::pipeline::{
        Check, CheckError, CheckOutcome, HandedOver, IntoCheckOutcome, NamedCheck, NoCheck,
    };
    pub use crate::policy::{HandlerInfo, Policy};
}
