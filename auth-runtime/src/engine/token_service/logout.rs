//! Ending sessions, revoking tokens, introspection.

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::TokenService;
use crate::audit::{AuditAction, AuditEvent};
use crate::issue::{TokenError, session_of_family};
use crate::principal::Principal;
use crate::revocation::{Revocation, RevokedToken};

impl TokenService {
    /// Ends the session of a refresh token, also of a used one: its refresh tokens and its access tokens become invalid. Returns
    /// whether it is a refresh token of this issuer; its session may have ended before.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then the session may not have ended. Call it again. [`TokenError::AuditHook`].
    pub async fn log_out(&self, refresh_token: &str) -> Result<bool, TokenError> {
        let Some(opened) = self.issuer()?.refresh_keys.open(refresh_token) else { return Ok(false) };
        self.end_session_of(AuditEvent::new(AuditAction::Logout), &session_of_family(opened.family), None)
            .await?;
        Ok(true)
    }

    /// Ends the session with this `sid`.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then the session may not have ended. Call it again. [`TokenError::AuditHook`].
    pub async fn end_session(&self, session_id: &str) -> Result<(), TokenError> {
        self.end_session_of(AuditEvent::new(AuditAction::SessionEnd), session_id, None).await
    }

    /// Ends the session with this `sid`, of a token that was issued at this time, if that is known.
    ///
    /// A session that has ended before does not end again: that is not reported.
    pub(crate) async fn end_session_of(
        &self,
        event: AuditEvent<'_>,
        session_id: &str,
        issued_at: Option<SystemTime>,
    ) -> Result<(), TokenError> {
        let (issuer, session) = (self.issuer()?.name.clone(), session_id.to_owned());
        let event = AuditEvent { session_id: Some(session_id), ..event };
        let token = RevokedToken { issued_at, subject: None };
        match self.record(Revocation::Session { issuer, session_id: session }, token).await {
            Ok(revoked) if revoked.is_new => {
                self.report(AuditEvent { subject: revoked.subject.as_deref(), ..event })
            }
            Ok(_) => Ok(()),
            Err(error) => self.report_outcome(event, Err(error)),
        }
    }

    /// Ends all sessions of a user, and revokes all of its access tokens that were issued up to now.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then some may not have ended. Ask again. [`TokenError::AuditHook`].
    pub async fn log_out_everywhere(&self, subject: &str) -> Result<(), TokenError> {
        let now = self.engine.now();
        let revocation = Revocation::User {
            issuer: self.issuer()?.name.clone(),
            subject: subject.to_owned(),
            issued_at_or_before: now,
        };
        let outcome = self.record(revocation, RevokedToken::default()).await.map(drop);
        let event = AuditEvent { subject: Some(subject), ..AuditEvent::new(AuditAction::LogoutEverywhere) };
        self.report_outcome(event, outcome)
    }

    /// Ends all sessions of all users of this issuer, and revokes all of its access tokens that were issued up to now. A caller that asks for
    /// it is logged out too.
    ///
    /// It is one entry of the log, however many sessions there are, and it is enforced here when this returns `Ok`; other instances enforce it
    /// within [`max_staleness`](crate::AuthBuilder::max_staleness). A login afterwards is valid at once; another instance that
    /// has not read the log yet may answer its token with 401 until it has. An access token
    /// [without a session](Self::issue_access) that another instance issues before it has read the log is revoked too. Tokens of other issuers,
    /// API keys and the credentials of authenticators stay valid.
    ///
    /// The rows of the sessions are removed from the store in the background, in pages of 500. Where that is interrupted, they expire.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then it may be that no user was logged out. Ask again: each call ends also what began since the one before.
    /// [`TokenError::AuditHook`].
    pub async fn log_out_all_users(&self) -> Result<(), TokenError> {
        let issuer = self.issuer()?.name.clone();
        self.engine.ensure_background();
        let ended = self.engine.revocations.end_sessions_of_all(issuer).await;
        self.report_outcome(AuditEvent::new(AuditAction::LogoutAllUsers), ended.map_err(TokenError::from))
    }

    /// Ends all sessions of a caller, and revokes all of its access tokens that were issued up to now: also the one that it came
    /// with, if its issuer's clock is ahead.
    #[cfg(feature = "token-routes")]
    pub(crate) async fn revoke_user(&self, principal: &Principal) -> Result<(), TokenError> {
        let now = self.engine.now();
        let revocation = Revocation::of_user(principal, now);
        let outcome = self.record(revocation, RevokedToken::of(principal)).await.map(drop);
        let event =
            AuditEvent { issuer: principal.issuer(), ..AuditEvent::new(AuditAction::LogoutEverywhere) };
        self.report_outcome(AuditEvent { subject: Some(principal.subject()), ..event }, outcome)
    }

    /// Revokes a token, as RFC 7009 §2.1 describes it: an access token alone, also one for another service, or the whole session of a
    /// refresh token. A token that is invalid, or of another issuer, is not an error (§2.2).
    ///
    /// # Errors
    /// [`TokenError::Store`]: then the token may not be revoked. Call it again. [`TokenError::AuditHook`].
    pub async fn revoke(&self, token: &str) -> Result<(), TokenError> {
        let event = AuditEvent::new(AuditAction::TokenRevocation);
        if let Some(session_id) = self.session_of(token) {
            return self.end_session_of(event, &session_id, None).await;
        }
        match self.genuine(token) {
            Some(principal) => self.revoke_access(event, &principal).await,
            None => Ok(()),
        }
    }

    /// Revokes one access token of this issuer, also one that is not valid by the clock: the clock may be wrong.
    pub(crate) async fn revoke_access(
        &self,
        event: AuditEvent<'_>,
        principal: &Principal,
    ) -> Result<(), TokenError> {
        let Some(token_id) = principal.token_id().map(str::to_owned) else { return Ok(()) };
        // A caller that has an invalid token can't make the log grow.
        if self.has_expired_long_ago(principal) || self.view().is_revoked(&principal.token_identity()) {
            return Ok(());
        }
        let issuer = self.issuer()?.name.clone();
        let revocation = Revocation::Token { issuer, token_id };
        let outcome = self.record(revocation, RevokedToken::of(principal)).await.map(drop);
        let event = AuditEvent { session_id: principal.session_id(), ..event };
        self.report_outcome(AuditEvent { subject: Some(principal.subject()), ..event }, outcome)
    }

    /// Whether a token has been expired for longer than a clock is wrong without a warning.
    fn has_expired_long_ago(&self, principal: &Principal) -> bool {
        const LONG: Duration = Duration::from_secs(24 * 60 * 60);
        let expires_at = principal.expires_at().unwrap_or(SystemTime::UNIX_EPOCH);
        self.engine.now().duration_since(expires_at).is_ok_and(|expired_for| expired_for > LONG)
    }

    /// Returns the claims of an access token or a refresh token that is valid now, in the form of RFC 7662 §2.2;
    /// `{"active":false}` for any other token. A token that this issuer made [for another
    /// service](crate::session::AccessTokenBuilder::audience) is active too: it is that service that asks, and it compares `aud` with its
    /// name. Whether this service accepts a token is what [`Auth::verify`](crate::Auth::verify) says.
    ///
    /// # Errors
    /// [`TokenError::Store`]: then it is unknown whether the token is valid.
    pub async fn introspect(&self, token: &str) -> Result<Value, TokenError> {
        let issuer = self.issuer()?;
        if let Some(opened) = issuer.refresh_keys.open(token) {
            return match self.living(opened.family).await {
                Ok(family) if family.generation == opened.generation => Ok(json!({
                    "active": true,
                    "iss": family.issuer,
                    "sub": family.subject,
                    "client_id": issuer.client_id,
                    "sid": session_of_family(family.id),
                    "iat": family.rotated_at,
                    "exp": family.expires_at,
                })),
                Ok(_) | Err(TokenError::Refresh(_)) => Ok(json!({ "active": false })),
                Err(error) => Err(error),
            };
        }
        self.engine.check_fresh(self.engine.now())?;
        let vocabulary = &self.engine.authorization.vocabulary;
        let active =
            self.genuine(token).filter(|principal| self.is_active(principal)).and_then(|principal| {
                Principal::identify(principal.token().clone(), vocabulary, Some(self.engine.watch())).ok()
            });
        let Some(principal) = active else { return Ok(json!({ "active": false })) };
        let mut answer = principal.token().claims().to_map();
        answer.insert("active".into(), true.into());
        answer.insert("token_type".into(), "Bearer".into());
        Ok(Value::Object(answer))
    }
}
