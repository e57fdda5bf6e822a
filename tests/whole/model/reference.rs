//! What the documentation promises, as plain as can be. It calls nothing of the library's. Times are in seconds.

use auth_runtime::session::RefreshError;

pub(super) const REFRESH: i64 = 300;
pub(super) const FAMILY: i64 = 450;
pub(super) const LEEWAY: i64 = 5;
pub(super) const MAX_SESSIONS: usize = 4;

/// What differs between the services that are compared.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settings {
    pub(super) access: i64,
    /// For how long a used refresh token is answered with its successor any number of times.
    pub(super) any_number: i64,
    /// For how long it is answered once more.
    pub(super) once: i64,
}

pub(super) const USUAL: Settings = Settings { access: 60, any_number: 10, once: 10 };
pub(super) const EXTENDED: Settings = Settings { access: 216, any_number: 60, once: 72 };

/// All that the service must know.
#[derive(Default)]
pub(super) struct Model {
    pub(super) settings: Settings,
    pub(super) now: i64,
    /// Whether the user is admin; `None`: gone.
    pub(super) users: [Option<bool>; 3],
    /// Up to when a user's tokens without a session are revoked.
    bounds: [i64; 3],
    families: Vec<Family>,
    /// In the order in which they were issued.
    pub(super) access: Vec<Access>,
    /// The keys of this number and of the one before are good.
    pub(super) signing_key: u8,
    pub(super) refresh_key: u8,
}

struct Family {
    user: usize,
    generation: u64,
    started_at: i64,
    rotated_at: i64,
    /// Whether the successor was issued for the last time.
    reissued: bool,
    ended: bool,
}

pub(super) struct Access {
    pub(super) user: usize,
    pub(super) family: Option<usize>,
    pub(super) admin: bool,
    pub(super) revoked: bool,
    issued_at: i64,
    expires_at: i64,
    key: u8,
}

/// A refresh token: which it is, and the key that it was made with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refresh {
    pub(super) family: usize,
    pub(super) generation: u64,
    key: u8,
}

impl Family {
    fn expires_at(&self) -> i64 {
        (self.rotated_at + REFRESH).min(self.started_at + FAMILY)
    }
}

impl Model {
    pub(super) fn new(settings: Settings, now: i64) -> Self {
        Self { settings, now, users: [Some(false); 3], signing_key: 1, refresh_key: 1, ..Self::default() }
    }

    pub(super) fn log_in(&mut self, user: usize) -> Refresh {
        let (family, started_at) = (self.families.len(), self.now);
        let (generation, rotated_at) = (1, started_at);
        self.families.push(Family {
            user,
            generation,
            started_at,
            rotated_at,
            reissued: false,
            ended: false,
        });
        self.give_access(user, Some(family));
        self.end_oldest(user);
        Refresh { family, generation: 1, key: self.refresh_key }
    }

    pub(super) fn issue_access(&mut self, user: usize) {
        self.give_access(user, None);
    }

    pub(super) fn refresh(&mut self, token: Refresh) -> Result<Refresh, RefreshError> {
        if !self.is_genuine(token) {
            return Err(RefreshError::Forged);
        }
        let (now, Settings { any_number, once, .. }) = (self.now, self.settings);
        let family = &mut self.families[token.family];
        if family.ended || now >= family.expires_at() {
            return Err(RefreshError::Ended);
        }
        let newest = token.generation == family.generation;
        let age = now - family.rotated_at;
        let in_grace = token.generation + 1 == family.generation && age <= once && !family.reissued;
        if !newest && !in_grace {
            family.ended = true;
            return Err(RefreshError::Reused);
        }
        if self.users[family.user].is_none() {
            family.ended = true;
            return Err(RefreshError::SubjectGone);
        }
        if newest {
            (family.generation, family.rotated_at) = (family.generation + 1, now);
        }
        family.reissued = !newest && age > any_number;
        let (user, generation) = (family.user, family.generation);
        self.give_access(user, Some(token.family));
        Ok(Refresh { family: token.family, generation, key: self.refresh_key })
    }

    pub(super) fn is_reissued(&self, family: usize) -> bool {
        self.families[family].reissued
    }

    /// For how long the access token is good that was issued last, and the refresh token of its login.
    pub(super) fn lifetimes(&self) -> Option<(i64, i64)> {
        let access = self.access.last()?;
        let refresh_until = self.families[access.family?].expires_at();
        Some((access.expires_at - access.issued_at, refresh_until - access.issued_at))
    }

    pub(super) fn is_genuine(&self, token: Refresh) -> bool {
        token.key + 1 >= self.refresh_key
    }

    pub(super) fn end(&mut self, family: usize) {
        self.families[family].ended = true;
    }

    pub(super) fn is_of(&self, family: usize, user: usize) -> bool {
        self.families[family].user == user
    }

    /// The sessions that a user has, which it may list.
    pub(super) fn active(&self, user: usize) -> Vec<usize> {
        let lives = |family: &Family| family.user == user && !family.ended && self.now < family.expires_at();
        (0..self.families.len()).filter(|&family| lives(&self.families[family])).collect()
    }

    /// Whatever the user was given so far is dead.
    pub(super) fn log_out_everywhere(&mut self, user: usize) {
        self.revoke_user(user, self.now);
    }

    /// Whatever anybody was given so far is dead.
    pub(super) fn log_out_all_users(&mut self) {
        (0..self.users.len()).for_each(|user| self.log_out_everywhere(user));
    }

    /// Up to now is all that the user was given so far.
    pub(super) fn revoke_user(&mut self, user: usize, bound: i64) {
        if bound >= self.now {
            self.access.iter_mut().filter(|token| token.user == user).for_each(|token| token.revoked = true);
            self.end_families(user, i64::MAX);
        } else {
            self.end_families(user, bound);
            self.bounds[user] = self.bounds[user].max(bound);
        }
    }

    pub(super) fn accepts(&self, token: &Access) -> bool {
        !token.revoked
            && token.family.is_none_or(|family| !self.families[family].ended)
            && (token.family.is_some() || token.issued_at > self.bounds[token.user])
            && self.now < token.expires_at + LEEWAY
            && token.key + 1 >= self.signing_key
    }

    /// Whether the user has a session that began in this second.
    pub(super) fn has_begun_now(&self, user: usize) -> bool {
        let begun = |family: &Family| family.user == user && !family.ended && family.started_at == self.now;
        self.families.iter().any(begun)
    }

    /// A user has so many sessions at a time. Of those that began in the same second, the model does not know which is the oldest: see
    /// [`has_begun_now`](Self::has_begun_now).
    fn end_oldest(&mut self, user: usize) {
        let mut living = self.active(user);
        living.sort_by_key(|&family| self.families[family].started_at);
        let excess = living.len().saturating_sub(MAX_SESSIONS);
        living.into_iter().take(excess).for_each(|family| self.end(family));
    }

    fn give_access(&mut self, user: usize, family: Option<usize>) {
        let issued_at = self.now;
        let end = family.map_or(i64::MAX, |family| self.families[family].started_at + FAMILY);
        self.access.push(Access {
            user,
            family,
            admin: self.users[user] == Some(true),
            revoked: false,
            issued_at,
            expires_at: end.min(issued_at + self.settings.access),
            key: self.signing_key,
        });
    }

    fn end_families(&mut self, user: usize, began_by: i64) {
        for family in &mut self.families {
            family.ended |= family.user == user && family.started_at <= began_by;
        }
    }
}
