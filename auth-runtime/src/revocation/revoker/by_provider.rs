//! What an identity provider has ended: it is revoked up to the provider's own times, and never up to now.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Revoker, Times};
use crate::clock::unix_seconds;
use crate::issue::{family_of_session, session_of_family};
use crate::store::{LoggedRevocation, RefreshTokenFamily, Revocation, StoreError};

/// What a provider has ended.
#[derive(Clone, Debug)]
pub(crate) struct EndedByProvider {
    pub(crate) revocation: Revocation,
    /// The `iat` of the text that says so.
    pub(crate) said_at: SystemTime,
}

impl EndedByProvider {
    /// When the last token that it concerns was issued.
    fn last_issued(&self) -> SystemTime {
        match self.revocation {
            Revocation::UserBySub { issued_at_or_before, .. } => issued_at_or_before,
            _ => self.said_at,
        }
    }
}

impl Revoker {
    /// Records what a provider has ended in one step, and enforces it. Its users are forgotten, and the refresh-token families that it
    /// concerns end. Returns what was not recorded before.
    ///
    /// Each bound and each time is what the provider says, so the same text that arrives again ends nothing that began since, and adds
    /// nothing to the log. With a store it is done to its end, also if its caller no longer waits for it.
    pub(crate) async fn end_for_provider(
        self: &Arc<Self>,
        ended: Vec<EndedByProvider>,
    ) -> Result<Vec<Revocation>, StoreError> {
        let times = self.times();
        self.to_its_end(move |revoker| async move { revoker.end_all(ended, times).await }).await
    }

    async fn end_all(
        &self,
        ended: Vec<EndedByProvider>,
        times: Times,
    ) -> Result<Vec<Revocation>, StoreError> {
        let (mut entries, mut forgotten, mut families) = (Vec::new(), Vec::new(), Vec::new());
        let mut new = Vec::new();
        for one in ended {
            let of_this = self.families_of(&one, times.now).await?;
            let keep_until = if of_this.is_empty() {
                self.logged_until(Times { last_issued: one.last_issued(), ..times })
            } else {
                self.logged_until(times.with_families(&of_this))
            };
            let is_known = self.state.view().enforces(&one.revocation);
            let is_entry = !is_known && keep_until >= times.now;
            if let (Revocation::UserBySub { issuer, sub, .. }, false) = (&one.revocation, is_known)
                && self.may_be_remembered_since(one.last_issued(), times.now)
            {
                forgotten.push(self.forgetting(issuer.clone(), sub.clone(), times.now));
            }
            if is_entry || !of_this.is_empty() {
                new.push(one.revocation.clone());
            }
            if is_entry {
                let subject = match one.revocation {
                    Revocation::Session { .. } => of_this.first().map(|family| &*family.subject),
                    _ => None,
                };
                entries.push(self.state.logged(one.revocation, keep_until, times.note(subject)));
            }
            families.extend(of_this);
        }
        let times = times.with_families(&families);
        for family in &families {
            let session_id = session_of_family(family.id);
            let session = Revocation::Session { issuer: family.issuer.clone(), session_id };
            if !self.state.view().enforces(&session) {
                entries.push(self.logged(session, Some(&family.subject), times));
            }
        }
        // The last thing before they are recorded: what is evicted here and never recorded would be waited for in the log.
        forgotten.iter().for_each(|entry: &LoggedRevocation| self.state.forget_here(entry));
        entries.extend(forgotten);
        self.record(entries).await?;
        self.remove(&families).await?;
        Ok(new)
    }

    /// The families of sessions that have ended: one that is named, or those of a user that began by the bound. The own issuer's live longer
    /// than its tokens; of another issuer, they are not looked for where all of its tokens have expired: anybody may have kept the text.
    async fn families_of(
        &self,
        ended: &EndedByProvider,
        now: SystemTime,
    ) -> Result<Vec<RefreshTokenFamily>, StoreError> {
        let is_own = self.own_issuer.as_deref() == Some(ended.revocation.issuer());
        let last_expiry = ended.last_issued().checked_add(self.retention);
        if !is_own && last_expiry.is_some_and(|last_expiry| last_expiry < now) {
            return Ok(Vec::new());
        }
        match &ended.revocation {
            Revocation::UserBySub { issuer, sub, issued_at_or_before } => {
                let bound = unix_seconds(*issued_at_or_before);
                let mut families = self.families.find_by_subject(issuer, sub).await?;
                families.retain(|family| family.started_at <= bound);
                Ok(families)
            }
            Revocation::Session { issuer, session_id } => {
                let Some(id) = family_of_session(session_id) else { return Ok(Vec::new()) };
                let named = self.families.find(id).await?;
                Ok(named.filter(|family| family.issuer == *issuer).into_iter().collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    /// Whether what was loaded for a user before this time may still be remembered.
    fn may_be_remembered_since(&self, time: SystemTime, now: SystemTime) -> bool {
        let longest = self.retention.max(self.state.longest_eviction());
        time.checked_add(longest).is_none_or(|end| end >= now)
    }
}
