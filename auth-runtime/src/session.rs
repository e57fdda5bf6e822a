//! Sessions of your own users: issue tokens, refresh them, and log out.
//!
//! | item | purpose |
//! |---|---|
//! | [`TokenIssuer`] | the keys and lifetimes of tokens |
//! | [`Subject`], [`SubjectStore`] | the users, as the application describes them |
//! | [`TokenService`] | log in, refresh, log out, introspect |
//! | [`AccessTokenBuilder`] | an access token without a session |
//! | [`SessionList`], [`Session`] | the active sessions of a user |
//! | [`AllSessions`], [`UserSession`] | the active sessions of all users, for administrators |
//! | [`SessionData`], [`SessionValue`] | what the application keeps with a session |
//! | [`SigningKey`], [`SigningKeys`], [`RefreshKey`] | the keys of tokens |
//! | [`key_set`] | a handler for `/.well-known/jwks.json` |
//! | [`readiness`] | a handler for a load balancer |
//! | `routes` | routes to log in, refresh and log out (feature `token-routes`) |
//! | `PasswordHasher` | hashes passwords (feature `password`) |

mod key_set;
#[cfg(feature = "password")]
mod password;
mod readiness;
#[cfg(feature = "token-routes")]
pub mod routes;

pub use axum::BoxError;

pub use self::key_set::key_set;
#[cfg(feature = "password")]
pub use self::password::{PasswordError, PasswordHasher};
pub use self::readiness::readiness;
pub use crate::engine::{
    AccessTokenBuilder, AllSessions, Session, SessionData, SessionList, TokenService, UserSession,
};
pub use crate::error::KeysError;
pub use crate::issue::{
    IssuedTokens, NoTokenIssuer, RefreshError, RefreshKey, SessionDataError, SessionValue, SigningKeys,
    Subject, SubjectStore, TokenError, TokenIssuer, random_id, random_secret,
};
pub use crate::jose::{SignError, SigningKey};
