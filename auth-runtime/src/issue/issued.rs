//! What a login and a refresh return.

use std::fmt;
use std::time::Duration;

/// Issued tokens. `Debug` does not show them.
#[derive(Clone)]
#[non_exhaustive]
pub struct IssuedTokens {
    /// The access token: a JWT (RFC 9068).
    pub access_token: String,
    /// How long the access token is valid.
    pub expires_in: Duration,
    /// The refresh token: opaque, for one use.
    pub refresh_token: String,
    /// How long the refresh token is valid.
    pub refresh_expires_in: Duration,
    /// The scopes of the access token, separated by spaces.
    pub scope: String,
    /// The id of the session: `sid` of its access tokens.
    pub session_id: String,
    /// Whether cookies with these tokens end when the browser is closed: see
    /// [`Subject::remember`](crate::session::Subject::remember).
    pub ends_with_browser: bool,
}

impl fmt::Debug for IssuedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedTokens")
            .field("session_id", &self.session_id)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}
