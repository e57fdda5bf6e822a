//! Clocks that jump, in random steps: what was acknowledged as revoked is never accepted again, and what is issued is accepted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::clock::Clock as _;
use auth_runtime::routing::get;
use auth_runtime::session::{IssuedTokens, RefreshError, Subject, TokenError, TokenService};
use auth_runtime::store::MemoryStore;
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, Router};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;

use super::who;
use crate::support::people::{People, issuer};
use crate::support::status;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

#[derive(Clone, Debug)]
enum Step {
    Login,
    IssueAccess,
    Refresh(usize),
    Logout(usize),
    LogoutEverywhere,
    RevokeAccess(usize),
    /// Time passes.
    Wait(i64),
    /// The clock is set to so many seconds ahead of the true time.
    Set(i64),
    Restart,
}

/// Less than a week in all: a clock that is wrong for longer is believed.
fn steps() -> impl Strategy<Value = Vec<Step>> {
    let ahead =
        prop::sample::select(vec![0, 0, -HOUR, -30 * DAY, 1, 30, 2 * HOUR, 23 * HOUR, 30 * DAY, 400 * DAY]);
    let wait = prop::sample::select(vec![1, 11, MINUTE, 11 * MINUTE, HOUR, 2 * HOUR]);
    let step = prop_oneof![
        5 => Just(Step::Login),
        2 => Just(Step::IssueAccess),
        6 => (0..6_usize).prop_map(Step::Refresh),
        2 => (0..6_usize).prop_map(Step::Logout),
        2 => Just(Step::LogoutEverywhere),
        2 => (0..6_usize).prop_map(Step::RevokeAccess),
        4 => wait.prop_map(Step::Wait),
        4 => ahead.prop_map(Step::Set),
        1 => Just(Step::Restart),
    ];
    vec(step, 1..60)
}

/// A token, and what is known of it.
struct Access {
    text: String,
    /// Of which session it is; `None` if it has none.
    session: Option<String>,
    issued_at: i64,
    expires_at: i64,
    /// The number of the process that issued it.
    process: u32,
    is_dead: bool,
}

struct World {
    store: MemoryStore,
    clock: TestClock,
    /// How far the clock is ahead, in seconds.
    ahead: i64,
    runtime: Runtime,
    auth: Auth,
    tokens: TokenService,
    app: axum::Router,
    access: Vec<Access>,
    refresh: Vec<IssuedTokens>,
    refused_to_issue: u32,
    /// The number of restarts.
    process: u32,
    /// The latest time that the clock has shown.
    latest: i64,
}

impl World {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (store, clock) = (MemoryStore::new(), TestClock::new());
        let (auth, app) = start(&runtime, &store, &clock);
        Self {
            tokens: auth.tokens().unwrap(),
            store,
            clock,
            ahead: 0,
            runtime,
            auth,
            app,
            access: Vec::new(),
            refresh: Vec::new(),
            refused_to_issue: 0,
            process: 0,
            latest: 0,
        }
    }

    fn now(&self) -> i64 {
        seconds(self.clock.now())
    }

    /// What the engine does every second, of which as many are left out as change nothing.
    fn pass(&mut self, time: i64, at_once: i64) {
        let mut left = time;
        while left > 0 {
            let part = left.min(at_once);
            left -= part;
            self.clock.advance(Duration::from_secs(part.unsigned_abs()));
            self.tick();
        }
    }

    fn tick(&mut self) {
        self.latest = self.latest.max(self.now());
        self.runtime.block_on(async {
            self.auth.start().await.unwrap();
            self.auth.revocations().drop_expired().await.unwrap();
        });
    }

    fn step(&mut self, step: &Step) -> Result<(), TestCaseError> {
        let alice = Subject::new("alice");
        match *step {
            Step::Login => {
                let issued = self.runtime.block_on(self.tokens.issue(&alice));
                self.note(issued)?;
            }
            Step::IssueAccess => match self.tokens.issue_access(&alice) {
                Ok(token) => self.give(token, None)?,
                Err(TokenError::ClockAhead { .. }) => self.refused_to_issue += 1,
                Err(error) => return Err(TestCaseError::fail(error.to_string())),
            },
            Step::Refresh(back) => {
                let Some(token) = newest(&self.refresh, back).cloned() else { return Ok(()) };
                let issued = self.runtime.block_on(self.tokens.refresh(&token.refresh_token));
                if matches!(issued, Err(TokenError::Refresh(RefreshError::Reused))) {
                    self.end(|access| access.session.as_deref() == Some(&*token.session_id));
                }
                self.note(issued)?;
            }
            Step::Logout(back) => {
                let Some(token) = newest(&self.refresh, back).cloned() else { return Ok(()) };
                prop_assert!(self.runtime.block_on(self.tokens.log_out(&token.refresh_token)).unwrap());
                self.end(|access| access.session.as_deref() == Some(&*token.session_id));
            }
            Step::LogoutEverywhere => {
                self.runtime.block_on(self.tokens.log_out_everywhere("alice")).unwrap();
                // A token without a session is in no row. What is promised: all of this process, and those that are dated ahead by up to a
                // month.
                let (process, latest) = (self.process, self.now() + 31 * DAY);
                self.end(|access| {
                    access.session.is_some() || access.process == process || access.issued_at <= latest
                });
            }
            Step::RevokeAccess(back) => {
                let Some(token) = newest(&self.access, back) else { return Ok(()) };
                // One that expired long ago is not recorded, and a clock that is a day ahead is warned of.
                let (text, is_old) = (token.text.clone(), self.now() - token.expires_at > DAY);
                self.runtime.block_on(self.tokens.revoke(&text)).unwrap();
                if !is_old {
                    self.end(|access| access.text == text);
                }
            }
            Step::Wait(time) => self.pass(time, MINUTE),
            Step::Set(ahead) => {
                let now = self.now() - self.ahead + ahead;
                self.clock.set(UNIX_EPOCH + Duration::from_secs(now.unsigned_abs()));
                self.ahead = ahead;
                self.tick();
            }
            Step::Restart => {
                self.process += 1;
                (self.auth, self.app) = start(&self.runtime, &self.store, &self.clock);
                self.tokens = self.auth.tokens().unwrap();
            }
        }
        self.look()
    }

    /// What was issued is accepted at once, by a gate that has no leeway.
    fn note(&mut self, issued: Result<IssuedTokens, TokenError>) -> Result<(), TestCaseError> {
        match issued {
            Ok(tokens) => {
                self.give(tokens.access_token.clone(), Some(tokens.session_id.clone()))?;
                self.refresh.push(tokens);
            }
            Err(TokenError::ClockAhead { .. }) => self.refused_to_issue += 1,
            Err(TokenError::Refresh(_)) => {}
            Err(error) => return Err(TestCaseError::fail(error.to_string())),
        }
        Ok(())
    }

    fn give(&mut self, text: String, session: Option<String>) -> Result<(), TestCaseError> {
        let claims = self.runtime.block_on(self.tokens.introspect(&text)).unwrap();
        prop_assert_eq!(&claims["active"], true);
        let time = |name: &str| claims[name].as_i64().unwrap();
        let (issued_at, expires_at) = (time("iat"), time("exp"));
        prop_assert_eq!(issued_at, self.now(), "dated now");
        prop_assert!(self.accepts(&text));
        self.access.push(Access {
            text,
            session,
            issued_at,
            expires_at,
            process: self.process,
            is_dead: false,
        });
        Ok(())
    }

    fn end(&mut self, concerns: impl Fn(&Access) -> bool) {
        self.access.iter_mut().filter(|access| concerns(access)).for_each(|access| access.is_dead = true);
    }

    fn accepts(&self, token: &str) -> bool {
        let status = self.runtime.block_on(status(&self.app, "GET", "/", Some(token)));
        assert!([200, 401].contains(&status), "{status}");
        status == 200
    }

    /// No token that was revoked is accepted.
    fn look(&self) -> Result<(), TestCaseError> {
        for access in self.access.iter().filter(|access| access.is_dead) {
            prop_assert!(
                !self.accepts(&access.text),
                "a revoked token is accepted, {} s after its `iat`",
                self.now() - access.issued_at
            );
        }
        Ok(())
    }

    /// The clock is right from now on, and time passes until the last token has expired: no token that was revoked is accepted
    /// when its time has come. Then everything is forgotten.
    fn live_on(&mut self) -> Result<(), TestCaseError> {
        self.step(&Step::Set(0))?;
        let mut times: Vec<i64> =
            self.access.iter().filter(|access| access.is_dead).map(|access| access.issued_at).collect();
        times.sort_unstable();
        times.dedup();
        for time in times {
            self.pass(time - self.now(), HOUR);
            self.look()?;
        }
        self.pass(self.latest - self.now() + 80 * DAY, DAY);
        prop_assert_eq!(self.auth.revocations().status().entries, 0);
        prop_assert_eq!(self.store.revocations(), 0);
        Ok(())
    }
}

fn start(runtime: &Runtime, store: &MemoryStore, clock: &TestClock) -> (Auth, axum::Router) {
    let issuer = issuer(&People::default()).max_sessions_per_user(1000);
    let builder = Auth::builder().token_issuer(issuer).clock(clock.clone()).store(store.clone());
    let auth = runtime.block_on(async {
        let auth = builder.leeway(Duration::ZERO).build().unwrap();
        auth.start().await.unwrap();
        auth
    });
    let app = Router::new().route("/", get(who)).finish(&auth).unwrap();
    (auth, app)
}

fn newest<T>(given: &[T], back: usize) -> Option<&T> {
    given.iter().rev().nth(back)
}

fn seconds(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[test]
fn whatever_clocks_show_what_was_revoked_stays_so() {
    let refused = std::cell::Cell::new(0);
    auth_tests_random::runner(96)
        .run(&steps(), |steps| {
            let mut world = World::new();
            for step in &steps {
                world.step(step)?;
            }
            refused.set(refused.get() + world.refused_to_issue);
            world.live_on()
        })
        .unwrap();
    assert!(refused.get() > 0, "no clock was too far ahead");
}
