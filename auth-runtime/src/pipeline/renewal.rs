//! Transparent renewal: a valid refresh cookie next to an access cookie that has expired or is missing.

use std::borrow::Cow;
use std::fmt;

use axum::http::request::Parts;

use super::extract::Credential;
use super::failure::Failure;
use super::{BoxFuture, Pipeline};
use crate::clock::unix_seconds;
use crate::engine::{TokenService, is_access_cookie};
use crate::issue::{RefreshBy, RefreshError, TokenError};
use crate::rejection::RejectionKind;
use crate::source::{Carrier, Extracted};
use crate::verify::VerifyError;

/// What renews a session.
pub(super) struct Renewal<'r> {
    /// That of the access cookie.
    index: usize,
    refresh_token: Cow<'r, str>,
    tokens: TokenService,
}

impl<'a> Pipeline<'a> {
    /// Whether a credential of this route may be renewed.
    pub(super) fn may_renew(&self) -> bool {
        let engine = self.engine();
        engine.sessions.cookies.renews()
            && engine.authentication.sources.take_access_cookie(&self.policy.sources.indices)
    }

    /// What renews the session, where the route takes the access cookie and the request's can be renewed. The decision needs no signature
    /// of the old token: the refresh token proves the session.
    #[inline(never)]
    pub(super) fn renewal<'r>(
        &self,
        head: &'r Parts,
        extracted: Option<&Credential<'_>>,
    ) -> Result<Option<Renewal<'r>>, Failure>
    where
        'a: 'r,
    {
        let engine = self.auth.engine();
        let cookies = &engine.sessions.cookies;
        let access_cookie = engine.authentication.sources.access_cookie_among(&self.policy.sources.indices);
        let Some(index) = access_cookie.filter(|_| cookies.renews()) else { return Ok(None) };
        let (Extracted::Present(refresh_token), Some(tokens)) =
            (cookies.refresh.find(head), TokenService::of(engine.clone()))
        else {
            return Ok(None);
        };
        let is_renewable = |credential| self.has_expired_in_session(credential, &tokens, &refresh_token);
        if !extracted.is_none_or(is_renewable) {
            return Ok(None);
        }
        self.origin(head, Carrier::Ambient)?;
        // Another instance may know the key.
        if tokens.session_of(&refresh_token).is_none() {
            return Ok(None);
        }
        Ok(Some(Renewal { index, refresh_token, tokens }))
    }

    /// The credential of the renewed session; `None` if the refresh token is none of a session.
    pub(super) fn renew<'r>(
        &'r self,
        head: &'r Parts,
        renewal: Renewal<'r>,
    ) -> BoxFuture<'r, Result<Option<Credential<'r>>, Failure>> {
        let cookies = &self.engine().sessions.cookies;
        Box::pin(async move {
            let by = RefreshBy::Browser { is_renewal: true };
            let Renewal { index, refresh_token, tokens } = renewal;
            match tokens.for_request(head).refresh_by(by, &refresh_token, Some(cookies)).await {
                Ok(tokens) => {
                    let set = cookies.set(&tokens, "/").map_err(|error| misconfigured(&error))?;
                    // The one that was sent may be of the path of the token routes, from before the engine renewed tokens.
                    let others = cookies.refresh.clear_other_paths(head, "/");
                    others.into_iter().chain(set).for_each(|cookie| self.auth.set_cookie(cookie));
                    Ok(Some(Credential {
                        source: &cookies.access,
                        index,
                        text: tokens.access_token.into(),
                        // The tokens are younger than the request.
                        now: self.engine().now(),
                        remembered: None,
                        is_renewed: true,
                    }))
                }
                // Or that of the successor.
                Err(TokenError::Refresh(RefreshError::Forged)) => Ok(None),
                Err(TokenError::Refresh(_)) => {
                    cookies.clear("/").into_iter().for_each(|cookie| self.auth.set_cookie(cookie));
                    Ok(None)
                }
                Err(error) if error.is_temporary() => {
                    Err(Failure::new(RejectionKind::Unavailable, error.to_string()))
                }
                // The refresh token stays valid. To answer 401 would send its owner to a login that fails for the same reason.
                Err(error) => Err(misconfigured(&error)),
            }
        })
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
            Some(remembered) => remembered.token().claims(),
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
