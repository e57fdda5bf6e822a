//! Bounds on the times in a token, checked on every request, whoever verified it.

use std::time::Duration;

use super::VerifyError;
use super::claims::TokenClaims;

/// Bounds on the times in a token, in seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) leeway: i64,
    pub(crate) max_token_lifetime: i64,
}

impl Limits {
    pub(crate) fn new(leeway: Duration, max_token_lifetime: Duration) -> Self {
        /// A hundred years: no token lives longer, and no sum of such overflows.
        const LONGEST: i64 = 100 * 366 * 24 * 60 * 60;
        let seconds = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(LONGEST).min(LONGEST);
        Self { leeway: seconds(leeway), max_token_lifetime: seconds(max_token_lifetime) }
    }

    /// The longest life of a token.
    pub(crate) fn longest_lifetime(&self) -> Duration {
        Duration::from_secs(u64::try_from(self.max_token_lifetime).unwrap_or_default())
    }

    /// How long a token that was issued by now may still be accepted, at most.
    pub(crate) fn longest_acceptance(&self) -> Duration {
        // The leeway once at each end: the issuer's clock may run ahead of this one.
        let seconds = self.max_token_lifetime.saturating_add(2 * self.leeway);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    /// Expiry, not-before and lifetime: also of a token that was verified before.
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
        // Without `iat` the token could be of any age; what is left of its life is all that can be bounded.
        let start = claims.issued_at.unwrap_or(now);
        if expires_at.saturating_sub(start) > self.max_token_lifetime {
            return Err(VerifyError::LivesTooLong);
        }
        Ok(())
    }
}
