//! Giving tokens out, renewing them, and taking them back.
//!
//! | file | what |
//! |---|---|
//! | `issuer` | [`TokenIssuer`]: what tokens are made with, and for how long |
//! | `subject` | [`Subject`] and [`SubjectStore`]: what the application says of its users |
//! | `lifecycle` | [`TokenService`]: log in, refresh, log out, introspect |
//! | `refresh` | the text of a refresh token |
//! | `access` | the claims of an access token |
//! | `signing` | keys to sign with |
//! | `key_set` | the handler for `/.well-known/jwks.json` |
//! | `routes` | ready routes for all of it (feature `token-routes`) |
//! | `password` | hashing of passwords (feature `password`) |

mod access;
mod error;
mod id;
mod issuer;
mod key_set;
mod lifecycle;
#[cfg(feature = "password")]
mod password;
mod refresh;
#[cfg(feature = "token-routes")]
pub mod routes;
mod signing;
mod subject;

pub use self::error::{NoTokenIssuer, RefreshError, TokenError};
pub use self::id::{random_id, random_secret};
pub(crate) use self::issuer::IssuerState;
pub use self::issuer::{SigningKeys, TokenIssuer};
pub use self::key_set::key_set;
pub use self::lifecycle::{IssuedTokens, TokenService};
#[cfg(feature = "password")]
pub use self::password::{PasswordError, PasswordHasher};
pub use self::refresh::RefreshKey;
pub(crate) use self::refresh::{family_of_session, session_of_family};
pub use self::signing::{SignError, SigningKey};
pub use self::subject::{BoxError, Subject, SubjectStore};
pub use crate::error::KeysError;
