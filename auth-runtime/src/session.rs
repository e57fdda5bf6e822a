//! Sessions: issuing tokens, renewing and revoking them.
//!
//! | item | what |
//! |---|---|
//! | [`TokenIssuer`] | what tokens are made with, and for how long |
//! | [`Subject`], [`SubjectStore`] | what the application says of its users |
//! | [`TokenService`] | log in, refresh, log out, introspect |
//! | [`SigningKey`], [`SigningKeys`], [`RefreshKey`] | keys to sign with |
//! | [`key_set`] | a handler for `/.well-known/jwks.json` |
//! | [`readiness`] | a handler for a load balancer |
//! | `routes` | routes for all of it (feature `token-routes`) |
//! | `PasswordHasher` | hashing of passwords (feature `password`) |

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
pub use crate::engine::TokenService;
pub use crate::error::KeysError;
pub use crate::issue::{
    IssuedTokens, NoTokenIssuer, RefreshError, RefreshKey, SigningKeys, Subject, SubjectStore, TokenError,
    TokenIssuer, random_id, random_secret,
};
pub use crate::jose::{SignError, SigningKey};
