//! Taking tokens back.

use crate::engine::Engine;
use crate::principal::Principal;
use crate::revocation::{Revocation, RevokeError};

/// Takes tokens back. When a method returns without an error, the revocation is in force.
///
/// An entry is kept as long as a token that it concerns could still be accepted: `max_token_lifetime` and the leeway
/// of the engine. A token without `iat` and with a longer life is not known to that count: it is not accepted now,
/// but would be near its end, so an issuer of such tokens should put `iat` into them (RFC 9068 §2.2 asks for it).
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

    /// All tokens of `principal`'s user that were issued up to now, in whole seconds.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke_user(&self, principal: &Principal) -> Result<(), RevokeError> {
        self.revoke(Revocation::User {
            issuer: issuer(principal),
            subject: principal.subject().to_owned(),
            issued_at_or_before: self.engine.now(),
        })
        .await
    }

    /// What the arguments name: for an administrator, who has no token of the user.
    ///
    /// # Errors
    /// [`RevokeError::Unavailable`].
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevokeError> {
        let now = self.engine.now();
        let keep_until = now + self.engine.revocation_term();
        Ok(self.engine.revocations().revoke(revocation, keep_until, now)?)
    }
}

fn issuer(principal: &Principal) -> String {
    principal.issuer().unwrap_or_default().to_owned()
}
