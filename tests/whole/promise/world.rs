//! Instances of one service: each has a clock and a connection to the store that can fail. Time passes for all of them alike.

use std::collections::HashSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use auth_runtime::rejection::CallerErrorKind;
use auth_runtime::revocation::{Revocation, RevocationStatus, RevokeError};
use auth_runtime::session::{BoxError, SigningKey, Subject};
use auth_runtime::users::{UserCache, UserStore};
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal};
use serde_json::json;

use super::store::{Connection, SharedStore};
use crate::support::people::{People, issuer as own_issuer};

pub(super) const ISSUER: &str = "https://id.example.com";

/// In whole seconds.
pub(super) const MAX_STALENESS: Duration = Duration::from_secs(10);

const START: u64 = 1_800_000_000;

/// A clock of one machine: the time that has passed for all, and how far this clock is ahead of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {
    /// In milliseconds.
    passed: Arc<AtomicU64>,
    /// In milliseconds.
    ahead: Arc<AtomicI64>,
}

impl auth_runtime::clock::Clock for Clock {
    fn now(&self) -> SystemTime {
        let shown = START * 1000 + self.passed.load(Ordering::SeqCst);
        UNIX_EPOCH + Duration::from_millis(shown.saturating_add_signed(self.ahead.load(Ordering::SeqCst)))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.passed.load(Ordering::SeqCst))
    }
}

impl Clock {
    /// A clock of another machine.
    fn other(&self) -> Self {
        Self { passed: Arc::clone(&self.passed), ahead: Arc::default() }
    }

    pub(super) fn set_ahead(&self, seconds: i64) {
        self.ahead.store(seconds * 1000, Ordering::SeqCst);
    }
}

/// The users that were made inactive. An instance remembers one that is active for a day, unless it is told to forget it.
#[derive(Clone, Debug, Default)]
pub(super) struct Inactive(Arc<Mutex<HashSet<String>>>);

impl Inactive {
    pub(super) fn add(&self, subject: &str) {
        self.0.lock().unwrap().insert(subject.to_owned());
    }
}

impl UserStore for Inactive {
    type User = ();

    async fn load(&self, caller: &Principal) -> Result<Option<()>, BoxError> {
        Ok((!self.0.lock().unwrap().contains(caller.subject())).then_some(()))
    }
}

/// One instance.
pub(super) struct Instance {
    pub(super) auth: Auth,
    pub(super) clock: Clock,
    pub(super) connection: Connection,
    /// How often it was started.
    pub(super) starts: u32,
    key: Arc<SigningKey>,
    inactive: Inactive,
}

/// What a request is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Accepted,
    Revoked,
    Unavailable,
}

/// A service of several instances.
pub(super) struct World {
    pub(super) store: SharedStore,
    pub(super) store_clock: Clock,
    pub(super) instances: Vec<Instance>,
    pub(super) inactive: Inactive,
    time: Clock,
    key: Arc<SigningKey>,
}

impl World {
    pub(super) async fn new(instances: usize) -> Self {
        let key = Arc::new(SigningKey::generate(Algorithm::EdDSA).unwrap().with_id("k"));
        let time = Clock::default();
        let store_clock = time.other();
        let store = SharedStore::new(store_clock.clone());
        let inactive = Inactive::default();
        let mut world = Self { store, store_clock, instances: Vec::new(), inactive, time, key };
        for _ in 0..instances {
            let (clock, connection) = (world.time.other(), world.store.connect());
            let (key, inactive) = (Arc::clone(&world.key), world.inactive.clone());
            let auth = engine(&clock, &connection, &key, &inactive);
            auth.start().await.unwrap();
            world.instances.push(Instance { auth, clock, connection, starts: 0, key, inactive });
        }
        world
    }

    /// In milliseconds since the start.
    pub(super) fn time(&self) -> u64 {
        self.time.passed.load(Ordering::SeqCst)
    }

    /// Lets time pass, as the instances and tokio see it.
    pub(super) async fn pass(&self, time: Duration) {
        const STEP: u64 = 250;
        let mut left = u64::try_from(time.as_millis()).unwrap();
        while left > 0 {
            let step = left.min(STEP);
            self.time.passed.fetch_add(step, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(step)).await;
            left -= step;
        }
    }

    /// A token that is valid all the time, also by a clock that is wrong by an hour.
    pub(super) fn token(&self, id: &str) -> String {
        let claims = json!({
            "iss": ISSUER, "aud": "shop", "sub": format!("user-{id}"), "sid": format!("session-{id}"), "jti": id,
            "iat": START - 2 * 3600, "exp": START + 20 * 3600,
        });
        self.key.sign(&claims).unwrap()
    }

    /// The same of the service's own issuer, of no session, and of the generation that the first instance knows.
    pub(super) fn own_token(&self, id: &str) -> String {
        let Instance { auth, clock, .. } = &self.instances[0];
        clock.set_ahead(-2 * 3600);
        let token = auth.tokens().unwrap().issue_access(&Subject::new(format!("user-{id}"))).unwrap();
        clock.set_ahead(0);
        token
    }
}

impl Instance {
    /// The process ends, and a new one is started. One that can't read the store goes on trying.
    pub(super) async fn restart(&mut self) {
        self.auth = engine(&self.clock, &self.connection, &self.key, &self.inactive);
        let started = tokio::time::timeout(Duration::from_secs(1), self.auth.start()).await;
        drop(started);
        self.starts += 1;
    }

    pub(super) async fn ask(&self, token: &str) -> Answer {
        match self.auth.verify(token).await.map_err(|error| error.kind()) {
            Ok(_) => Answer::Accepted,
            Err(CallerErrorKind::Revoked) => Answer::Revoked,
            Err(CallerErrorKind::Unavailable) => Answer::Unavailable,
            Err(other) => panic!("the token is valid, and the answer is {other:?}"),
        }
    }

    /// Whether it was acknowledged within 2 seconds.
    pub(super) async fn revoke(&self, id: &str) -> bool {
        let revocation = Revocation::Token { issuer: ISSUER.to_owned(), token_id: id.to_owned() };
        self.try_revoke(revocation).await.is_some_and(|answer| answer.is_ok())
    }

    pub(super) async fn try_revoke(&self, revocation: Revocation) -> Option<Result<bool, RevokeError>> {
        let revocations = self.auth.revocations();
        tokio::time::timeout(Duration::from_secs(2), revocations.revoke(revocation)).await.ok()
    }

    /// Whether it was acknowledged within 2 seconds that this user was forgotten.
    pub(super) async fn forget(&self, subject: &str) -> bool {
        let revocations = self.auth.revocations();
        let forgotten = tokio::time::timeout(Duration::from_secs(2), revocations.forget(ISSUER, subject));
        forgotten.await.is_ok_and(|answer| answer.is_ok())
    }

    pub(super) fn status(&self) -> RevocationStatus {
        self.auth.revocations().status()
    }
}

fn engine(clock: &Clock, connection: &Connection, key: &SigningKey, inactive: &Inactive) -> Auth {
    const A_DAY: Duration = Duration::from_secs(24 * 3600);
    let issuer = TrustedIssuer::new(ISSUER).audience("shop").key(key.verifying_key());
    Auth::builder()
        .issuer(issuer)
        .token_issuer(own_issuer(&People::default()).access_lifetime(Duration::from_secs(22 * 3600)))
        .users(inactive.clone())
        .user_cache(UserCache::new().time(A_DAY).missing(A_DAY, 1000))
        .clock(clock.clone())
        .store(connection.clone())
        .max_staleness(MAX_STALENESS)
        .max_token_lifetime(A_DAY)
        .build()
        .unwrap()
}
