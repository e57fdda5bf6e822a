//! Limits that the instances of a service share: each attempt that its own limits allow is counted in the store.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use auth_runtime::session::routes::LoginError;
use auth_runtime::session::{RefreshKey, TokenIssuer};
use auth_runtime::store::{AttemptStore, CountedAttempt, MemoryStore, StoreError, StoreFuture};
use axum::extract::{ConnectInfo, Json};
use axum::http::request::Parts;

use super::*;
use crate::captured_log::CapturedLog;
use crate::support::people::{AUDIENCE, ISSUER, signing_key};
use crate::support::until;

/// What the store does when it is asked to count.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Counts,
    Fails,
    Hangs,
    Panics,
}

#[derive(Clone, Debug)]
struct RecordingStore {
    inner: MemoryStore,
    mood: Arc<Mutex<Mood>>,
    counted: Arc<Mutex<Vec<Vec<CountedAttempt>>>>,
    asked_to_drop: Arc<AtomicUsize>,
}

impl RecordingStore {
    fn new() -> Self {
        let (mood, counted) = (Arc::new(Mutex::new(Mood::Counts)), Arc::default());
        Self { inner: MemoryStore::new(), mood, counted, asked_to_drop: Arc::default() }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// The calls so far, which are forgotten.
    fn take(&self) -> Vec<Vec<CountedAttempt>> {
        std::mem::take(&mut *self.counted.lock().unwrap())
    }
}

impl AttemptStore for RecordingStore {
    fn count(&self, attempts: Vec<CountedAttempt>) -> StoreFuture<'_, Option<Duration>> {
        self.counted.lock().unwrap().push(attempts.clone());
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Counts => self.inner.count(attempts),
            Mood::Fails => Box::pin(async { Err(StoreError::new("the disk is on fire")) }),
            Mood::Hangs => Box::pin(std::future::pending()),
            Mood::Panics => panic!("the store has a bug"),
        }
    }

    /// There is more, twice.
    fn drop_expired(&self) -> StoreFuture<'_, bool> {
        let asked = self.asked_to_drop.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Ok(self.inner.drop_expired().await? || asked < 2) })
    }
}

/// A step of a login of the application's own.
#[auth(public)]
async fn code(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    head: Parts,
    Json(sent): Json<Value>,
) -> Result<Response, LoginError> {
    let _attempt = endpoints.attempt(&head, sent["username"].as_str().unwrap()).await?;
    Err(endpoints.fail_with(&head, TokenFailure::InvalidGrant))
}

/// An instance of the service, with the ready routes under `/auth` and a login of its own at `/code`.
fn instance(store: &RecordingStore, issuer: TokenIssuer, configure: Configure) -> axum::Router {
    let auth = Auth::builder().token_issuer(issuer).build().unwrap();
    with_routes(&auth, store, configure)
}

fn with_routes(auth: &Auth, store: &RecordingStore, configure: Configure) -> axum::Router {
    let routes = || {
        let routes = TokenRoutes::json(auth.tokens().unwrap(), People::default());
        configure(routes.attempt_store(store.clone()))
    };
    Router::new()
        .route("/code", post(code))
        .layer(Extension(routes().endpoints()))
        .nest("/auth", routes().router())
        .finish(auth)
        .unwrap()
}

fn usual(store: &RecordingStore) -> axum::Router {
    instance(store, issuer(&People::default()), |routes| routes)
}

async fn attempt(app: &axum::Router, path: &str, name: &str, from: &str) -> Reply {
    let mut sent = request("POST", path, &[("content-type", "application/json")]);
    let address: std::net::IpAddr = from.parse().unwrap();
    sent.extensions_mut().insert(ConnectInfo(SocketAddr::from((address, 4711))));
    *sent.body_mut() = Body::from(json!({ "username": name, "password": "wrong" }).to_string());
    send(app, sent).await
}

async fn status(app: &axum::Router, path: &str, name: &str, from: &str) -> u16 {
    attempt(app, path, name, from).await.status.as_u16()
}

#[tokio::test(start_paused = true)]
async fn attempts_on_an_account_are_limited_by_all_instances_together() {
    let store = RecordingStore::new();
    let instances = [usual(&store), usual(&store)];
    let names = ["alice", "ALICE ", "ａlice"];
    for number in 0..10 {
        let path = if number % 3 == 0 { "/code" } else { "/auth/login" };
        let from = format!("203.0.113.{number}");
        assert_eq!(status(&instances[number % 2], path, names[number % 3], &from).await, 400, "{number}");
    }
    for app in &instances {
        for path in ["/auth/login", "/code"] {
            let reply = attempt(app, path, "alice", "203.0.113.77").await;
            assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (429, "30"));
            assert_eq!(body(&reply), json!({ "error": "temporarily_unavailable" }));
        }
        assert_eq!(status(app, "/auth/login", "bob", "203.0.113.77").await, 400);
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(status(&instances[0], "/code", "alice", "203.0.113.77").await, 400);
    assert_eq!(status(&instances[1], "/code", "alice", "203.0.113.77").await, 429);
}

#[tokio::test(start_paused = true)]
async fn an_address_and_an_ipv6_site_are_limited_by_all_instances_together() {
    let store = RecordingStore::new();
    let instances = [0; 2].map(|_| instance(&store, issuer(&People::default()), few_per_address));
    for (number, (from, expected)) in FROM_ADDRESSES.into_iter().enumerate() {
        let app = &instances[number % 2];
        assert_eq!(status(app, "/auth/login", &format!("nobody{number}"), from).await, expected, "{from}");
    }
}

/// The first line is in the process, so that a flood is no load for the store.
#[tokio::test(start_paused = true)]
async fn what_the_limits_of_the_process_reject_does_not_reach_the_store() {
    let store = RecordingStore::new();
    let apps = [usual(&store), usual(&store)];
    for number in 0..30 {
        let expected = if number < 10 { 400 } else { 429 };
        assert_eq!(status(&apps[0], "/auth/login", "alice", "203.0.113.1").await, expected);
    }
    assert_eq!(store.take().len(), 10);
    // The other instance has counted none of them.
    assert_eq!(status(&apps[1], "/auth/login", "alice", "203.0.113.1").await, 429);
    assert_eq!(store.take().len(), 1);
}

/// Those that wait for a place have not reached the store.
#[tokio::test(start_paused = true)]
async fn no_more_attempts_are_counted_at_once_than_logins_are_verified() {
    let store = RecordingStore::new();
    store.set(Mood::Hangs);
    let app = instance(&store, issuer(&People::default()), |routes| routes.logins_at_once(2));
    let mut logins = tokio::task::JoinSet::new();
    for number in 0..20 {
        let app = app.clone();
        let from = format!("203.0.113.{number}");
        logins.spawn(async move { status(&app, "/auth/login", "nobody", &from).await });
    }
    until("two are counted", async || store.counted.lock().unwrap().len() == 2).await;
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.take().len(), 2);
    drop(logins);
}

#[tokio::test(start_paused = true)]
async fn while_the_store_fails_logins_are_answered_503() {
    let store = RecordingStore::new();
    let events = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&events);
    let auth = Auth::builder().token_issuer(issuer(&People::default())).audit(
        move |event: &auth_runtime::audit::AuditEvent<'_>| {
            let status = event.rejection.map(|kind| kind.status().as_u16());
            noted.lock().unwrap().push((event.action.as_str(), status, event.client_address.is_some()));
        },
    );
    let app = with_routes(&auth.build().unwrap(), &store, |routes| routes);
    let log = CapturedLog::start(tracing::Level::INFO);
    for path in ["/auth/login", "/code"] {
        for (mood, expected, line) in [
            (Mood::Fails, 503, "the disk is on fire"),
            (Mood::Hangs, 503, "has not counted a login attempt within this time"),
            (Mood::Panics, 500, "the store has a bug"),
            (Mood::Counts, 400, "failed"),
        ] {
            store.set(mood);
            log.take();
            let reply = attempt(&app, path, "alice", "203.0.113.1").await;
            assert_eq!(reply.status.as_u16(), expected, "{path} {mood:?}");
            if expected == 503 {
                assert_eq!(reply.header("retry-after"), "5");
                assert_eq!(body(&reply), json!({ "error": "temporarily_unavailable" }));
            }
            assert_eq!(
                std::mem::take(&mut *events.lock().unwrap()),
                [("login", Some(expected), true)],
                "{path} {mood:?}"
            );
            let text = log.take();
            assert!(mood == Mood::Counts || text.contains(line), "{path} {mood:?}: {text}");
            assert!(!text.contains("alice"), "{text}");
        }
    }
}

/// The store gets hashes, with a key that the instances of one service share and nobody else has.
#[tokio::test(start_paused = true)]
async fn nothing_in_the_store_says_whose_name_or_address_it_is() {
    let own = |secret: [u8; 32], name| {
        TokenIssuer::new(name, AUDIENCE, signing_key(1), People::default())
            .refresh_key(RefreshKey::new("k1", secret))
    };
    let store = RecordingStore::new();
    let name = "hunter2-is-a-password";
    let mut keys = Vec::new();
    for issuer in [own([1; 32], ISSUER), own([1; 32], ISSUER), own([2; 32], ISSUER), own([1; 32], "other")] {
        let app = instance(&store, issuer, |routes| routes);
        assert_eq!(status(&app, "/auth/login", name, "2001:db8:1:2::3").await, 400);
        let counted = store.take();
        let [attempts] = &counted[..] else { panic!("{counted:?}") };
        let limits: Vec<_> = attempts.iter().map(|attempt| attempt.limit).collect();
        assert_eq!(
            limits,
            [AttemptLimit::PER_ADDRESS, AttemptLimit::PER_IPV6_SITE, AttemptLimit::PER_ACCOUNT],
            "network, site, account"
        );
        keys.push(attempts.iter().map(|attempt| *attempt.key.as_bytes()).collect::<Vec<_>>());
    }
    assert_eq!(keys[0], keys[1], "instances of one service");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
    for (number, key) in keys[0].iter().enumerate() {
        assert!(keys[2..].iter().all(|others| !others.contains(key)), "another secret, or another issuer");
        assert!(!keys[0][..number].contains(key), "one of another kind");
        assert!(!digest.as_ref().starts_with(key), "a plain hash");
    }
    let debug = format!("{store:?}");
    assert!(!debug.contains("hunter2") && !debug.contains("2001"), "{debug}");
}

#[tokio::test(start_paused = true)]
async fn what_has_expired_is_dropped_once_a_minute() {
    let store = RecordingStore::new();
    let app = usual(&store);
    let dropped = async |seconds, expected| {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        for _ in 0..2 {
            status(&app, "/auth/login", "nobody", "203.0.113.1").await;
        }
        until("it was dropped", async || store.asked_to_drop.load(Ordering::SeqCst) == expected).await;
    };
    dropped(0, 0).await;
    dropped(59, 0).await;
    // Until there is no more.
    dropped(1, 3).await;
    dropped(59, 3).await;
    dropped(1, 4).await;
}
