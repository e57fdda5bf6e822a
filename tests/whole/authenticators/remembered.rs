//! Answers that are remembered: for how long, and that no more look-ups run than the bound.

use std::time::Duration;

use auth_runtime::testing::TestClock;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::*;

#[auth(source = "own")]
async fn known(caller: Principal) -> String {
    caller.subject().to_owned()
}

/// Answers as it is configured, and counts.
#[derive(Clone, Default)]
struct Store {
    asked: Arc<AtomicUsize>,
    remember_for: Duration,
    /// Who asks waits for a permit, if it is there.
    gate: Option<Arc<Semaphore>>,
    expires_in: Option<Duration>,
}

impl Store {
    fn app(&self, clock: &TestClock) -> axum::Router {
        let auth = Auth::builder()
            .authenticator_with(
                "own",
                CredentialPlace::header("X-Own"),
                look_up,
                (self.clone(), clock.clone()),
            )
            .clock(clock.clone())
            .build()
            .unwrap();
        Router::new().route("/", get(known)).finish(&auth).unwrap()
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn look_up(
    credential: Credential,
    (store, clock): (Store, TestClock),
) -> Result<Option<Authenticated>, BoxError> {
    use auth_runtime::clock::Clock as _;

    store.asked.fetch_add(1, Ordering::SeqCst);
    if let Some(gate) = &store.gate {
        gate.acquire().await?.forget();
    }
    match credential.text() {
        "nobody" => Ok(None),
        "down" => Err("the database is down".into()),
        name => {
            let caller = Authenticated::new(Subject::new(name)).remember_for(store.remember_for);
            Ok(Some(match store.expires_in {
                Some(lifetime) => caller.expires_at(clock.now() + lifetime),
                None => caller,
            }))
        }
    }
}

async fn ask(app: &axum::Router, credential: &str) -> u16 {
    send(app, request("GET", "/", &[("x-own", credential)])).await.status.as_u16()
}

#[tokio::test]
async fn an_answer_counts_as_long_as_the_authenticator_says_and_nothing_else_is_remembered() {
    let clock = TestClock::new();
    let store = Store { remember_for: Duration::from_secs(60), ..Store::default() };
    let app = store.app(&clock);
    for (advance, credential, status, asked) in [
        (0, "alice", 200, 1),
        (59, "alice", 200, 1),
        (0, "bob", 200, 2),
        (1, "alice", 200, 3),
        (0, "nobody", 401, 4),
        (0, "nobody", 401, 5),
        (0, "down", 503, 6),
        (0, "down", 503, 7),
        (0, "alice", 200, 7),
        // By the monotonic clock.
        (3600, "alice", 200, 8),
    ] {
        clock.advance(Duration::from_secs(advance));
        assert_eq!(
            (ask(&app, credential).await, store.asked()),
            (status, asked),
            "{credential} after {advance} s"
        );
    }
    let forgetful = Store::default();
    let app = forgetful.app(&clock);
    for asked in 1..4 {
        assert_eq!((ask(&app, "alice").await, forgetful.asked()), (200, asked));
    }
    // Never longer than an hour.
    let store = Store { remember_for: Duration::MAX, ..Store::default() };
    let app = store.app(&clock);
    assert_eq!((ask(&app, "alice").await, store.asked()), (200, 1));
    clock.advance(Duration::from_secs(3601));
    assert_eq!((ask(&app, "alice").await, store.asked()), (200, 2));
}

#[tokio::test]
async fn a_remembered_credential_expires_all_the_same() {
    let clock = TestClock::new();
    let store = Store {
        remember_for: Duration::from_secs(600),
        expires_in: Some(Duration::from_secs(10)),
        ..Store::default()
    };
    let app = store.app(&clock);
    for (advance, status) in [(0, 200), (9, 200), (1, 401), (100, 401)] {
        clock.advance(Duration::from_secs(advance));
        assert_eq!((ask(&app, "alice").await, store.asked()), (status, 1), "after {advance} s");
    }
}

#[tokio::test]
async fn requests_with_one_credential_ask_once_and_no_more_than_64_look_ups_run() {
    let gate = Arc::new(Semaphore::new(0));
    let store =
        Store { remember_for: Duration::from_secs(60), gate: Some(Arc::clone(&gate)), ..Store::default() };
    let app = store.app(&TestClock::new());
    let mut waiting = JoinSet::new();
    let spawn = |waiting: &mut JoinSet<u16>, name: String| {
        let app = app.clone();
        waiting.spawn(async move { ask(&app, &name).await });
    };
    for _ in 0..10 {
        spawn(&mut waiting, "user-0".into());
    }
    (1..64).for_each(|number| spawn(&mut waiting, format!("user-{number}")));
    while store.asked() < 64 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&app, "one-too-many").await, 503);
    gate.add_permits(64);
    let statuses = waiting.join_all().await;
    assert_eq!((statuses.len(), statuses.iter().all(|status| *status == 200), store.asked()), (73, true, 64));
    gate.add_permits(1);
    assert_eq!(ask(&app, "one-too-many").await, 200);
}

#[tokio::test]
async fn a_request_that_is_given_up_leaves_its_look_up_to_the_next() {
    let gate = Arc::new(Semaphore::new(0));
    let store =
        Store { remember_for: Duration::from_secs(60), gate: Some(Arc::clone(&gate)), ..Store::default() };
    let app = store.app(&TestClock::new());
    let given_up = tokio::spawn({
        let app = app.clone();
        async move { ask(&app, "alice").await }
    });
    while store.asked() < 1 {
        tokio::task::yield_now().await;
    }
    let next = tokio::spawn({
        let app = app.clone();
        async move { ask(&app, "alice").await }
    });
    given_up.abort();
    assert!(given_up.await.unwrap_err().is_cancelled());
    gate.add_permits(1);
    assert_eq!((next.await.unwrap(), store.asked()), (200, 2));
}

/// The credential names its sender, and the rest of the request says whether it is the sender's: `x-signature`, and for how long to remember.
async fn by_more_than_the_credential(
    credential: Credential,
    gate: Option<Arc<Semaphore>>,
) -> Result<Option<Authenticated>, BoxError> {
    if let Some(gate) = &gate {
        gate.acquire().await?.forget();
    }
    let header = |name| credential.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
    let seconds = header("x-remember").map_or(0, |seconds| seconds.parse().unwrap());
    let is_signed = header("x-signature").is_some();
    let caller =
        Authenticated::new(Subject::new(credential.text())).remember_for(Duration::from_secs(seconds));
    Ok(is_signed.then_some(caller))
}

fn signed_app(gate: Option<Arc<Semaphore>>) -> axum::Router {
    let place = CredentialPlace::header("X-Own");
    let auth =
        Auth::builder().authenticator_with("own", place, by_more_than_the_credential, gate).build().unwrap();
    Router::new().route("/", get(known)).finish(&auth).unwrap()
}

/// Also the very first answers of an authenticator, of which nothing is known yet.
#[tokio::test]
async fn an_answer_that_is_not_remembered_never_decides_for_another_request_with_the_same_credential() {
    let gate = Arc::new(Semaphore::new(0));
    let app = signed_app(Some(Arc::clone(&gate)));
    let mut requests = JoinSet::new();
    for is_signed in [true, false, false, true, false] {
        let app = app.clone();
        requests.spawn(async move {
            let signature = if is_signed {
                &[("x-own", "alice"), ("x-signature", "good")][..]
            } else {
                &[("x-own", "alice")]
            };
            (is_signed, send(&app, request("GET", "/", signature)).await.status.as_u16())
        });
        tokio::task::yield_now().await;
    }
    gate.add_permits(5);
    for (is_signed, status) in requests.join_all().await {
        assert_eq!(status, if is_signed { 200 } else { 401 });
    }
}

/// What is to be remembered is, whatever the answer before it was.
#[tokio::test]
async fn answers_of_both_kinds_do_not_get_into_each_others_way() {
    let app = signed_app(None);
    let ask = async |headers: &[(&str, &str)]| send(&app, request("GET", "/", headers)).await.status.as_u16();
    for _ in 0..2 {
        // Not remembered, then remembered: bob is known without his signature now, and alice is not.
        assert_eq!(ask(&[("x-own", "alice"), ("x-signature", "good")]).await, 200);
        assert_eq!(ask(&[("x-own", "bob"), ("x-signature", "good"), ("x-remember", "60")]).await, 200);
        assert_eq!(ask(&[("x-own", "bob")]).await, 200);
        assert_eq!(ask(&[("x-own", "alice")]).await, 401);
    }
    // Right after an answer that was not remembered.
    assert_eq!(ask(&[("x-own", "carol"), ("x-signature", "good"), ("x-remember", "60")]).await, 200);
    assert_eq!(ask(&[("x-own", "carol")]).await, 200);
}
