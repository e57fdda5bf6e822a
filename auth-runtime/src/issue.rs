//! Issuing tokens: what they are made with, and what the application says of its users.
//!
//! | file | what |
//! |---|---|
//! | `issuer` | [`TokenIssuer`]: what tokens are made with, and for how long |
//! | `signing_keys` | [`SigningKeys`]: the key that signs, and those whose tokens are accepted |
//! | `subject` | [`Subject`] and [`SubjectStore`]: what the application says of its users |
//! | `access_token` | the claims of an access token |
//! | `header` | which fields of its header are the application's to set |
//! | `refresh_token` | the text of a refresh token |
//! | `grace` | for how long a used refresh token may be sent again |
//! | `label` | the label of a session, and of an API key |
//! | `session_data` | [`SessionValue`]: what the application keeps with a session |
//! | `issued` | [`IssuedTokens`]: what a login and a refresh return |
//! | `error` | why no token was issued |

mod access_token;
mod error;
mod grace;
mod header;
mod issued;
mod issuer;
mod label;
mod refresh_token;
mod session_data;
mod signing_keys;
mod subject;

pub(crate) use self::access_token::{AccessTokenOptions, Generations, MAX_TOKEN_ID_BYTES, check_subject};
pub use self::error::{NoTokenIssuer, RefreshError, TokenError};
pub(crate) use self::grace::{MAX_GRACE, RefreshBy, TokenUse};
pub(crate) use self::header::check_header;
pub use self::issued::IssuedTokens;
pub(crate) use self::issuer::IssuerState;
pub use self::issuer::TokenIssuer;
#[cfg(feature = "api-keys")]
pub(crate) use self::label::one_line;
pub use self::refresh_token::RefreshKey;
pub(crate) use self::refresh_token::{family_of_session, session_of_family};
pub use self::session_data::{SessionDataError, SessionValue};
pub(crate) use self::session_data::{check_size, read_value, update_value, write_value};
pub use self::signing_keys::SigningKeys;
pub use self::subject::{Subject, SubjectStore};
pub(crate) use crate::jose::random_bytes;
pub use crate::jose::{random_id, random_secret};
