//! Middleware and gate look at a credential once, and the gate at another one again.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use auth_runtime::session::{BoxError, SigningKey, Subject};
use auth_runtime::testing::TestClock;
use auth_runtime::users::UserStore;
use auth_runtime::verify::{Algorithm, ClaimRule, TrustedIssuer};
use auth_runtime::{Auth, Principal};
use axum::http::HeaderValue;
use serde_json::json;

use super::*;
use crate::support::Reply;
use crate::support::people::{People, issuer};

/// An engine that remembers no tokens, the key of its issuer, and how often a token was verified.
fn counting() -> (TestAuth, SigningKey, Arc<AtomicUsize>) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let rule = ClaimRule::satisfies(move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        true
    });
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let trusted = TrustedIssuer::new("counted").audience("a").key(key.verifying_key()).claim("sub", rule);
    let test = TestAuth::with(|builder| builder.issuer(trusted).token_cache(0, 0));
    (test, key, count)
}

fn bearer(key: &SigningKey, subject: &str) -> String {
    let claims =
        json!({"iss": "counted", "aud": "a", "sub": subject, "iat": 1_800_000_000, "exp": 1_800_000_900});
    format!("Bearer {}", key.sign(&claims).unwrap())
}

#[tokio::test]
async fn however_many_ask_a_token_is_verified_once() {
    let (test, key, count) = counting();
    let seen = Seen::default();
    let layer = from_fn_with_state(seen.clone(), note);
    let routes = || routes().layer(layer.clone()).route_layer(layer.clone());
    let app = routes().finish(test.auth()).unwrap();
    let plain = super::routes().finish(test.auth()).unwrap();
    for (path, status) in [("/any", 200), ("/admin", 403), ("/optional", 200)] {
        for app in [&plain, &app] {
            let reply = send(app, request("GET", path, &[("authorization", &bearer(&key, "alice"))])).await;
            assert_eq!((reply.status.as_u16(), count.swap(0, Ordering::SeqCst)), (status, 1), "{path}");
        }
        assert_eq!(seen.take(), ["alice", "alice"]);
    }
    // A token that is invalid for a reason that is found last.
    test.clock().advance(Duration::from_secs(900 + 60));
    let reply = send(&app, request("GET", "/any", &[("authorization", &bearer(&key, "alice"))])).await;
    assert_eq!((reply.status.as_u16(), count.swap(0, Ordering::SeqCst)), (401, 1));
    assert_eq!(seen.take(), ["invalid: 401", "invalid: 401"]);
}

/// What an attacker wants of a middleware that rewrites requests: that the gate takes the caller that was seen before.
#[tokio::test]
async fn a_credential_that_is_changed_after_the_question_is_judged_by_itself() {
    let (test, key, count) = counting();
    type Change = fn(&mut Request);
    async fn change(
        State(change): State<Change>,
        caller: Caller,
        mut request: Request,
        next: Next,
    ) -> Response {
        assert_ne!(words(&caller), "unknown");
        change(&mut request);
        next.run(request).await
    }
    let other: Change = |request| {
        let bearer = request.headers_mut().remove("x-other").unwrap();
        request.headers_mut().insert("authorization", bearer);
    };
    let removed: Change = |request| drop(request.headers_mut().remove("authorization"));
    let added: Change = |request| {
        request.headers_mut().append("authorization", HeaderValue::from_static("Bearer x"));
    };
    let of_another_page: Change = |request| {
        request.headers_mut().insert("sec-fetch-site", HeaderValue::from_static("cross-site"));
    };
    let harmless: Change = |request| {
        request.headers_mut().insert("x-request-id", HeaderValue::from_static("1"));
        request.headers_mut().insert("accept", HeaderValue::from_static("*/*"));
    };
    let (alice, bob) = (bearer(&key, "alice"), bearer(&key, "bob"));
    for (what, change_of, path, body, status, verified) in [
        ("other", other, "/any", "bob", 200, 2),
        ("removed", removed, "/any", "", 401, 1),
        ("removed", removed, "/optional", "nobody", 200, 1),
        ("added", added, "/any", "", 400, 1),
        ("harmless", harmless, "/any", "alice", 200, 1),
    ] {
        let routes = routes().layer(from_fn_with_state(change_of, change));
        let app = routes.finish(test.auth()).unwrap();
        let headers = [("authorization", alice.as_str()), ("x-other", &bob)];
        let reply = send(&app, request("GET", path, &headers)).await;
        assert_eq!(
            (reply.status.as_u16(), count.swap(0, Ordering::SeqCst)),
            (status, verified),
            "{what} {path}"
        );
        if status == 200 {
            assert_eq!(reply.body, body, "{what} {path}");
        }
    }
    let routes = routes().layer(from_fn_with_state(of_another_page, change));
    let app = routes.finish(test.auth()).unwrap();
    let cookie = format!("__Host-access_token={}", alice.trim_start_matches("Bearer "));
    assert_eq!(send(&app, request("POST", "/by-cookie", &[("cookie", &cookie)])).await.status, 403);
}

/// A middleware may hold a request back, in a queue for example.
#[tokio::test]
async fn who_is_revoked_meanwhile_is_not_let_in() {
    let (test, key, _) = counting();
    async fn revoke(State(auth): State<Auth>, caller: Caller, request: Request, next: Next) -> Response {
        auth.revocations().revoke_user(caller.principal().unwrap()).await.unwrap();
        next.run(request).await
    }
    let routes = routes().layer(from_fn_with_state(test.auth().clone(), revoke));
    let app = routes.finish(test.auth()).unwrap();
    let reply = send(&app, request("GET", "/any", &[("authorization", &bearer(&key, "alice"))])).await;
    assert_eq!(reply.status, 401);
}

/// Its user may have been made inactive, or its key may have ended.
#[tokio::test]
async fn who_is_forgotten_meanwhile_is_looked_up_again() {
    struct Accounts(Arc<AtomicBool>);

    impl UserStore for Accounts {
        type User = ();

        async fn load(&self, _: &Principal) -> Result<Option<()>, BoxError> {
            Ok(self.0.load(Ordering::SeqCst).then_some(()))
        }
    }

    type Shared = (Auth, Arc<AtomicBool>);

    async fn deactivate(
        State((auth, is_active)): State<Shared>,
        caller: Caller,
        request: Request,
        next: Next,
    ) -> Response {
        let caller = caller.principal().unwrap();
        is_active.store(false, Ordering::SeqCst);
        auth.revocations().forget(caller.issuer().unwrap(), caller.subject()).await.unwrap();
        next.run(request).await
    }

    let is_active = Arc::new(AtomicBool::new(true));
    let test = TestAuth::with(|builder| builder.users(Accounts(Arc::clone(&is_active))));
    let shared = (test.auth().clone(), Arc::clone(&is_active));
    let app = routes().layer(from_fn_with_state(shared, deactivate)).finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    let reply = send(&app, request("GET", "/any", &[("authorization", &bearer)])).await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn a_token_that_expires_meanwhile_is_rejected() {
    let (test, key, _) = counting();
    async fn hold(State(clock): State<TestClock>, caller: Caller, request: Request, next: Next) -> Response {
        assert_eq!(words(&caller), "alice");
        clock.advance(Duration::from_secs(900 + 60));
        next.run(request).await
    }
    let routes = routes().layer(from_fn_with_state(test.clock().clone(), hold));
    let app = routes.finish(test.auth()).unwrap();
    let reply = send(&app, request("GET", "/any", &[("authorization", &bearer(&key, "alice"))])).await;
    assert_eq!(reply.status, 401);
}

struct Renewing {
    app: axum::Router,
    auth: Auth,
    clock: TestClock,
    seen: Seen,
}

impl Renewing {
    fn new() -> Self {
        let (clock, seen) = (TestClock::new(), Seen::default());
        let builder = Auth::builder().token_issuer(issuer(&People::default())).clock(clock.clone());
        let builder = builder.default_sources(["cookie"]).renew_transparently().token_cache(0, 0);
        let auth = builder.build().unwrap();
        let app = routes().layer(from_fn_with_state(seen.clone(), note)).finish(&auth).unwrap();
        Self { app, auth, clock, seen }
    }

    /// The cookies of a login.
    async fn log_in(&self) -> String {
        let tokens = self.auth.tokens().unwrap().issue(&Subject::new("alice")).await.unwrap();
        let refresh = tokens.refresh_token;
        format!("__Host-access_token={}; __Host-refresh_token={refresh}", tokens.access_token)
    }

    async fn get(&self, path: &str, cookies: &str) -> Reply {
        send(&self.app, request("GET", path, &[("cookie", cookies)])).await
    }
}

fn cookies(reply: &Reply) -> Vec<&str> {
    reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn a_session_is_renewed_once() {
    let service = Renewing::new();
    let sent = service.log_in().await;
    service.clock.advance(Duration::from_secs(900 + 60));
    let reply = service.get("/any", &sent).await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "alice"));
    assert_eq!(service.seen.take(), ["alice"]);
    let set = cookies(&reply);
    assert_eq!(set.len(), 2, "{set:?}");
    let renewed: Vec<_> = set.iter().map(|cookie| cookie.split(';').next().unwrap()).collect();
    let again = service.get("/any", &renewed.join("; ")).await;
    assert_eq!((again.status.as_u16(), cookies(&again).len()), (200, 0), "the new cookies are good");
}

#[tokio::test]
async fn cookies_that_are_of_no_use_are_cleared_once() {
    let service = Renewing::new();
    let sent = service.log_in().await;
    service.clock.advance(Duration::from_secs(15 * 86_400));
    for (path, status, seen) in [("/any", 401, "invalid: 401"), ("/optional", 200, "anonymous")] {
        let reply = service.get(path, &sent).await;
        assert_eq!((reply.status.as_u16(), service.seen.take()), (status, vec![seen.to_owned()]));
        let cleared = cookies(&reply);
        assert_eq!(cleared.len(), 2, "{path} {cleared:?}");
        assert!(cleared.iter().all(|cookie| cookie.contains("Max-Age=0")), "{cleared:?}");
    }
}

#[tokio::test]
async fn the_gate_reports_once() {
    let events: Arc<Mutex<Vec<_>>> = Arc::default();
    let audit = Arc::clone(&events);
    let test = TestAuth::with(|builder| {
        builder.audit(move |event| {
            let who = event.principal.map_or("-", Principal::subject).to_owned();
            audit.lock().unwrap().push((who, event.rejection, event.reason.to_owned()));
        })
    });
    let seen = Seen::default();
    let with = routes().layer(from_fn_with_state(seen, note)).finish(test.auth()).unwrap();
    let without = routes().finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for (path, authorization) in
        [("/any", &*bearer), ("/admin", &bearer), ("/any", "Bearer x.y.z"), ("/any", "Basic")]
    {
        let mut reports = Vec::new();
        for app in [&with, &without] {
            send(app, request("GET", path, &[("authorization", authorization)])).await;
            reports.push(std::mem::take(&mut *events.lock().unwrap()));
        }
        assert_eq!(reports[0].len(), 1);
        assert_eq!(reports[0], reports[1], "{path} {authorization}");
    }
}
