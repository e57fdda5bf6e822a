//! Transparent renewal: a valid refresh cookie next to an access cookie that has expired or is missing.

use std::fmt;

use axum::http::request::Parts;

use super::Pipeline;
use super::extract::Credential;
use super::failure::Failure;
use crate::clock::unix_seconds;
use crate::engine::{TokenService, is_access_cookie};
use crate::issue::{RefreshBy, RefreshError, TokenError};
use crate::rejection::RejectionKind;
use crate::source::{Carrier, Extracted};
use crate::verify::VerifyError;

impl<'a> Pipeline<'a> {
    /// The credential of a renewed session where the route takes the access cookie and the request's can be renewed; otherwise
    /// the credential that was extracted. The decision needs no signature of the old token: the refresh token proves the
    /// session.
    pub(super) async fn renew<'r>(
        &self,
        head: &'r Parts,
        extracted: Option<Credential<'r>>,
    ) -> Result<Option<Credential<'r>>, Failure>
    where
        'a: 'r,
    {
        let engine = self.auth.engine();
        let cookies = &engine.sessions.cookies;
        let access_cookie = engine.authentication.sources.access_cookie_among(&self.policy.sources.indices);
        let Some(index) = access_cookie.filter(|_| cookies.renews()) else { return Ok(extracted) };
        let (Extracted::Present(refresh_token), Some(tokens)) =
            (cookies.refresh.find(head), TokenService::of(engine.clone()))
        else {
            return Ok(extracted);
        };
        let is_renewable = |credential| self.has_expired_in_session(credential, &tokens, &refresh_token);
        if !extracted.as_ref().is_none_or(is_renewable) {
            return Ok(extracted);
        }
        self.origin(head, Carrier::Ambient)?;
        // Another instance may know the key.
        if tokens.session_of(&refresh_token).is_none() {
            return Ok(extracted);
        }
        let by = RefreshBy::Browser { is_renewal: true };
        match tokens.for_request(head).refresh_by(by, &refresh_token, Some(cookies)).await {
            Ok(tokens) => {
                let set = cookies.set(&tokens, "/").map_err(|error| misconfigured(&error))?;
                set.into_iter().for_each(|cookie| self.auth.set_cookie(cookie));
                // The tokens are younger than the request.
                let text = tokens.access_token.into();
                let now = engine.now();
                Ok(Some(Credential {
                    source: &cookies.access,
                    index,
                    text,
                    now,
                    remembered: None,
                    is_renewed: true,
                }))
            }
            // Or that of the successor.
            Err(TokenError::Refresh(RefreshError::Forged)) => Ok(extracted),
            Err(TokenError::Refresh(_)) => {
                cookies.clear("/").into_iter().for_each(|cookie| self.auth.set_cookie(cookie));
                Ok(extracted)
            }
            Err(error) if error.is_temporary() => {
                Err(Failure::new(RejectionKind::Unavailable, error.to_string()))
            }
            // The refresh token stays valid. To answer 401 would send its owner to a login that fails for the same reason.
            Err(error) => Err(misconfigured(&error)),
        }
    }

    /// Whether the credential is an access cookie that has expired, of the session of the refresh token: a request of one user
    /// never becomes another user's.
    fn has_expired_in_session(
        &self,
        credential: &Credential<'_>,
        tokens: &TokenService,
        refresh_token: &str,
    ) -> bool {
        // Whether the refresh token is of a session is known by its MAC, before anything of the other token is read.
        let Some(session) = tokens.session_of(refresh_token).filter(|_| is_access_cookie(credential.source))
        else {
            return false;
        };
        let unverified;
        let claims = match &credential.remembered {
            Some(remembered) => remembered.principal.token().claims(),
            None => match tokens.unverified_claims(&credential.text) {
                Some(claims) => {
                    unverified = claims;
                    &unverified
                }
                None => return false,
            },
        };
        let times = self.engine().authentication.limits.check_times(claims, unix_seconds(self.now));
        times == Err(VerifyError::Expired) && claims.session_id() == Some(&*session)
    }
}

/// Tokens can't be renewed because of the service, and not of the request.
fn misconfigured(error: &dyn fmt::Display) -> Failure {
    Failure::new(RejectionKind::Misconfigured, format!("tokens can't be renewed: {error}"))
}
