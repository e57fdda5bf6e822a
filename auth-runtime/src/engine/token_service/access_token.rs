//! An access token alone, without a session.

use std::time::Duration;

use serde_json::Value;

use super::TokenService;
use crate::clock::unix_seconds;
use crate::issue::{AccessTokenOptions, Generations, MAX_TOKEN_ID_BYTES, Subject, TokenError, check_header};

/// An access token without a session, before it is issued. [`TokenService::access_token`] returns it.
#[derive(Debug)]
#[must_use = "call `issue`"]
pub struct AccessTokenBuilder<'a> {
    tokens: &'a TokenService,
    subject: &'a Subject,
    options: AccessTokenOptions,
}

impl TokenService {
    /// Issues an access token alone, without a session: it is valid until it expires or is revoked, and can't be refreshed.
    ///
    /// # Errors
    /// [`TokenError::ClockAhead`], [`TokenError::Claims`], [`TokenError::Sign`].
    pub fn issue_access(&self, subject: &Subject) -> Result<String, TokenError> {
        self.access_token(subject).issue()
    }

    /// Returns an access token without a session, whose lifetime, id, audience and header can be set before it is issued.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use auth_runtime::session::{Subject, TokenError, TokenService};
    ///
    /// fn download_link(tokens: &TokenService, export_id: &str) -> Result<String, TokenError> {
    ///     let reader = Subject::new("alice").scopes(["exports:read"]);
    ///     tokens.access_token(&reader).lifetime(Duration::from_secs(60)).token_id(export_id).issue()
    /// }
    /// ```
    pub fn access_token<'a>(&'a self, subject: &'a Subject) -> AccessTokenBuilder<'a> {
        AccessTokenBuilder { tokens: self, subject, options: AccessTokenOptions::default() }
    }
}

impl AccessTokenBuilder<'_> {
    /// Sets how long the token is valid, in whole seconds: at least 1 second, and at most the
    /// [`max_token_lifetime`](crate::AuthBuilder::max_token_lifetime) of the engine, for which revocations are kept. Default: the
    /// [`access_lifetime`](crate::session::TokenIssuer::access_lifetime) of the issuer.
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.options.lifetime = Some(lifetime);
        self
    }

    /// Sets the `jti` of the token (RFC 7519 §4.1.7), of 1 to 256 bytes. Default: 128 random bits.
    ///
    /// Each id must be given to one token alone: a revocation of the token revokes all that have its id.
    pub fn token_id(mut self, id: impl Into<String>) -> Self {
        self.options.token_id = Some(id.into());
        self
    }

    /// Sets the service that the token is for (`aud`, RFC 7519 §4.1.3), in place of those of the issuer. Each further call adds one.
    ///
    /// It is for a token that another service is called with. That service trusts this issuer, and accepts the token if this is its
    /// audience. This service itself rejects the token, unless its own name is among these: a service that gets the token can't use it
    /// here (RFC 8725 §3.9). [`TokenService::revoke`] and [`TokenService::introspect`] know the token all the same.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use auth_runtime::session::{Subject, TokenError, TokenService};
    ///
    /// fn token_for_invoices(tokens: &TokenService) -> Result<String, TokenError> {
    ///     let this_service = Subject::new("orders").scopes(["invoices:write"]);
    ///     tokens.access_token(&this_service).audience("invoices").lifetime(Duration::from_secs(60)).issue()
    /// }
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.options.audience.push(audience.into());
        self
    }

    /// Sets another field of the token's header, besides those of [`TokenIssuer::header`](crate::session::TokenIssuer::header), or in place
    /// of the one of that name. Handlers do not get it: it is for what verifies or routes the token elsewhere.
    ///
    /// The parameters that RFC 7515 §4.1 registers can't be set, such as `alg`, `kid` and `typ`: [`issue`](Self::issue) returns
    /// [`TokenError::ReservedHeader`].
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.options.header.insert(name.into(), value.into());
        self
    }

    /// Issues the token.
    ///
    /// # Errors
    /// [`TokenError::Claims`], also if the lifetime or the id is not within its bounds, or an audience is empty;
    /// [`TokenError::ReservedHeader`], [`TokenError::ClockAhead`], [`TokenError::Sign`].
    pub fn issue(self) -> Result<String, TokenError> {
        let Self { tokens, subject, options } = self;
        tokens.check_clock()?;
        tokens.check_options(&options)?;
        let (view, issuer) = (tokens.view(), &tokens.issuer()?.name);
        let generations = Generations {
            user: view.user_generation(issuer, &subject.id),
            issuer: view.issuer_generation(issuer),
        };
        let now = unix_seconds(tokens.engine.now());
        let token = tokens.sign_access_token(subject, None, generations, now, options)?.0;
        tokens.engine.revocations.note_issued(now);
        Ok(token)
    }
}

impl TokenService {
    fn check_options(&self, options: &AccessTokenOptions) -> Result<(), TokenError> {
        let longest = self.engine.authentication.limits.longest_lifetime();
        if let Some(lifetime) = options.lifetime.filter(|own| own.as_secs() == 0 || *own > longest) {
            return Err(TokenError::Claims(format!(
                "the lifetime of the access token is {} s: it must be at least 1 s, and at most {} s (`max_token_lifetime`), since the \
                 engine would reject a longer one",
                lifetime.as_secs(),
                longest.as_secs()
            )));
        }
        let is_refused = |id: &String| id.is_empty() || id.len() > MAX_TOKEN_ID_BYTES;
        if let Some(id) = options.token_id.as_ref().filter(|id| is_refused(id)) {
            return Err(TokenError::Claims(format!(
                "the id of the access token has {} bytes: it must have 1 to {MAX_TOKEN_ID_BYTES}",
                id.len()
            )));
        }
        if options.audience.iter().any(String::is_empty) {
            return Err(TokenError::Claims(
                "an audience of the access token is empty: name the service that it is for".into(),
            ));
        }
        check_header(&options.header)
    }
}
