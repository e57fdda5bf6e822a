//! The sessions of a user, through the routes: what a login ends, the list, ending one or all others, and an administrator.

use std::collections::BTreeMap;
use std::sync::Mutex;

use auth_runtime::session::routes::user_agent;
use auth_runtime::session::{Subject, TokenService};
use auth_runtime::verify::TrustedIssuer;

use super::*;
use crate::support::people::{AUDIENCE, signing_key};

/// A browser: it keeps cookies, and sends each to the paths that it is for.
#[derive(Default)]
struct Browser {
    cookies: Mutex<BTreeMap<String, (String, String)>>,
    name: &'static str,
}

impl Browser {
    fn new(name: &'static str) -> Self {
        Self { name, ..Self::default() }
    }

    fn cookie(&self, path: &str) -> String {
        let cookies = self.cookies.lock().unwrap();
        let sent = cookies.iter().filter(|(_, (_, below))| path.starts_with(below.as_str()));
        sent.map(|(name, (value, _))| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn send(
        &self,
        shop: &Shop,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Reply {
        let cookie = self.cookie(path);
        let mut headers = headers.to_vec();
        headers.extend([
            ("cookie", &*cookie),
            ("user-agent", self.name),
            ("content-type", "application/json"),
        ]);
        let mut sent = request(method, path, &headers);
        if !body.is_null() {
            *sent.body_mut() = Body::from(body.to_string());
        }
        let reply = send(&shop.app, sent).await;
        let mut cookies = self.cookies.lock().unwrap();
        for (name, value, attributes) in set_cookies(&reply) {
            if attributes.contains("Max-Age=0") {
                cookies.remove(&name);
            } else {
                let path = attributes.split("Path=").nth(1).unwrap().split(';').next().unwrap();
                cookies.insert(name, (value, path.to_owned()));
            }
        }
        reply
    }

    async fn log_in(&self, shop: &Shop, user: &str) {
        let reply = self.send(shop, "POST", "/auth/login", &[], &credentials(user)).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    async fn get(&self, shop: &Shop, path: &str) -> Reply {
        self.send(shop, "GET", path, &[], &Value::Null).await
    }

    async fn delete(&self, shop: &Shop, path: &str) -> Reply {
        self.send(shop, "DELETE", path, &[], &Value::Null).await
    }

    /// The sessions that the user is shown.
    async fn sessions(&self, shop: &Shop) -> Vec<Value> {
        let reply = self.get(shop, "/auth/sessions").await;
        assert_eq!(
            (reply.status.as_u16(), reply.header("cache-control")),
            (200, "no-store"),
            "{}",
            reply.body
        );
        body(&reply)["sessions"].as_array().unwrap().clone()
    }

    /// The id of the session that it has.
    async fn current(&self, shop: &Shop) -> String {
        let sessions = self.sessions(shop).await;
        let current: Vec<_> = sessions.iter().filter(|session| session["current"] == true).collect();
        assert_eq!(current.len(), 1, "{sessions:?}");
        current[0]["id"].as_str().unwrap().to_owned()
    }

    async fn who(&self, shop: &Shop) -> u16 {
        self.get(shop, "/who").await.status.as_u16()
    }
}

fn shop() -> Shop {
    with_store(&FlakyStore::default())
}

fn with_store(store: &FlakyStore) -> Shop {
    let store = store.clone();
    let build = |builder: AuthBuilder| builder.store(store).max_staleness(Duration::MAX);
    Shop::new(Delivery::Cookies, build, |routes| {
        routes
            .sessions()
            .session_label(user_agent)
            .administration(rule!(source = "cookie", roles = ["admin"]))
    })
}

async fn started(shop: Shop) -> Shop {
    shop.auth.start().await.unwrap();
    shop
}

fn tokens(shop: &Shop) -> TokenService {
    shop.auth.tokens().unwrap()
}

async fn count(shop: &Shop, user: &str) -> usize {
    tokens(shop).sessions(user).await.unwrap().sessions.len()
}

/// OWASP ASVS 5, 7.2.4: also another user's, and however old its tokens are.
#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_had() {
    let shop = started(shop()).await;
    let (desk, phone) = (Browser::new("desk"), Browser::new("phone"));
    desk.log_in(&shop, "alice").await;
    phone.log_in(&shop, "alice").await;
    let former = desk.cookie("/auth/login");
    desk.log_in(&shop, "alice").await;
    assert_eq!(shop.who(&[("cookie", &former)]).await, 401);
    assert_eq!(send(&shop.app, request("POST", "/auth/refresh", &[("cookie", &former)])).await.status, 400);
    assert_eq!((desk.who(&shop).await, phone.who(&shop).await, count(&shop, "alice").await), (200, 200, 2));

    // The access cookie has expired, and the browser has dropped it.
    shop.clock.advance(Duration::from_secs(7200));
    desk.cookies.lock().unwrap().remove("__Host-access_token");
    desk.log_in(&shop, "bob").await;
    assert_eq!((count(&shop, "alice").await, count(&shop, "bob").await), (1, 1));
    // The refresh cookie is lost, and the access cookie is there.
    desk.cookies.lock().unwrap().remove("__Secure-refresh_token");
    desk.log_in(&shop, "alice").await;
    assert_eq!((count(&shop, "alice").await, count(&shop, "bob").await), (2, 0));
    // The session of the new login is whole.
    assert_eq!(desk.send(&shop, "POST", "/auth/refresh", &[], &json!({})).await.status, 200);
    assert_eq!(desk.who(&shop).await, 200);
}

/// The session that a login ends is not one of those that are too many.
#[tokio::test]
async fn to_log_in_again_ends_no_session_of_another_browser() {
    let (people, clock) = (People::default(), TestClock::new());
    let auth = Auth::builder().clock(clock.clone()).token_issuer(issuer(&people).max_sessions_per_user(2));
    let auth = auth.build().unwrap();
    let routes = TokenRoutes::cookies(auth.tokens().unwrap(), people.clone());
    let app = Router::new().route("/who", get(who)).nest("/auth", routes.router()).finish(&auth).unwrap();
    let app = app.layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))));
    let shop = Shop { auth, clock, people, app };
    let (phone, desk, third) = (Browser::new("phone"), Browser::new("desk"), Browser::new("third"));
    for browser in [&phone, &desk, &desk, &desk] {
        browser.log_in(&shop, "alice").await;
        shop.clock.advance(Duration::from_secs(1));
    }
    assert_eq!((phone.who(&shop).await, desk.who(&shop).await, count(&shop, "alice").await), (200, 200, 2));
    third.log_in(&shop, "alice").await;
    assert_eq!((phone.who(&shop).await, desk.who(&shop).await, count(&shop, "alice").await), (401, 200, 2));
}

#[tokio::test]
async fn a_login_ends_nothing_for_what_is_forged_or_fails_or_comes_from_elsewhere() {
    let shop = started(shop()).await;
    let alice = Browser::new("alice");
    alice.log_in(&shop, "alice").await;
    let cookie = alice.cookie("/auth/login");
    let wrong = json!({ "username": "alice", "password": "wrong" });
    for (headers, sent, status) in [
        (vec![("cookie", &*cookie)], &wrong, 400),
        (vec![("cookie", &*cookie)], &json!([]), 400),
        (
            vec![("cookie", &*cookie), ("origin", "https://evil.example"), ("host", "shop.test")],
            &credentials("bob"),
            403,
        ),
        (vec![("cookie", &*cookie), ("sec-fetch-site", "cross-site")], &credentials("bob"), 403),
    ] {
        assert_eq!(shop.post("/auth/login", &headers, sent).await.status.as_u16(), status, "{headers:?}");
        assert_eq!(alice.who(&shop).await, 200);
    }
    // What is not signed, with the id of a session that is there.
    let id = alice.current(&shop).await;
    for forged in [
        format!("__Secure-refresh_token={id}"),
        format!("__Secure-refresh_token=k1.{id}"),
        cookie.replace("k1.", "k2.").split("; ").nth(1).unwrap().to_owned(),
        format!("{}x", cookie.split("; ").nth(1).unwrap()),
        format!("{}x", cookie.split("; ").next().unwrap()),
    ] {
        assert_eq!(shop.post("/auth/login", &[("cookie", &forged)], &credentials("bob")).await.status, 200);
        assert_eq!(alice.who(&shop).await, 200, "{forged}");
    }
    // Not for a program, which has no cookies.
    let shop = Shop::json();
    let first = body(&shop.log_in("alice").await);
    let access = bearer(&first["access_token"]);
    let again = shop.post("/auth/login", &[("authorization", &access)], &credentials("alice")).await;
    assert_eq!((again.status.as_u16(), count(&shop, "alice").await), (200, 2));
}

/// The login fails as a whole: the former session lives, and the new one does not. The browser has neither's cookies: a page would
/// still be served as the former user's.
#[tokio::test]
async fn a_login_that_can_not_end_the_former_session_is_503() {
    let store = FlakyStore::default();
    let shop = started(with_store(&store)).await;
    let browser = Browser::new("desk");
    browser.log_in(&shop, "alice").await;
    store.set_takes_no_revocation(true);
    let reply = browser.send(&shop, "POST", "/auth/login", &[], &credentials("bob")).await;
    assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"));
    assert!(set_cookies(&reply).iter().all(|(_, value, _)| value.is_empty()));
    assert_eq!(
        (browser.who(&shop).await, count(&shop, "alice").await, count(&shop, "bob").await),
        (401, 1, 0)
    );
    // Where there is no session to end, a login needs no revocation.
    Browser::new("new").log_in(&shop, "bob").await;
    store.set_takes_no_revocation(false);
    browser.log_in(&shop, "bob").await;
    assert_eq!((count(&shop, "alice").await, count(&shop, "bob").await), (1, 2));
}

#[auth(public)]
async fn own_login(
    Extension(endpoints): Extension<TokenEndpoints<People>>,
    Extension(tokens): Extension<TokenService>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let subject = Subject::new("alice").session_label("second factor");
    let tokens = tokens.issue(&subject).await.unwrap();
    endpoints.respond_with(&head, &tokens).await
}

/// A login of the application's own ends the session as the route does.
#[tokio::test]
async fn a_login_of_the_applications_own_ends_the_session_too() {
    let (store, people) = (FlakyStore::default(), People::default());
    let auth = Auth::builder().token_issuer(issuer(&people)).store(store.clone()).build().unwrap();
    auth.start().await.unwrap();
    let endpoints = TokenRoutes::cookies(auth.tokens().unwrap(), people).endpoints();
    let app = Router::new()
        .route("/in", post(own_login))
        .layer(Extension(endpoints))
        .layer(Extension(auth.tokens().unwrap()))
        .finish(&auth)
        .unwrap();
    let log_in = async |cookie: &str| send(&app, request("POST", "/in", &[("cookie", cookie)])).await;
    let listed = async || auth.tokens().unwrap().sessions("alice").await.unwrap().sessions;
    let first = cookie_header(&log_in("").await);
    let former = listed().await[0].clone();
    assert_eq!(former.label.as_deref(), Some("second factor"));
    let reply = log_in(&first).await;
    assert_eq!((reply.status.as_u16(), given(&reply)), (200, 2));
    let now = listed().await;
    assert!(now.len() == 1 && now[0].id != former.id);
    store.set_takes_no_revocation(true);
    let failed = log_in(&cookie_header(&reply)).await;
    assert_eq!(failed.status, 503);
    assert!(set_cookies(&failed).iter().all(|(_, value, _)| value.is_empty()));
    assert_eq!(listed().await, now);
}

#[tokio::test]
async fn a_user_sees_its_sessions_and_ends_them() {
    let shop = started(shop()).await;
    let (desk, phone, bob) = (Browser::new("desk"), Browser::new("phone"), Browser::new("bob's"));
    desk.log_in(&shop, "alice").await;
    shop.clock.advance(Duration::from_secs(60));
    phone.log_in(&shop, "alice").await;
    bob.log_in(&shop, "bob").await;
    let sessions = desk.sessions(&shop).await;
    let (on_phone, at_desk) = (&sessions[0], &sessions[1]);
    assert_eq!(
        *at_desk,
        json!({
            "id": at_desk["id"], "started_at": 1_800_000_000, "last_refreshed_at": 1_800_000_000,
            "expires_at": 1_800_000_000 + 14 * 86_400, "label": "desk", "current": true,
        })
    );
    assert_eq!((&on_phone["label"], &on_phone["current"]), (&json!("phone"), &json!(false)));
    assert_eq!(bob.sessions(&shop).await.len(), 1);

    let of_bob = bob.current(&shop).await;
    let unknown = [
        "A".repeat(22),
        "x".into(),
        "%00".into(),
        "%FF%FE".into(),
        "..%2f..".into(),
        of_bob,
        "A".repeat(4000),
    ];
    let mut answers = Vec::new();
    for id in unknown {
        let reply = desk.delete(&shop, &format!("/auth/sessions/{id}")).await;
        answers.push((reply.status.as_u16(), reply.header("cache-control").to_owned(), reply.body));
    }
    assert_eq!(answers[0], (404, "no-store".into(), json!({ "error": "not_found" }).to_string()));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "whether it exists is not said: {answers:?}");
    assert_eq!((phone.who(&shop).await, bob.who(&shop).await), (200, 200));

    let one = format!("/auth/sessions/{}", on_phone["id"].as_str().unwrap());
    let reply = desk.delete(&shop, &one).await;
    assert_eq!((reply.status.as_u16(), reply.body.as_str(), set_cookies(&reply).len()), (204, "", 0));
    assert_eq!((desk.who(&shop).await, phone.who(&shop).await), (200, 401));
    assert_eq!(desk.delete(&shop, &one).await.status, 404, "it has ended");

    phone.log_in(&shop, "alice").await;
    assert_eq!(desk.delete(&shop, "/auth/sessions").await.status, 204);
    assert_eq!((desk.who(&shop).await, phone.who(&shop).await, bob.who(&shop).await), (200, 401, 200));
    assert_eq!(desk.delete(&shop, "/auth/sessions").await.status, 204, "there are no others");

    // The current one: the browser is logged out, and its cookies are cleared.
    let current = desk.current(&shop).await;
    let reply = desk.delete(&shop, &format!("/auth/sessions/{current}")).await;
    assert_eq!((reply.status.as_u16(), set_cookies(&reply).len()), (204, 2));
    assert_eq!(desk.cookie("/auth/sessions"), "");
    assert_eq!(desk.get(&shop, "/auth/sessions").await.status, 401);
    assert_eq!(count(&shop, "alice").await, 0);
}

/// OWASP ASVS 5, 7.5.2: the gate sends a user whose login is old to log in again (RFC 9470 §3).
#[tokio::test]
async fn a_user_has_authenticated_again() {
    let routes: Configure = |routes| routes.sessions().sessions_max_age(Duration::from_secs(120));
    let default: Configure = TokenRoutes::sessions;
    for (configure, max_age) in [(default, 600), (routes, 120)] {
        let shop = Shop::new(Delivery::Cookies, |builder| builder.leeway(Duration::ZERO), configure);
        let browser = Browser::new("desk");
        browser.log_in(&shop, "alice").await;
        let id = browser.current(&shop).await;
        let other = Browser::new("other");
        other.log_in(&shop, "alice").await;
        shop.clock.advance(Duration::from_secs(max_age));
        assert_eq!(browser.sessions(&shop).await.len(), 2);
        shop.clock.advance(Duration::from_secs(1));
        // A refresh is no login.
        assert_eq!(browser.send(&shop, "POST", "/auth/refresh", &[], &json!({})).await.status, 200);
        for (method, path) in [
            ("GET", "/auth/sessions".to_owned()),
            ("DELETE", "/auth/sessions".into()),
            ("DELETE", format!("/auth/sessions/{id}")),
        ] {
            let reply = browser.send(&shop, method, &path, &[], &Value::Null).await;
            let challenge = reply.header("www-authenticate").to_owned();
            assert_eq!(reply.status, 401, "{method} {path}");
            assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
            assert!(challenge.contains(&format!("max_age=\"{max_age}\"")), "{challenge}");
        }
        assert_eq!((browser.who(&shop).await, other.who(&shop).await), (200, 200));
        browser.log_in(&shop, "alice").await;
        assert_eq!(browser.delete(&shop, "/auth/sessions").await.status, 204);
        assert_eq!(other.who(&shop).await, 401);
    }
}

#[tokio::test]
async fn another_site_ends_no_session_and_nobody_is_anonymous() {
    let shop = started(shop()).await;
    let (alice, other) = (Browser::new("alice's"), Browser::new("other"));
    alice.log_in(&shop, "alice").await;
    other.log_in(&shop, "alice").await;
    let id = other.current(&shop).await;
    for path in [
        "/auth/sessions".to_owned(),
        format!("/auth/sessions/{id}"),
        "/auth/users/alice/sessions".into(),
        format!("/auth/users/alice/sessions/{id}"),
    ] {
        for foreign in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
            let headers = [foreign, ("host", "shop.test")];
            assert_eq!(
                alice.send(&shop, "DELETE", &path, &headers, &Value::Null).await.status,
                403,
                "{path}"
            );
        }
        assert_eq!(Browser::default().delete(&shop, &path).await.status, 401, "{path}");
    }
    assert_eq!((alice.who(&shop).await, other.who(&shop).await), (200, 200));
}

/// OWASP ASVS 5, 7.4.5.
#[tokio::test]
async fn an_administrator_ends_anybodys_sessions() {
    let shop = started(shop()).await;
    shop.people.set("tenant/b b", &[]);
    let (admin, bob, other) = (Browser::new("admin's"), Browser::new("bob's"), Browser::new("other"));
    admin.log_in(&shop, "alice").await;
    for browser in [&bob, &other] {
        browser.log_in(&shop, "bob").await;
    }
    let id = bob.current(&shop).await;
    let one = format!("/auth/users/bob/sessions/{id}");
    for (method, path) in
        [("GET", "/auth/users/bob/sessions"), ("DELETE", "/auth/users/bob/sessions"), ("DELETE", &one)]
    {
        assert_eq!(bob.send(&shop, method, path, &[], &Value::Null).await.status, 403, "{method} {path}");
    }
    let reply = admin.get(&shop, "/auth/users/bob/sessions").await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let list = body(&reply);
    assert_eq!(list["sessions"].as_array().unwrap().len(), 2);
    assert!(list["sessions"].as_array().unwrap().iter().all(|session| session["current"] == false));

    assert_eq!(
        admin.delete(&shop, &format!("/auth/users/alice/sessions/{id}")).await.status,
        404,
        "it is bob's"
    );
    assert_eq!(admin.delete(&shop, &one).await.status, 204);
    assert_eq!((bob.who(&shop).await, other.who(&shop).await), (401, 200));
    assert_eq!(admin.delete(&shop, &one).await.status, 404);
    assert_eq!(admin.delete(&shop, "/auth/users/bob/sessions").await.status, 204);
    assert_eq!((other.who(&shop).await, admin.who(&shop).await, count(&shop, "bob").await), (401, 200, 0));

    // Any id of a user can be named, and none by bytes that are no text.
    let stranger = Browser::new("stranger's");
    stranger.log_in(&shop, "tenant/b b").await;
    let list = body(&admin.get(&shop, "/auth/users/tenant%2Fb%20b/sessions").await);
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(admin.delete(&shop, "/auth/users/tenant%2Fb%20b/sessions").await.status, 204);
    assert_eq!(stranger.who(&shop).await, 401);
    for method in ["GET", "DELETE"] {
        let reply = admin.send(&shop, method, "/auth/users/%FF/sessions", &[], &Value::Null).await;
        assert_eq!((reply.status.as_u16(), body(&reply)), (400, json!({ "error": "invalid_request" })));
    }
}

/// A caller with a token of another issuer has no session here, also if a user here has its id.
#[tokio::test]
async fn a_caller_of_another_issuer_reaches_nobodys_sessions() {
    let other = TrustedIssuer::new("https://id.test").audience(AUDIENCE).key(signing_key(7).verifying_key());
    let shop = Shop::new(Delivery::Json, |builder| builder.issuer(other), TokenRoutes::sessions);
    let own = body(&shop.log_in("alice").await);
    let id = tokens(&shop).sessions("alice").await.unwrap().sessions[0].id.clone();
    let claims = json!({
        "iss": "https://id.test", "aud": AUDIENCE, "sub": "alice", "sid": id, "auth_time": 1_800_000_000,
        "iat": 1_800_000_000, "exp": 1_800_000_600,
    });
    let foreign = format!("Bearer {}", signing_key(7).sign(&claims).unwrap());
    let foreign = [("authorization", &*foreign)];
    let reply = send(&shop.app, request("GET", "/auth/sessions", &foreign)).await;
    assert_eq!((reply.status.as_u16(), body(&reply)), (200, json!({ "sessions": [], "not_listed": 0 })));
    for path in ["/auth/sessions".to_owned(), format!("/auth/sessions/{id}")] {
        assert_eq!(send(&shop.app, request("DELETE", &path, &foreign)).await.status, 404, "{path}");
    }
    assert_eq!(shop.who(&[("authorization", &bearer(&own["access_token"]))]).await, 200);
}

#[tokio::test]
async fn while_the_store_fails_the_routes_are_503_and_nothing_ends() {
    let store = FlakyStore::default();
    let shop = started(with_store(&store)).await;
    let (alice, other) = (Browser::new("alice's"), Browser::new("other"));
    alice.log_in(&shop, "alice").await;
    other.log_in(&shop, "alice").await;
    let id = other.current(&shop).await;
    let routes = [
        ("GET", "/auth/sessions".to_owned()),
        ("GET", "/auth/users/alice/sessions".into()),
        ("DELETE", "/auth/sessions".into()),
        ("DELETE", format!("/auth/sessions/{id}")),
        ("DELETE", "/auth/users/alice/sessions".into()),
        ("DELETE", format!("/auth/users/alice/sessions/{id}")),
    ];
    let own = alice.current(&shop).await;
    let all = routes.into_iter().chain([("DELETE", format!("/auth/sessions/{own}"))]);
    store.set_broken(true);
    for (method, path) in all {
        let reply = alice.send(&shop, method, &path, &[], &Value::Null).await;
        assert_eq!((reply.status.as_u16(), reply.header("retry-after")), (503, "5"), "{method} {path}");
        assert!(set_cookies(&reply).is_empty(), "{method} {path}");
    }
    store.set_broken(false);
    assert_eq!((alice.who(&shop).await, other.who(&shop).await, count(&shop, "alice").await), (200, 200, 2));
}

/// They are mounted by a call, and then they are in the list of routes with what they require.
#[test]
fn the_routes_are_listed_with_their_rules() {
    let people = People::default();
    let auth = Auth::builder().token_issuer(issuer(&people)).build().unwrap();
    let listed = |configure: Configure| {
        let routes = configure(TokenRoutes::cookies(auth.tokens().unwrap(), people.clone()));
        let router: Router = routes.router();
        let routes = router.routes();
        let routes = routes.iter().filter(|route| route.path.contains("/sessions"));
        routes.map(|route| format!("{} {}: {}", route.method, route.path, route.who())).collect::<Vec<_>>()
    };
    assert!(listed(|routes| routes).is_empty());
    assert_eq!(
        listed(|routes| routes.sessions().administration(rule!(roles = ["admin"], max_age = "5m"))),
        [
            "GET /sessions: from cookie: a login at most 600 s old",
            "DELETE /sessions: from cookie: a login at most 600 s old",
            "DELETE /sessions/{session_id}: from cookie: a login at most 600 s old",
            "GET /users/sessions: role admin, and a login at most 300 s old",
            "GET /users/{subject}/sessions: role admin, and a login at most 300 s old",
            "DELETE /users/{subject}/sessions: role admin, and a login at most 300 s old",
            "DELETE /users/{subject}/sessions/{session_id}: role admin, and a login at most 300 s old",
        ]
    );
}

/// The label is what the application derives, in one line, and an application that derives none has none.
#[tokio::test]
async fn the_label_of_a_session_is_the_applications() {
    let long: Configure = |routes| routes.session_label(|head| user_agent(head).map(|name| name.repeat(100)));
    let none: Configure = |routes| routes;
    let panics: Configure = |routes| routes.session_label(|_| panic!("no label"));
    for (configure, label) in [(long, Some("Fire<b>fox 7".repeat(100)[..200].to_owned())), (none, None)] {
        let shop = Shop::new(Delivery::Json, |builder| builder, configure);
        let reply = shop.post("/auth/login", &[("user-agent", "Fire<b>fox 7")], &credentials("alice")).await;
        assert_eq!(reply.status, 200);
        assert_eq!(tokens(&shop).sessions("alice").await.unwrap().sessions[0].label, label);
    }
    let shop = Shop::new(Delivery::Json, |builder| builder, panics);
    assert_eq!(shop.log_in("alice").await.status, 500);
    assert_eq!(count(&shop, "alice").await, 0);
}
