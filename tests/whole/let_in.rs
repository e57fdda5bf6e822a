//! All kinds of callers side by side, in random services and random steps, against a small reference of what the documentation
//! promises; and what an attacker tries against them.

mod attacks;
mod engine;
mod reference;
mod routes;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use std::time::UNIX_EPOCH;

use auth_runtime::api_key::{ApiKeyError, NewApiKey};
use auth_runtime::authenticator::{Authenticated, Authentication, BoxError, Credential, Subject};
use auth_runtime::clock::Clock as _;
use auth_runtime::policy::{Condition, Rule};
use auth_runtime::revocation::{Revocation, RevokeError};
use auth_runtime::session::SigningKey;
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::Algorithm;
use auth_runtime::{Auth, Principal, Router};
use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use serde_json::json;

use self::engine::{Shared, options, rule, seconds, shown, unix, who};
use self::reference::{
    Access, Caller, Entry, Head, ISSUERS, Key, OF_KEYS, OF_PARTNERS, OF_SESSIONS, Outcome, Place, Reference,
    Route, Token,
};
use self::steps::{Doing, Kept, KeyName, KeyText, NewEntry, Service, Step, TEXTS, Text, service, steps};
use crate::api_keys::with_checksum;
use crate::support::{Reply, send};

/// Of the issuers, and of one that is not trusted.
static KEYS: LazyLock<[SigningKey; 3]> =
    LazyLock::new(|| [(); 3].map(|()| SigningKey::generate(Algorithm::EdDSA).unwrap()));

struct World {
    service: Service,
    shared: Shared,
    auth: Auth,
    /// Another process with the same store.
    elsewhere: Option<Auth>,
    app: axum::Router,
    reference: Reference,
    tokens: Vec<(String, Token)>,
    /// Ids and texts.
    keys: Vec<(String, String)>,
    key_of_another: String,
    unknown_key: String,
    /// Whether the current step is done elsewhere.
    is_elsewhere: bool,
}

impl World {
    async fn new(service: Service) -> Self {
        let shared = Shared::new(&service);
        let auth = shared.engine(&service);
        let elsewhere = (!matches!(service.kept, Kept::WithoutStore)).then(|| shared.engine(&service));
        let mut router = Router::new();
        for (number, route) in service.routes.iter().enumerate() {
            let handler = (axum::routing::any(who), rule(route, &service));
            router = router.route(&format!("/{number}"), handler);
        }
        let app = router.finish(&auth).unwrap();
        let now = unix(&shared.clock);
        let reference = Reference::new(now, service.sources.clone(), service.remember_for, service.users);
        let key_of_another = shared.key_of_another().await;
        let mut world = Self {
            service,
            shared,
            auth,
            elsewhere,
            app,
            reference,
            tokens: Vec::new(),
            keys: Vec::new(),
            key_of_another,
            unknown_key: NewApiKey::generate("acme").unwrap().text().to_owned(),
            is_elsewhere: false,
        };
        for (key, row) in &world.shared.static_keys {
            world.reference.keys.insert(key.text().to_owned(), row.clone());
        }
        for (scheme, text) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let caller = Caller { subject: ["ann", "ben"][text ^ scheme], ..Caller::default() };
            world.set(scheme, text, NewEntry::Valid { expires_in: None }, caller);
        }
        world.catch_up().await;
        world
    }

    async fn catch_up(&self) {
        for auth in self.elsewhere.iter().chain([&self.auth]) {
            auth.start().await.unwrap();
        }
    }

    /// Who does the current step, with its number.
    fn acting(&self) -> (usize, &Auth) {
        match &self.elsewhere {
            Some(elsewhere) if self.is_elsewhere => (1, elsewhere),
            _ => (0, &self.auth),
        }
    }

    fn set(&mut self, scheme: usize, text: usize, entry: NewEntry, caller: Caller) {
        let entry = match entry {
            NewEntry::Valid { expires_in } => {
                let expires_at = expires_in.map(|time| self.reference.now + time);
                Some(Entry::Valid { caller, expires_at })
            }
            NewEntry::Unknown => None,
            NewEntry::Absent => Some(Entry::Absent),
            NewEntry::Unavailable => Some(Entry::Unavailable),
        };
        let mut entries = self.shared.tables[scheme].entries.lock().unwrap();
        for table in [&mut *entries, &mut self.reference.tables[scheme]] {
            match entry.clone() {
                Some(entry) => drop(table.insert(TEXTS[text].to_owned(), entry)),
                None => drop(table.remove(TEXTS[text])),
            }
        }
    }

    fn issue(&mut self, issuer: usize, caller: Caller, lifetime: i64) {
        let (name, key) = match issuer {
            0 | 1 => (ISSUERS[issuer], &KEYS[issuer]),
            2 => (ISSUERS[0], &KEYS[2]),
            _ => (OF_SESSIONS, &KEYS[0]),
        };
        let now = self.reference.now;
        let number = u8::try_from(self.tokens.len() % 6).unwrap();
        let claims = json!({
            "iss": name, "aud": "orders", "sub": caller.subject, "iat": now, "exp": now + lifetime,
            "jti": format!("t{number}"), "sid": format!("s{}", number % 3),
            "roles": caller.roles, "scope": caller.scopes.join(" "), "permissions": caller.permissions,
            "plan": if caller.is_pro { "pro" } else { "free" },
        });
        let token = Token {
            issuer: Some(issuer).filter(|issuer| *issuer < 2),
            caller,
            token_id: number,
            session: number % 3,
            issued_at: now,
            expires_at: now + lifetime,
        };
        let text = key.sign(&claims).unwrap();
        self.reference.tokens.insert(text.clone(), token.clone());
        self.tokens.push((text, token));
    }

    async fn make_key(&mut self, caller: Caller, lifetime: Option<i64>) {
        let caller = Caller { is_pro: false, ..caller };
        let mut options = options(&caller);
        if let Some(lifetime) = lifetime {
            options = options.expires_in(seconds(lifetime));
        }
        let made = self.acting().1.api_keys().unwrap().create(caller.subject, options).await.unwrap();
        let expires_at = lifetime.map(|lifetime| self.reference.now + lifetime);
        let (is_revoked, is_static, is_logged_by) = (false, false, [false; 2]);
        let key = Key { caller, lifetime, expires_at, is_revoked, is_static, is_logged_by };
        self.reference.keys.insert(made.text().to_owned(), key);
        self.keys.push((made.id().to_owned(), made.text().to_owned()));
    }

    /// The id and the text of a key, and whether it is in the configuration.
    fn key(&self, name: KeyName) -> Option<(String, String, bool)> {
        match name {
            KeyName::Made(back) => {
                self.keys.iter().rev().nth(back).map(|(id, text)| (id.clone(), text.clone(), false))
            }
            KeyName::Static(number) => {
                let key = &self.shared.static_keys[number].0;
                Some((key.id().to_owned(), key.text().to_owned(), true))
            }
        }
    }

    async fn revoke_key(&mut self, name: KeyName) -> Result<(), TestCaseError> {
        let Some((id, text, is_static)) = self.key(name) else { return Ok(()) };
        let (process, auth) = self.acting();
        let revoked = auth.api_keys().unwrap().revoke(&id).await;
        if is_static {
            prop_assert!(matches!(revoked, Err(ApiKeyError::Static)), "{revoked:?}");
            return Ok(());
        }
        prop_assert_eq!(revoked.unwrap(), self.reference.end_key(&text, process));
        Ok(())
    }

    async fn rotate_key(&mut self, name: KeyName, overlap: i64) -> Result<(), TestCaseError> {
        let Some((id, text, is_static)) = self.key(name) else { return Ok(()) };
        let rotated = self.acting().1.api_keys().unwrap().rotate(&id, seconds(overlap)).await;
        if is_static {
            prop_assert!(matches!(rotated, Err(ApiKeyError::Static)), "{rotated:?}");
            return Ok(());
        }
        match rotated {
            Ok(next) => {
                prop_assert!(self.reference.rotate_key(&text, overlap, next.text()), "it is not valid");
                self.keys.push((next.id().to_owned(), next.text().to_owned()));
            }
            Err(ApiKeyError::NotFound) => {
                prop_assert!(!self.reference.rotate_key(&text, overlap, ""), "it is valid");
            }
            Err(error) => prop_assert!(false, "{error}"),
        }
        Ok(())
    }

    async fn revoke(&self, revocation: Revocation) {
        self.acting().1.revocations().revoke(revocation).await.unwrap();
    }

    async fn forget(&mut self, issuer: &'static str, subject: &'static str) {
        self.acting().1.revocations().forget(issuer, subject).await.unwrap();
        self.reference.forget(issuer, subject);
    }

    async fn do_step(&mut self, doing: &Doing) -> Result<(), TestCaseError> {
        self.is_elsewhere = doing.is_elsewhere;
        let mut concerned = if doing.is_probed { self.concerned(&doing.step) } else { Vec::new() };
        for (place, text) in &concerned {
            self.ask_with(*place, text).await?;
        }
        let keys = self.keys.len();
        self.step(&doing.step).await?;
        if self.acting().0 == 1 {
            self.auth.start().await.unwrap();
        }
        let place = self.service.sources[4].place;
        concerned.extend(self.keys[keys..].iter().map(|(_, text)| (place, text.clone())));
        for (place, text) in &concerned {
            self.ask_with(*place, text).await?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step.clone() {
            Step::Issue { issuer, caller, lifetime } => self.issue(issuer, caller, lifetime),
            Step::Set { scheme, text, entry, caller, is_forgotten } => {
                let former = self.reference.tables[scheme].get(TEXTS[text]).cloned();
                self.set(scheme, text, entry, caller);
                if let Some(Entry::Valid { caller, .. }) = former.filter(|_| is_forgotten) {
                    self.forget([OF_PARTNERS, OF_SESSIONS][scheme], caller.subject).await;
                }
            }
            Step::SetAccount { issuer, subject, account, is_forgotten } => {
                self.shared.people.accounts.lock().unwrap().insert((issuer, subject), account.clone());
                self.reference.accounts.insert((issuer, subject), account);
                if is_forgotten {
                    self.forget(issuer, subject).await;
                }
            }
            Step::MakeKey { caller, lifetime } => self.make_key(caller, lifetime).await,
            Step::RevokeKey { key, is_repeated } => {
                self.revoke_key(key).await?;
                if is_repeated {
                    self.revoke_key(key).await?;
                }
            }
            Step::RevokeKeysOf(owner) => {
                let (process, auth) = self.acting();
                let revoked = auth.api_keys().unwrap().revoke_all(owner).await.unwrap();
                prop_assert_eq!(revoked, self.reference.end_keys_of(owner, process));
            }
            Step::RotateKey { key, overlap } => self.rotate_key(key, overlap).await?,
            Step::RevokeToken(back) => {
                let Some((token, issuer)) = self.newest(back) else { return Ok(()) };
                let token_id = format!("t{}", token.token_id);
                self.revoke(Revocation::Token { issuer: ISSUERS[issuer].into(), token_id }).await;
                self.reference.end_token(issuer, token.token_id);
            }
            Step::RevokeSession(back) => {
                let Some((token, issuer)) = self.newest(back) else { return Ok(()) };
                let session_id = format!("s{}", token.session);
                self.revoke(Revocation::Session { issuer: ISSUERS[issuer].into(), session_id }).await;
                self.reference.end_session(issuer, token.session);
            }
            Step::RevokeUser(issuer, subject) => {
                self.revoke(user(ISSUERS[issuer], subject, &self.shared.clock)).await;
                self.reference.end_user(issuer, subject);
            }
            Step::RevokeOfAuthenticator(subject) => {
                for issuer in [OF_SESSIONS, OF_KEYS] {
                    let user = user(issuer, subject, &self.shared.clock);
                    let refused = self.acting().1.revocations().revoke(user).await;
                    prop_assert!(matches!(refused, Err(RevokeError::NotAToken(_))), "{refused:?}");
                }
            }
            Step::Forget(issuer, subject) => self.forget(issuer, subject).await,
            Step::Wait(time) => {
                self.reference.now += time;
                self.shared.clock.advance(seconds(time));
                self.catch_up().await;
                self.auth.revocations().drop_expired().await.unwrap();
            }
            Step::Request { route, changes_state, is_of_another_origin, sent } => {
                let sent = sent.iter().map(|(place, text)| (*place, self.text(*text))).collect();
                let number = route % self.service.routes.len();
                self.ask(number, &Head { changes_state, is_of_another_origin, sent }).await?;
            }
        }
        Ok(())
    }

    /// A token of an issuer, with the number of that.
    fn newest(&self, back: usize) -> Option<(Token, usize)> {
        let (_, token) = self.tokens.iter().rev().nth(back)?;
        Some((token.clone(), token.issuer?))
    }

    fn text(&self, text: Text) -> String {
        match text {
            Text::Token(back) => {
                self.tokens.iter().rev().nth(back).map_or("no.such.token", |(text, _)| text).to_owned()
            }
            Text::Credential(number) => TEXTS[number].to_owned(),
            Text::Key(key) => self.key_text(key),
            Text::Empty => String::new(),
            Text::Malformed => "a b".to_owned(),
        }
    }

    fn key_text(&self, key: KeyText) -> String {
        let newest = self.keys.last().map_or(&self.unknown_key, |(_, text)| text);
        // What is before the checksum, and the last letter of that.
        let (body, last) = (&newest[..newest.len() - 7], &newest[newest.len() - 7..newest.len() - 6]);
        let other = if last == "0" { "1" } else { "0" };
        match key {
            KeyText::Own(name) => {
                self.key(name).map_or_else(|| self.unknown_key.clone(), |(_, text, _)| text)
            }
            KeyText::WrongSecret => with_checksum(&format!("{body}{other}")),
            KeyText::Mistyped => format!("{body}{other}{}", &newest[newest.len() - 6..]),
            KeyText::OfAnother => self.key_of_another.clone(),
            KeyText::Unknown => self.unknown_key.clone(),
        }
    }

    /// The credentials whose callers may change by a step, each with its place.
    fn concerned(&self, step: &Step) -> Vec<(Place, String)> {
        let place = |source: usize| self.service.sources[source].place;
        match step {
            Step::Set { scheme, text, .. } => vec![(place(2 + scheme), TEXTS[*text].to_owned())],
            Step::RevokeToken(back) | Step::RevokeSession(back) => {
                vec![(place(0), self.text(Text::Token(*back)))]
            }
            Step::RevokeUser(_, subject) | Step::RevokeKeysOf(subject) => [ISSUERS[0], ISSUERS[1], OF_KEYS]
                .into_iter()
                .flat_map(|issuer| self.credentials_of(issuer, subject))
                .collect(),
            Step::RevokeKey { key: name, .. } | Step::RotateKey { key: name, .. } => {
                let Some((_, text, _)) = self.key(*name) else { return Vec::new() };
                let owner = self.reference.keys[&text].caller.subject;
                let mut all = self.credentials_of(ISSUERS[0], owner);
                all.push((place(4), text));
                all
            }
            Step::SetAccount { issuer, subject, .. } | Step::Forget(issuer, subject) => {
                self.credentials_of(issuer, subject)
            }
            _ => Vec::new(),
        }
    }

    /// Some credentials of a subject: the newest token, all that an authenticator knows, the newest key.
    fn credentials_of(&self, issuer: &str, subject: &str) -> Vec<(Place, String)> {
        let place = |source: usize| self.service.sources[source].place;
        let of_scheme = |scheme: usize| {
            let is_of =
                |entry: &Entry| matches!(entry, Entry::Valid { caller, .. } if caller.subject == subject);
            let known = self.reference.tables[scheme].iter().filter(move |(_, entry)| is_of(entry));
            known.map(|(text, _)| (place(2 + scheme), text.clone())).collect()
        };
        match issuer {
            OF_PARTNERS => of_scheme(0),
            OF_SESSIONS => of_scheme(1),
            OF_KEYS => {
                let is_of = |text: &String| self.reference.keys[text].caller.subject == subject;
                let newest = self.keys.iter().rev().map(|(_, text)| text).find(|text| is_of(text));
                newest.map(|text| (place(4), text.clone())).into_iter().collect()
            }
            issuer => {
                let is_of = |token: &Token| {
                    token.caller.subject == subject
                        && token.issuer.is_some_and(|number| ISSUERS[number] == issuer)
                };
                let newest = self.tokens.iter().rev().find(|(_, token)| is_of(token));
                newest.map(|(text, _)| (place(0), text.clone())).into_iter().collect()
            }
        }
    }

    /// Sends one credential to the first route that takes it.
    async fn ask_with(&mut self, place: Place, text: &str) -> Result<(), TestCaseError> {
        let takes = |route: &Route| {
            let places = route.sources.iter().map(|&source| self.service.sources[source].place);
            route.access != Access::Public && places.into_iter().any(|known| known == place)
        };
        let Some(number) = self.service.routes.iter().position(takes) else { return Ok(()) };
        self.ask(number, &Head { sent: vec![(place, text.to_owned())], ..Head::default() }).await
    }

    async fn ask(&mut self, number: usize, head: &Head) -> Result<(), TestCaseError> {
        let route = self.service.routes[number].clone();
        let reply = send(&self.app, http(number, head)).await;
        let outcome = self.reference.outcome(&route, head);
        let status = reply.status.as_u16();
        let (expected, met) = match &outcome {
            Outcome::Anonymous => ((200, "nobody".to_owned()), "200 nobody"),
            Outcome::LetIn(source, issuer, caller) => {
                let (scheme, met) = match *source {
                    "partner" => ("partner", "200 partner"),
                    "session" => ("session", "200 session"),
                    "api_key" => ("api_key", "200 api_key"),
                    _ => ("jwt", "200 jwt"),
                };
                ((200, shown(scheme, issuer, caller)), met)
            }
            Outcome::Refused(status) => ((*status, reply.body.clone()), "refused"),
        };
        *self.reference.met.entry(met).or_default() += 1;
        prop_assert_eq!((status, reply.body.clone()), expected, "{:?} {:?}", route, head);
        self.look_at_headers(&route, &outcome, &reply)
    }

    /// Each place is named in `Vary`, and each scheme in a challenge; what is of one caller is not for shared caches.
    fn look_at_headers(&self, route: &Route, outcome: &Outcome, reply: &Reply) -> Result<(), TestCaseError> {
        if route.access == Access::Public {
            return Ok(());
        }
        let vary = reply.header("vary").to_ascii_lowercase();
        let challenges: Vec<_> =
            reply.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect();
        for &source in &route.sources {
            let (header, challenge) = match self.service.sources[source].place {
                Place::Authorization(scheme) => ("authorization", scheme),
                Place::Header(name) => (name, "ApiKey"),
                Place::Cookie(_) => ("cookie", "Cookie"),
                Place::Query(_) => ("", "Bearer"),
            };
            prop_assert!(vary.contains(header), "{header} is not in {vary}");
            prop_assert!(
                *outcome != Outcome::Refused(401)
                    || challenges.iter().any(|value| value.contains(&format!("{challenge} realm="))),
                "{challenge} is not in {challenges:?}"
            );
        }
        if let Outcome::LetIn(name, ..) = outcome {
            let source = self.service.sources.iter().find(|source| source.name == *name).unwrap();
            let cache_control = reply.header("cache-control");
            let is_kept = cache_control.contains("private") || cache_control.contains("no-store");
            prop_assert!(is_kept || matches!(source.place, Place::Authorization(_)), "{name}");
        }
        Ok(())
    }
}

fn user(issuer: &str, subject: &str, clock: &TestClock) -> Revocation {
    Revocation::User {
        issuer: issuer.to_owned(),
        subject: subject.to_owned(),
        issued_at_or_before: clock.now(),
    }
}

fn http(route: usize, head: &Head) -> Request<Body> {
    let mut query = Vec::new();
    let mut request = Request::builder().method(if head.changes_state { "POST" } else { "GET" });
    request = request.header("host", "shop.example");
    if head.is_of_another_origin {
        request = request.header("origin", "https://evil.example");
    }
    for (place, text) in &head.sent {
        request = match place {
            Place::Authorization(scheme) => request.header("authorization", format!("{scheme} {text}")),
            Place::Header(name) => request.header(*name, text),
            Place::Cookie(name) => request.header("cookie", format!("{name}={text}")),
            Place::Query(name) => {
                let encoded: String = text.bytes().map(|byte| format!("%{byte:02x}")).collect();
                query.push(format!("{name}={encoded}"));
                request
            }
        };
    }
    request.uri(format!("/{route}?{}", query.join("&"))).body(Body::empty()).unwrap()
}

/// Any difference between the service and the reference fails. Each of these was put into the library by hand, and was found within 60 cases:
/// a `forget` that does nothing, does not reach the other process, does not reach users, or reaches those of another issuer; a key that
/// stays in a cache when it is revoked or replaced; a user that is taken for that of another issuer; the roles of a token where its user
/// has others; a second credential that decides; an expired key or a wrong secret that is accepted; a key that ends with the tokens of a user
/// of the same name.
#[test]
fn who_is_let_in_is_what_the_reference_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all_met = RefCell::new(BTreeMap::<&str, u32>::new());
    auth_tests_random::runner(250)
        .run(&(service(), steps()), |(service, steps)| {
            runtime.block_on(async {
                let mut world = World::new(service).await;
                for doing in &steps {
                    world.do_step(doing).await?;
                }
                for (what, count) in world.reference.met {
                    *all_met.borrow_mut().entry(what).or_default() += count;
                }
                Ok(())
            })
        })
        .unwrap();
    let met = all_met.into_inner();
    for what in [
        "200 api_key",
        "200 jwt",
        "200 nobody",
        "200 partner",
        "200 session",
        "expired credential",
        "expired key",
        "expired token",
        "forgotten",
        "forgotten user",
        "lacks what the rule names",
        "no user",
        "of another origin",
        "remembered",
        "remembered user",
        "revoked again",
        "revoked key",
        "revoked token",
        "rights of the user",
        "says absent",
        "sent twice",
        "unknown key",
        "unusable",
    ] {
        assert!(met.get(what) >= Some(&auth_tests_random::times(2)), "{what} is rare among {met:?}");
    }
}
