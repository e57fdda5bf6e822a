//! Revocations in the memory of one process: gone with it, and unknown to others.

use std::collections::{BTreeMap, HashMap};
use std::future::ready;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use super::{Revocation, RevocationView, RevocationsUnavailable, RevokeFuture, TokenIdentity};
use crate::clock::unix_seconds;

/// Revocations in the memory of one process. Entries go by themselves when no token is left that they concern.
#[derive(Debug, Default)]
pub struct MemoryRevocations {
    entries: RwLock<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    by_issuer: HashMap<Box<str>, OfIssuer>,
    /// What may go when, in seconds since the epoch.
    expiry: BTreeMap<i64, Vec<Name>>,
    count: usize,
}

#[derive(Debug, Default)]
struct OfIssuer {
    tokens: HashMap<Box<str>, Entry>,
    sessions: HashMap<Box<str>, Entry>,
    users: HashMap<Box<str>, Entry>,
}

/// An entry's issuer, kind and id.
type Name = (Box<str>, Kind, Box<str>);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Token,
    Session,
    User,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    /// The bound on `iat`; the end of time for a token or session, which are revoked whenever they were issued.
    issued_at_or_before: i64,
    keep_until: i64,
}

impl MemoryRevocations {
    /// Nothing revoked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries are held.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Whether nothing is revoked.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl RevocationView for MemoryRevocations {
    fn is_revoked(&self, token: &TokenIdentity<'_>, _: SystemTime) -> Result<bool, RevocationsUnavailable> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let Some(of_issuer) = entries.by_issuer.get(token.issuer) else { return Ok(false) };
        // Where an entry exists, a token that does not say when it was issued can't be shown to be newer.
        let hit = |map: &HashMap<Box<str>, Entry>, id: &str| {
            map.get(id).is_some_and(|entry| {
                token.issued_at.is_none_or(|issued_at| issued_at <= entry.issued_at_or_before)
            })
        };
        Ok(token.token_id.is_some_and(|id| hit(&of_issuer.tokens, id))
            || token.session_id.is_some_and(|id| hit(&of_issuer.sessions, id))
            || hit(&of_issuer.users, token.subject))
    }

    fn revoke(&self, revocation: Revocation, keep_until: SystemTime, now: SystemTime) -> RevokeFuture<'_> {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert(revocation, unix_seconds(keep_until));
        entries.drop_expired(unix_seconds(now));
        Box::pin(ready(Ok(())))
    }
}

impl Entries {
    fn insert(&mut self, revocation: Revocation, keep_until: i64) {
        const ALWAYS: i64 = i64::MAX;
        let (issuer, kind, id, issued_at_or_before) = match revocation {
            Revocation::Token { issuer, token_id } => (issuer, Kind::Token, token_id, ALWAYS),
            Revocation::Session { issuer, session_id } => (issuer, Kind::Session, session_id, ALWAYS),
            Revocation::User { issuer, subject, issued_at_or_before } => {
                (issuer, Kind::User, subject, unix_seconds(issued_at_or_before))
            }
        };
        let (issuer, id) = (issuer.into_boxed_str(), id.into_boxed_str());
        let map = self.by_issuer.entry(issuer.clone()).or_default().of(kind);
        if !map.contains_key(&id) {
            self.count += 1;
        }
        let entry = map.entry(id.clone()).or_insert(Entry { issued_at_or_before, keep_until });
        // Both only ever move forward.
        entry.issued_at_or_before = entry.issued_at_or_before.max(issued_at_or_before);
        entry.keep_until = entry.keep_until.max(keep_until);
        self.expiry.entry(keep_until).or_default().push((issuer, kind, id));
    }

    fn drop_expired(&mut self, now: i64) {
        // A clock that stands wrong must not be what forgets.
        if now == i64::MAX {
            return;
        }
        let living = self.expiry.split_off(&now);
        for (issuer, kind, id) in std::mem::replace(&mut self.expiry, living).into_values().flatten() {
            let Some(map) = self.by_issuer.get_mut(&issuer).map(|of_issuer| of_issuer.of(kind)) else {
                continue;
            };
            if map.get(&id).is_some_and(|entry| entry.keep_until < now) {
                map.remove(&id);
                self.count -= 1;
            }
        }
    }
}

impl OfIssuer {
    fn of(&mut self, kind: Kind) -> &mut HashMap<Box<str>, Entry> {
        match kind {
            Kind::Token => &mut self.tokens,
            Kind::Session => &mut self.sessions,
            Kind::User => &mut self.users,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    use super::{MemoryRevocations, Revocation, RevocationView, TokenIdentity};

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn token<'a>(jti: &'a str, sid: &'a str, sub: &'a str, iat: Option<i64>) -> TokenIdentity<'a> {
        TokenIdentity {
            issuer: "i",
            subject: sub,
            token_id: Some(jti),
            session_id: Some(sid),
            issued_at: iat,
        }
    }

    fn is_revoked(view: &MemoryRevocations, token: TokenIdentity<'_>) -> bool {
        view.is_revoked(&token, at(0)).unwrap()
    }

    fn revoke(view: &MemoryRevocations, revocation: Revocation, keep_until: SystemTime, now: SystemTime) {
        // It is in force before the future is asked for anything.
        drop(view.revoke(revocation, keep_until, now));
    }

    #[test]
    fn by_token_session_and_user() {
        let view = MemoryRevocations::new();
        let (issuer, keep, now) = (|| "i".to_owned(), at(100), at(10));
        revoke(&view, Revocation::Token { issuer: issuer(), token_id: "t1".into() }, keep, now);
        revoke(&view, Revocation::Session { issuer: issuer(), session_id: "s1".into() }, keep, now);
        let user = Revocation::User { issuer: issuer(), subject: "u1".into(), issued_at_or_before: at(50) };
        revoke(&view, user, keep, now);

        assert!(is_revoked(&view, token("t1", "s", "u", Some(60))));
        assert!(is_revoked(&view, token("t", "s1", "u", Some(60))));
        assert!(is_revoked(&view, token("t", "s", "u1", Some(50))));
        assert!(is_revoked(&view, token("t", "s", "u1", None)), "no iat, and a bound");
        assert!(!is_revoked(&view, token("t", "s", "u1", Some(51))));
        assert!(!is_revoked(&view, token("s1", "t1", "u", None)), "kinds don't mix");
        assert!(!is_revoked(&view, TokenIdentity { issuer: "other", ..token("t1", "s1", "u1", Some(1)) }));
    }

    #[test]
    fn a_bound_never_moves_back() {
        let view = MemoryRevocations::new();
        for bound in [50, 40] {
            let user =
                Revocation::User { issuer: "i".into(), subject: "u".into(), issued_at_or_before: at(bound) };
            revoke(&view, user, at(100), at(10));
        }
        assert!(is_revoked(&view, token("t", "s", "u", Some(45))));
    }

    #[test]
    fn entries_go_when_no_token_is_left() {
        let view = MemoryRevocations::new();
        let revoke = |id: &str, keep, now| {
            revoke(&view, Revocation::Token { issuer: "i".into(), token_id: id.into() }, at(keep), at(now));
        };
        revoke("a", 100, 1);
        revoke("a", 200, 2);
        revoke("b", 100, 3);
        assert_eq!(view.len(), 2);
        revoke("c", 300, 101);
        assert_eq!(view.len(), 2, "b went, the longer of a's two terms counts");
        assert!(is_revoked(&view, token("a", "s", "u", None)));
        revoke("d", 400, 201);
        assert_eq!(view.len(), 2);
    }
}
