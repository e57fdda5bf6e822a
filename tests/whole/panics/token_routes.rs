//! The ready routes, and transparent renewal.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use auth_runtime::session::routes::{
    Credentials, LoginVerifier, TokenAnswers, TokenFailure, TokenRequest, TokenRoutes,
};
use auth_runtime::session::{BoxError, IssuedTokens, RefreshKey, Subject, SubjectStore, TokenIssuer};
use auth_runtime::store::{
    FamilyId, LogCursor, LogEntry, LogRead, MemoryStore, RefreshTokenFamily, RefreshTokenStore,
    RevocationLog, StoreFuture,
};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::body::Body;
use axum::extract::connect_info::MockConnectInfo;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Deserializer};
use serde_json::json;
use tokio::task::yield_now;

use super::armed::{arm, disarm, is_called, times_called, trip};
use super::{OwnClock, assert_problem};
use crate::captured_log::CapturedLog;
use crate::support::people::{AUDIENCE, ISSUER, signing_key};
use crate::support::{Reply, request, send};
use auth_runtime::routing::get;
use auth_runtime::testing::TestClock;

/// A store in memory, each method of which may panic.
#[derive(Clone, Debug, Default)]
struct OwnStore(MemoryStore);

impl RevocationLog for OwnStore {
    fn append(&self, entries: Vec<LogEntry>) -> StoreFuture<'_, ()> {
        trip("append");
        self.0.append(entries)
    }

    fn read(&self, after: LogCursor, limit: usize) -> StoreFuture<'_, LogRead> {
        self.0.read(after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        RevocationLog::drop_expired(&self.0, now)
    }
}

impl RefreshTokenStore for OwnStore {
    fn insert(&self, family: RefreshTokenFamily) -> StoreFuture<'_, ()> {
        trip("insert");
        self.0.insert(family)
    }

    fn find(&self, id: FamilyId) -> StoreFuture<'_, Option<RefreshTokenFamily>> {
        trip("find");
        self.0.find(id)
    }

    fn replace(&self, expected: u64, family: RefreshTokenFamily) -> StoreFuture<'_, bool> {
        Box::pin(async move {
            yield_now().await;
            trip("replace");
            self.0.replace(expected, family).await
        })
    }

    fn remove(&self, ids: Vec<FamilyId>) -> StoreFuture<'_, ()> {
        self.0.remove(ids)
    }

    fn find_by_subject(&self, issuer: &str, subject: &str) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        trip("find_by_subject");
        self.0.find_by_subject(issuer, subject)
    }

    fn list(
        &self,
        issuer: &str,
        after: Option<(&str, FamilyId)>,
        limit: usize,
    ) -> StoreFuture<'_, Vec<RefreshTokenFamily>> {
        trip("list");
        self.0.list(issuer, after, limit)
    }

    fn drop_expired(&self, now: SystemTime) -> StoreFuture<'_, bool> {
        RefreshTokenStore::drop_expired(&self.0, now)
    }
}

struct Users;

impl SubjectStore for Users {
    async fn subject(&self, id: &str) -> Result<Option<Subject>, BoxError> {
        yield_now().await;
        trip("subject");
        Ok(Some(Subject::new(id)))
    }
}

/// A user name, and nothing else.
struct Name(String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        trip("deserialize");
        String::deserialize(deserializer).map(Self)
    }
}

impl Credentials for Name {
    fn account(&self) -> &str {
        trip("account");
        &self.0
    }
}

impl LoginVerifier for Users {
    type Credentials = Name;

    async fn authenticate(&self, Name(name): Name) -> Result<Option<Subject>, BoxError> {
        trip("authenticate");
        yield_now().await;
        trip("authenticate, after it waited");
        Ok((name == "alice").then(|| Subject::new(name)))
    }
}

/// The usual answers, each of which may panic.
struct Answers;

impl TokenAnswers for Answers {
    fn tokens(&self, _: &IssuedTokens, _: &TokenRequest<'_>) -> Response {
        trip("tokens");
        "tokens".into_response()
    }

    fn failed(&self, failure: TokenFailure, _: &TokenRequest<'_>) -> Response {
        trip("failed");
        (failure.status(), axum::Json(json!({ "error": failure.error() }))).into_response()
    }

    fn logged_out(&self, _: &TokenRequest<'_>) -> Response {
        trip("logged_out");
        "logged out".into_response()
    }
}

#[auth]
async fn who(_: Principal) {
    is_called();
}

struct Shop {
    app: axum::Router,
    auth: Auth,
    clock: TestClock,
}

impl Shop {
    async fn open() -> Self {
        let clock = TestClock::new();
        let issuer = TokenIssuer::new(ISSUER, AUDIENCE, signing_key(1), Users);
        let auth = Auth::builder()
            .token_issuer(issuer.refresh_key(RefreshKey::new("k1", [1; 32])))
            .clock(OwnClock(clock.clone()))
            .store(OwnStore::default())
            .default_sources(["cookie"])
            .renew_transparently()
            .build()
            .unwrap();
        let routes = TokenRoutes::cookies(auth.tokens().unwrap(), Users).answers(Answers);
        let routes = routes.revocation(rule!()).introspection(rule!());
        let app = Router::new()
            .route("/who", get(who))
            .nest("/auth", routes.router())
            .finish(&auth)
            .unwrap()
            .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        auth.start().await.unwrap();
        // The first tick of the background task, which reads the clock too.
        yield_now().await;
        Self { app, auth, clock }
    }

    async fn post(&self, path: &str, content_type: &str, cookies: &str, body: String) -> Reply {
        let mut request = request("POST", path, &[("content-type", content_type), ("cookie", cookies)]);
        *request.body_mut() = Body::from(body);
        send(&self.app, request).await
    }

    /// The cookies of a new session, and its refresh token.
    async fn log_in(&self) -> (String, String) {
        let reply = self.post("/auth/login", "application/json", "", json!("alice").to_string()).await;
        assert_eq!(reply.status, 200);
        let set = reply.headers.get_all("set-cookie").iter();
        let pairs: Vec<_> = set.map(|set| set.to_str().unwrap().split(';').next().unwrap()).collect();
        let refresh = pairs.iter().find_map(|pair| pair.strip_prefix("__Host-refresh_token=")).unwrap();
        (pairs.join("; "), refresh.to_owned())
    }

    /// A request to this route by the owner of a new session.
    async fn ask(&self, route: &str, arm: impl FnOnce()) -> Reply {
        let (cookies, refresh) = self.log_in().await;
        let form = "application/x-www-form-urlencoded";
        arm();
        match route {
            "/login" => self.post("/auth/login", "application/json", "", json!("alice").to_string()).await,
            "/login of nobody" => {
                self.post("/auth/login", "application/json", "", json!("nobody").to_string()).await
            }
            "/revoke" | "/introspect" => {
                self.post(&format!("/auth{route}"), form, &cookies, format!("token={refresh}")).await
            }
            "/who" => send(&self.app, request("GET", route, &[("cookie", &cookies)])).await,
            "/who, renewed" => {
                self.clock.advance(Duration::from_secs(960));
                self.auth.start().await.unwrap();
                send(&self.app, request("GET", "/who", &[("cookie", &cookies)])).await
            }
            _ => self.post(&format!("/auth{route}"), form, &cookies, String::new()).await,
        }
    }
}

/// What panics, after how many calls, and in which route. The gate of some routes reads the clock first.
const TABLE: &[(&str, usize, &str)] = &[
    ("deserialize", 0, "/login"),
    ("account", 0, "/login"),
    ("authenticate", 0, "/login"),
    ("authenticate, after it waited", 0, "/login"),
    ("clock", 0, "/login"),
    ("insert", 0, "/login"),
    ("tokens", 0, "/login"),
    ("failed", 0, "/login of nobody"),
    ("clock", 0, "/refresh"),
    ("find", 0, "/refresh"),
    ("subject", 0, "/refresh"),
    ("replace", 0, "/refresh"),
    ("tokens", 0, "/refresh"),
    ("clock", 0, "/logout"),
    ("logged_out", 0, "/logout"),
    ("clock", 2, "/logout-everywhere"),
    ("logged_out", 0, "/logout-everywhere"),
    ("clock", 2, "/revoke"),
    ("find", 0, "/introspect"),
];

#[tokio::test(start_paused = true)]
async fn a_token_route_answers_500_in_the_form_of_the_rfc() {
    let shop = Shop::open().await;
    for (name, skip, route) in TABLE {
        let log = CapturedLog::start(tracing::Level::INFO);
        let reply = shop.ask(route, || arm(name, *skip)).await;
        disarm();
        let expected = (500, r#"{"error":"server_error"}"#);
        assert_eq!((reply.status.as_u16(), &*reply.body), expected, "{name} {route}");
        assert_eq!(reply.header("cache-control"), "no-store", "{name} {route}");
        // Where the credentials of a login were right, the cookies of the user before are cleared. No others are set.
        let mut cookies = reply.headers.get_all("set-cookie").iter();
        assert!(cookies.all(|cookie| cookie.to_str().unwrap().contains("Max-Age=0")), "{name} {route}");
        let lines = log.take();
        let line = format!("panicked: {name} is broken");
        assert!(lines.lines().any(|l| l.contains("ERROR") && l.contains(&line)), "{name}: {lines}");
        // The attempts are those of one account.
        tokio::time::advance(Duration::from_secs(3600)).await;
        assert!(shop.ask(route.trim_end_matches(" of nobody"), || ()).await.status.is_success(), "{route}");
        tokio::time::advance(Duration::from_secs(3600)).await;
    }
}

/// It runs to its end on a task of its own, which ends with the panic. Whether it is recorded is unknown, so it is 503, as with
/// any error of the store.
#[tokio::test(start_paused = true)]
async fn a_revocation_that_panics_is_answered_503() {
    let shop = Shop::open().await;
    for (name, route) in [
        ("find", "/logout"),
        ("append", "/logout"),
        ("find_by_subject", "/logout-everywhere"),
        ("append", "/revoke"),
    ] {
        let log = CapturedLog::start(tracing::Level::INFO);
        let reply = shop.ask(route, || arm(name, 0)).await;
        disarm();
        assert_eq!(reply.status.as_u16(), 503, "{name} {route}");
        assert!(log.text().contains("a revocation did not finish"), "{name} {route}: {}", log.text());
        assert!(shop.ask(route, || ()).await.status.is_success(), "{route}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_panics_is_answered_500() {
    let shop = Shop::open().await;
    for name in ["subject", "find", "replace"] {
        let log = CapturedLog::start(tracing::Level::INFO);
        let before = times_called();
        assert_problem(name, &shop.ask("/who, renewed", || arm(name, 0)).await);
        disarm();
        assert_eq!(times_called(), before, "{name}");
        assert!(log.text().contains(&format!("panicked: {name} is broken")), "{name}: {}", log.text());
        assert_eq!(shop.ask("/who, renewed", || ()).await.status, 200, "{name}");
        assert_eq!(times_called(), before + 1, "{name}");
    }
}
