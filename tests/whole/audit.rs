//! What the audit hook learns of requests and of sessions: one event of each thing that happened, with the client's address.

mod address;
mod own_login;
mod panicking;
mod secrets;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_runtime::audit::AuditEvent;
use auth_runtime::revocation::Revocation;
use auth_runtime::routing::{get, post};
use auth_runtime::session::routes::{AttemptLimit, Delivery, TokenRoutes};
use auth_runtime::session::{IssuedTokens, Subject, TokenError, TokenService};
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, AuthBuilder, ForwardedHeader, Principal, Router, auth, rule};
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use serde_json::{Value, json};

use crate::captured_log::CapturedLog;
use crate::support::flaky::FlakyStore;
use crate::support::people::{ISSUER, People, issuer};
use crate::support::{Reply, request, send};

#[auth(source = ["bearer", "cookie"])]
async fn who(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = ["bearer", "cookie"], roles = ["admin"])]
async fn change() {}

/// What was reported, in short.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<String>>>);

impl Events {
    /// `action subject session address: outcome`, with the session as `sid` where there is one.
    fn note(&self, event: &AuditEvent<'_>) {
        let outcome = event
            .rejection
            .map_or("ok".into(), |kind| format!("{} {}", kind.status().as_u16(), event.reason));
        let session = event.session_id.map_or("-", |_| "sid");
        let address = event.client_address.map_or("-".into(), |address| address.to_string());
        assert_eq!(event.principal.map(Principal::subject), event.subject.filter(|_| event.method.is_some()));
        assert_eq!(event.method.is_some(), event.action.as_str() == "request");
        let issuer = event.issuer.is_none_or(|issuer| issuer == ISSUER);
        assert!(issuer && !event.reason.is_empty());
        self.0.lock().unwrap().push(format!(
            "{} {} {session} {address}: {outcome}",
            event.action.as_str(),
            event.subject.unwrap_or("-")
        ));
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

struct Shop {
    auth: Auth,
    tokens: TokenService,
    clock: TestClock,
    people: People,
    app: axum::Router,
    events: Events,
}

const PROXY: [u8; 4] = [192, 0, 2, 1];
const CLIENT: (&str, &str) = ("x-forwarded-for", "6.6.6.6, 198.51.100.7");

impl Shop {
    fn new(delivery: Delivery, build: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let events = Events::default();
        let noted = events.clone();
        Self::with_hook(delivery, build, events, move |event| noted.note(event))
    }

    fn with_hook(
        delivery: Delivery,
        build: impl FnOnce(AuthBuilder) -> AuthBuilder,
        events: Events,
        hook: impl Fn(&AuditEvent<'_>) + Send + Sync + 'static,
    ) -> Self {
        let (people, clock) = (People::default(), TestClock::new());
        let builder = Auth::builder()
            .clock(clock.clone())
            .token_issuer(issuer(&people).max_sessions_per_user(2))
            .trusted_proxies(ForwardedHeader::XForwardedFor, ["192.0.2.0/24"])
            .audit(hook);
        let auth = build(builder).build().unwrap();
        let tokens = auth.tokens().unwrap();
        let routes = match delivery {
            Delivery::Cookies => TokenRoutes::cookies(tokens.clone(), people.clone()),
            _ => TokenRoutes::json(tokens.clone(), people.clone()),
        };
        let routes = routes
            .limit_per_account(AttemptLimit::new(4, Duration::from_secs(60)))
            .revocation(rule!(roles = ["admin"]));
        let app = Router::new()
            .route("/who", get(who))
            .route("/change", post(change))
            .nest("/auth", routes.router())
            .finish(&auth)
            .unwrap()
            .layer(MockConnectInfo(SocketAddr::from((PROXY, 4711))));
        Self { auth, tokens, clock, people, app, events }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let headers: Vec<_> = headers.iter().copied().chain([CLIENT]).collect();
        let mut request = request(method, path, &headers);
        if !body.is_null() {
            request.headers_mut().insert("content-type", "application/json".parse().unwrap());
            *request.body_mut() = Body::from(body.to_string());
        }
        send(&self.app, request).await
    }

    async fn issue(&self, name: &str) -> IssuedTokens {
        let tokens = self.tokens.issue(&Subject::new(name)).await.unwrap();
        self.events.take();
        tokens
    }
}

fn credentials(name: &str, password: &str) -> Value {
    json!({ "username": name, "password": password })
}

fn cookies(tokens: &IssuedTokens) -> String {
    format!("__Host-access_token={}; __Secure-refresh_token={}", tokens.access_token, tokens.refresh_token)
}

#[tokio::test]
async fn each_thing_that_a_route_does_is_one_event() {
    let shop = Shop::new(Delivery::Json, |builder| builder);
    let right = credentials("alice", "password of alice");
    let login = shop.send("POST", "/auth/login", &[], &right).await;
    assert_eq!(shop.events.take(), ["login alice sid 198.51.100.7: ok"]);
    let login: Value = serde_json::from_str(&login.body).unwrap();
    let first = json!({ "refresh_token": login["refresh_token"] });

    let wrong = credentials("alice", "wrong");
    for (path, body, expected) in [
        ("/login", &wrong, "login - - 198.51.100.7: 400 the credentials are wrong"),
        ("/login", &json!([]), "login - - 198.51.100.7: 400 the request can't be parsed, or lacks a field"),
        ("/refresh", &first, "refresh alice sid 198.51.100.7: ok"),
        ("/refresh", &first, "refresh_repeat alice sid 198.51.100.7: ok"),
        (
            "/refresh",
            &json!({}),
            "refresh - - 198.51.100.7: 400 the request can't be parsed, or lacks a field",
        ),
    ] {
        shop.send("POST", &format!("/auth{path}"), &[], body).await;
        assert_eq!(shop.events.take(), [expected], "{path}");
    }
    let forged = json!({ "refresh_token": "k1.AAAA" });
    shop.send("POST", "/auth/refresh", &[], &forged).await;
    let events = shop.events.take();
    assert!(
        events.len() == 1 && events[0].starts_with("refresh - - 198.51.100.7: 400 this is not"),
        "{events:?}"
    );
    shop.clock.advance(Duration::from_secs(11));
    shop.send("POST", "/auth/refresh", &[], &first).await;
    let events = shop.events.take();
    let expected = "refresh_token_reuse alice sid 198.51.100.7: 400 the refresh token was used before";
    assert!(events.len() == 1 && events[0].starts_with(expected), "{events:?}");
    // The session has ended by the reuse, so there is nothing left to end.
    assert_eq!(shop.send("POST", "/auth/logout", &[], &first).await.status, 204);
    assert_eq!(shop.send("POST", "/auth/logout", &[], &Value::Null).await.status, 204);
    assert_eq!(shop.events.take(), Vec::<String>::new());

    for _ in 0..2 {
        shop.send("POST", "/auth/login", &[], &wrong).await;
    }
    shop.events.take();
    assert_eq!(shop.send("POST", "/auth/login", &[], &right).await.status, 429);
    assert_eq!(shop.events.take(), ["login - - 198.51.100.7: 429 there were too many attempts"]);
    shop.people.set_unreachable(true);
    shop.send("POST", "/auth/login", &[], &credentials("bob", "password of bob")).await;
    let events = shop.events.take();
    let unreachable = "login - - 198.51.100.7: 503 the credentials can't be verified now, ";
    assert!(events.len() == 1 && events[0].starts_with(unreachable), "{events:?}");
}

/// A browser sends the access cookie and the refresh cookie of its session: one logout.
#[tokio::test]
async fn a_logout_with_several_tokens_of_one_session_is_one_event_and_one_line() {
    let shop = Shop::new(Delivery::Cookies, |builder| builder);
    let (one, two) = (shop.issue("alice").await, shop.issue("bob").await);
    let log = CapturedLog::start(tracing::Level::DEBUG);
    let sent = cookies(&one);
    assert_eq!(shop.send("POST", "/auth/logout", &[("cookie", &sent)], &Value::Null).await.status, 204);
    assert_eq!(shop.events.take(), ["logout alice sid 198.51.100.7: ok"]);
    let text = log.take();
    assert_eq!(text.lines().count(), 1, "{text}");
    for part in
        ["auth: a user logged out", "subject=\"alice\"", "client_address=198.51.100.7", &one.session_id]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Again, and with the tokens of two sessions, one of which has ended.
    let both = format!("{sent}; {}", cookies(&two));
    assert_eq!(shop.send("POST", "/auth/logout", &[("cookie", &sent)], &Value::Null).await.status, 204);
    assert_eq!(shop.events.take(), Vec::<String>::new());
    assert_eq!(shop.send("POST", "/auth/logout", &[("cookie", &both)], &Value::Null).await.status, 204);
    assert_eq!(shop.events.take(), ["logout bob sid 198.51.100.7: ok"]);
    assert_eq!(log.take().lines().count(), 1);

    let lone = shop.tokens.issue_access(&Subject::new("alice")).unwrap();
    let lone = format!("__Host-access_token={lone}");
    for expected in [&["logout alice - 198.51.100.7: ok"][..], &[]] {
        assert_eq!(shop.send("POST", "/auth/logout", &[("cookie", &lone)], &Value::Null).await.status, 204);
        assert_eq!(shop.events.take(), expected);
    }
    let foreign = [("cookie", &*sent), ("origin", "https://evil.example"), ("host", "shop.test")];
    for (path, action) in [("/auth/login", "login"), ("/auth/refresh", "refresh"), ("/auth/logout", "logout")]
    {
        assert_eq!(shop.send("POST", path, &foreign, &json!({})).await.status, 403);
        let expected = format!("{action} - - 198.51.100.7: 403 a page of another origin sent the request");
        assert_eq!(shop.events.take(), [expected]);
    }
}

#[tokio::test]
async fn logouts_everywhere_and_revocations_are_events() {
    let shop = Shop::new(Delivery::Json, |builder| builder);
    let alice = shop.tokens.issue(&Subject::new("alice").roles(["admin"])).await.unwrap();
    let (bob, admin) = (shop.issue("bob").await, format!("Bearer {}", alice.access_token));
    let admin = [("authorization", &*admin)];
    for (token, subject) in [(&bob.refresh_token, "bob"), (&bob.access_token, ""), (&bob.refresh_token, "")] {
        let reply = shop.send("POST", "/auth/revoke", &admin, &json!({ "token": token })).await;
        assert_eq!(reply.status, 200);
        let mut expected = vec!["request alice sid 198.51.100.7: ok".to_owned()];
        // What has ended does not end again.
        if !subject.is_empty() {
            expected.push(format!("token_revocation {subject} sid 198.51.100.7: ok"));
        }
        assert_eq!(shop.events.take(), expected);
    }
    let reply = shop.send("POST", "/auth/logout-everywhere", &admin, &Value::Null).await;
    assert_eq!(reply.status, 204);
    let expected = ["request alice sid 198.51.100.7: ok", "logout_everywhere alice - 198.51.100.7: ok"];
    assert_eq!(shop.events.take(), expected);
}

/// A call has no request, so its events have an address only if it names one.
#[tokio::test]
async fn direct_calls_are_reported_alike() {
    let shop = Shop::new(Delivery::Json, |builder| builder);
    let tokens = shop.tokens.for_client([203, 0, 113, 9].into());
    for (tokens, address) in [(&shop.tokens, "-"), (&tokens, "203.0.113.9")] {
        let expect = |texts: &[&str]| {
            let texts: Vec<_> = texts.iter().map(|text| text.replace('@', address)).collect();
            assert_eq!(shop.events.take(), texts);
        };
        let alice = Subject::new("alice");
        let first = tokens.issue(&alice).await.unwrap();
        expect(&["login alice sid @: ok"]);
        tokens.refresh(&first.refresh_token).await.unwrap();
        expect(&["refresh alice sid @: ok"]);
        assert!(tokens.log_out(&first.refresh_token).await.unwrap());
        assert!(tokens.log_out(&first.refresh_token).await.unwrap());
        assert!(!tokens.log_out("unknown").await.unwrap());
        expect(&["logout alice sid @: ok"]);
        let second = tokens.issue(&alice).await.unwrap();
        tokens.end_session(&second.session_id).await.unwrap();
        expect(&["login alice sid @: ok", "session_end alice sid @: ok"]);
        let third = tokens.issue(&alice).await.unwrap();
        tokens.revoke(&third.access_token).await.unwrap();
        tokens.revoke("unknown").await.unwrap();
        tokens.log_out_everywhere("alice").await.unwrap();
        expect(&[
            "login alice sid @: ok",
            "token_revocation alice sid @: ok",
            "logout_everywhere alice - @: ok",
        ]);
        tokens.log_out_all_users().await.unwrap();
        expect(&["logout_all_users - - @: ok"]);

        for _ in 0..3 {
            tokens.issue(&alice).await.unwrap();
            shop.clock.advance(Duration::from_secs(1));
        }
        let login = "login alice sid @: ok";
        expect(&[login, login, "session_end alice sid @: ok", login]);
        tokens.log_out_everywhere("alice").await.unwrap();

        let bob = tokens.issue(&Subject::new("bob")).await.unwrap();
        shop.people.remove("bob");
        shop.events.take();
        assert!(tokens.refresh(&bob.refresh_token).await.is_err());
        expect(&[
            "refresh bob sid @: 400 the application does not know the user of the refresh token any more",
        ]);
        shop.people.set("bob", &[]);

        let without_id = Subject::new("");
        assert!(matches!(tokens.issue(&without_id).await, Err(TokenError::Claims(_))));
        let events = shop.events.take();
        assert!(events.len() == 1 && events[0].contains(": 500 the claims of the token"), "{events:?}");
    }
}

#[tokio::test]
async fn what_the_application_revokes_is_reported() {
    let shop = Shop::new(Delivery::Json, |builder| builder);
    let tokens = shop.issue("alice").await;
    let revocations = shop.auth.revocations();
    let session = Revocation::Session { issuer: ISSUER.into(), session_id: tokens.session_id };
    for expected in [&["session_end alice sid -: ok"][..], &[]] {
        revocations.revoke(session.clone()).await.unwrap();
        assert_eq!(shop.events.take(), expected);
    }
    let token = Revocation::Token { issuer: ISSUER.into(), token_id: "t".into() };
    for expected in [&["token_revocation - - -: ok"][..], &[]] {
        revocations.revoke(token.clone()).await.unwrap();
        assert_eq!(shop.events.take(), expected);
    }
    let user = Revocation::User {
        issuer: ISSUER.into(),
        subject: "alice".into(),
        issued_at_or_before: shop.auth.now(),
    };
    revocations.revoke(user).await.unwrap();
    assert_eq!(shop.events.take(), ["logout_everywhere alice - -: ok"]);
    let (issuer, now) = (ISSUER.to_owned(), shop.auth.now());
    revocations.revoke(Revocation::Issuer { issuer, issued_at_or_before: now }).await.unwrap();
    assert_eq!(shop.events.take(), ["logout_all_users - - -: ok"]);
}

#[tokio::test]
async fn what_the_store_fails_is_reported_as_failed() {
    let store = FlakyStore::default();
    let with_store = store.clone();
    let shop = Shop::new(Delivery::Json, move |builder| builder.store(with_store));
    shop.auth.start().await.unwrap();
    let tokens = shop.issue("alice").await;
    let log = CapturedLog::start(tracing::Level::INFO);
    store.set_broken(true);
    let refresh = json!({ "refresh_token": tokens.refresh_token });
    for (path, body, action, subject) in [
        ("/auth/login", credentials("alice", "password of alice"), "login", "alice -"),
        ("/auth/refresh", refresh.clone(), "refresh", "- sid"),
        ("/auth/logout", refresh.clone(), "logout", "- sid"),
    ] {
        let reply = shop.send("POST", path, &[], &body).await;
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"), "{path}");
        let why = "503 the store of tokens and revocations failed: the disk is on fire";
        assert_eq!(shop.events.take(), [format!("{action} {subject} 198.51.100.7: {why}")]);
        // The store's own lines are about the store.
        let text = log.take();
        let lines: Vec<_> = text.lines().filter(|line| line.contains("auth_runtime::audit")).collect();
        assert!(lines.len() == 1 && lines[0].contains("ERROR") && lines[0].contains(action), "{text}");
    }
    store.set_broken(false);
    assert_eq!(shop.send("POST", "/auth/logout", &[], &refresh).await.status, 204);
    assert_eq!(shop.events.take(), ["logout alice sid 198.51.100.7: ok"]);
}

/// A renewal is a refresh, and then the request is decided.
#[tokio::test]
async fn a_renewal_is_reported_with_the_request_that_it_served() {
    let shop = Shop::new(Delivery::Cookies, AuthBuilder::renew_transparently);
    let tokens = shop.issue("alice").await;
    let sent = format!("__Host-refresh_token={}", tokens.refresh_token);
    let sent = [("cookie", &*sent)];
    let request = "request alice sid 198.51.100.7: ok";
    for (wait, status, expected) in [
        (0, 200, vec!["refresh alice sid 198.51.100.7: ok", request]),
        (60, 200, vec!["refresh_repeat alice sid 198.51.100.7: ok", request]),
    ] {
        shop.clock.advance(Duration::from_secs(wait));
        assert_eq!(shop.send("GET", "/who", &sent, &Value::Null).await.status, status);
        assert_eq!(shop.events.take(), expected);
    }
    shop.clock.advance(Duration::from_secs(1));
    let log = CapturedLog::start(tracing::Level::DEBUG);
    assert_eq!(shop.send("GET", "/who", &sent, &Value::Null).await.status, 401);
    let events = shop.events.take();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].starts_with("refresh_token_reuse alice sid 198.51.100.7: 400"), "{events:?}");
    assert!(events[1].starts_with("request - - 198.51.100.7: 401"), "{events:?}");
    let text = log.take();
    assert!(text.lines().count() == 2 && text.contains("WARN"), "{text}");
    // A cookie whose key another instance may know is no event.
    let foreign = [("cookie", "__Host-refresh_token=k9.AAAA")];
    assert_eq!(shop.send("GET", "/who", &foreign, &Value::Null).await.status, 401);
    assert_eq!(shop.events.take().len(), 1);
}
