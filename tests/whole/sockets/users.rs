//! The users of sockets and streams: loaded again when they are forgotten.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use auth_runtime::authenticator::{BoxError, Credential, CredentialPlace, Subject};
use auth_runtime::store::MemoryStore;
use auth_runtime::streams::EndReason;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::users::UserStore;
use auth_runtime::{Auth, Principal, Router, auth, routing::get};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::streams::principal_of;
use crate::support::{caller_of, request};

const ISSUER: &str = "https://issuer.test";
const WHILE: Duration = Duration::from_secs(100);

/// Whether alice is active; everybody else is.
#[derive(Clone, Default)]
struct Accounts {
    is_inactive: Arc<AtomicBool>,
    is_broken: Arc<AtomicBool>,
    loads: Arc<AtomicUsize>,
}

impl UserStore for Accounts {
    type User = String;

    async fn load(&self, caller: &Principal) -> Result<Option<String>, BoxError> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        if self.is_broken.load(Ordering::SeqCst) {
            return Err("the database is on fire".into());
        }
        let is_inactive = caller.subject() == "alice" && self.is_inactive.load(Ordering::SeqCst);
        Ok((!is_inactive).then(|| caller.subject().to_owned()))
    }
}

async fn engine() -> (TestAuth, Accounts) {
    let accounts = Accounts::default();
    let test = TestAuth::with(|builder| builder.users(accounts.clone()));
    (test, accounts)
}

#[tokio::test(start_paused = true)]
async fn a_user_that_is_forgotten_is_loaded_again_and_ends_what_it_began_if_it_is_inactive() {
    let (test, accounts) = engine().await;
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    let bob = principal_of(&test, &TestUser::new("bob")).await;
    let (mut of_alice, mut of_bob) = (alice.ended(), bob.ended());
    assert!(timeout(WHILE, &mut of_alice).await.is_err() && timeout(WHILE, &mut of_bob).await.is_err());
    assert_eq!(accounts.loads.load(Ordering::SeqCst), 2, "remembered since the requests");

    test.auth().revocations().forget(ISSUER, "alice").await.unwrap();
    assert!(timeout(WHILE, &mut of_alice).await.is_err() && timeout(WHILE, &mut of_bob).await.is_err());
    assert_eq!(accounts.loads.load(Ordering::SeqCst), 3, "hers again");

    accounts.is_inactive.store(true, Ordering::SeqCst);
    test.auth().revocations().forget(ISSUER, "alice").await.unwrap();
    assert_eq!(of_alice.await, EndReason::UserInactive);
    assert!(timeout(WHILE, &mut of_bob).await.is_err());
    // What begins after it was forgotten ends too.
    assert_eq!(alice.ended().await, EndReason::UserInactive);
}

#[tokio::test(start_paused = true)]
async fn a_user_that_can_not_be_loaded_is_tried_again() {
    let (test, accounts) = engine().await;
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    let mut ended = alice.ended();
    assert!(timeout(WHILE, &mut ended).await.is_err());
    accounts.is_broken.store(true, Ordering::SeqCst);
    test.auth().revocations().forget(ISSUER, "alice").await.unwrap();
    assert_eq!(ended.await, EndReason::Unavailable);
}

/// Who is called as the credential says.
async fn named(credential: Credential, _: ()) -> Result<Subject, BoxError> {
    Ok(Subject::new(credential.text()))
}

#[auth(source = "partner")]
async fn by_partner() {}

#[tokio::test(start_paused = true)]
async fn what_an_authenticator_judged_ends_when_its_subject_is_forgotten() {
    let auth = Auth::builder()
        .authenticator_with("partner", CredentialPlace::header("X-Partner"), named, ())
        .build()
        .unwrap();
    let app: axum::Router = Router::new().route("/", get(by_partner)).finish(&auth).unwrap();
    let mut callers = Vec::new();
    for name in ["acme", "other"] {
        callers.push(caller_of(&app, request("GET", "/", &[("x-partner", name)])).await);
    }
    let mut ended: Vec<_> = callers.iter().map(Principal::ended).collect();
    for waiter in &mut ended {
        assert!(timeout(WHILE, waiter).await.is_err());
    }
    let issuer = callers[0].issuer().unwrap();
    auth.revocations().forget(issuer, "acme").await.unwrap();
    assert_eq!((&mut ended[0]).await, EndReason::Revoked);
    assert!(timeout(WHILE, &mut ended[1]).await.is_err());
    // It was judged before, so it ends also if it is waited for only now.
    assert_eq!(callers[0].ended().await, EndReason::Revoked);
    // What is judged after it does not.
    let again = caller_of(&app, request("GET", "/", &[("x-partner", "acme")])).await;
    assert!(timeout(WHILE, again.ended()).await.is_err());
}

/// The log says later what this process did itself: it does not count again.
#[tokio::test(start_paused = true)]
async fn a_socket_that_is_opened_after_its_subject_was_forgotten_goes_on() {
    let auth = Auth::builder()
        .authenticator_with("partner", CredentialPlace::header("X-Partner"), named, ())
        .store(MemoryStore::new())
        .build()
        .unwrap();
    auth.start().await.unwrap();
    let app: axum::Router = Router::new().route("/", get(by_partner)).finish(&auth).unwrap();
    let caller = async || caller_of(&app, request("GET", "/", &[("x-partner", "acme")])).await;
    let before = caller().await;
    auth.revocations().forget(before.issuer().unwrap(), "acme").await.unwrap();
    let after = caller().await;
    auth.start().await.unwrap();
    assert_eq!(auth.revocations().status().cursor, 1, "it was read");
    let mut ended = after.ended();
    assert!(timeout(Duration::from_secs(10), &mut ended).await.is_err());
    assert_eq!(before.ended().await, EndReason::Revoked);
    // Another time counts.
    auth.revocations().forget(after.issuer().unwrap(), "acme").await.unwrap();
    assert_eq!(ended.await, EndReason::Revoked);
}

#[auth]
async fn plain() {}

/// A table behind a pool of one connection.
#[derive(Clone)]
struct Pooled {
    connection: Arc<Semaphore>,
    begun: Arc<AtomicUsize>,
}

impl UserStore for Pooled {
    type User = ();

    async fn load(&self, _: &Principal) -> Result<Option<()>, BoxError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let _connection = self.connection.acquire().await?;
        tokio::time::sleep(Duration::from_millis(5)).await;
        Ok(Some(()))
    }
}

/// A socket polls for the end of its credential while it sends, and then not until the next message.
#[tokio::test(start_paused = true)]
async fn a_load_that_a_socket_began_ends_without_it_and_keeps_nobody_waiting() {
    let users = Pooled { connection: Arc::new(Semaphore::new(1)), begun: Arc::default() };
    let test = TestAuth::with(|builder| builder.users(users.clone()));
    let app: axum::Router = Router::new().route("/", get(plain)).finish(test.auth()).unwrap();
    let ask = async |name: &str| {
        let bearer = format!("Bearer {}", test.token(&TestUser::new(name)));
        let asked = crate::support::send(&app, request("GET", "/", &[("authorization", &bearer)]));
        timeout(WHILE, asked).await.map(|reply| reply.status.as_u16())
    };
    let alice = principal_of(&test, &TestUser::new("alice")).await;
    test.auth().revocations().forget(ISSUER, "alice").await.unwrap();
    let mut ended = alice.ended();
    assert!(poll_fn(|context| Poll::Ready(Pin::new(&mut ended).poll(context).is_pending())).await);
    for name in ["bob", "alice"] {
        assert_eq!(ask(name).await, Ok(200), "{name}");
    }
    assert_eq!(users.begun.load(Ordering::SeqCst), 3, "alice, alice again for her socket, and bob");
    drop(ended);
}
