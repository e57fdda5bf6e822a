//! Who is let in, as plain as the documentation says it. It calls nothing of the library's. Times are in seconds.

use std::collections::{BTreeMap, BTreeSet};

pub(super) const ISSUERS: [&str; 2] = ["https://one.test", "https://two.test"];
pub(super) const SUBJECTS: [&str; 3] = ["ann", "ben", "urn:auth-runtime:scheme:partner"];

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
    /// Of the issuers; `None`: nobody's whose tokens are accepted.
    pub(super) issuer: Option<usize>,
    pub(super) caller: Caller,
    pub(super) token_id: u8,
    pub(super) session: u8,
    pub(super) issued_at: i64,
    pub(super) expires_at: i64,
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
    /// By this source.
    LetIn(&'static str, String, &'static str),
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
    ended_tokens: BTreeSet<(usize, u8)>,
    ended_sessions: BTreeSet<(usize, u8)>,
    ended_users: BTreeMap<(usize, &'static str), i64>,
    /// What was met, and how often.
    pub(super) met: BTreeMap<&'static str, u32>,
}

impl Reference {
    pub(super) fn new(now: i64, sources: Vec<Source>, remember_for: [i64; 2]) -> Self {
        Self { now, sources, remember_for, ..Self::default() }
    }

    pub(super) fn end_token(&mut self, issuer: usize, token_id: u8) {
        self.ended_tokens.insert((issuer, token_id));
    }

    pub(super) fn end_session(&mut self, issuer: usize, session: u8) {
        self.ended_sessions.insert((issuer, session));
    }

    pub(super) fn end_user(&mut self, issuer: usize, subject: &'static str) {
        self.ended_users.insert((issuer, subject), self.now);
    }

    pub(super) fn forget(&mut self, issuer: &str, subject: &str) {
        let names = ["partner", "session"].map(|name| format!("urn:auth-runtime:scheme:{name}"));
        self.remembered.retain(|_, (_, _, until)| self.now < *until);
        let count = self.remembered.len();
        self.remembered
            .retain(|(number, _), (caller, ..)| names[*number] != issuer || caller.subject != subject);
        if self.remembered.len() < count {
            self.meet("forgotten");
        }
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
                    Outcome::LetIn(source, issuer, caller.subject)
                } else {
                    self.meet("lacks what the rule names");
                    Outcome::Refused(403)
                }
            }
        }
    }

    /// The caller, with the source and the issuer.
    fn caller(&mut self, route: &Route, head: &Head) -> Result<Option<(&'static str, String, Caller)>, u16> {
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
            match judge {
                Judge::Tokens => {
                    let Some(token) = self.valid_token(&text) else { return refused };
                    let issuer = ISSUERS[token.issuer.unwrap_or_default()].to_owned();
                    return Ok(Some((name, issuer, token.caller)));
                }
                Judge::Authenticator(number) => match self.ask(number, &text) {
                    Answer::Caller(caller) => {
                        return Ok(Some((name, format!("urn:auth-runtime:scheme:{name}"), caller)));
                    }
                    Answer::Absent => order.retain(|&source| source != index),
                    Answer::Invalid => return refused,
                    Answer::Unavailable => return Err(503),
                },
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
            self.ended_sessions.contains(&(issuer, token.session)),
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
