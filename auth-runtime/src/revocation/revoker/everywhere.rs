//! A logout everywhere: the next generation of a user's sessions begins.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use super::{Revoker, Times};
use crate::clock::from_unix_seconds;
use crate::issue::random_bytes;
use crate::revocation::generation;
use crate::revocation::view::GENERATION_LAG;
use crate::store::{RefreshTokenFamily, Revocation, StoreError};

/// How far ahead a clock may have been when a token without a session was issued, of which no row knows.
const AHEAD: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// How many generations a logout everywhere begins, while other instances do so at the same time.
pub(super) const MAX_GENERATIONS: usize = 10;

impl Revoker {
    /// Ends all sessions of a user, and all tokens that are not of the generation of sessions that begins now.
    pub(super) async fn log_out_everywhere(
        &self,
        issuer: &str,
        subject: &str,
        families: Vec<RefreshTokenFamily>,
        times: Times,
    ) -> Result<(), StoreError> {
        // The generation before may have been recorded by another instance, and must not outlive this one.
        self.state.catch_up().await?;
        let view = self.state.view();
        let former_end = view.user_generation_end(issuer, subject);
        let kept = self.generation_kept_until(times.with_families(&families), self.retention, former_end);
        let mut families = families;
        for _ in 0..MAX_GENERATIONS {
            let generation = self.new_generation(issuer, subject, &families)?;
            let revocation = Revocation::OtherGenerations {
                issuer: issuer.to_owned(),
                subject: subject.to_owned(),
                generation,
            };
            let entry = self.state.logged(revocation, kept, times.note(None));
            self.end(Some(entry), families, times).await?;
            self.state.catch_up().await?;
            // A login at the same time looks at the view after it has stored its family, so one of the two sees the other. One that
            // begins after is of the new generation.
            families = self.families.find_by_subject(issuer, subject).await?;
            families.retain(|family| family.user_generation != generation);
            // Another instance may have begun one at the same time, and issued tokens of it: then one that is newer ends those too.
            if view.user_generation(issuer, subject) == generation {
                return self.end(None, families, times).await;
            }
        }
        Err(StoreError::new(
            "other instances logged the same user out everywhere at the same time, again and again: the user is logged out, but for \
             sessions that began meanwhile. Try again",
        ))
    }

    /// Until when a generation is kept that ends tokens and sessions which are valid for so long, and that follows one which is kept until
    /// `former_end`, in seconds since the epoch.
    pub(super) fn generation_kept_until(
        &self,
        times: Times,
        valid_for: Duration,
        former_end: i64,
    ) -> SystemTime {
        let last_issued = from_unix_seconds(self.last_issued_at.load(Ordering::Relaxed));
        let longest = times.now.checked_add(AHEAD).unwrap_or(times.now);
        let last_issued = times.with(last_issued).with(longest).last_issued;
        let lag = Duration::from_secs(GENERATION_LAG.unsigned_abs());
        let kept = last_issued.checked_add(valid_for.saturating_add(lag)).unwrap_or(last_issued);
        kept.max(from_unix_seconds(former_end))
    }

    /// A generation that is newer than those of the user's sessions.
    fn new_generation(
        &self,
        issuer: &str,
        subject: &str,
        families: &[RefreshTokenFamily],
    ) -> Result<u32, StoreError> {
        let random = random_number()?;
        let known = self.state.view().user_generation(issuer, subject);
        let known = families.iter().map(|family| family.user_generation).chain([known]);
        Ok(generation::after(known, random))
    }
}

pub(super) fn random_number() -> Result<u32, StoreError> {
    let random = random_bytes().map_err(|error| StoreError::new(error.to_string()).with_source(error))?;
    Ok(u32::from_ne_bytes(random))
}
