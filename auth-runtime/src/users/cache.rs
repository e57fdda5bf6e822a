//! What is remembered of users: how many, for how long, and by what they are found.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use quick_cache::Equivalent;

use crate::error::ConfigErrors;
use crate::load_cache::{Bounds, LoadCache};
use crate::principal::{Principal, TokenIdentity};
use crate::revocation::Subjects;

/// The longest time that a user may be remembered. An entry of the log that evicts it is kept for longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How many users an engine remembers, and for how long: [`AuthBuilder::user_cache`](crate::AuthBuilder::user_cache).
///
/// ```
/// use std::time::Duration;
/// use auth_runtime::users::UserCache;
///
/// let cache = UserCache::new().time(Duration::from_secs(30)).max_users(100_000);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct UserCache {
    users: Bounds,
    missing: Bounds,
}

impl Default for UserCache {
    fn default() -> Self {
        Self::new()
    }
}

impl UserCache {
    /// Returns the defaults.
    pub fn new() -> Self {
        Self {
            users: Bounds { entries: 10_000, longest: Duration::from_secs(5 * 60) },
            missing: Bounds { entries: 1000, longest: Duration::from_secs(30) },
        }
    }

    /// Sets for how long a user is remembered. Default 5 minutes, 24 hours at most. With 0 every request loads its user.
    ///
    /// For so long a user that is made inactive is let in, unless the application calls
    /// [`Revocations::forget`](crate::revocation::Revocations::forget).
    pub fn time(mut self, time: Duration) -> Self {
        self.users.longest = time;
        self
    }

    /// Sets how many users are remembered at most. Default 10,000.
    pub fn max_users(mut self, users: usize) -> Self {
        self.users.entries = users;
        self
    }

    /// Sets for how long, and of how many callers at most, it is remembered that they have no user. Default: 30 seconds, 1,000. With 0
    /// it is not remembered.
    ///
    /// For so long a user that becomes active again is rejected, unless the application calls
    /// [`Revocations::forget`](crate::revocation::Revocations::forget). These do not take the place of users.
    pub fn missing(mut self, time: Duration, max_callers: usize) -> Self {
        self.missing = Bounds { entries: max_callers, longest: time };
        self
    }

    pub(crate) fn check(&self, errors: &mut ConfigErrors) {
        for (name, bounds) in [("time", self.users), ("missing", self.missing)] {
            if bounds.longest > LONGEST {
                errors.push(format!(
                    "`UserCache::{name}` is {} s, and must be {} s at most: a user that is made inactive would be let in for so long",
                    bounds.longest.as_secs(),
                    LONGEST.as_secs()
                ));
            }
        }
    }

    pub(super) fn build<V: Clone>(self) -> LoadCache<UserKey, V> {
        LoadCache::new("users", self.users, self.missing)
    }
}

/// What a user is remembered by: its issuer and its subject.
#[derive(Clone)]
pub(super) struct UserKey {
    /// Empty if the token names none.
    issuer: Box<str>,
    subject: Box<str>,
    /// `sub` of the token that it was loaded for, where the subject is another claim: the issuer may name the user by it.
    sub: Option<Box<str>>,
}

/// What a user is looked for by.
pub(super) struct UserKeyRef<'p> {
    issuer: &'p str,
    subject: &'p str,
    sub: Option<&'p str>,
}

impl UserKey {
    fn parts(&self) -> (&str, &str) {
        (&self.issuer, &self.subject)
    }

    /// Whether it is one of these, by either of its names.
    pub(super) fn is_among(&self, subjects: &Subjects) -> bool {
        subjects.contain(self.parts())
            || self.sub.as_ref().is_some_and(|sub| subjects.contain((&self.issuer, sub)))
    }
}

impl PartialEq for UserKey {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for UserKey {}

impl Hash for UserKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl<'p> UserKeyRef<'p> {
    pub(super) fn of(principal: &'p Principal) -> Self {
        let TokenIdentity { issuer, subject, sub, .. } = principal.token_identity();
        Self { issuer, subject, sub: sub.filter(|sub| *sub != subject) }
    }

    pub(super) fn to_owned(&self) -> UserKey {
        UserKey { issuer: self.issuer.into(), subject: self.subject.into(), sub: self.sub.map(Box::from) }
    }
}

/// As that of [`UserKey`].
impl Hash for UserKeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.issuer, self.subject).hash(state);
    }
}

impl Equivalent<UserKey> for UserKeyRef<'_> {
    fn equivalent(&self, key: &UserKey) -> bool {
        (self.issuer, self.subject) == key.parts()
    }
}
