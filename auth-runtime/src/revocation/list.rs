//! The revocations that the log has, page by page: for administrators.

mod page;

use std::collections::HashMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::page::read_page;
use super::{RevocationListError, Revocations};
use crate::clock::from_unix_seconds;
use crate::store::{EntryMeaning, LogCursor, LogEntry, Revocation};

/// A page of the revocations that are recorded: [`Revocations::list`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationList {
    /// At most 100 revocations, the oldest first. A page has fewer, and may have none, where the about 10,000 entries of the log that are read for
    /// it have no more that are listed.
    pub revocations: Vec<RecordedRevocation>,
    /// What the next page is asked for with: [`Revocations::list_after`]. `None`: there is none.
    pub next: Option<String>,
}

/// A revocation, as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRevocation {
    /// What is revoked. It has the id of a token or of a session, and never a token.
    pub revocation: Revocation,
    /// When it was recorded, by the clock of the process that did. `None`: an earlier version of this library has recorded it.
    pub recorded_at: Option<SystemTime>,
    /// The subject whose token, session or sessions it is about. `None` where that was not known, such as for a session of another issuer
    /// that was revoked by its id, and for a user that a provider names by `sub`.
    pub subject: Option<String>,
    /// Until when it is kept: the last token that it concerns has expired then.
    pub kept_until: SystemTime,
}

impl RecordedRevocation {
    fn is_about(&self, subject: &str) -> bool {
        let named = match &self.revocation {
            Revocation::UserBySub { sub, .. } => Some(sub),
            _ => self.subject.as_ref(),
        };
        named.is_some_and(|named| named == subject)
    }
}

impl Revocations<'_> {
    /// Returns the oldest 100 revocations that are recorded in the store, have not expired, and are of an issuer that this engine accepts:
    /// for an administrator, who may see them. The list is never for the public: it names users.
    ///
    /// Why something was revoked, and who asked for it, is not in the log of revocations: the audit hook
    /// ([`AuthBuilder::audit`](crate::AuthBuilder::audit)) learns it. A revocation can't be undone; the user logs in again. A logout everywhere
    /// has an entry of its own, and one for each session that it ended. What makes instances [forget](Self::forget) is not listed, as it revokes nothing.
    ///
    /// Of an issuer with a predicate ([`Tenants::accepted_by`](crate::verify::Tenants::accepted_by)), the predicate is asked for each tenant; where it
    /// panics, nothing of the tenant is listed. An engine that accepts any issuer
    /// ([`dangerously_accept_any_issuer`](crate::verify::TrustedIssuer::dangerously_accept_any_issuer)), or any tenant of one, lists the revocations of
    /// all of them, also those of other services that share the store: give it a store of its own.
    ///
    /// # Errors
    /// [`RevocationListError::NoStore`], [`RevocationListError::Unavailable`].
    pub async fn list(&self) -> Result<RevocationList, RevocationListError> {
        self.page_of(None, None).await
    }

    /// Returns the next 100: `next` is [`RevocationList::next`] of the page before. It may be used again, and by another process.
    ///
    /// # Errors
    /// [`RevocationListError::InvalidCursor`] if the text is no such `next`, or the log does not have that position any more: start again with
    /// [`list`](Self::list). A position is kept until its entry is dropped, about a minute after it has expired: read on without a pause. [`RevocationListError::NoStore`], [`RevocationListError::Unavailable`].
    pub async fn list_after(&self, next: &str) -> Result<RevocationList, RevocationListError> {
        self.page_of(None, Some(next)).await
    }

    /// Returns the oldest 100 that are about this subject, as far as that was known: its tokens, its sessions, and the user itself, also where a
    /// provider has named it by `sub`. The whole log is read for it, at most 10,000 entries for each page.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn list_of(&self, subject: &str) -> Result<RevocationList, RevocationListError> {
        self.page_of(Some(subject), None).await
    }

    /// Returns the next 100 that are about this subject, as [`list_after`](Self::list_after) does of all.
    ///
    /// # Errors
    /// As [`list_after`](Self::list_after).
    pub async fn list_of_after(
        &self,
        subject: &str,
        next: &str,
    ) -> Result<RevocationList, RevocationListError> {
        self.page_of(Some(subject), Some(next)).await
    }

    /// The page after this text, of all or of one subject alone.
    pub(crate) async fn page_of(
        &self,
        subject: Option<&str>,
        next: Option<&str>,
    ) -> Result<RevocationList, RevocationListError> {
        let after = match next {
            None => LogCursor::START,
            Some(next) => decode(next).ok_or(RevocationListError::InvalidCursor)?,
        };
        let log = self.revoker.state.log().ok_or(RevocationListError::NoStore)?;
        let now = self.revoker.clock.now();
        // The application's predicate is asked once for each of them.
        let mut accepted = HashMap::new();
        let listed = |entry: &LogEntry| {
            self.listed(entry, now, &mut accepted)
                .filter(|one| subject.is_none_or(|subject| one.is_about(subject)))
        };
        read_page(log, after, listed).await
    }

    /// The entry as it is listed, if it is.
    fn listed(
        &self,
        entry: &LogEntry,
        now: SystemTime,
        accepted: &mut HashMap<String, bool>,
    ) -> Option<RecordedRevocation> {
        let EntryMeaning::Known(revocation) = entry.meaning() else { return None };
        if matches!(revocation, Revocation::Forgotten { .. }) || entry.keep_until < now {
            return None;
        }
        // Services that share a store do not show their users to each other's administrators.
        let issuer = revocation.issuer();
        let is_accepted = match accepted.get(issuer) {
            Some(is_accepted) => *is_accepted,
            None => *accepted.entry(issuer.to_owned()).or_insert(self.jwt.accepts_issuer(issuer)),
        };
        if !is_accepted {
            return None;
        }
        let note = entry.note();
        let subject = match &revocation {
            Revocation::User { subject, .. } | Revocation::OtherGenerations { subject, .. } => {
                Some(subject.clone())
            }
            _ => note.of,
        };
        let recorded_at = note.at.map(from_unix_seconds);
        Some(RecordedRevocation { revocation, recorded_at, subject, kept_until: entry.keep_until })
    }
}

/// A position in the log, as a text for URLs.
fn encode(cursor: LogCursor) -> String {
    URL_SAFE_NO_PAD.encode([cursor.sequence.to_be_bytes(), cursor.tag.to_be_bytes()].concat())
}

fn decode(text: &str) -> Option<LogCursor> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (sequence, tag) = bytes.split_first_chunk()?;
    Some(LogCursor { sequence: u64::from_be_bytes(*sequence), tag: u64::from_be_bytes(tag.try_into().ok()?) })
}

#[cfg(test)]
mod tests {
    use super::{LogCursor, decode, encode};

    #[test]
    fn a_position_comes_back_as_it_was_and_another_text_is_none() {
        for (sequence, tag) in [(0, 0), (1, u64::MAX), (u64::MAX, 1)] {
            let cursor = LogCursor { sequence, tag };
            assert_eq!(decode(&encode(cursor)), Some(cursor));
        }
        let long = encode(LogCursor::START) + "AAAA";
        for text in ["", "x", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "0.0", &long] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
