//! An engine whose runtime is kept and not driven: another runtime takes over.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use auth_runtime::clock::Clock as _;
use auth_runtime::revocation::{Revocation, RevocationStatus};
use auth_runtime::routing::get;
use auth_runtime::session::readiness;
use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogRead, MemoryStore, RefreshTokenFamily, RefreshTokenStore,
    RevocationLog, StoreFuture,
};
use auth_runtime::testing::{TestAuth, TestUser, log_entry};
use auth_runtime::{Router, auth};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::yield_now;
use tokio::time::advance;

use crate::captured_log::CapturedLog;
use crate::support::status;

#[auth]
async fn guarded() {}

/// A store whose reads wait, with the page that they have read, while it is held.
#[derive(Clone, Debug, Default)]
struct HeldStore {
    inner: MemoryStore,
    is_held: Arc<AtomicBool>,
}

impl HeldStore {
    fn set_held(&self, is_held: bool) {
        self.is_held.store(is_held, Ordering::SeqCst);
    }

    /// Another instance revokes a token.
    async fn revoke(&self, token_id: &str, now: SystemTime) {
        let revocation =
            Revocation::Token { issuer: "https://issuer.test".into(), token_id: token_id.into() };
        let entry = log_entry(revocation, now + Duration::from_secs(86_400), 1);
        self.inner.append(vec![entry]).await.unwrap();
    }
}

impl RevocationLog for HeldStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        self.inner.append(entries)
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        Box::pin(async move {
            let page = self.inner.read(after, limit).await;
            yield_now().await;
            while self.is_held.load(Ordering::SeqCst) {
                yield_now().await;
            }
            page
        })
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        RevocationLog::drop_expired(&self.inner, now)
    }
}

impl RefreshTokenStore for HeldStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        self.inner.insert(family)
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        self.inner.find(id)
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        self.inner.replace(expected, family)
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.inner.remove(ids)
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.inner.find_by_subject(issuer, subject)
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        self.inner.list(issuer, after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        RefreshTokenStore::drop_expired(&self.inner, now)
    }
}

/// A service that was started on a runtime of its own.
struct Service {
    store: HeldStore,
    test: TestAuth,
    app: axum::Router,
    token: String,
    first: Runtime,
}

impl Service {
    fn start() -> Self {
        let (first, store) = (runtime(), HeldStore::default());
        let test = first.block_on(async {
            let test = TestAuth::with(|builder| builder.store(store.clone()));
            test.auth().start().await.unwrap();
            let_others_run().await;
            assert_eq!(tasks(), 1);
            test
        });
        let routes = Router::new().route("/", get(guarded)).route("/ready", get(readiness));
        let app = routes.finish(test.auth()).unwrap();
        let token = test.token(&TestUser::new("alice"));
        Self { store, test, app, token, first }
    }

    async fn ask(&self) -> u16 {
        status(&self.app, "GET", "/", Some(&self.token)).await
    }

    fn status(&self) -> RevocationStatus {
        self.test.auth().revocations().status()
    }

    /// Time passes by the engine's clock, until the view is too old.
    fn grow_stale(&self) {
        self.test.clock().advance(Duration::from_secs(31));
    }
}

/// A runtime whose time is set by the test, and which is driven by `block_on` alone.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(true).build().unwrap()
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

async fn let_others_run() {
    for _ in 0..10 {
        yield_now().await;
    }
}

#[test]
fn another_runtime_takes_over_from_one_that_is_not_driven() {
    let service = Service::start();
    let second = runtime();
    service.grow_stale();
    second.block_on(async {
        let log = CapturedLog::start(tracing::Level::INFO);
        advance(Duration::from_secs(5)).await;
        assert_eq!(service.ask().await, 503);
        assert_eq!(tasks(), 0, "the first runtime may only be slow");
        advance(Duration::from_secs(7)).await;
        assert_eq!(service.ask().await, 503, "the view is as old as before");
        assert_eq!(tasks(), 1, "but this request started the task here");
        let text = log.text();
        let takes_over = "the runtime that it was started on is not driven: the task is started again";
        assert!(text.contains("WARN") && text.contains(takes_over), "{text}");

        let status = service.status();
        let failure = status.failure.unwrap();
        let why = "because the tokio runtime that it was started on is not driven";
        assert!(!status.ready && failure.contains(why), "{failure}");
        let_others_run().await;
        assert_eq!((service.ask().await, tasks()), (200, 1));
        assert_eq!((service.status().ready, service.status().failure), (true, None));
    });

    // The first runtime is driven again: its task ends, without a word.
    let log = CapturedLog::start(tracing::Level::INFO);
    service.first.block_on(async {
        assert_eq!(tasks(), 1);
        advance(Duration::from_secs(2)).await;
        let_others_run().await;
        assert_eq!(tasks(), 0);
    });
    assert_eq!(log.text(), "");
    service.grow_stale();
    second.block_on(async {
        advance(Duration::from_secs(2)).await;
        let_others_run().await;
        assert_eq!((service.ask().await, tasks()), (200, 1), "the second one goes on");
    });
}

/// A load balancer that sends no requests to an instance that is not ready asks no more than this.
#[test]
fn to_ask_whether_it_is_ready_is_enough() {
    let service = Service::start();
    service.grow_stale();
    runtime().block_on(async {
        advance(Duration::from_secs(12)).await;
        assert_eq!(status(&service.app, "GET", "/ready", None).await, 503);
        let_others_run().await;
        assert_eq!(status(&service.app, "GET", "/ready", None).await, 204);
    });
}

/// The runtime that is not driven is in the middle of a read, and goes on with it when the log is further.
#[test]
fn a_read_on_an_undriven_runtime_holds_nobody_up_and_sets_nothing_back() {
    let service = Service::start();
    let now = service.test.clock().now();
    service.store.set_held(true);
    let (auth, store) = (service.test.auth().clone(), service.store.clone());
    let read = service.first.spawn(async move {
        store.revoke("one", now).await;
        auth.start().await
    });
    service.first.block_on(async {
        let_others_run().await;
        // The background task reads too.
        advance(Duration::from_secs(2)).await;
        let_others_run().await;
    });
    assert!(!read.is_finished());
    service.store.set_held(false);
    service.grow_stale();
    let second = runtime();
    second.block_on(async {
        service.store.revoke("two", now).await;
        advance(Duration::from_secs(14)).await;
        assert_eq!(service.ask().await, 503);
        let_others_run().await;
        assert_eq!((service.ask().await, service.status().cursor, service.status().entries), (200, 2, 2));
    });
    service.first.block_on(async {
        while !read.is_finished() {
            yield_now().await;
            assert_eq!(service.status().cursor, 2, "what it has read is from before");
        }
        read.await.unwrap().unwrap();
    });
    assert_eq!((service.status().cursor, service.status().entries), (2, 2));
    assert_eq!(second.block_on(service.ask()), 200, "the view is as new as before");
}

/// A store that takes long is no runtime that is not driven.
#[tokio::test(start_paused = true)]
async fn nobody_takes_over_while_a_store_is_waited_for() {
    let store = HeldStore::default();
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    test.auth().start().await.unwrap();
    store.set_held(true);
    for _ in 0..30 {
        advance(Duration::from_secs(1)).await;
        let_others_run().await;
        assert_eq!((tasks(), test.auth().revocations().status().failure), (1, None));
    }
}
