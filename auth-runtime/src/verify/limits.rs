//! Limits on the times in a token. They are checked on every request, for every verifier.

use std::time::Duration;

use super::VerifyError;
use super::claims::TokenClaims;
use crate::clock::LONGEST_LIFETIME;

/// Limits on the times in a token, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) leeway: i64,
    pub(crate) max_token_lifetime: i64,
}

impl Limits {
    pub(crate) fn new(leeway: Duration, max_token_lifetime: Duration) -> Self {
        // The builder refuses longer ones. Sums of such times do not overflow.
        let seconds = |time: Duration| i64::try_from(time.min(LONGEST_LIFETIME).as_secs()).unwrap_or(0);
        Self { leeway: seconds(leeway), max_token_lifetime: seconds(max_token_lifetime) }
    }

    /// Returns the maximum lifetime of a token.
    pub(crate) fn longest_lifetime(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.max_token_lifetime).unwrap_or_default())
    }

    /// Returns the longest time for which a token that was issued before now may still be accepted.
    pub(crate) fn longest_acceptance(&self) -> Duration {
        // The leeway counts twice: at `exp`, and for an issuer whose clock is ahead.
        let seconds = self.max_token_lifetime.saturating_add(2 * self.leeway);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// Checks `exp`, `nbf`, `iat` and the lifetime, also of a token that was verified before.
    pub(crate) fn check_times(&self, claims: &TokenClaims, now: i64) -> Result<(), VerifyError> {
        let expires_at = claims.expires_at.ok_or(VerifyError::MissingClaim("exp"))?;
        if now >= expires_at.saturating_add(self.leeway) {
            return Err(VerifyError::Expired);
        }
        let latest = now.saturating_add(self.leeway);
        if claims.not_before.is_some_and(|not_before| not_before > latest) {
            return Err(VerifyError::NotYetValid);
        }
        if claims.issued_at.is_some_and(|issued_at| issued_at > latest) {
            return Err(VerifyError::IssuedInTheFuture);
        }
        // Without `iat` the age of the token is unknown, so only its remaining lifetime can be limited.
        let start = claims.issued_at.unwrap_or(now);
        if expires_at.saturating_sub(start) > self.max_token_lifetime {
            return Err(VerifyError::LifetimeTooLong);
        }
        Ok(())
    }
}
