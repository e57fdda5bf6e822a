//! Revocations of a user up to a time.

use std::time::{Duration, SystemTime};

use super::{Revoked, Revoker, Times};
use crate::clock::unix_seconds;
use crate::store::{RefreshTokenFamily, Revocation, StoreError};

impl Revoker {
    /// Ends those of a user's sessions that began by a time.
    pub(super) async fn end_up_to(
        &self,
        bound: SystemTime,
        revocation: &Revocation,
        mut families: Vec<RefreshTokenFamily>,
        times: Times,
    ) -> Result<Revoked, StoreError> {
        let bound = unix_seconds(bound);
        families.retain(|family| family.started_at <= bound);
        let is_new = !families.is_empty() || !self.state.view().enforces(revocation);
        self.end(Some(self.logged(revocation.clone(), None, times)), families, times).await?;
        Ok(Revoked::new(is_new))
    }
}

/// Whether a user's tokens are revoked "up to now": the bound is `now`, or less than a second before it, since a caller has read
/// the clock a moment earlier.
pub(super) fn is_up_to_now(bound: SystemTime, now: SystemTime) -> bool {
    now.duration_since(bound).is_ok_and(|age| age < Duration::from_secs(1)) || bound >= now
}
