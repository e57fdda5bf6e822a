//! The active sessions of all users, page by page: for administrators.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Session, TokenService};
use crate::issue::TokenError;
use crate::principal::Principal;
use crate::store::FamilyId;

/// The maximum number of sessions in a page.
const PAGE: usize = 100;

/// A page of the active sessions of all users: [`TokenService::all_sessions`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllSessions {
    /// At most 100 sessions. A page has fewer, and may have none, where sessions have ended whose rows the store still has. Those of a user
    /// are next to each other; which user comes first is the store's own order.
    pub sessions: Vec<UserSession>,
    /// What the next page is asked for with: [`TokenService::all_sessions_after`]. `None`: there is none. It has the id of the
    /// last user in it, encoded and not encrypted.
    pub next: Option<String>,
}

/// An active session, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserSession {
    /// The id of the user: `sub` of the access tokens.
    pub subject: String,
    /// The session.
    pub session: Session,
}

impl TokenService {
    /// Returns the active sessions of all users of this issuer, the first 100: for an administrator, who may see them. The list is never for
    /// the public: it says who uses the service, and when.
    ///
    /// A session that is there while all pages are read is on one of them, once. One that begins or ends meanwhile may be missing.
    ///
    /// # Errors
    /// [`TokenError::Store`].
    pub async fn all_sessions(&self) -> Result<AllSessions, TokenError> {
        self.page_of_sessions(None, None).await
    }

    /// Returns the next 100: `next` is [`AllSessions::next`] of the page before. It may be used again, and by another process.
    ///
    /// # Errors
    /// [`TokenError::InvalidCursor`] if the text is no such `next`. [`TokenError::Store`].
    pub async fn all_sessions_after(&self, next: &str) -> Result<AllSessions, TokenError> {
        self.page_of_sessions(Some(next), None).await
    }

    /// The same for a caller, whose own session is marked.
    pub(crate) async fn page_of_sessions(
        &self,
        after: Option<&str>,
        caller: Option<&Principal>,
    ) -> Result<AllSessions, TokenError> {
        let after = after.map(|text| decode(text).ok_or(TokenError::InvalidCursor)).transpose()?;
        let after = after.as_ref().map(|(subject, id)| (subject.as_str(), *id));
        self.engine.check_fresh(self.engine.now())?;
        let issuer = self.issuer()?;
        let current = match caller {
            Some(caller) if self.is_own(caller)? => caller.session_id(),
            _ => None,
        };
        // One more shows whether there are more.
        let mut families = self.families().list(&issuer.name, after, PAGE + 1).await?;
        let has_more = families.len() > PAGE;
        families.truncate(PAGE);
        let next = families.last().filter(|_| has_more).map(|last| encode(&last.subject, last.id));
        let sessions = self.active(families)?.into_iter().map(|family| UserSession {
            subject: family.subject.clone(),
            session: Session::of(family, issuer, current),
        });
        Ok(AllSessions { sessions: sessions.collect(), next })
    }
}

/// A position in the list, as a text for URLs.
fn encode(subject: &str, id: FamilyId) -> String {
    URL_SAFE_NO_PAD.encode([id.as_slice(), subject.as_bytes()].concat())
}

fn decode(text: &str) -> Option<(String, FamilyId)> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (id, subject) = bytes.split_first_chunk()?;
    Some((str::from_utf8(subject).ok()?.to_owned(), *id))
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_position_comes_back_as_it_was() {
        for subject in ["", "alice", "\0", "Ω 🦀\u{10ffff}", &"x".repeat(4096)] {
            for id in [[0; 16], [255; 16], *b"0123456789abcdef"] {
                let text = encode(subject, id);
                assert!(
                    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)),
                    "{text}"
                );
                assert_eq!(decode(&text), Some((subject.to_owned(), id)));
            }
        }
    }

    #[test]
    fn another_text_is_no_position() {
        let of_bytes = |bytes: &[u8]| base64::Engine::encode(&super::URL_SAFE_NO_PAD, bytes);
        let not_utf8 = of_bytes(&[255; 17]);
        for text in
            ["", "x", "alice", "AAAA", "AAAAAAAAAAAAAAAAAAAAAA==", "\0", &of_bytes(&[7; 15]), &not_utf8]
        {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
