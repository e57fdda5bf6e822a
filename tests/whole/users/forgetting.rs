//! `forget`: here, on other engines of the store, and while a load runs.

use std::future::poll_fn;
use std::task::Poll;

use auth_runtime::authenticator::{Authenticated, Credential, Subject};
use auth_runtime::revocation::Revocation;
use auth_runtime::source::CredentialPlace;
use auth_runtime::store::{LogCursor, MemoryStore, RedbStore, RefreshTokenStore, RevocationLog};

use super::*;
use crate::support::flaky::FlakyStore;

async fn forget(test: &TestAuth, subject: &str) {
    test.auth().revocations().forget(TEST_ISSUER, subject).await.unwrap();
}

#[tokio::test]
async fn a_user_that_is_forgotten_is_loaded_again() {
    let accounts = Accounts::new();
    accounts.set(TEST_ISSUER, "bob", "Bob", true);
    let (test, app) = service(&accounts);
    let bob = TestUser::new("bob");
    for user in [&alice(), &bob] {
        assert_eq!(get_as(&app, &test, user, "/plain").await.status, 200);
    }
    accounts.set(TEST_ISSUER, "alice", "Alice", false);
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200, "she is remembered");
    forget(&test, "alice").await;
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 401);
    accounts.set(TEST_ISSUER, "alice", "Alice", true);
    assert_eq!(
        get_as(&app, &test, &alice(), "/plain").await.status,
        401,
        "that she is inactive is remembered"
    );
    let entry = Revocation::Forgotten { issuer: TEST_ISSUER.into(), subject: "alice".into() };
    test.auth().revocations().revoke(entry).await.unwrap();
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200);
    assert_eq!(accounts.loads(), 4);
    assert_eq!(get_as(&app, &test, &bob, "/plain").await.status, 200);
    assert_eq!(accounts.loads(), 4, "another user is not forgotten");
}

#[tokio::test]
async fn to_forget_revokes_nothing() {
    let (test, app) = service(&Accounts::new());
    let token = test.token(&alice());
    assert_eq!(status(&app, "GET", "/plain", Some(&token)).await, 200);
    forget(&test, "alice").await;
    assert_eq!(status(&app, "GET", "/plain", Some(&token)).await, 200);
}

/// A load that has read its row, and waits, while the row is changed and forgotten.
#[tokio::test]
async fn what_was_read_before_it_is_neither_remembered_nor_answered_to_later_requests() {
    let accounts = Accounts::new();
    let (test, app) = service(&accounts);
    let gate = accounts.close_gate();
    let user = alice();
    let mut before = Box::pin(get_as(&app, &test, &user, "/plain"));
    let is_waiting = poll_fn(|context| Poll::Ready(before.as_mut().poll(context).is_pending())).await;
    assert!(is_waiting && accounts.loads() == 1);

    accounts.set(TEST_ISSUER, "alice", "Alice", false);
    forget(&test, "alice").await;

    let mut after = Box::pin(get_as(&app, &test, &user, "/plain"));
    assert!(poll_fn(|context| Poll::Ready(after.as_mut().poll(context).is_pending())).await);
    assert_eq!(accounts.loads(), 2, "it does not wait for the load from before");
    gate.add_permits(100);
    assert_eq!(before.await.status, 200, "it began before");
    assert_eq!(after.await.status, 401);
    assert_eq!(get_as(&app, &test, &user, "/plain").await.status, 401);
    assert_eq!(accounts.loads(), 2, "what was loaded afterwards is remembered");
}

/// Two engines with one store each have their own cache.
async fn reaches_another_engine(store: impl RevocationLog + RefreshTokenStore + Clone) {
    let accounts = Accounts::new();
    let engines = [(), ()].map(|()| service_with(&accounts, |builder| builder.store(store.clone())));
    for (test, app) in &engines {
        test.auth().start().await.unwrap();
        assert_eq!(get_as(app, test, &alice(), "/plain").await.status, 200);
    }
    accounts.set(TEST_ISSUER, "alice", "Alice", false);
    let [(one, of_one), (other, of_other)] = &engines;
    forget(one, "alice").await;
    assert_eq!(get_as(of_one, one, &alice(), "/plain").await.status, 401);
    other.auth().start().await.unwrap();
    assert_eq!(get_as(of_other, other, &alice(), "/plain").await.status, 401);
}

#[tokio::test]
async fn it_reaches_another_engine_through_a_store_in_memory() {
    reaches_another_engine(MemoryStore::new()).await;
}

#[tokio::test]
async fn it_reaches_another_engine_through_a_file() {
    let directory = tempfile::tempdir().unwrap();
    reaches_another_engine(RedbStore::open(directory.path().join("store")).unwrap()).await;
}

/// The time of the cache, the age that a view may have, and the leeway; not the lifetime of a token.
#[tokio::test]
async fn its_entry_is_kept_for_as_long_as_a_cache_can_remember() {
    for (cache, seconds) in [
        (UserCache::new(), 300 + 40 + 60),
        (UserCache::new().time(Duration::from_secs(10)).missing(Duration::from_secs(100), 10), 100 + 40 + 60),
        (UserCache::new().time(Duration::ZERO).missing(Duration::ZERO, 0), 40 + 60),
    ] {
        let store = MemoryStore::new();
        let (test, _) = service_with(&Accounts::new(), |builder| {
            builder.store(store.clone()).max_staleness(Duration::from_secs(40)).user_cache(cache)
        });
        test.auth().start().await.unwrap();
        forget(&test, "alice").await;
        let page = store.read(LogCursor::START, 10).await.unwrap().page().unwrap();
        let [entry] = &page.entries[..] else { panic!("{page:?}") };
        let now = auth_runtime::clock::Clock::now(test.clock());
        assert_eq!(entry.keep_until.duration_since(now).unwrap(), Duration::from_secs(seconds));
    }
}

#[tokio::test]
async fn if_the_store_takes_no_entry_it_is_forgotten_here_all_the_same() {
    let (accounts, store) = (Accounts::new(), FlakyStore::default());
    let (test, app) = service_with(&accounts, |builder| builder.store(store.clone()));
    test.auth().start().await.unwrap();
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200);
    accounts.set(TEST_ISSUER, "alice", "Alice", false);
    store.set_takes_no_revocation(true);
    assert!(test.auth().revocations().forget(TEST_ISSUER, "alice").await.is_err());
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 401);
}

#[tokio::test]
async fn a_log_of_many_entries_is_read_at_the_start() {
    let (accounts, store) = (Accounts::new(), MemoryStore::new());
    let (first, _) = service_with(&accounts, |builder| builder.store(store.clone()));
    first.auth().start().await.unwrap();
    for number in 0..5000 {
        forget(&first, &format!("user {number}")).await;
    }
    let (test, app) = service_with(&accounts, |builder| builder.store(store.clone()));
    test.auth().start().await.unwrap();
    let status = test.auth().revocations().status();
    assert_eq!((status.entries, status.cursor), (5000, 5000), "sockets look at what was forgotten lately");
    assert_eq!(get_as(&app, &test, &alice(), "/plain").await.status, 200);
}

/// Also what an authenticator answered.
#[tokio::test]
async fn what_an_authenticator_answered_is_forgotten_too() {
    #[auth(source = "partner")]
    async fn partners(caller: Principal) -> String {
        format!("{} {}", caller.issuer().unwrap_or_default(), caller.subject())
    }

    async fn partner(credential: Credential, calls: Arc<AtomicUsize>) -> Result<Authenticated, BoxError> {
        calls.fetch_add(1, Ordering::SeqCst);
        Ok(Authenticated::new(Subject::new(credential.text())).remember_for(Duration::from_secs(600)))
    }

    let calls = Arc::new(AtomicUsize::new(0));
    let test = TestAuth::with(|builder| {
        builder.authenticator_with(
            "partner",
            CredentialPlace::header("x-partner"),
            partner,
            Arc::clone(&calls),
        )
    });
    let app: axum::Router = Router::new().route("/", get(partners)).finish(test.auth()).unwrap();
    let ask = async |name| send(&app, request("GET", "/", &[("x-partner", name)])).await.body;
    for (subject, expected) in [("nobody", 2), ("acme", 3), ("other", 4)] {
        for name in ["acme", "other", "acme"] {
            assert_eq!(ask(name).await, format!("urn:auth-runtime:scheme:partner {name}"));
        }
        assert_eq!(calls.load(Ordering::SeqCst), expected - usize::from(expected > 2));
        test.auth().revocations().forget("urn:auth-runtime:scheme:partner", subject).await.unwrap();
        ask("acme").await;
        ask("other").await;
        assert_eq!(calls.load(Ordering::SeqCst), expected, "{subject}");
    }
}
