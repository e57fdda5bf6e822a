//! Taking tokens back.

use crate::engine::Engine;
use crate::principal::Principal;
use crate::revocation::{Revocation, RevokeError};

/// Takes tokens back. When a method returns without an error, the revocation is in force.
///
/// An entry is kept as long as a token that was issued by now could still be accepted: `max_token_lifetime` and the
/// leeway of the engine. What is issued later under the same `sid` outlives it: an issuer that goes on giving out
/// tokens of a session must be told too. And a token that is not accepted now because it lives too long, and has no
/// `iat` that shows its age, would be accepted near its end, when the entry has gone: have the issuer put `iat` into
/// its tokens (RFC 9068 §2.2 asks for it).
#[derive(Clone, Copy, Debug)]
pub struct Revocations<'a> {
    engine: &'a Engine,
}

impl<'a> Revocations<'a> {
    pub(super) fn new(engine: &'a Engine) -> Self {
        Self { engine }
    }

    /// The token that `principal` came with.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `jti`; [`RevokeError::Unavailable`].
    pub async fn revoke_token(&self, principal: &Principal) -> Result<(), RevokeError> {
        let token_id = principal.token_id().ok_or(RevokeError::NotIdentifiable("jti"))?.to_owned();
        self.revoke(Revocation::Token { issuer: issuer(principal), token_id }).await
    }

    /// All tokens of the log-in that `principal`'s token belongs to.
    ///
    /// # Errors
    /// [`RevokeError::NotIdentifiable`] if the token has no `sid`; [`RevokeError::Unavailable`].
    pub async fn revoke_session(&self, principal: &Principal) -> Result<(), RevokeError> {
        let session_id = principal.session_id().ok_or(RevokeError::NotIdentifiable("sid"))?.to_owned();
        self.revoke(Revocation::Session { issuer: issuer(principal), session_id }).await
    }

    /// All tokens of `principal`'s user that were issued up to now, in whole seconds: this one in any case, also if its
    /// issuer's clock is ahead.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke_user(&self, principal: &Principal) -> Result<(), RevokeError> {
        self.revoke(Revocation::User {
            issuer: issuer(principal),
            subject: principal.subject().to_owned(),
            issued_at_or_before: self
                .engine
                .now()
                .max(principal.issued_at().unwrap_or(std::time::UNIX_EPOCH)),
        })
        .await
    }

    /// What the arguments name: for an administrator, who has no token of the user.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevokeError> {
        let now = self.engine.now();
        let last_issued = match &revocation {
            Revocation::User { issued_at_or_before, .. } => now.max(*issued_at_or_before),
            _ => now,
        };
        let keep_until = last_issued.checked_add(self.engine.revocation_term()).unwrap_or(last_issued);
        Ok(self.engine.revocations().revoke(revocation, keep_until, now).await?)
    }
}

fn issuer(principal: &Principal) -> String {
    principal.issuer().unwrap_or_default().to_owned()
}
