//! All users of an issuer at once: the next generation of all sessions begins, or all tokens up to a time are revoked.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::everywhere::{MAX_GENERATIONS, random_number};
use super::{Revoked, Revoker, Times, is_up_to_now};
use crate::clock::{LONGEST_LIFETIME, unix_seconds};
use crate::revocation::generation;
use crate::store::{FamilyId, Revocation, StoreError};

/// The number of rows that are read and removed at once, between which others can write.
const PAGE: usize = 500;

const DAY: i64 = 24 * 60 * 60;

/// The rows of sessions that ended with those of all users. They are removed in the background: there may be millions, and the view rejects
/// their tokens already. Where that is interrupted, they expire.
#[derive(Debug, Default)]
pub(super) struct EndedRows {
    removals: Mutex<Vec<Removal>>,
    begun: AtomicU64,
}

/// How far the rows of an issuer were removed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Removal {
    issuer: String,
    /// Which one it is: another may begin while it goes on.
    number: u64,
    /// The subject and the id of the last row that was read.
    after: Option<(String, FamilyId)>,
}

impl EndedRows {
    /// The rows of this issuer are removed, from the first one on.
    fn begin(&self, issuer: &str) {
        let mut removals = self.lock();
        removals.retain(|removal| removal.issuer != issuer);
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        removals.push(Removal { issuer: issuer.to_owned(), number, after: None });
    }

    fn next(&self) -> Option<Removal> {
        self.lock().first().cloned()
    }

    /// Replaces `before` by `next`, or removes it if `next` is `None`. Another call may have been faster, or begun anew. Returns whether there
    /// is more.
    fn advance(&self, before: &Removal, next: Option<Removal>) -> bool {
        let mut removals = self.lock();
        if let Some(position) = removals.iter().position(|removal| removal == before) {
            removals.splice(position..=position, next);
        }
        !removals.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Removal>> {
        self.removals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Revoker {
    /// Ends all sessions of all users of the own issuer, and revokes its tokens. It is done to its end, as
    /// [`revoke`](Self::revoke) is.
    pub(crate) async fn end_sessions_of_all(self: &Arc<Self>, issuer: String) -> Result<(), StoreError> {
        let times = self.times();
        let work = move |revoker: Arc<Self>| async move { revoker.log_out_all_users(&issuer, times).await };
        self.to_its_end(work).await
    }

    /// Revokes all tokens of an issuer, and ends its sessions.
    pub(super) async fn revoke_issuer(
        &self,
        issuer: &str,
        bound: SystemTime,
        times: Times,
    ) -> Result<Revoked, StoreError> {
        if !is_up_to_now(bound, times.own) {
            if self.has_sessions(issuer).await? {
                return Err(StoreError::new(
                    "the sessions of all users can't be ended up to a time in the past: pass the present time, or revoke each user",
                ));
            }
            return self.revoke_issuer_up_to(issuer, bound, times).await;
        }
        let times = times.with(bound);
        let mut is_new = false;
        if self.own_issuer.as_deref() != Some(issuer) {
            // Before the store is searched for sessions, which takes long where it has those of many other users.
            let latest = times.now.checked_add(self.leeway).unwrap_or(times.now);
            is_new = self.revoke_issuer_up_to(issuer, bound.max(latest), times.with(latest)).await?.is_new;
        }
        if self.has_sessions(issuer).await? {
            self.log_out_all_users(issuer, times).await?;
            // It ends all generations but one that begins with it.
            is_new = true;
        }
        Ok(Revoked::new(is_new))
    }

    /// Whether it is the issuer of this engine, or of another that shares the store and has sessions.
    async fn has_sessions(&self, issuer: &str) -> Result<bool, StoreError> {
        Ok(self.own_issuer.as_deref() == Some(issuer)
            || !self.families.list(issuer, None, 1).await?.is_empty())
    }

    async fn revoke_issuer_up_to(
        &self,
        issuer: &str,
        bound: SystemTime,
        times: Times,
    ) -> Result<Revoked, StoreError> {
        let revocation = Revocation::Issuer { issuer: issuer.to_owned(), issued_at_or_before: bound };
        let is_new = !self.state.view().enforces(&revocation);
        self.record(vec![self.logged(revocation, None, times)]).await?;
        Ok(Revoked::new(is_new))
    }

    /// Ends all sessions of all users of an issuer, and all tokens that are not of the generation of sessions that begins now.
    ///
    /// It is one entry, however many sessions there are: it is kept until the last of them has expired, so that it does not depend on the
    /// removal of their rows.
    async fn log_out_all_users(&self, issuer: &str, times: Times) -> Result<(), StoreError> {
        // The generation before may have been recorded by another instance, and must not outlive this one.
        self.state.catch_up().await?;
        let view = self.state.view();
        // How long the sessions of another engine's issuer last is not known here.
        let is_own = self.own_issuer.as_deref() == Some(issuer);
        let longest_session = if is_own { self.longest_session } else { LONGEST_LIFETIME };
        let valid_for = self.retention.max(longest_session);
        let kept = self.generation_kept_until(times, valid_for, view.issuer_generation_end(issuer));
        for _ in 0..MAX_GENERATIONS {
            let generation = self.new_issuer_generation(issuer, times)?;
            let revocation = Revocation::OtherIssuerGenerations { issuer: issuer.to_owned(), generation };
            self.record(vec![self.state.logged(revocation, kept, times.note(None))]).await?;
            self.state.catch_up().await?;
            // Another instance may have begun one at the same time, and issued tokens of it: then one that is newer ends those too.
            if view.issuer_generation(issuer) == generation {
                self.ended_rows.begin(issuer);
                return Ok(());
            }
        }
        Err(StoreError::new(
            "other instances logged everybody out at the same time, again and again: everybody is logged out, but for sessions that began \
             meanwhile. Try again",
        ))
    }

    /// A generation that is newer than the one before. The first is of the day, so that it is another one than those that were forgotten,
    /// of which sessions may be.
    fn new_issuer_generation(&self, issuer: &str, times: Times) -> Result<u32, StoreError> {
        let known = match self.state.view().issuer_generation(issuer) {
            0 => generation::numbered(unix_seconds(times.now).div_euclid(DAY)),
            known => known,
        };
        Ok(generation::after([known], random_number()?))
    }

    /// Removes some rows of sessions that ended with those of all users; whether there are more.
    pub(super) async fn remove_ended_rows(&self) -> Result<bool, StoreError> {
        let Some(removal) = self.ended_rows.next() else { return Ok(false) };
        let after = removal.after.as_ref().map(|(subject, id)| (subject.as_str(), *id));
        let mut families = self.families.list(&removal.issuer, after, PAGE).await?;
        let last = families.last().filter(|_| families.len() >= PAGE);
        let next = last.map(|last| {
            let after = Some((last.subject.clone(), last.id));
            Removal { issuer: removal.issuer.clone(), number: removal.number, after }
        });
        // A session of a newer generation was stored after the log had that one.
        self.state.catch_up().await?;
        let generation = self.state.view().issuer_generation(&removal.issuer);
        families.retain(|family| generation != 0 && family.issuer_generation != generation);
        self.remove(&families).await?;
        Ok(self.ended_rows.advance(&removal, next))
    }
}
