//! Whose logout tokens of an issuer count, and what they end.

use super::issuer::TrustedIssuer;
use crate::error::ConfigErrors;

/// Whose logout tokens count, and what they end.
#[derive(Clone, Debug, Default)]
pub(super) struct LogoutRules {
    /// The client ids that a logout token may be for.
    pub(super) clients: Vec<String>,
    has_sid: bool,
    /// Whether access tokens have `sid` as the provider documents it: what the application says counts more.
    is_sid_documented: bool,
    ends_all_sessions: bool,
    /// Whether a logout token without `exp` counts for a while.
    pub(super) accepts_missing_expiry: bool,
}

/// What the `sid` of an issuer's session is worth here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SessionIds {
    /// Access tokens have it, so a session is ended by it.
    InAccessTokens,
    /// Access tokens do not have it. All sessions of its user are ended in its place.
    AllOfUser,
    /// Nothing is known of it, so a session can't be ended by it.
    Unknown,
}

impl TrustedIssuer {
    /// Adds a client id of this service at the issuer: its logout tokens for this client are accepted (OpenID Connect Back-Channel
    /// Logout 1.0 §2.4). The `aud` of a logout token is a client id, and not the [`audience`](Self::audience) of access tokens, though
    /// some issuers use one name for both. Needed by
    /// [`back_channel_logout`](crate::provider_logout::back_channel_logout).
    ///
    /// ```
    /// use auth_runtime::verify::providers;
    ///
    /// # let jwks = "";
    /// let keycloak = providers::keycloak("https://id.example.com/realms/shop", "orders")
    ///     .jwks(jwks)
    ///     .logout_audience("shop-web");
    /// # let _ = keycloak;
    /// ```
    pub fn logout_audience(mut self, client_id: impl Into<String>) -> Self {
        self.logout.clients.push(client_id.into());
        self
    }

    /// Declares that the access tokens of users have the claim `sid` of the issuer's session: a logout token with a `sid` then ends the
    /// tokens of that session, and no others. Look into a token, or into the settings of the provider, before you call it: the engine
    /// can't know, and where the claim is missing, nothing would end. [`providers::keycloak`](crate::verify::providers::keycloak) declares it,
    /// since Keycloak documents it.
    ///
    /// Without this and without [`logout_ends_all_sessions`](Self::logout_ends_all_sessions), a logout token with a `sid` is answered
    /// 400, and the log says why. One without `sid` ends all sessions of its user in any case (§2.7).
    pub fn access_tokens_have_sid(mut self) -> Self {
        self.logout.has_sid = true;
        self
    }

    /// Has a logout token with a `sid` and a `sub` end all sessions of that user: for an issuer whose access tokens have no `sid`, or
    /// where a logout on one device is to be one on all. A logout token with a `sid` alone is answered 400.
    pub fn logout_ends_all_sessions(mut self) -> Self {
        self.logout.ends_all_sessions = true;
        self
    }
}

impl TrustedIssuer {
    /// Accepts a logout token without `exp`, until 2 minutes and the leeway after its `iat`: for a provider that predates the errata of the
    /// standard, which require `exp` (OpenID Connect Back-Channel Logout 1.0 §2.4). These are Ory Hydra, LemonLDAP::NG, and older versions of
    /// Keycloak and authentik. A text that is sent again ends no login that came after it in any case.
    pub fn accept_logout_tokens_without_exp(mut self) -> Self {
        self.logout.accepts_missing_expiry = true;
        self
    }
}

impl LogoutRules {
    /// Whether logout tokens count.
    pub(super) fn has_clients(&self) -> bool {
        !self.clients.is_empty()
    }

    /// Records that the provider documents `sid` as a claim of the access tokens of users.
    pub(super) fn set_sid_documented(&mut self) {
        self.is_sid_documented = true;
    }

    pub(super) fn session_ids(&self) -> SessionIds {
        match (self.has_sid, self.ends_all_sessions, self.is_sid_documented) {
            (true, _, _) | (false, false, true) => SessionIds::InAccessTokens,
            (false, true, _) => SessionIds::AllOfUser,
            (false, false, false) => SessionIds::Unknown,
        }
    }

    /// Reports what is misconfigured for this issuer.
    pub(super) fn check(&self, issuer: &TrustedIssuer, label: &str, errors: &mut ConfigErrors) {
        if self.clients.iter().any(String::is_empty) {
            errors.push(format!(
                "{label}: a logout audience is empty: pass the client id that this service has at the issuer"
            ));
        }
        if self.has_clients() && issuer.name.is_unnamed() {
            errors.push(format!(
                "{label}: `logout_audience` is called, and a logout token ends sessions of the issuer that it names: use \
                 `TrustedIssuer::new` with the exact `iss`"
            ));
        }
        if self.has_clients() && issuer.is_introspected() && !issuer.has_keys() {
            errors.push(format!(
                "{label}: `logout_audience` is called, and it has no keys, so no logout token could be verified: call `.jwks_url(..)` or \
                 `.jwks(..)` too, for logout tokens are not introspected"
            ));
        }
        if self.has_sid && self.ends_all_sessions {
            errors.push(format!(
                "{label}: `access_tokens_have_sid()` and `logout_ends_all_sessions()` are both called, and a `sid` ends either its own \
                 session or all of its user: keep one of them"
            ));
        }
    }
}
