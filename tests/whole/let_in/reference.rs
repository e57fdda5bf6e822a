//! Who is let in, as plain as the documentation says it. It calls nothing of the library's. Times are in seconds.

use std::collections::{BTreeMap, BTreeSet};

pub(super) const ISSUERS: [&str; 2] = ["https://one.test", "https://two.test"];
pub(super) const SUBJECTS: [&str; 3] = ["ann", "ben", "urn:auth-runtime:scheme:partner"];
pub(super) const OF_PARTNERS: &str = "urn:auth-runtime:scheme:partner";
/// For how long a revocation is kept, in seconds: as long as a token may live, and the leeway before and after that. Another issuer that
/// gives a session the id of one that was ended before is believed.
const KEPT: i64 = 24 * 60 * 60 + 2 * 60;

pub(super) const OF_SESSIONS: &str = "urn:auth-runtime:scheme:session";
pub(super) const OF_KEYS: &str = "urn:auth-runtime:scheme:api_key";

/// What a source takes its credential from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// What follows a scheme in `Authorization`.
    Authorization(&'static str),
    Header(&'static str),
    Cookie(&'static str),
    Query(&'static str),
}

/// Who judges what a source finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    Tokens,
    /// The authenticator of this number.
    Authenticator(usize),
    Keys,
}

#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) name: &'static str,
    pub(super) place: Place,
    pub(super) judge: Judge,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) subject: &'static str,
    pub(super) roles: Vec<&'static str>,
    pub(super) scopes: Vec<&'static str>,
    pub(super) permissions: Vec<&'static str>,
    pub(super) is_pro: bool,
}

/// What an authenticator says of a credential; one that is in no table is unknown to it.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    Valid { caller: Caller, expires_at: Option<i64> },
    Absent,
    Unavailable,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    /// Of the issuers; `None`: of none whose tokens are accepted.
    pub(super) issuer: Option<usize>,
    pub(super) caller: Caller,
    pub(super) token_id: u8,
    pub(super) session: u8,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Its subject is the owner.
    pub(super) caller: Caller,
    pub(super) lifetime: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) is_revoked: bool,
    /// Of the configuration: it can be neither revoked nor rotated.
    pub(super) is_static: bool,
    /// Which processes know that the log has its end.
    pub(super) is_logged_by: [bool; 2],
}

/// What the application knows of a user. One that is in no table is active and has no names of its own.
#[derive(Clone, Debug)]
pub(super) enum Account {
    /// With roles and permissions in place of those of the credential.
    Active(Option<(Vec<&'static str>, Vec<&'static str>)>),
    Gone,
    Unavailable,
}

/// For how long users are remembered, and that there is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct UserTimes {
    pub(super) found: i64,
    pub(super) missing: i64,
    /// Whether the owners of keys have users.
    pub(super) of_keys: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Public,
    Optional,
    Required,
}

#[derive(Clone, Debug)]
pub(super) enum Need {
    /// One of them.
    Roles(Vec<&'static str>),
    /// All of them.
    Scopes(Vec<&'static str>),
    /// All of them.
    Permissions(Vec<&'static str>),
    /// The claim `plan` is `pro`.
    Plan,
}

#[derive(Clone, Debug)]
pub(super) struct Route {
    pub(super) access: Access,
    /// Indices of the engine's sources, in the order of the rule.
    pub(super) sources: Vec<usize>,
    pub(super) needs: Vec<Need>,
}

/// What a request says of its caller: texts, each with where it is.
#[derive(Clone, Debug, Default)]
pub(super) struct Head {
    pub(super) changes_state: bool,
    pub(super) is_of_another_origin: bool,
    pub(super) sent: Vec<(Place, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// By this source, from this issuer.
    LetIn(&'static str, &'static str, Caller),
    Anonymous,
    Refused(u16),
}

/// What is found at a place.
enum Found {
    Nothing,
    One(String),
    Unusable,
    Repeated,
}

#[derive(Default)]
pub(super) struct Reference {
    pub(super) now: i64,
    sources: Vec<Source>,
    pub(super) tokens: BTreeMap<String, Token>,
    /// Of each authenticator.
    pub(super) tables: [BTreeMap<String, Entry>; 2],
    /// For how long the answers of each count.
    remember_for: [i64; 2],
    /// By authenticator and credential: the caller, when it expires, and until when the answer counts.
    remembered: BTreeMap<(usize, String), (Caller, Option<i64>, i64)>,
    /// By their texts.
    pub(super) keys: BTreeMap<String, Key>,
    users: Option<UserTimes>,
    /// By issuer and subject.
    pub(super) accounts: BTreeMap<(&'static str, &'static str), Account>,
    /// The same: with the time until which it counts.
    remembered_users: BTreeMap<(&'static str, &'static str), (Account, i64)>,
    ended_tokens: BTreeSet<(usize, u8)>,
    /// With the time at which each was ended last.
    ended_sessions: BTreeMap<(usize, u8), i64>,
    ended_users: BTreeMap<(usize, &'static str), i64>,
    /// What was met, and how often.
    pub(super) met: BTreeMap<&'static str, u32>,
}

impl Reference {
    pub(super) fn new(
        now: i64,
        sources: Vec<Source>,
        remember_for: [i64; 2],
        users: Option<UserTimes>,
    ) -> Self {
        Self { now, sources, remember_for, users, ..Self::default() }
    }

    pub(super) fn end_token(&mut self, issuer: usize, token_id: u8) {
        self.ended_tokens.insert((issuer, token_id));
    }

    pub(super) fn end_session(&mut self, issuer: usize, session: u8) {
        self.ended_sessions.insert((issuer, session), self.now);
    }

    pub(super) fn end_user(&mut self, issuer: usize, subject: &'static str) {
        self.ended_users.insert((issuer, subject), self.now);
    }

    pub(super) fn forget(&mut self, issuer: &'static str, subject: &'static str) {
        let now = self.now;
        self.remembered.retain(|_, (_, _, until)| now < *until);
        self.remembered_users.retain(|_, (_, until)| now < *until);
        let count = self.remembered.len();
        self.remembered.retain(|(number, _), (caller, ..)| {
            [OF_PARTNERS, OF_SESSIONS][*number] != issuer || caller.subject != subject
        });
        if self.remembered.len() < count {
            self.meet("forgotten");
        }
        if self.remembered_users.remove(&(issuer, subject)).is_some() {
            self.meet("forgotten user");
        }
    }

    /// A process is asked to revoke a key. Returns whether it was not revoked before. What is remembered of its owner is forgotten, unless
    /// the process knows that the log has the end of the key.
    pub(super) fn end_key(&mut self, text: &str, process: usize) -> bool {
        let Some(key) = self.keys.get_mut(text) else { return false };
        if std::mem::replace(&mut key.is_logged_by[process], true) {
            self.meet("revoked again");
            return false;
        }
        let is_new = !std::mem::replace(&mut key.is_revoked, true);
        let owner = key.caller.subject;
        self.forget(OF_KEYS, owner);
        is_new
    }

    /// The same of all keys of an owner. Returns how many were not revoked before.
    pub(super) fn end_keys_of(&mut self, owner: &str, process: usize) -> usize {
        let of_owner =
            |key: &Key| key.caller.subject == owner && !key.is_static && !key.is_logged_by[process];
        let texts: Vec<_> =
            self.keys.iter().filter(|(_, key)| of_owner(key)).map(|(text, _)| text.clone()).collect();
        texts.iter().filter(|text| self.end_key(text, process)).count()
    }

    /// A key is replaced by one with another text, and valid for some more seconds; `false` if it is not valid.
    pub(super) fn rotate_key(&mut self, text: &str, overlap: i64, next: &str) -> bool {
        let now = self.now;
        let Some(key) = self.keys.get_mut(text).filter(|key| key.why_invalid(now).is_none()) else {
            return false;
        };
        key.expires_at = Some(key.expires_at.map_or(now + overlap, |end| end.min(now + overlap)));
        let key = key.clone();
        let expires_at = key.lifetime.map(|lifetime| now + lifetime);
        self.forget(OF_KEYS, key.caller.subject);
        self.keys.insert(next.to_owned(), Key { expires_at, ..key });
        true
    }

    fn meet(&mut self, what: &'static str) {
        *self.met.entry(what).or_default() += 1;
    }

    /// What a request with this head meets on this route.
    pub(super) fn outcome(&mut self, route: &Route, head: &Head) -> Outcome {
        if route.access == Access::Public {
            return Outcome::Anonymous;
        }
        match self.caller(route, head) {
            Err(status) => Outcome::Refused(status),
            Ok(None) if route.access == Access::Optional => Outcome::Anonymous,
            Ok(None) => Outcome::Refused(401),
            Ok(Some((source, issuer, caller))) => {
                if route.needs.iter().all(|need| has(&caller, need)) {
                    Outcome::LetIn(source, issuer, caller)
                } else {
                    self.meet("lacks what the rule names");
                    Outcome::Refused(403)
                }
            }
        }
    }

    /// The caller, with the source and the issuer.
    fn caller(&mut self, route: &Route, head: &Head) -> Result<Option<Accepted>, u16> {
        // What the client added first, then what the browser adds; each in the order of the rule.
        let (mut order, of_browser): (Vec<usize>, Vec<usize>) =
            route.sources.iter().partition(|&&source| !self.is_of_browser(source));
        order.extend(of_browser);
        loop {
            let Some(index) = self.first(route, head, &order)? else { return Ok(None) };
            let Source { name, place, judge } = self.sources[index].clone();
            let is_forgiven = route.access == Access::Optional && self.is_of_browser(index);
            let refused = if is_forgiven { Ok(None) } else { Err(401) };
            let found = find(place, head);
            if self.is_of_browser(index) && head.changes_state && head.is_of_another_origin {
                self.meet("of another origin");
                return Err(403);
            }
            let Found::One(text) = found else {
                self.meet("unusable");
                return refused;
            };
            let (issuer, caller) = match judge {
                Judge::Tokens => {
                    let Some(token) = self.valid_token(&text) else { return refused };
                    (ISSUERS[token.issuer.unwrap_or_default()], token.caller)
                }
                Judge::Keys => {
                    let Some(caller) = self.caller_with_key(&text) else { return refused };
                    (OF_KEYS, caller)
                }
                Judge::Authenticator(number) => match self.ask(number, &text) {
                    Answer::Caller(caller) => ([OF_PARTNERS, OF_SESSIONS][number], caller),
                    Answer::Absent => {
                        order.retain(|&source| source != index);
                        continue;
                    }
                    Answer::Invalid => return refused,
                    Answer::Unavailable => return Err(503),
                },
            };
            return match self.with_user(issuer, caller)? {
                Some(caller) => Ok(Some((name, issuer, caller))),
                None => refused,
            };
        }
    }

    /// The caller of a valid credential, with what its user may do; `None` if it has none.
    fn with_user(&mut self, issuer: &'static str, caller: Caller) -> Result<Option<Caller>, u16> {
        let Some(times) = self.users.filter(|times| times.of_keys || issuer != OF_KEYS) else {
            return Ok(Some(caller));
        };
        let who = (issuer, caller.subject);
        let now = self.now;
        let account = match self.remembered_users.get(&who).filter(|(_, until)| now < *until).cloned() {
            Some((account, _)) => {
                self.meet("remembered user");
                account
            }
            None => {
                let account = self.accounts.get(&who).cloned().unwrap_or(Account::Active(None));
                let time = match account {
                    Account::Unavailable => return Err(503),
                    Account::Gone => times.missing,
                    Account::Active(_) => times.found,
                };
                self.remembered_users.insert(who, (account.clone(), now + time));
                account
            }
        };
        match account {
            Account::Active(None) => Ok(Some(caller)),
            Account::Active(Some((roles, permissions))) => {
                self.meet("rights of the user");
                if issuer != OF_KEYS {
                    return Ok(Some(Caller { roles, permissions, ..caller }));
                }
                let both = |own: Vec<&'static str>, of_user: Vec<&'static str>| {
                    own.into_iter().filter(|name| of_user.contains(name)).collect()
                };
                let (roles, permissions) = (both(caller.roles, roles), both(caller.permissions, permissions));
                Ok(Some(Caller { roles, permissions, ..caller }))
            }
            Account::Gone | Account::Unavailable => {
                self.meet("no user");
                Ok(None)
            }
        }
    }

    fn caller_with_key(&mut self, text: &str) -> Option<Caller> {
        let Some(key) = self.keys.get(text) else {
            self.meet("unknown key");
            return None;
        };
        let why = key.why_invalid(self.now);
        let caller = key.caller.clone();
        match why {
            None => Some(caller),
            Some(why) => {
                self.meet(why);
                None
            }
        }
    }

    fn is_of_browser(&self, source: usize) -> bool {
        matches!(self.sources[source].place, Place::Cookie(_))
    }

    /// The first source of these with a credential, which decides.
    fn first(&mut self, route: &Route, head: &Head, order: &[usize]) -> Result<Option<usize>, u16> {
        let mut first: Option<usize> = None;
        for &index in order {
            let is_of_browser = self.is_of_browser(index);
            // What a browser adds does not count next to what the client added.
            if is_of_browser && first.is_some_and(|first| !self.is_of_browser(first)) {
                break;
            }
            let place = self.sources[index].place;
            match find(place, head) {
                Found::Nothing => continue,
                Found::Repeated if !(is_of_browser && route.access == Access::Optional) => {
                    self.meet("sent twice");
                    let is_foreign = is_of_browser && head.changes_state && head.is_of_another_origin;
                    return Err(if is_foreign { 403 } else { 400 });
                }
                _ => {}
            }
            first = first.or(Some(index));
        }
        Ok(first)
    }

    fn valid_token(&mut self, text: &str) -> Option<Token> {
        let token = self.tokens.get(text).cloned()?;
        let issuer = token.issuer?;
        let ended = [
            self.ended_tokens.contains(&(issuer, token.token_id)),
            self.ended_sessions.get(&(issuer, token.session)).is_some_and(|&at| self.now < at + KEPT),
            self.ended_users
                .get(&(issuer, token.caller.subject))
                .is_some_and(|&bound| token.issued_at <= bound),
        ];
        let (is_expired, is_ended) = (self.now >= token.expires_at, ended.contains(&true));
        if is_expired || is_ended {
            self.meet(if is_expired { "expired token" } else { "revoked token" });
            return None;
        }
        Some(token)
    }

    fn ask(&mut self, number: usize, text: &str) -> Answer {
        let key = (number, text.to_owned());
        let now = self.now;
        let known = self.remembered.get(&key).filter(|(_, _, until)| now < *until).cloned();
        let (caller, expires_at) = match known {
            Some((caller, expires_at, _)) => {
                self.meet("remembered");
                (caller, expires_at)
            }
            None => match self.tables[number].get(text).cloned() {
                None => return Answer::Invalid,
                Some(Entry::Absent) => {
                    self.meet("says absent");
                    return Answer::Absent;
                }
                Some(Entry::Unavailable) => return Answer::Unavailable,
                Some(Entry::Valid { caller, expires_at }) => {
                    let until = now + self.remember_for[number];
                    self.remembered.insert(key, (caller.clone(), expires_at, until));
                    (caller, expires_at)
                }
            },
        };
        if expires_at.is_some_and(|expires_at| now >= expires_at) {
            self.meet("expired credential");
            return Answer::Invalid;
        }
        Answer::Caller(caller)
    }
}

/// The source, the issuer and the caller.
type Accepted = (&'static str, &'static str, Caller);

impl Key {
    fn why_invalid(&self, now: i64) -> Option<&'static str> {
        if self.is_revoked {
            Some("revoked key")
        } else {
            self.expires_at.is_some_and(|end| now >= end).then_some("expired key")
        }
    }
}

enum Answer {
    Caller(Caller),
    Absent,
    Invalid,
    Unavailable,
}

fn has(caller: &Caller, need: &Need) -> bool {
    let all = |has: &[&str], names: &[&str]| names.iter().all(|name| has.contains(name));
    match need {
        Need::Roles(names) => names.iter().any(|name| caller.roles.contains(name)),
        Need::Scopes(names) => all(&caller.scopes, names),
        Need::Permissions(names) => all(&caller.permissions, names),
        Need::Plan => caller.is_pro,
    }
}

fn find(place: Place, head: &Head) -> Found {
    let same_field = |sent: &Place| match (place, *sent) {
        (Place::Authorization(_), Place::Authorization(_)) => true,
        (place, sent) => place == sent,
    };
    let here: Vec<_> = head.sent.iter().filter(|(sent, _)| same_field(sent)).collect();
    match here.as_slice() {
        [] => Found::Nothing,
        // Another scheme of `Authorization`.
        [(sent, _)] if *sent != place => Found::Nothing,
        [(_, text)] if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Found::Unusable
        }
        [(_, text)] => Found::One(text.clone()),
        _ => Found::Repeated,
    }
}
