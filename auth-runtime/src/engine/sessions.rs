//! Sessions: the engine's own token issuer, and the cookies that tokens are in.

use crate::issue::{IssuedTokens, IssuerState};
use crate::source::{AccessCookie, RefreshCookie};

/// The engine's own token issuer, and the cookies of its tokens.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) issuer: Option<IssuerState>,
    pub(crate) cookies: TokenCookies,
}

/// The cookies that tokens are in.
#[derive(Debug)]
pub(crate) struct TokenCookies {
    pub(crate) access: AccessCookie,
    pub(crate) refresh: RefreshCookie,
}

impl TokenCookies {
    /// Whether a request with a refresh cookie gets new tokens wherever the access cookie is taken.
    pub(crate) fn renews(&self) -> bool {
        self.refresh.is_for_all_paths()
    }

    /// The `Set-Cookie` values that give tokens to a browser; the refresh token is sent to the routes below `path`.
    pub(crate) fn set(&self, tokens: &IssuedTokens, path: &str) -> [String; 2] {
        [
            self.access.set(&tokens.access_token, tokens.expires_in),
            self.refresh.set(&tokens.refresh_token, path, tokens.refresh_expires_in),
        ]
    }

    /// The `Set-Cookie` values that remove them.
    pub(crate) fn clear(&self, path: &str) -> [String; 2] {
        [self.access.clear(), self.refresh.clear(path)]
    }
}
