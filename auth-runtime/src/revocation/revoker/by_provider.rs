//! What an identity provider has ended: it is revoked up to the provider's own times, and never up to now.

use std::sync::Arc;
use std::time::SystemTime;

use super::{Revoker, Times};
use crate::clock::unix_seconds;
use crate::issue::{family_of_session, session_of_family};
use crate::store::{LoggedRevocation, RefreshTokenFamily, Revocation, StoreError};

impl Revoker {
    /// Records what a provider has ended in one step, and enforces it. Its users are forgotten, and the refresh-token families that it
    /// concerns end.
    ///
    /// Each bound is what the provider says, so the same text that arrives again ends nothing that began since. With a store it is done to
    /// its end, also if its caller no longer waits for it.
    pub(crate) async fn end_for_provider(self: &Arc<Self>, ended: Vec<Revocation>) -> Result<(), StoreError> {
        let times = self.times();
        self.to_its_end(move |revoker| async move { revoker.end_all(ended, times).await }).await
    }

    async fn end_all(&self, ended: Vec<Revocation>, times: Times) -> Result<(), StoreError> {
        let families = self.families_of(&ended).await?;
        let times = times.with_families(&families);
        let forgotten = ended.iter().filter_map(|revocation| match revocation {
            Revocation::User { issuer, subject, .. } => {
                Some(self.forgetting(issuer.clone(), subject.clone(), times.now))
            }
            _ => None,
        });
        let forgotten: Vec<LoggedRevocation> = forgotten.collect();
        let sessions = families.iter().map(|family| Revocation::Session {
            issuer: family.issuer.clone(),
            session_id: session_of_family(family.id),
        });
        let sessions: Vec<Revocation> = sessions.collect();
        let mut entries: Vec<LoggedRevocation> = ended
            .into_iter()
            .filter(|revocation| self.can_concern_a_token(revocation, times.now))
            .chain(sessions)
            .map(|revocation| self.logged(revocation, times))
            .collect();
        // The last thing before they are recorded: what is evicted here and never recorded would be waited for in the log.
        forgotten.iter().for_each(|entry| self.state.forget_here(entry));
        entries.extend(forgotten);
        self.record(entries).await?;
        self.remove(&families).await
    }

    /// The families of sessions that have ended: one that is named, or those of a user that began by the bound.
    async fn families_of(&self, ended: &[Revocation]) -> Result<Vec<RefreshTokenFamily>, StoreError> {
        let mut families: Vec<RefreshTokenFamily> = Vec::new();
        for revocation in ended {
            match revocation {
                Revocation::User { issuer, subject, issued_at_or_before } => {
                    let bound = unix_seconds(*issued_at_or_before);
                    let of_user = self.families.find_by_subject(issuer, subject).await?;
                    families.extend(of_user.into_iter().filter(|family| family.started_at <= bound));
                }
                Revocation::Session { issuer, session_id } => {
                    if let Some(id) = family_of_session(session_id) {
                        let named = self.families.find(id).await?;
                        families.extend(named.filter(|family| family.issuer == *issuer));
                    }
                }
                _ => {}
            }
        }
        Ok(families)
    }

    /// Whether a token that it concerns could still be accepted. The text that says it may be years old: it would only make the log grow.
    fn can_concern_a_token(&self, revocation: &Revocation, now: SystemTime) -> bool {
        match revocation {
            Revocation::User { issued_at_or_before, .. } => {
                issued_at_or_before.checked_add(self.retention).is_some_and(|end| end >= now)
            }
            _ => true,
        }
    }
}
