//! The ready routes, with a real server and a client that keeps cookies where it matters.

mod bodies;
mod browser;
mod chromium;
mod cookie_options;
mod cookie_size;
mod duplicate_cookies;
mod former_paths;
mod lists;
mod login_page;
mod login_queue;
mod methods;
mod mounted;
mod one_count;
mod own_answers;
mod own_login;
mod remember;
mod renewal;
mod sessions;
mod shared_limits;

use std::net::SocketAddr;
use std::time::Duration;

use auth_runtime::routing::{get, post};
use auth_runtime::session::IssuedTokens;
use auth_runtime::session::routes::{
    AttemptLimit, Delivery, TokenAnswers, TokenEndpoints, TokenFailure, TokenRequest, TokenRoute, TokenRoutes,
};
use auth_runtime::testing::TestClock;
use auth_runtime::{Auth, AuthBuilder, ForwardedHeader, Principal, Router, auth, rule};
use axum::Extension;
use axum::body::Body;
use axum::extract::Request;
use axum::extract::connect_info::MockConnectInfo;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use serde_json::{Value, json};

use crate::support::flaky::FlakyStore;
use crate::support::people::{People, issuer};
use crate::support::{Reply, request, send};

#[auth(source = ["bearer", "cookie"])]
async fn who(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = "cookie")]
async fn change(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(optional, source = "cookie")]
async fn home(user: Option<Principal>) -> String {
    user.map_or("stranger".into(), |user| user.subject().to_owned())
}

#[auth(public)]
async fn page() -> &'static str {
    "page"
}

struct Shop {
    auth: Auth,
    clock: TestClock,
    people: People,
    app: axum::Router,
}

/// The routes, under `/auth`, of an engine, with what `configure` adds to them.
type Configure = fn(TokenRoutes<People>) -> TokenRoutes<People>;

/// Limits that [`FROM_ADDRESSES`] reaches.
fn few_per_address(routes: TokenRoutes<People>) -> TokenRoutes<People> {
    routes
        .limit_per_address(AttemptLimit::new(2, Duration::from_secs(60)))
        .limit_per_ipv6_site(AttemptLimit::new(3, Duration::from_secs(90)))
}

/// Attempts on accounts of their own: from where, and how each is answered under [`few_per_address`]. An IPv4 address has two forms.
const FROM_ADDRESSES: [(&str, u16); 9] = [
    ("203.0.113.1", 400),
    ("::ffff:203.0.113.1", 400),
    ("203.0.113.1", 429),
    ("2001:db8:1:1::1", 400),
    ("2001:db8:1:1::2", 400),
    ("2001:db8:1:1::3", 429),
    ("2001:db8:1:2::1", 400),
    ("2001:db8:1:3::1", 429),
    ("2001:db8:2::1", 400),
];

impl Shop {
    fn new(delivery: Delivery, build: impl FnOnce(AuthBuilder) -> AuthBuilder, configure: Configure) -> Self {
        let (people, clock) = (People::default(), TestClock::new());
        let builder = Auth::builder().clock(clock.clone()).token_issuer(issuer(&people));
        let auth = build(builder).build().unwrap();
        let tokens = auth.tokens().unwrap();
        let routes = match delivery {
            Delivery::Cookies => TokenRoutes::cookies(tokens, people.clone()),
            _ => TokenRoutes::json(tokens, people.clone()),
        };
        let app = Router::new()
            .route("/", get(home))
            .route("/who", get(who))
            .route("/change", post(change))
            .route("/page", get(page))
            .nest("/auth", configure(routes).router())
            .finish(&auth)
            .unwrap()
            .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
        Self { auth, clock, people, app }
    }

    fn json() -> Self {
        Self::new(Delivery::Json, |builder| builder, |routes| routes)
    }

    fn cookies() -> Self {
        Self::new(Delivery::Cookies, |builder| builder, |routes| routes)
    }

    async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut request = request("POST", path, headers);
        request.headers_mut().insert("content-type", "application/json".parse().unwrap());
        *request.body_mut() = Body::from(body.to_string());
        send(&self.app, request).await
    }

    async fn log_in(&self, name: &str) -> Reply {
        self.post("/auth/login", &[], &credentials(name)).await
    }

    async fn who(&self, headers: &[(&str, &str)]) -> u16 {
        send(&self.app, request("GET", "/who", headers)).await.status.as_u16()
    }
}

fn credentials(name: &str) -> Value {
    json!({ "username": name, "password": format!("password of {name}") })
}

fn body(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

fn bearer(token: &Value) -> String {
    format!("Bearer {}", token.as_str().unwrap())
}

/// `Set-Cookie` of an answer, each by its name: the value, and the attributes.
fn set_cookies(reply: &Reply) -> Vec<(String, String, String)> {
    let all = reply.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    all.map(|text| {
        let (pair, attributes) = text.split_once("; ").unwrap();
        let (name, value) = pair.split_once('=').unwrap();
        (name.to_owned(), value.to_owned(), attributes.to_owned())
    })
    .collect()
}

/// The `Cookie` header that a browser sends after this answer.
fn cookie_header(reply: &Reply) -> String {
    let held = set_cookies(reply).into_iter().filter(|(_, value, _)| !value.is_empty());
    held.map(|(name, value, _)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
}

/// How many cookies an answer sets, and does not clear.
fn given(reply: &Reply) -> usize {
    set_cookies(reply).iter().filter(|(_, value, _)| !value.is_empty()).count()
}

/// The name and the path of a cookie.
fn path_of((name, _, attributes): (String, String, String)) -> (String, String) {
    let path = attributes.split("; ").find_map(|part| part.strip_prefix("Path=")).unwrap();
    (name, path.to_owned())
}

#[tokio::test]
async fn tokens_as_json() {
    let shop = Shop::json();
    let reply = shop.log_in("alice").await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let first = body(&reply);
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert!(set_cookies(&reply).is_empty());
    assert_eq!(shop.who(&[("authorization", &bearer(&first["access_token"]))]).await, 200);

    let refresh = json!({ "refresh_token": first["refresh_token"] });
    let reply = shop.post("/auth/refresh", &[], &refresh).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let second = body(&reply);

    // As a form too, as RFC 6749 §6 writes it.
    let form =
        format!("grant_type=refresh_token&refresh_token={}", second["refresh_token"].as_str().unwrap());
    let mut sent = request("POST", "/auth/refresh", &[("content-type", "application/x-www-form-urlencoded")]);
    *sent.body_mut() = Body::from(form);
    let third = body(&send(&shop.app, sent).await);

    let reply = shop.post("/auth/logout", &[], &json!({ "refresh_token": third["refresh_token"] })).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (204, "no-store"));
    for tokens in [&first, &second, &third] {
        assert_eq!(shop.who(&[("authorization", &bearer(&tokens["access_token"]))]).await, 401);
    }
    let reply = shop.post("/auth/refresh", &[], &json!({ "refresh_token": third["refresh_token"] })).await;
    assert_eq!((reply.status.as_u16(), body(&reply)), (400, json!({ "error": "invalid_grant" })));
}

#[tokio::test]
async fn log_out_with_an_access_token_alone_also_when_it_has_expired() {
    let shop = Shop::json();
    let tokens = body(&shop.log_in("alice").await);
    shop.clock.advance(Duration::from_secs(7200));
    let access = bearer(&tokens["access_token"]);
    assert_eq!(shop.who(&[("authorization", &access)]).await, 401);
    let reply = send(&shop.app, request("POST", "/auth/logout", &[("authorization", &access)])).await;
    assert_eq!(reply.status, 204);
    let refresh = json!({ "refresh_token": tokens["refresh_token"] });
    assert_eq!(shop.post("/auth/refresh", &[], &refresh).await.status, 400);
    // What can't be read is no logout.
    let mut sent = request("POST", "/auth/logout", &[]);
    *sent.body_mut() = Body::from(format!("{{\"refresh_token\":{}}}", tokens["refresh_token"]));
    assert_eq!(send(&shop.app, sent).await.status, 400);
    // A token that is not signed ends nothing, and is no error: its sender is not logged in.
    let other = body(&shop.log_in("alice").await);
    let mut forged = bearer(&other["access_token"]);
    forged.replace_range(forged.len() - 5.., "AAAAA");
    assert_eq!(
        send(&shop.app, request("POST", "/auth/logout", &[("authorization", &forged)])).await.status,
        204
    );
    assert_eq!(shop.who(&[("authorization", &bearer(&other["access_token"]))]).await, 200);
}

#[tokio::test]
async fn tokens_in_cookies() {
    let shop = Shop::cookies();
    let reply = shop.log_in("alice").await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    assert_eq!(body(&reply), json!({ "token_type": "Bearer", "expires_in": 900 }), "no script sees them");
    let attributes: Vec<_> = set_cookies(&reply).into_iter().map(|(name, _, rest)| (name, rest)).collect();
    let of = |name: &str, path: &str, age: u32| {
        (name.to_owned(), format!("HttpOnly; SameSite=Lax; Secure; Path={path}; Max-Age={age}"))
    };
    assert_eq!(
        attributes,
        [of("__Host-access_token", "/", 900), of("__Secure-refresh_token", "/auth", 14 * 86_400)]
    );
    let cookies = cookie_header(&reply);
    assert_eq!(shop.who(&[("cookie", &cookies)]).await, 200);

    let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
    assert_eq!(reply.status, 200);
    let renewed = cookie_header(&reply);
    assert_ne!(renewed, cookies);
    assert_eq!(shop.who(&[("cookie", &renewed)]).await, 200);

    shop.clock.advance(Duration::from_secs(7200));
    let reply = send(&shop.app, request("POST", "/auth/logout", &[("cookie", &renewed)])).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (204, "no-store"));
    let cleared = set_cookies(&reply);
    assert_eq!(cleared.len(), 2);
    for (name, value, attributes) in cleared {
        let path = if name.contains("refresh") { "Path=/auth;" } else { "Path=/;" };
        assert!(
            value.is_empty() && attributes.contains("Max-Age=0") && attributes.contains(path),
            "{attributes}"
        );
    }
    let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &renewed)])).await;
    assert_eq!(reply.status, 400);
    let cleared: std::collections::BTreeSet<_> = set_cookies(&reply).into_iter().map(path_of).collect();
    let expected = ["/auth", "/", "/auth/", "/auth/refresh"].map(|path| ("__Secure-refresh_token", path));
    let expected = expected.into_iter().chain([("__Host-access_token", "/")]);
    assert_eq!(
        cleared,
        expected.map(|(name, path)| (name.to_owned(), path.to_owned())).collect(),
        "cookies that are invalid are cleared, whatever their path was"
    );
}

#[tokio::test]
async fn another_site_logs_nobody_in_or_out() {
    let shop = Shop::cookies();
    let cookies = cookie_header(&shop.log_in("alice").await);
    let foreign = [("cookie", cookies.as_str()), ("origin", "https://evil.example"), ("host", "shop.test")];
    for path in ["/auth/login", "/auth/refresh", "/auth/logout", "/auth/logout-everywhere"] {
        let reply = shop.post(path, &foreign, &credentials("bob")).await;
        assert_eq!(reply.status, 403, "{path}");
        assert!(set_cookies(&reply).is_empty(), "{path}");
    }
    assert_eq!(shop.who(&[("cookie", &cookies)]).await, 200);
    let own = [("cookie", cookies.as_str()), ("origin", "https://shop.test"), ("host", "shop.test")];
    assert_eq!(shop.post("/auth/logout-everywhere", &own, &json!({})).await.status, 204);
    assert_eq!(shop.who(&[("cookie", &cookies)]).await, 401);
}

#[tokio::test]
async fn wrong_credentials_and_requests_are_refused_in_the_words_of_the_rfc() {
    let shop = Shop::json();
    let long = "x".repeat(20_000);
    for (sent, error) in [
        (json!({ "username": "alice", "password": "wrong" }), "invalid_grant"),
        (json!({ "username": "mallory", "password": "password of mallory" }), "invalid_grant"),
        (json!({ "username": "alice" }), "invalid_request"),
        (json!([]), "invalid_request"),
        (json!({ "username": "alice", "password": long }), "invalid_request"),
    ] {
        let reply = shop.post("/auth/login", &[], &sent).await;
        assert_eq!((reply.status.as_u16(), body(&reply)), (400, json!({ "error": error })));
        assert_eq!(reply.header("cache-control"), "no-store");
    }
    for (kind, text) in [("text/plain", "{}"), ("application/json", "{"), ("", "")] {
        let mut sent = request("POST", "/auth/login", &[("content-type", kind)]);
        *sent.body_mut() = Body::from(text);
        assert_eq!(send(&shop.app, sent).await.status, 400, "{kind} {text}");
    }
    let sent = json!({ "grant_type": "password", "refresh_token": "x" });
    assert_eq!(body(&shop.post("/auth/refresh", &[], &sent).await), json!({ "error": "invalid_request" }));

    shop.people.set_unreachable(true);
    let reply = shop.log_in("alice").await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"));
    assert!(!reply.body.contains("fire"));
}

#[tokio::test(start_paused = true)]
async fn attempts_are_limited_by_account_and_by_address() {
    let shop = Shop::new(
        Delivery::Json,
        |builder| builder,
        |routes| {
            routes
                .limit_per_account(AttemptLimit::new(3, Duration::from_secs(60)))
                .limit_per_address(AttemptLimit::new(8, Duration::from_secs(10)))
        },
    );
    let attempt = async |name: &str| {
        let sent = json!({ "username": name, "password": "wrong" });
        let reply = shop.post("/auth/login", &[], &sent).await;
        (reply.status.as_u16(), reply.header("retry-after").to_owned())
    };
    for name in ["alice", "Alice ", " ALICE"] {
        assert_eq!(attempt(name).await, (400, String::new()));
    }
    assert_eq!(attempt("alice").await, (429, "60".into()), "however it is spelt");
    let asked = shop.people.asked();
    assert_eq!(shop.log_in("alice").await.status, 429, "also with the right password");
    assert_eq!(shop.people.asked(), asked, "nobody looks at the password");
    for name in ["b", "c", "d"] {
        assert_eq!(attempt(name).await.0, 400);
    }
    assert_eq!(attempt("e").await, (429, "10".into()), "the address has had its eight");
    shop.clock.advance(Duration::from_secs(365 * 86_400));
    assert_eq!(attempt("alice").await, (429, "10".into()), "a wall clock that jumps replenishes nothing");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(shop.log_in("alice").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn the_address_is_the_connections_unless_proxies_are_named() {
    let limited: Configure = |routes| routes.limit_per_address(AttemptLimit::new(1, Duration::from_secs(60)));
    let attempt = async |shop: &Shop, headers: &[(&str, &str)]| {
        shop.post("/auth/login", headers, &credentials("bob")).await.status.as_u16()
    };
    let shop = Shop::new(Delivery::Json, |builder| builder, limited);
    assert_eq!(attempt(&shop, &[("x-forwarded-for", "198.51.100.1")]).await, 200);
    assert_eq!(
        attempt(&shop, &[("x-forwarded-for", "198.51.100.2")]).await,
        429,
        "anybody can write a header"
    );

    let behind = |builder: AuthBuilder| {
        builder.trusted_proxies(ForwardedHeader::XForwardedFor, ["192.0.2.0/24", "10.0.0.1"])
    };
    let shop = Shop::new(Delivery::Json, behind, limited);
    assert_eq!(attempt(&shop, &[("x-forwarded-for", "198.51.100.1")]).await, 200);
    assert_eq!(attempt(&shop, &[("x-forwarded-for", "198.51.100.2, 10.0.0.1")]).await, 200);
    assert_eq!(
        attempt(&shop, &[("x-forwarded-for", "203.0.113.9, 198.51.100.2")]).await,
        429,
        "the last but ours"
    );
    assert_eq!(
        attempt(&shop, &[("forwarded", "for=198.51.100.3")]).await,
        200,
        "nobody's but the proxy's own"
    );
    assert_eq!(attempt(&shop, &[("forwarded", "for=198.51.100.4")]).await, 429);

    let error = Auth::builder()
        .token_issuer(issuer(&People::default()))
        .trusted_proxies(ForwardedHeader::Forwarded, ["10.0.0.0/33", "proxy.local"])
        .build()
        .unwrap_err();
    assert_eq!(error.errors().count(), 2, "{error}");
}

/// Where the address is not known there is no limit, so there is no login.
#[tokio::test]
async fn without_an_address_nobody_logs_in() {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let routes = TokenRoutes::json(auth.tokens().unwrap(), people);
    let app = Router::new().nest("/auth", routes.router()).finish(&auth).unwrap();
    let mut sent = request("POST", "/auth/login", &[("content-type", "application/json")]);
    *sent.body_mut() = Body::from(credentials("alice").to_string());
    let reply = send(&app, sent).await;
    assert_eq!((reply.status.as_u16(), body(&reply)), (500, json!({ "error": "server_error" })));
}

#[tokio::test]
async fn revocation_and_introspection_stand_behind_their_rules() {
    let shop = Shop::new(
        Delivery::Json,
        |builder| builder,
        |routes| routes.revocation(rule!(roles = ["admin"])).introspection(rule!(roles = ["admin"])),
    );
    let admin = bearer(&body(&shop.log_in("alice").await)["access_token"]);
    let tokens = body(&shop.log_in("bob").await);
    let token = json!({ "token": tokens["access_token"], "token_type_hint": "refresh_token" });
    let bob = bearer(&tokens["access_token"]);
    for path in ["/auth/revoke", "/auth/introspect"] {
        assert_eq!(shop.post(path, &[], &token).await.status, 401);
        assert_eq!(shop.post(path, &[("authorization", &bob)], &token).await.status, 403);
    }
    let form = async |path: &str, body: String| {
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let mut sent = request("POST", path, &[("authorization", &admin), kind]);
        *sent.body_mut() = Body::from(body);
        send(&shop.app, sent).await
    };
    let access = tokens["access_token"].as_str().unwrap();
    let reply = form("/auth/introspect", format!("token={access}")).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    assert_eq!((&body(&reply)["active"], &body(&reply)["sub"]), (&json!(true), &json!("bob")));
    let reply = form("/auth/revoke", format!("token={access}&token_type_hint=access_token")).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, ""));
    assert_eq!(body(&form("/auth/introspect", format!("token={access}")).await), json!({ "active": false }));
    assert_eq!(form("/auth/revoke", "token=unknown".into()).await.status, 200);
    assert_eq!(body(&form("/auth/revoke", "tok=x".into()).await), json!({ "error": "invalid_request" }));
}

/// The routes may have moved, and a browser holds the cookie of the old path beside the new one.
#[tokio::test]
async fn of_several_refresh_cookies_each_is_logged_out_and_none_refreshes() {
    let shop = Shop::cookies();
    let (one, two) = (shop.log_in("alice").await, shop.log_in("alice").await);
    let refresh = |reply: &Reply| cookie_header(reply).split("; ").nth(1).unwrap().to_owned();
    let both = format!("{}; {}", refresh(&one), refresh(&two));
    let reply = send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &both)])).await;
    assert_eq!(reply.status, 400);
    let cleared = set_cookies(&reply)
        .into_iter()
        .filter(|(name, value, _)| name.contains("refresh") && value.is_empty());
    let paths: Vec<_> = cleared.map(|cookie| path_of(cookie).1).collect();
    assert_eq!(paths, ["/auth", "/", "/auth/", "/auth/refresh"]);
    assert_eq!(send(&shop.app, request("POST", "/auth/logout", &[("cookie", &both)])).await.status, 204);
    for reply in [&one, &two] {
        assert_eq!(shop.who(&[("cookie", &cookie_header(reply))]).await, 401);
    }
    // The same of access cookies, where a subdomain has planted one.
    let (one, two) = (shop.log_in("alice").await, shop.log_in("alice").await);
    let access = |reply: &Reply| cookie_header(reply).split("; ").next().unwrap().to_owned();
    let both = format!("{}; {}", access(&one), access(&two));
    assert_eq!(send(&shop.app, request("POST", "/auth/logout", &[("cookie", &both)])).await.status, 204);
    for reply in [&one, &two] {
        assert_eq!(shop.who(&[("cookie", &cookie_header(reply))]).await, 401);
    }
}

/// Under a rule that asks for no caller they would answer everyone; on another engine's router they would revoke nothing.
#[tokio::test]
async fn routes_that_are_put_together_wrongly_are_not_served() {
    const ANY_USER: &str = "/auth/users/{subject}/sessions";
    let store = |builder: AuthBuilder| builder.store(FlakyStore::default());
    let shop = Shop::new(Delivery::Json, store, |routes| routes);
    let routes = || TokenRoutes::json(shop.auth.tokens().unwrap(), shop.people.clone());
    let errors = |routes: TokenRoutes<People>, auth: &Auth| -> Vec<String> {
        let router: Router = Router::new().nest("/auth", routes.router());
        router.finish(auth).unwrap_err().errors().map(str::to_owned).collect()
    };
    for (routes, names) in [
        (
            routes().revocation(rule!(public)).introspection(rule!(optional)),
            &["/auth/revoke", "/auth/introspect"][..],
        ),
        (
            routes().administration(rule!(public)),
            &["/auth/users/sessions", ANY_USER, ANY_USER, "/auth/users/{subject}/sessions/{session_id}"],
        ),
        (routes().revoked(rule!(public)), &["/auth/revocations"]),
    ] {
        let errors = errors(routes, &shop.auth);
        assert_eq!(errors.len(), names.len(), "{errors:?}");
        for (error, name) in errors.iter().zip(names) {
            assert!(error.contains(name) && error.contains("its rule lets in anonymous callers"), "{error}");
        }
    }
    let errors = errors(routes(), &Shop::json().auth);
    assert_eq!(errors.len(), 4, "each route: {errors:?}");
    assert!(errors.iter().all(|error| error.contains("it belongs to another engine")), "{errors:?}");
}

#[tokio::test]
async fn a_log_out_that_the_store_did_not_take_can_be_tried_again() {
    let store = FlakyStore::default();
    let with_store = store.clone();
    let shop = Shop::new(Delivery::Cookies, move |builder| builder.store(with_store), |routes| routes);
    shop.auth.start().await.unwrap();
    let cookies = cookie_header(&shop.log_in("alice").await);
    store.set_broken(true);
    let reply = send(&shop.app, request("POST", "/auth/logout", &[("cookie", &cookies)])).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"));
    assert!(set_cookies(&reply).is_empty());
    store.set_broken(false);
    assert_eq!(send(&shop.app, request("POST", "/auth/logout", &[("cookie", &cookies)])).await.status, 204);
    assert_eq!(shop.who(&[("cookie", &cookies)]).await, 401);
}

/// A parameter in the prefix is whatever its sender wrote: it never gets into an attribute of a cookie.
#[tokio::test]
async fn the_path_of_the_refresh_cookie_is_that_of_the_routes() {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let routes = |path: Option<&str>| {
        let routes = TokenRoutes::cookies(auth.tokens().unwrap(), people.clone());
        path.map_or(routes.router(), |path| {
            TokenRoutes::cookies(auth.tokens().unwrap(), people.clone()).cookie_path(path).router()
        })
    };
    let app = Router::new()
        .nest("/org/{tenant}/auth", routes(None))
        .nest("/stripped", routes(Some("/outside/auth")))
        .merge(routes(None))
        .finish(&auth)
        .unwrap()
        .layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
    for (path, expected) in [
        ("/org/acme/auth/login", "Path=/org/acme/auth;"),
        ("/org/a%3bc/auth/login", "Path=/org/a%3bc/auth;"),
        ("/org/a;Domain=evil.example/auth/login", "Path=/;"),
        ("/stripped/login", "Path=/outside/auth;"),
        ("/login", "Path=/;"),
    ] {
        let mut sent = request("POST", path, &[("content-type", "application/json")]);
        *sent.body_mut() = Body::from(credentials("alice").to_string());
        let reply = send(&app, sent).await;
        let (_, _, attributes) = set_cookies(&reply).pop().unwrap();
        assert!(attributes.contains(expected) && !attributes.contains("Domain"), "{path}: {attributes}");
    }
}

#[test]
fn credentials_are_not_shown() {
    use auth_runtime::session::routes::PasswordCredentials;
    let sent = PasswordCredentials { username: "hunter2".into(), password: "hunter2".into(), remember: true };
    assert!(!format!("{sent:?}").contains("hunter2"));
}
