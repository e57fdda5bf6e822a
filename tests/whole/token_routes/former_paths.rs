//! The refresh cookie had another path before: of an earlier version of the service, or of another one. A browser that has it gets a new
//! one, sends one at the next refresh, and its session lives.

use auth_runtime::source::CookieOptions;

use super::*;

/// A browser, as far as paths matter (RFC 6265bis §5.1.4): one cookie for each name and path.
#[derive(Default)]
struct Jar(std::collections::BTreeMap<(String, String), String>);

impl Jar {
    fn header(&self, path: &str) -> String {
        let is_sent = |cookie_path: &str| {
            let rest = path.strip_prefix(cookie_path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie_path.ends_with('/'))
        };
        let sent = self.0.iter().filter(|((_, cookie_path), _)| is_sent(cookie_path));
        sent.map(|((name, _), value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    fn keep(&mut self, reply: &Reply) {
        for cookie in set_cookies(reply) {
            let (value, is_removal) = (cookie.1.clone(), cookie.2.contains("Max-Age=0"));
            if is_removal {
                self.0.remove(&path_of(cookie));
            } else {
                self.0.insert(path_of(cookie), value);
            }
        }
    }

    fn put(&mut self, name: &str, path: &str, value: &str) {
        self.0.insert((name.to_owned(), path.to_owned()), value.to_owned());
    }

    fn paths(&self, name: &str) -> Vec<&str> {
        self.0.keys().filter(|(found, _)| found == name).map(|(_, path)| path.as_str()).collect()
    }

    async fn post(&mut self, app: &axum::Router, path: &str, body: &Value) -> Reply {
        let headers = [("cookie", self.header(path)), ("content-type", "application/json".to_owned())];
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str())).collect::<Vec<_>>();
        let mut sent = request("POST", path, &headers);
        *sent.body_mut() = Body::from(body.to_string());
        let reply = send(app, sent).await;
        self.keep(&reply);
        reply
    }

    async fn log_in(&mut self, app: &axum::Router, path: &str) {
        assert_eq!(self.post(app, path, &credentials("alice")).await.status, 200, "{path}");
    }

    async fn refresh(&mut self, app: &axum::Router) -> u16 {
        self.post(app, "/auth/refresh", &Value::Null).await.status.as_u16()
    }

    async fn get(&mut self, app: &axum::Router, path: &str) -> Reply {
        let reply = send(app, request("GET", path, &[("cookie", &self.header(path))])).await;
        self.keep(&reply);
        reply
    }
}

const SECURE: &str = "__Secure-refresh_token";

/// Engines of one service: the same keys, the same store, and the same clock.
struct Versions {
    store: FlakyStore,
    people: People,
    clock: TestClock,
}

impl Versions {
    fn new() -> Self {
        Self { store: FlakyStore::default(), people: People::default(), clock: TestClock::new() }
    }

    async fn start(&self, build: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Auth {
        let builder = Auth::builder().clock(self.clock.clone()).token_issuer(issuer(&self.people));
        let auth = build(builder.store(self.store.clone()).max_staleness(Duration::MAX)).build().unwrap();
        auth.start().await.unwrap();
        auth
    }

    fn routes(&self, auth: &Auth) -> TokenRoutes<People> {
        TokenRoutes::cookies(auth.tokens().unwrap(), self.people.clone())
    }

    /// The ready router, as the service had it.
    fn ready(&self, auth: &Auth) -> axum::Router {
        Self::served(Router::new().nest("/auth", self.routes(auth).router()), auth)
    }

    /// The routes at the same paths, mounted by hand, and a login elsewhere.
    fn mounted(&self, auth: &Auth) -> axum::Router {
        let endpoints = self.routes(auth).endpoints();
        let router = Router::new()
            .route("/login", endpoints.route(TokenRoute::Login))
            .route("/auth/login", endpoints.route(TokenRoute::Login))
            .route("/auth/refresh", endpoints.route(TokenRoute::Refresh))
            .route("/auth/logout", endpoints.route(TokenRoute::Logout));
        Self::served(router, auth)
    }

    fn served(router: Router, auth: &Auth) -> axum::Router {
        let router = router.route("/who", get(who)).route("/auth/who", get(who));
        router.finish(auth).unwrap().layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
    }

    /// The next refreshes succeed, past the grace period each, and the user is the same.
    async fn lives_on(&self, jar: &mut Jar, app: &axum::Router) {
        for _ in 0..3 {
            self.clock.advance(Duration::from_secs(3600));
            assert_eq!(jar.refresh(app).await, 200, "{:?}", jar.0.keys());
            let reply = jar.get(app, "/who").await;
            assert_eq!((reply.status.as_u16(), reply.body.as_str()), (200, "alice"));
        }
    }
}

#[tokio::test]
async fn a_refresh_after_the_routes_are_mounted_by_hand() {
    let versions = Versions::new();
    let auth = versions.start(|builder| builder).await;
    let (former, app) = (versions.ready(&auth), versions.mounted(&auth));
    let mut jar = Jar::default();
    jar.log_in(&former, "/auth/login").await;
    assert_eq!(jar.paths(SECURE), ["/auth"]);
    assert_eq!(jar.refresh(&app).await, 200);
    assert_eq!(jar.paths(SECURE), ["/"]);
    versions.lives_on(&mut jar, &app).await;
    // And back: the path of the ready router is the former one then.
    assert_eq!(jar.refresh(&former).await, 200);
    assert_eq!(jar.paths(SECURE), ["/auth"]);
    versions.lives_on(&mut jar, &former).await;
    // With the former path nothing moves.
    let endpoints = versions.routes(&auth).cookie_path("/auth").endpoints();
    let router = Router::new().route("/auth/refresh", endpoints.route(TokenRoute::Refresh));
    let kept = Versions::served(router, &auth);
    assert_eq!(jar.refresh(&kept).await, 200);
    assert_eq!(jar.paths(SECURE), ["/auth"]);
}

#[tokio::test]
async fn a_login_leaves_one() {
    let versions = Versions::new();
    let auth = versions.start(|builder| builder).await;
    let (former, app) = (versions.ready(&auth), versions.mounted(&auth));
    for (path, before) in
        [("/auth/login", "/auth"), ("/auth/login", "/auth/"), ("/auth/login", "/auth/login")]
    {
        let mut jar = Jar::default();
        jar.put(SECURE, before, "of-an-earlier-service");
        jar.log_in(&app, path).await;
        assert_eq!(jar.paths(SECURE), ["/"], "{before}");
        versions.lives_on(&mut jar, &app).await;
    }
    let mut jar = Jar::default();
    jar.put(SECURE, "/", "of-an-earlier-service");
    jar.log_in(&former, "/auth/login").await;
    assert_eq!(jar.paths(SECURE), ["/auth"]);
    versions.lives_on(&mut jar, &former).await;
}

/// A login at another path can't know of it: the refresh, to which both are sent, clears both, and the next session is one.
#[tokio::test]
async fn of_two_none_is_left_and_no_session_ends_by_a_false_alarm() {
    let versions = Versions::new();
    let auth = versions.start(|builder| builder).await;
    let app = versions.mounted(&auth);
    for before in ["/auth", "/auth/", "/auth/refresh"] {
        let mut jar = Jar::default();
        jar.put(SECURE, before, "of-an-earlier-service");
        jar.log_in(&app, "/login").await;
        assert_eq!(jar.refresh(&app).await, 400);
        assert!(jar.0.is_empty(), "{:?}", jar.0.keys());
        assert_eq!(jar.refresh(&app).await, 400);
        jar.log_in(&app, "/login").await;
        versions.lives_on(&mut jar, &app).await;
    }
}

/// One that was refused is cleared wherever it is, so that the login after it has the only one.
#[tokio::test]
async fn a_former_one_that_is_refused_is_cleared() {
    let versions = Versions::new();
    let auth = versions.start(|builder| builder).await;
    for (app, login, before) in
        [(versions.mounted(&auth), "/login", "/auth"), (versions.ready(&auth), "/auth/login", "/")]
    {
        let mut jar = Jar::default();
        jar.put(SECURE, before, "of-an-earlier-service");
        assert_eq!(jar.refresh(&app).await, 400);
        assert!(jar.0.is_empty(), "{:?}", jar.0.keys());
        jar.log_in(&app, login).await;
        versions.lives_on(&mut jar, &app).await;
    }
}

/// With exact names, the cookie moves from the path of the routes to all paths.
#[tokio::test]
async fn transparent_renewal_is_turned_on() {
    let options = || CookieOptions::new().name("session").refresh_name("session_key");
    let versions = Versions::new();
    let before = versions.start(|builder| builder.cookies(options())).await;
    let after = versions.start(|builder| builder.cookies(options()).renew_transparently()).await;
    let (former, app) = (versions.ready(&before), versions.ready(&after));
    let log_in = async || {
        let mut jar = Jar::default();
        jar.log_in(&former, "/auth/login").await;
        assert_eq!(jar.paths("session_key"), ["/auth"]);
        versions.clock.advance(Duration::from_secs(3600));
        jar
    };
    let mut jar = log_in().await;
    assert_eq!(jar.refresh(&app).await, 200);
    assert_eq!(jar.paths("session_key"), ["/"]);
    versions.lives_on(&mut jar, &app).await;
    // The same where a route below renews the session.
    let mut jar = log_in().await;
    assert_eq!(jar.get(&app, "/auth/who").await.status, 200);
    assert_eq!(jar.paths("session_key"), ["/"]);
    versions.lives_on(&mut jar, &app).await;
}

/// Behind a proxy that takes a prefix away, the path of the request is another service's.
#[tokio::test]
async fn a_path_that_a_proxy_has_changed_is_not_cleared() {
    let versions = Versions::new();
    let auth = versions.start(|builder| builder).await;
    let routes = versions.routes(&auth).cookie_path("/shop/auth").router();
    let app = Versions::served(Router::new().nest("/auth", routes), &auth);
    let mut jar = Jar::default();
    jar.log_in(&app, "/auth/login").await;
    let cookies = jar.header("/shop/auth/refresh");
    let reply = send(&app, request("POST", "/auth/refresh", &[("cookie", &cookies)])).await;
    let paths: Vec<_> =
        set_cookies(&reply).into_iter().map(path_of).filter(|(name, _)| name == SECURE).collect();
    let paths: Vec<_> = paths.iter().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["/", "/shop", "/shop/", "/shop/auth"]);
}
