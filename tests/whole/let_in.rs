//! All kinds of callers side by side, in random services and random steps, against a small reference of what the documentation
//! promises; and what an attacker tries against them.

mod attacks;
mod reference;
mod routes;
mod steps;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::authenticator::{Authenticated, Authentication, BoxError, Credential, Subject};
use auth_runtime::clock::Clock as _;
use auth_runtime::policy::{ClaimCondition, Condition, Literal, Rule};
use auth_runtime::revocation::{Revocation, RevokeError};
use auth_runtime::session::SigningKey;
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router};
use axum::body::Body;
use axum::http::Request;
use proptest::prelude::*;
use serde_json::json;

use self::reference::{Access, Caller, Entry, Head, ISSUERS, Need, Outcome, Place, Reference, Route, Token};
use self::steps::{NewEntry, Service, Step, TEXTS, Text, service, steps};
use crate::support::{Reply, send};

/// Of the issuers, and of one that nobody trusts.
static KEYS: LazyLock<[SigningKey; 3]> =
    LazyLock::new(|| [(); 3].map(|()| SigningKey::generate(Algorithm::EdDSA).unwrap()));

async fn who(caller: Option<Principal>) -> String {
    caller.map_or_else(
        || "nobody".to_owned(),
        |caller| format!("{} {} {}", caller.scheme(), caller.issuer().unwrap_or("-"), caller.subject()),
    )
}

/// What an authenticator of the service looks into.
#[derive(Clone, Debug, Default)]
struct Table {
    entries: Arc<Mutex<BTreeMap<String, Entry>>>,
    remember_for: Duration,
}

async fn look_up(credential: Credential, table: Table) -> Result<Authentication, BoxError> {
    let entry = table.entries.lock().unwrap().get(credential.text()).cloned();
    Ok(match entry {
        None => None::<Subject>.into(),
        Some(Entry::Absent) => Authentication::Absent,
        Some(Entry::Unavailable) => return Err("the table is locked".into()),
        Some(Entry::Valid { caller, expires_at }) => {
            let subject = Subject::new(caller.subject)
                .roles(caller.roles)
                .scopes(caller.scopes)
                .permissions(caller.permissions)
                .claim("plan", if caller.is_pro { "pro" } else { "free" });
            let caller = Authenticated::new(subject).remember_for(table.remember_for);
            match expires_at {
                Some(time) => caller.expires_at(UNIX_EPOCH + seconds(time)).into(),
                None => caller.into(),
            }
        }
    })
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

fn place(place: Place) -> CredentialPlace {
    match place {
        Place::Authorization(scheme) => CredentialPlace::authorization(scheme),
        Place::Header(name) => CredentialPlace::header(name),
        Place::Cookie(name) => CredentialPlace::cookie(name),
        Place::Query(name) => CredentialPlace::dangerously_in_query(name),
    }
}

fn rule(route: &Route, service: &Service) -> Rule {
    let rule = match route.access {
        Access::Public => return Rule::public(),
        Access::Optional => Rule::optional(),
        Access::Required => Rule::authenticated(),
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let needs = route.needs.iter().map(|need| match need {
        Need::Roles(names) => Condition::Roles(owned(names)),
        Need::Scopes(names) => Condition::Scopes(owned(names)),
        Need::Permissions(names) => Condition::Permissions(owned(names)),
        Need::Plan => Condition::Claim(ClaimCondition::one_of("plan", [Literal::String("pro".into())])),
    });
    let sources: Vec<_> = route.sources.iter().map(|&source| service.sources[source].name).collect();
    let rule = rule.sources(sources.leak());
    let needs: Vec<_> = needs.collect();
    if needs.is_empty() { rule } else { rule.requires(needs.leak()) }
}

struct World {
    service: Service,
    clock: TestClock,
    auth: Auth,
    app: axum::Router,
    tables: [Table; 2],
    reference: Reference,
    tokens: Vec<(String, Token)>,
}

impl World {
    fn new(service: Service) -> Self {
        let clock = TestClock::new();
        let tables =
            service.remember_for.map(|time| Table { remember_for: seconds(time), ..Table::default() });
        let mut builder = Auth::builder().clock(clock.clone()).leeway(Duration::ZERO);
        for (issuer, key) in ISSUERS.iter().zip(&*KEYS) {
            builder = builder.issuer(TrustedIssuer::new(*issuer).audience("orders").key(key.verifying_key()));
        }
        for (source, table) in service.sources[2..].iter().zip(&tables) {
            builder = builder.authenticator_with(source.name, place(source.place), look_up, table.clone());
        }
        let auth = builder.build().unwrap();
        let mut router = Router::new();
        for (number, route) in service.routes.iter().enumerate() {
            let handler = (axum::routing::any(who), rule(route, &service));
            router = router.route(&format!("/{number}"), handler);
        }
        let app = router.finish(&auth).unwrap();
        let now = clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let reference = Reference::new(now, service.sources.clone(), service.remember_for);
        let mut world = Self { service, clock, auth, app, tables, reference, tokens: Vec::new() };
        for (scheme, text) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let caller = Caller { subject: ["ann", "ben"][text ^ scheme], ..Caller::default() };
            world.set(scheme, text, NewEntry::Valid { expires_in: None }, caller);
        }
        world
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
        let mut entries = self.tables[scheme].entries.lock().unwrap();
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
            _ => ("urn:auth-runtime:scheme:session", &KEYS[0]),
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

    async fn revoke(&self, revocation: Revocation) {
        self.auth.revocations().revoke(revocation).await.unwrap();
    }

    async fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        match step.clone() {
            Step::Issue { issuer, caller, lifetime } => self.issue(issuer, caller, lifetime),
            Step::Set { scheme, text, entry, caller } => self.set(scheme, text, entry, caller),
            Step::RevokeToken(back) => {
                let Some(token) = self.newest(back).cloned() else { return Ok(()) };
                let Some(issuer) = token.issuer else { return Ok(()) };
                let token_id = format!("t{}", token.token_id);
                self.revoke(Revocation::Token { issuer: ISSUERS[issuer].into(), token_id }).await;
                self.reference.end_token(issuer, token.token_id);
            }
            Step::RevokeSession(back) => {
                let Some(token) = self.newest(back).cloned() else { return Ok(()) };
                let Some(issuer) = token.issuer else { return Ok(()) };
                let session_id = format!("s{}", token.session);
                self.revoke(Revocation::Session { issuer: ISSUERS[issuer].into(), session_id }).await;
                self.reference.end_session(issuer, token.session);
            }
            Step::RevokeUser(issuer, subject) => {
                self.revoke(user(ISSUERS[issuer], subject, &self.clock)).await;
                self.reference.end_user(issuer, subject);
            }
            Step::RevokeOfAuthenticator(subject) => {
                let user = user("urn:auth-runtime:scheme:session", subject, &self.clock);
                let refused = self.auth.revocations().revoke(user).await;
                prop_assert!(matches!(refused, Err(RevokeError::NotAToken(_))), "{refused:?}");
            }
            Step::Forget(issuer, subject) => {
                self.auth.revocations().forget(issuer, subject).await.unwrap();
                self.reference.forget(issuer, subject);
            }
            Step::Wait(time) => {
                self.reference.now += time;
                self.clock.advance(seconds(time));
                self.auth.start().await.unwrap();
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

    fn newest(&self, back: usize) -> Option<&Token> {
        self.tokens.iter().rev().nth(back).map(|(_, token)| token)
    }

    fn text(&self, text: Text) -> String {
        match text {
            Text::Token(back) => {
                self.tokens.iter().rev().nth(back).map_or("no.such.token", |(text, _)| text).to_owned()
            }
            Text::Credential(number) => TEXTS[number].to_owned(),
            Text::Empty => String::new(),
            Text::Malformed => "a b".to_owned(),
        }
    }

    async fn ask(&mut self, number: usize, head: &Head) -> Result<(), TestCaseError> {
        let route = self.service.routes[number].clone();
        let reply = send(&self.app, http(number, head)).await;
        let outcome = self.reference.outcome(&route, head);
        let status = reply.status.as_u16();
        let (expected, met) = match &outcome {
            Outcome::Anonymous => ((200, "nobody".to_owned()), "200 nobody"),
            Outcome::LetIn(source, issuer, subject) => {
                let (scheme, met) = match *source {
                    "partner" => ("partner", "200 partner"),
                    "session" => ("session", "200 session"),
                    _ => ("jwt", "200 jwt"),
                };
                ((200, format!("{scheme} {issuer} {subject}")), met)
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

#[test]
fn who_is_let_in_is_what_the_reference_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all_met = RefCell::new(BTreeMap::<&str, u32>::new());
    auth_tests_random::runner(250)
        .run(&(service(), steps()), |(service, steps)| {
            runtime.block_on(async {
                let mut world = World::new(service);
                for step in &steps {
                    world.step(step).await?;
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
        "200 jwt",
        "200 nobody",
        "200 partner",
        "200 session",
        "expired credential",
        "expired token",
        "forgotten",
        "lacks what the rule names",
        "of another origin",
        "remembered",
        "revoked token",
        "says absent",
        "sent twice",
        "unusable",
    ] {
        assert!(met.get(what) >= Some(&auth_tests_random::times(2)), "{what} is rare among {met:?}");
    }
}
