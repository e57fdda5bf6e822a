//! Sessions: the engine's own token issuer, and the cookies that tokens are in.

#[cfg(feature = "token-routes")]
use std::any::Any;
#[cfg(feature = "token-routes")]
use std::sync::{Arc, OnceLock};

use tokio::sync::Mutex;

use crate::issue::{IssuedTokens, IssuerState};
use crate::source::{AccessCookie, CookieTooLarge, RefreshCookie};

/// The engine's own token issuer, and the cookies of its tokens.
#[derive(Debug)]
pub(crate) struct Sessions {
    pub(crate) issuer: Option<IssuerState>,
    pub(crate) cookies: TokenCookies,
    /// The turn of a change of session data that others were faster than again and again.
    pub(crate) late_change: Mutex<()>,
    /// The limits on login attempts: the routes that count them are in a layer above, and their type with them.
    #[cfg(feature = "token-routes")]
    pub(crate) login_limits: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl Sessions {
    pub(super) fn new(issuer: Option<IssuerState>, cookies: TokenCookies) -> Self {
        Self {
            issuer,
            cookies,
            late_change: Mutex::default(),
            #[cfg(feature = "token-routes")]
            login_limits: OnceLock::default(),
        }
    }
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

    /// # Errors
    /// If browsers would drop a cookie of these tokens, and keep what they had before.
    pub(crate) fn check_size(&self, tokens: &IssuedTokens) -> Result<(), CookieTooLarge> {
        self.access.check_size(&tokens.access_token)?;
        self.refresh.check_size(&tokens.refresh_token)
    }

    /// The `Set-Cookie` values that give tokens to a browser; the refresh token is sent to the routes below `path`.
    ///
    /// # Errors
    /// As for [`check_size`](Self::check_size).
    pub(crate) fn set(&self, tokens: &IssuedTokens, path: &str) -> Result<[String; 2], CookieTooLarge> {
        let max_age = |lifetime| (!tokens.ends_with_browser).then_some(lifetime);
        Ok([
            self.access.set(&tokens.access_token, max_age(tokens.expires_in))?,
            self.refresh.set(&tokens.refresh_token, path, max_age(tokens.refresh_expires_in))?,
        ])
    }

    /// The `Set-Cookie` values that remove them.
    pub(crate) fn clear(&self, path: &str) -> Vec<String> {
        [self.access.clear(), self.refresh.clear(path)].concat()
    }

    /// The `Set-Cookie` values that remove cookies of the same names of other domains: a browser would send them besides those of
    /// a login.
    #[cfg(feature = "token-routes")]
    pub(crate) fn clear_others(&self, path: &str) -> Vec<String> {
        [self.access.clear_others(), self.refresh.clear_others(path)].concat()
    }
}
