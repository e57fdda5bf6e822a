//! The revocations that the log has, page by page: for administrators.

use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{RevocationListError, Revocations};
use crate::clock::from_unix_seconds;
use crate::store::{EntryMeaning, LogCursor, LogEntry, LogPage, LogRead, Revocation};

/// The maximum number of revocations in a page.
const PAGE: usize = 100;

/// How often the log is read for one page: much may be left out, and a request reads a bounded part of the log.
const READS: usize = 100;

/// A page of the revocations that are recorded: [`Revocations::list`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RevocationList {
    /// At most 100 revocations, the oldest first. A page has fewer, and may have none, where 10,000 entries of the log have no more that are
    /// listed.
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
    /// # Errors
    /// [`RevocationListError::NoStore`], [`RevocationListError::Unavailable`].
    pub async fn list(&self) -> Result<RevocationList, RevocationListError> {
        self.page(LogCursor::START, None).await
    }

    /// Returns the next 100: `next` is [`RevocationList::next`] of the page before. It may be used again, and by another process.
    ///
    /// # Errors
    /// [`RevocationListError::InvalidCursor`] if the text is no such `next`, or the log does not have that position any more: start again with
    /// [`list`](Self::list). [`RevocationListError::NoStore`], [`RevocationListError::Unavailable`].
    pub async fn list_after(&self, next: &str) -> Result<RevocationList, RevocationListError> {
        self.page(decode(next).ok_or(RevocationListError::InvalidCursor)?, None).await
    }

    /// Returns the oldest 100 that are about this subject, as far as that was known: its tokens, its sessions, and the user itself, also where a
    /// provider has named it by `sub`. The whole log is read for it, 10,000 entries for each page.
    ///
    /// # Errors
    /// As [`list`](Self::list).
    pub async fn list_of(&self, subject: &str) -> Result<RevocationList, RevocationListError> {
        self.page(LogCursor::START, Some(subject)).await
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
        self.page(decode(next).ok_or(RevocationListError::InvalidCursor)?, Some(subject)).await
    }

    async fn page(
        &self,
        after: LogCursor,
        subject: Option<&str>,
    ) -> Result<RevocationList, RevocationListError> {
        let log = self.revoker.state.log().ok_or(RevocationListError::NoStore)?;
        let now = self.revoker.clock.now();
        let (mut cursor, mut revocations) = (after, Vec::new());
        for _ in 0..READS {
            let wanted = PAGE.saturating_sub(revocations.len());
            let page = read(log.read(cursor, wanted).await?)?;
            let is_last = page.entries.len() < wanted;
            let listed = page.entries.iter().filter_map(|entry| self.listed(entry, now));
            revocations.extend(listed.filter(|one| subject.is_none_or(|subject| one.is_about(subject))));
            cursor = page.cursor;
            if is_last {
                return Ok(RevocationList { revocations, next: None });
            }
            if revocations.len() >= PAGE {
                break;
            }
        }
        // One more shows whether there are more.
        let is_last = read(log.read(cursor, 1).await?)?.entries.is_empty();
        Ok(RevocationList { revocations, next: (!is_last).then(|| encode(cursor)) })
    }

    /// The entry as it is listed, if it is.
    fn listed(&self, entry: &LogEntry, now: SystemTime) -> Option<RecordedRevocation> {
        let EntryMeaning::Known(revocation) = entry.meaning() else { return None };
        let is_hint = matches!(revocation, Revocation::Forgotten { .. });
        // Services that share a store do not show their users to each other's administrators.
        if is_hint || entry.keep_until < now || !self.jwt.may_accept(revocation.issuer()) {
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

fn read(read: LogRead) -> Result<LogPage, RevocationListError> {
    read.page().ok_or(RevocationListError::InvalidCursor)
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
