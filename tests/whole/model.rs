//! The life of tokens, in random steps, against a small model of what the documentation promises.

mod clocks;
mod reference;
mod steps;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::get;
use auth_runtime::session::{IssuedTokens, RefreshKey, SigningKeys, TokenError, TokenIssuer, TokenService};
use auth_runtime::store::{MemoryStore, RedbStore};
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth};
use auth_tests_servers::RedisServer;
use proptest::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use self::reference::{EXTENDED, FAMILY, LEEWAY, MAX_SESSIONS, Model, REFRESH, Refresh, Settings, USUAL};
use self::steps::{Back, Step, steps};
use crate::support::flaky::FlakyStore;
use crate::support::people::{AUDIENCE, ISSUER, People, issuer, signing_key};
use crate::support::redis::open_redis_blocking;
use crate::support::timeless::TimelessStore;
use crate::support::{caller_of, postgres, request, send};

const USERS: [&str; 3] = ["ann", "ben", "cy"];

#[auth]
async fn who(user: Principal) -> String {
    format!("{} {}", user.subject(), user.has_role("admin"))
}

/// One life of the process.
struct Life {
    auth: Auth,
    tokens: TokenService,
    app: axum::Router,
    runtime: Runtime,
}

/// Gives each engine the same store.
type Attach = Box<dyn Fn(AuthBuilder) -> AuthBuilder>;

struct World {
    attach: Attach,
    clock: TestClock,
    people: People,
    /// `None` only between two lives.
    life: Option<Life>,
    model: Model,
    refresh: Vec<(Refresh, String)>,
    /// Those of the model, and their sessions.
    access: Vec<(String, String)>,
    /// What was met, and how often.
    met: BTreeMap<String, u32>,
}

fn seconds(seconds: i64) -> Duration {
    Duration::from_secs(seconds.unsigned_abs())
}

fn signing_keys(number: u8) -> SigningKeys {
    SigningKeys::new(signing_key(number)).also_accept(signing_key(number - 1).verifying_key())
}

/// The caller with this access token, which is accepted.
async fn caller(app: &axum::Router, access_token: &str) -> Principal {
    caller_of(app, request("GET", "/", &[("authorization", &format!("Bearer {access_token}"))])).await
}

fn newest<T>(given: &[T], back: Back) -> Option<usize> {
    given.len().checked_sub(1 + back % given.len().max(1))
}

impl World {
    fn new(settings: Settings, attach: Attach) -> Self {
        let clock = TestClock::new();
        let now = clock.now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut world = Self {
            attach,
            clock,
            people: People::default(),
            life: None,
            model: Model::new(settings, i64::try_from(now).unwrap()),
            refresh: Vec::new(),
            access: Vec::new(),
            met: BTreeMap::new(),
        };
        USERS.iter().for_each(|user| world.people.set(user, &[]));
        world.live();
        world
    }

    /// Begins a life with the keys of the model.
    fn live(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let refresh_key = |number: u8| RefreshKey::new(format!("k{number}"), [number; 32]);
        let keys = signing_keys(self.model.signing_key);
        let issuer = TokenIssuer::new(ISSUER, AUDIENCE, keys, self.people.clone())
            .refresh_key(refresh_key(self.model.refresh_key))
            .refresh_key(refresh_key(self.model.refresh_key - 1))
            .access_lifetime(seconds(self.model.settings.access))
            .refresh_lifetime(seconds(REFRESH))
            .session_lifetime(seconds(FAMILY))
            .max_sessions_per_user(MAX_SESSIONS);
        let Settings { access, any_number, once } = self.model.settings;
        let issuer = if once > any_number {
            issuer.dangerously_extend_grace_period(seconds(once))
        } else {
            issuer.grace_period(seconds(once))
        };
        let builder = Auth::builder()
            .token_issuer(issuer)
            .clock(self.clock.clone())
            .leeway(seconds(LEEWAY))
            // So that revocations are kept no longer than they must be.
            .max_token_lifetime(seconds(access))
            .max_staleness(Duration::MAX);
        let auth = runtime.block_on(async {
            let auth = (self.attach)(builder).build().unwrap();
            auth.start().await.unwrap();
            auth.revocations().drop_expired().await.unwrap();
            auth
        });
        let app = Router::new().route("/", get(who)).finish(&auth).unwrap();
        self.life = Some(Life { tokens: auth.tokens().unwrap(), auth, app, runtime });
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let Some(Life { auth, tokens, runtime, app }) = &self.life else { unreachable!() };
        let unexpected = |expected: &dyn std::fmt::Debug, given: &dyn std::fmt::Debug| {
            Err(TestCaseError::fail(format!("{step:?}: expected {expected:?}, and it is {given:?}")))
        };
        match *step {
            Step::Login(user) => {
                let Some(subject) = self.people.find(USERS[user]).unwrap() else { return Ok(()) };
                if self.model.has_begun_now(user) {
                    self.model.now += 1;
                    self.clock.advance(seconds(1));
                }
                let given = runtime.block_on(tokens.issue(&subject)).unwrap();
                let first = self.model.log_in(user);
                self.give(first, given)?;
            }
            Step::IssueAccess(user) => {
                let Some(subject) = self.people.find(USERS[user]).unwrap() else { return Ok(()) };
                self.access.push((tokens.issue_access(&subject).unwrap(), String::new()));
                self.model.issue_access(user);
            }
            Step::Refresh(back) => {
                let Some(index) = newest(&self.refresh, back) else { return Ok(()) };
                let (token, text) = &self.refresh[index];
                match (self.model.refresh(*token), runtime.block_on(tokens.refresh(text))) {
                    (Ok(successor), Ok(given)) => {
                        if self.model.is_reissued(successor.family) {
                            self.meet("reissued");
                        }
                        self.give(successor, given)?;
                    }
                    (Err(expected), Err(TokenError::Refresh(why))) if why == expected => {
                        self.meet(&format!("{expected:?}"));
                    }
                    (expected, given) => return unexpected(&expected, &given),
                }
            }
            Step::Logout(back) => {
                let Some(index) = newest(&self.refresh, back) else { return Ok(()) };
                let (token, text) = &self.refresh[index];
                prop_assert_eq!(
                    runtime.block_on(tokens.log_out(text)).unwrap(),
                    self.model.is_genuine(*token)
                );
                if self.model.is_genuine(*token) {
                    self.model.end(token.family);
                }
            }
            Step::LogoutEverywhere(user) => {
                runtime.block_on(tokens.log_out_everywhere(USERS[user])).unwrap();
                self.model.log_out_everywhere(user);
            }
            Step::LogoutAllUsers => {
                runtime.block_on(tokens.log_out_all_users()).unwrap();
                self.model.log_out_all_users();
            }
            Step::RevokeAccess(back) => {
                let Some(index) = newest(&self.access, back) else { return Ok(()) };
                runtime.block_on(tokens.revoke(&self.access[index].0)).unwrap();
                self.model.access[index].revoked = true;
            }
            Step::RevokeSession(back) => {
                let Some(index) = newest(&self.access, back) else { return Ok(()) };
                let Some(family) = self.model.access[index].family else { return Ok(()) };
                let session_id = self.access[index].1.clone();
                let session = Revocation::Session { issuer: ISSUER.into(), session_id };
                runtime.block_on(auth.revocations().revoke(session)).unwrap();
                self.model.end(family);
            }
            Step::EndUserSession(back, user) => {
                let Some(index) = newest(&self.access, back) else { return Ok(()) };
                let Some(family) = self.model.access[index].family else { return Ok(()) };
                let is_active = self.model.active(user).contains(&family);
                let ended =
                    runtime.block_on(tokens.end_user_session(USERS[user], &self.access[index].1)).unwrap();
                // The row of one that has expired may still be there.
                prop_assert!(ended || !is_active);
                prop_assert!(!ended || self.model.is_of(family, user));
                if ended {
                    self.model.end(family);
                }
            }
            Step::EndOtherSessions(back) => {
                let Some(index) = newest(&self.access, back) else { return Ok(()) };
                let token = &self.model.access[index];
                if !self.model.accepts(token) {
                    return Ok(());
                }
                let caller = runtime.block_on(caller(app, &self.access[index].0));
                let ended = runtime.block_on(tokens.end_other_sessions(&caller));
                let Some(current) = token.family else {
                    prop_assert!(matches!(ended, Err(TokenError::NoSession)), "{:?}", ended);
                    return Ok(());
                };
                let mut others = self.model.active(token.user);
                others.retain(|family| *family != current);
                prop_assert_eq!(ended.unwrap(), others.len());
                others.into_iter().for_each(|family| self.model.end(family));
            }
            Step::RevokeUser(user, from_now) => {
                let bound = self.model.now + from_now;
                let user_up_to = Revocation::User {
                    issuer: ISSUER.into(),
                    subject: USERS[user].into(),
                    issued_at_or_before: UNIX_EPOCH + seconds(bound),
                };
                runtime.block_on(auth.revocations().revoke(user_up_to)).unwrap();
                self.model.revoke_user(user, bound);
            }
            Step::Change(user, roles) => {
                self.model.users[user] = roles;
                match roles {
                    Some(admin) => self.people.set(USERS[user], if admin { &["admin"] } else { &[] }),
                    None => self.people.remove(USERS[user]),
                }
            }
            Step::Wait(time) => {
                self.model.now += time;
                self.clock.advance(seconds(time));
                runtime.block_on(auth.start()).unwrap();
                // What has expired goes, and nothing else.
                runtime.block_on(auth.revocations().drop_expired()).unwrap();
            }
            Step::RotateSigningKey => {
                self.model.signing_key += 1;
                tokens.rotate_keys(signing_keys(self.model.signing_key)).unwrap();
            }
            Step::Restart { down_for, new_refresh_key } => {
                self.life = None;
                self.model.refresh_key += u8::from(new_refresh_key);
                self.model.now += down_for;
                self.clock.advance(seconds(down_for));
                self.live();
            }
        }
        Ok(())
    }

    /// Notes tokens that were issued: of one generation there is one refresh token, and it is no other's.
    fn give(&mut self, token: Refresh, given: IssuedTokens) -> Result<(), TestCaseError> {
        let is_same = |known: &Refresh| (known.family, known.generation) == (token.family, token.generation);
        for (known, text) in &self.refresh {
            prop_assert_eq!(is_same(known), *text == given.refresh_token);
        }
        let lifetimes = [given.expires_in, given.refresh_expires_in];
        prop_assert_eq!(lifetimes, self.model.lifetimes().map(|(a, r)| [seconds(a), seconds(r)]).unwrap());
        if self.refresh.iter().any(|(known, _)| is_same(known)) {
            self.meet("again");
        } else {
            self.meet("new");
            self.refresh.push((token, given.refresh_token));
        }
        self.access.push((given.access_token, given.session_id));
        Ok(())
    }

    /// Asks the guarded route with the newest tokens, or with all.
    fn look(&mut self, count: usize) -> Result<(), TestCaseError> {
        let Some(Life { app, runtime, .. }) = &self.life else { unreachable!() };
        let mut met = Vec::new();
        for (token, (text, _)) in self.model.access.iter().zip(&self.access).rev().take(count) {
            let asked = request("GET", "/", &[("authorization", &format!("Bearer {text}"))]);
            let reply = runtime.block_on(send(app, asked));
            if self.model.accepts(token) {
                let who = format!("{} {}", USERS[token.user], token.admin);
                prop_assert_eq!((reply.status.as_u16(), reply.body), (200, who));
            } else {
                prop_assert_eq!(reply.status.as_u16(), 401);
            }
            met.push(reply.status.as_str().to_owned());
        }
        met.iter().for_each(|status| self.meet(status));
        Ok(())
    }

    /// Each user is listed the sessions that it has, and no other.
    fn list(&mut self) -> Result<(), TestCaseError> {
        let Some(Life { tokens, runtime, .. }) = &self.life else { unreachable!() };
        for (user, name) in USERS.iter().enumerate() {
            let listed = runtime.block_on(tokens.sessions(name)).unwrap();
            let listed: BTreeSet<_> = listed.sessions.into_iter().map(|session| session.id).collect();
            let active = self.model.active(user);
            let of_family = |family: usize| {
                let index = self.model.access.iter().position(|token| token.family == Some(family)).unwrap();
                self.access[index].1.clone()
            };
            prop_assert_eq!(listed, active.into_iter().map(of_family).collect::<BTreeSet<_>>());
        }
        Ok(())
    }

    fn meet(&mut self, what: &str) {
        *self.met.entry(what.to_owned()).or_default() += 1;
    }
}

/// Returns what was met.
fn compare(settings: Settings, everyday: u32, attach: impl Fn() -> Attach) -> BTreeMap<String, u32> {
    let all_met = std::cell::RefCell::new(BTreeMap::<String, u32>::new());
    auth_tests_random::runner(everyday)
        .run(&steps(settings), |steps| {
            let mut world = World::new(settings, attach());
            for step in &steps {
                world.step(step)?;
                world.look(4)?;
                world.list()?;
            }
            world.look(usize::MAX)?;
            for (what, count) in world.met {
                *all_met.borrow_mut().entry(what).or_default() += count;
            }
            Ok(())
        })
        .unwrap();
    all_met.into_inner()
}

#[test]
fn random_lives_in_memory() {
    for (settings, special) in [(USUAL, None), (EXTENDED, Some("reissued"))] {
        let met = compare(settings, 128, || {
            let store = MemoryStore::new();
            Box::new(move |builder| builder.store(store.clone()))
        });
        let usual = ["new", "again", "Forged", "Ended", "Reused", "SubjectGone", "200", "401"];
        for what in usual.into_iter().chain(special) {
            assert!(met.get(what) >= Some(&auth_tests_random::times(1)), "{what} is rare among {met:?}");
        }
    }
}

#[test]
fn random_lives_in_a_file() {
    compare(EXTENDED, 2, || {
        let directory = TempDir::new().unwrap();
        Box::new(move |builder| builder.store(RedbStore::open(directory.path().join("store")).unwrap()))
    });
}

#[test]
#[ignore = "needs PostgreSQL: bash tests/run"]
fn random_lives_in_postgres() {
    compare(EXTENDED, 2, || {
        let schema = postgres::new_schema();
        Box::new(move |builder| builder.store(TimelessStore(postgres::open_blocking(&schema))))
    });
}

#[test]
#[ignore = "needs redis-server: bash tests/run"]
fn random_lives_in_redis() {
    let server = Arc::new(RedisServer::start());
    compare(EXTENDED, 2, || {
        server.command(&["FLUSHALL"]);
        let server = Arc::clone(&server);
        Box::new(move |builder| builder.store(TimelessStore(open_redis_blocking(&server))))
    });
}

#[tokio::test]
async fn a_view_that_is_too_old_answers_neither_yes_nor_no() {
    let (store, clock) = (FlakyStore::default(), TestClock::new());
    let builder = Auth::builder().token_issuer(issuer(&People::default())).clock(clock.clone());
    let auth = builder.store(store.clone()).build().unwrap();
    let (tokens, app) = (auth.tokens().unwrap(), Router::new().route("/", get(who)).finish(&auth).unwrap());
    let alice = People::default().find("alice").unwrap().unwrap();
    auth.start().await.unwrap();
    let given = tokens.issue(&alice).await.unwrap();
    let bearer = format!("Bearer {}", given.access_token);
    let ask = async || send(&app, request("GET", "/", &[("authorization", &bearer)])).await.status.as_u16();

    store.set_broken(true);
    for (wait, status) in [(0, 200), (30, 200), (1, 503)] {
        clock.advance(seconds(wait));
        assert!(auth.start().await.is_err());
        assert_eq!(ask().await, status);
    }
    for unavailable in [
        tokens.refresh(&given.refresh_token).await.map(drop),
        tokens.log_out(&given.refresh_token).await.map(drop),
        tokens.log_out_everywhere("alice").await,
        tokens.log_out_all_users().await,
        tokens.issue(&alice).await.map(drop),
    ] {
        assert!(matches!(unavailable, Err(TokenError::Store(_))), "{unavailable:?}");
    }
    store.set_broken(false);
    assert_eq!(ask().await, 503, "nobody has looked yet");
    auth.start().await.unwrap();
    assert_eq!(ask().await, 200);
    tokens.refresh(&given.refresh_token).await.unwrap();
}
