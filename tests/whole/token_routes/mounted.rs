//! The routes at paths of the application's own: the same rules, limits and documentation as in the ready router.

use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::{MethodFilter, MethodRouter};
use auth_runtime::session::routes::OwnLogin;
use auth_runtime::store::MemoryStore;

use super::*;
use crate::captured_log::CapturedLog;

/// Every route, with the path that the ready router has it at.
const ALL: [(&str, TokenRoute); 14] = [
    ("/sessions", TokenRoute::Sessions),
    ("/sessions", TokenRoute::EndOtherSessions),
    ("/sessions/{session_id}", TokenRoute::EndSession),
    ("/users/sessions", TokenRoute::AllSessions),
    ("/users/{subject}/sessions", TokenRoute::UserSessions),
    ("/users/{subject}/sessions", TokenRoute::EndUserSessions),
    ("/users/{subject}/sessions/{session_id}", TokenRoute::EndUserSession),
    ("/login", TokenRoute::Login),
    ("/refresh", TokenRoute::Refresh),
    ("/logout", TokenRoute::Logout),
    ("/logout-everywhere", TokenRoute::LogoutEverywhere),
    ("/revoke", TokenRoute::Revoke),
    ("/introspect", TokenRoute::Introspect),
    ("/revocations", TokenRoute::Revocations),
];

/// Those that need a rule of the application's.
const NAMED: [TokenRoute; 7] = [
    TokenRoute::Revoke,
    TokenRoute::Introspect,
    TokenRoute::AllSessions,
    TokenRoute::Revocations,
    TokenRoute::UserSessions,
    TokenRoute::EndUserSessions,
    TokenRoute::EndUserSession,
];

fn engine() -> (Auth, People) {
    engine_with(|builder| builder)
}

fn engine_with(build: impl FnOnce(AuthBuilder) -> AuthBuilder) -> (Auth, People) {
    let people = People::default();
    let builder = build(Auth::builder().clock(TestClock::new()).token_issuer(issuer(&people)));
    (builder.default_sources(["bearer", "cookie"]).build().unwrap(), people)
}

fn routes(auth: &Auth, people: &People, delivery: Delivery) -> TokenRoutes<People> {
    let tokens = auth.tokens().unwrap();
    match delivery {
        Delivery::Cookies => TokenRoutes::cookies(tokens, people.clone()),
        _ => TokenRoutes::json(tokens, people.clone()),
    }
}

fn served(router: Router, auth: &Auth) -> axum::Router {
    router.finish(auth).unwrap().layer(MockConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711))))
}

/// The routes of the ready router, mounted one by one.
fn one_by_one(endpoints: &TokenEndpoints<People>) -> Router {
    let admins = rule!(roles = ["admin"]);
    ALL.into_iter().fold(Router::new(), |router, (path, route)| {
        let is_named = NAMED.contains(&route);
        let mounted = if is_named { endpoints.guarded_route(route, admins) } else { endpoints.route(route) };
        router.route(path, mounted)
    })
}

fn document(router: &Router, auth: &Auth) -> Value {
    OpenApi::new("Shop", "1").describe(&router.routes(), auth).unwrap().to_value()
}

async fn ask(app: &axum::Router, method: &str, path: &str, header: (&str, &str), body: &Value) -> Reply {
    let mut sent = request(method, path, &[header, ("content-type", "application/json")]);
    *sent.body_mut() = Body::from(body.to_string());
    send(app, sent).await
}

#[tokio::test]
async fn at_the_paths_of_the_ready_router_they_are_that_router() {
    let admins = rule!(roles = ["admin"]);
    for delivery in [Delivery::Json, Delivery::Cookies] {
        let (auth, people) = engine_with(|builder| builder.store(MemoryStore::new()));
        auth.start().await.unwrap();
        let configured = || routes(&auth, &people, delivery).cookie_path("/auth");
        let ready = configured()
            .sessions()
            .administration(admins)
            .revocation(admins)
            .introspection(admins)
            .revoked(admins);
        let ready: Router = Router::new().nest("/auth", ready.router());
        let mounted: Router = Router::new().nest("/auth", one_by_one(&configured().endpoints()));
        assert_eq!(mounted.routes().to_string(), ready.routes().to_string(), "the access table");
        assert_eq!(document(&mounted, &auth), document(&ready, &auth));

        let mut answers = Vec::new();
        for app in [served(ready, &auth), served(mounted, &auth)] {
            answers.push(scenario(&app, delivery).await);
        }
        let [ready, mounted] = answers.try_into().unwrap();
        assert_eq!(mounted, ready);
        let statuses: std::collections::BTreeSet<u16> =
            ready.iter().map(|answer: &Answer| answer.1).collect();
        assert!(
            [200, 204, 400, 401, 403, 404, 405].iter().all(|status| statuses.contains(status)),
            "{statuses:?}"
        );
    }
}

/// What was asked, the status, the names and attributes of the cookies, and the names of the body's members.
type Answer = (String, u16, Vec<(String, bool, String)>, Vec<String>);

/// Asks every route, as the right callers and as wrong ones.
async fn scenario(app: &axum::Router, delivery: Delivery) -> Vec<Answer> {
    let mut answers = Vec::new();
    let mut ask = async |method: &str, path: &str, header: (&str, &str), sent: &Value| {
        let reply = ask(app, method, path, header, sent).await;
        let cookies = set_cookies(&reply).into_iter();
        let cookies = cookies.map(|(name, value, attributes)| (name, value.is_empty(), attributes));
        let read: Value = serde_json::from_str(&reply.body).unwrap_or_default();
        let members = read.as_object().map(|read| read.keys().cloned().collect()).unwrap_or_default();
        answers.push((format!("{method} {path}"), reply.status.as_u16(), cookies.collect(), members));
        reply
    };
    let credential = |reply: &Reply| match delivery {
        Delivery::Cookies => ("cookie", cookie_header(reply)),
        _ => ("authorization", bearer(&body(reply)["access_token"])),
    };
    let nothing = ("x-nothing", "");
    let mut held = Vec::new();
    for name in ["alice", "bob", "alice", "bob"] {
        held.push(credential(&ask("POST", "/auth/login", nothing, &credentials(name)).await));
    }
    let held: Vec<(&str, &str)> = held.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let token = json!({ "token": "x", "refresh_token": "x" });
    let foreign = ("sec-fetch-site", "cross-site");
    for (path, _) in ALL {
        let path = format!("/auth{path}").replace("{session_id}", "none").replace("{subject}", "bob");
        for method in ["GET", "POST", "DELETE", "PUT"] {
            for header in [nothing, foreign, held[0], held[1]] {
                // What ends the sessions that are used here comes last.
                if !path.ends_with("logout-everywhere") {
                    ask(method, &path, header, &token).await;
                }
            }
        }
    }
    for header in [nothing, held[2], held[3]] {
        ask("POST", "/auth/logout", header, &json!({})).await;
        ask("POST", "/auth/logout-everywhere", header, &json!({})).await;
    }
    let anew = credential(&ask("POST", "/auth/login", nothing, &credentials("bob")).await);
    ask("POST", "/auth/logout-everywhere", (anew.0, &anew.1), &json!({})).await;
    ask("POST", "/auth/logout-everywhere", (anew.0, &anew.1), &json!({})).await;
    answers
}

/// A resource `session` with two methods, and a refresh elsewhere.
fn session_resource(endpoints: &TokenEndpoints<People>) -> Router {
    let session: MethodRouter = endpoints
        .route(TokenRoute::Login)
        .merge(endpoints.route_on(MethodFilter::DELETE, TokenRoute::Logout))
        .merge(get(who));
    Router::new()
        .route("/api/session", session)
        .route("/api/token/refresh", endpoints.route(TokenRoute::Refresh))
}

#[tokio::test]
async fn a_login_and_a_logout_at_one_path_of_the_applications() {
    let (auth, people) = engine();
    for (path, expected) in [(None, "/"), (Some("/api"), "/api")] {
        let routes = routes(&auth, &people, Delivery::Cookies);
        let routes = if let Some(path) = path { routes.cookie_path(path) } else { routes };
        let router = session_resource(&routes.endpoints());
        let table = router.routes();
        let lines: Vec<_> =
            table.iter().map(|route| (route.method, route.path.as_str(), route.who())).collect();
        assert_eq!(lines[0], ("POST", "/api/session", "public".to_owned()), "{table}");
        assert_eq!(lines[1], ("DELETE", "/api/session", "public".to_owned()), "{table}");
        assert_eq!(lines[3], ("POST", "/api/token/refresh", "public".to_owned()), "{table}");
        let app = served(router, &auth);

        let login = ask(&app, "POST", "/api/session", ("x-nothing", ""), &credentials("alice")).await;
        let cookies = cookie_header(&login);
        let of_refresh = &set_cookies(&login)[1];
        assert!(of_refresh.2.contains(&format!("Path={expected};")), "{of_refresh:?}");
        let shown = send(&app, request("GET", "/api/session", &[("cookie", &cookies)])).await;
        assert_eq!((shown.status.as_u16(), shown.body.as_str()), (200, "alice"));
        let renewed = send(&app, request("POST", "/api/token/refresh", &[("cookie", &cookies)])).await;
        assert_eq!(renewed.status, 200);
        let cookies = cookie_header(&renewed);
        for (method, path) in
            [("POST", "/api/session"), ("DELETE", "/api/session"), ("POST", "/api/token/refresh")]
        {
            let foreign =
                [("cookie", cookies.as_str()), ("origin", "https://evil.example"), ("host", "shop.test")];
            assert_eq!(send(&app, request(method, path, &foreign)).await.status, 403, "{method} {path}");
        }
        let put = send(&app, request("PUT", "/api/session", &[("cookie", &cookies)])).await;
        assert_eq!(put.status, 405);
        let allow: std::collections::BTreeSet<&str> = put.header("allow").split(',').collect();
        assert_eq!(allow, ["DELETE", "GET", "HEAD", "POST"].into());
        let out = send(&app, request("DELETE", "/api/session", &[("cookie", &cookies)])).await;
        assert_eq!((out.status.as_u16(), set_cookies(&out).len()), (204, 2));
        assert!(set_cookies(&out)[1].2.contains(&format!("Path={expected};")));
        let shown = send(&app, request("GET", "/api/session", &[("cookie", &cookies)])).await;
        assert_eq!(shown.status, 401, "the session has ended");
    }
}

#[test]
fn the_document_has_each_operation_where_it_is() {
    let (auth, people) = engine();
    let endpoints = routes(&auth, &people, Delivery::Json).endpoints();
    let router = session_resource(&endpoints).route(
        "/staff/{subject}/devices/{session_id}",
        endpoints.guarded_route_on(
            MethodFilter::POST.or(MethodFilter::PUT),
            TokenRoute::EndUserSession,
            rule!(roles = ["admin"]),
        ),
    );
    let document = document(&router, &auth);
    let session = &document["paths"]["/api/session"];
    let schema = &session["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["required"], json!(["username", "password"]));
    assert_eq!(
        (&session["post"]["operationId"], &session["delete"]["operationId"]),
        (&json!("log_in"), &json!("log_out"))
    );
    assert_eq!((&session["post"]["security"], &session["delete"]["security"]), (&json!([]), &json!([])));
    let refresh = &document["paths"]["/api/token/refresh"]["post"];
    assert_eq!(
        refresh["requestBody"]["content"]["application/json"]["schema"]["required"],
        json!(["refresh_token"])
    );
    let devices = &document["paths"]["/staff/{subject}/devices/{session_id}"];
    for method in ["post", "put"] {
        assert_eq!(devices[method]["summary"], "End a session of a user", "{method}");
        assert_eq!(devices[method]["x-auth-policy"]["all"], json!([{ "roles": ["admin"] }]));
        assert!(devices[method]["requestBody"].is_null());
    }
    let ids: Vec<&Value> = ["post", "put"].iter().map(|method| &devices[method]["operationId"]).collect();
    assert_ne!(ids[0], ids[1], "an id is of one operation");
}

#[tokio::test]
async fn a_parameter_is_found_wherever_it_is_in_the_path() {
    let (auth, people) = engine();
    let endpoints = routes(&auth, &people, Delivery::Json).endpoints();
    let admins = rule!(roles = ["admin"]);
    let router = Router::new()
        .route("/in", endpoints.route(TokenRoute::Login))
        .route("/devices/{session_id}/end", endpoints.route_on(MethodFilter::POST, TokenRoute::EndSession))
        .nest(
            "/staff/{subject}",
            Router::new()
                .route("/", endpoints.guarded_route(TokenRoute::UserSessions, admins))
                .route("/{session_id}", endpoints.guarded_route(TokenRoute::EndUserSession, admins)),
        );
    let app = served(router, &auth);
    let mut bearers = Vec::new();
    for name in ["alice", "bob", "bob"] {
        let reply = ask(&app, "POST", "/in", ("x-nothing", ""), &credentials(name)).await;
        bearers.push(bearer(&body(&reply)["access_token"]));
    }
    let [admin, bob] = [0, 1].map(|index| ("authorization", bearers[index].as_str()));
    let listed = async || {
        let reply = send(&app, request("GET", "/staff/bob", &[admin])).await;
        let sessions = body(&reply)["sessions"].as_array().unwrap().clone();
        sessions.iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ids = listed().await;
    assert_eq!(ids.len(), 2);
    assert_eq!(send(&app, request("GET", "/staff/bob", &[bob])).await.status, 403);
    assert_eq!(send(&app, request("POST", &format!("/devices/{}/end", ids[0]), &[bob])).await.status, 204);
    assert_eq!(listed().await, ids[1..]);
    assert_eq!(send(&app, request("DELETE", &format!("/staff/bob/{}", ids[1]), &[admin])).await.status, 204);
    assert!(listed().await.is_empty());
}

/// The rule is required besides the route's own.
#[tokio::test]
async fn a_rule_is_added_to_that_of_a_public_route() {
    let (auth, people) = engine();
    let endpoints = routes(&auth, &people, Delivery::Json).endpoints();
    let router = Router::new()
        .route("/in", endpoints.route(TokenRoute::Login))
        .route("/out", endpoints.guarded_route(TokenRoute::Logout, rule!(roles = ["admin"])));
    let who: Vec<String> = router.routes().iter().map(auth_runtime::routing::RouteInfo::who).collect();
    assert_eq!(who, ["public", "role admin"]);
    let app = served(router, &auth);
    let log_in = async |name: &str| {
        let reply = ask(&app, "POST", "/in", ("x-nothing", ""), &credentials(name)).await;
        bearer(&body(&reply)["access_token"])
    };
    let (alice, bob) = (log_in("alice").await, log_in("bob").await);
    for (header, status) in [
        (("x-nothing", ""), 401),
        (("authorization", bob.as_str()), 403),
        (("authorization", alice.as_str()), 204),
        (("authorization", alice.as_str()), 401),
    ] {
        assert_eq!(
            send(&app, request("POST", "/out", &[header])).await.status.as_u16(),
            status,
            "{header:?}"
        );
    }
}

/// Two paths of one login have one budget, and the body has its limit.
#[tokio::test]
async fn the_limits_are_shared_by_all_paths() {
    let (auth, people) = engine();
    let routes = routes(&auth, &people, Delivery::Json);
    let endpoints = routes.limit_per_account(AttemptLimit::new(2, Duration::from_secs(60))).endpoints();
    let router = Router::new()
        .route("/one", endpoints.route(TokenRoute::Login))
        .route("/two", endpoints.clone().route(TokenRoute::Login));
    let app = served(router, &auth);
    let long = json!({ "username": "alice", "password": "x".repeat(16 * 1024) });
    assert_eq!(ask(&app, "POST", "/one", ("x-nothing", ""), &long).await.status, 400, "it is not read");
    for (path, status) in [("/one", 200), ("/two", 200), ("/one", 429), ("/two", 429)] {
        let reply = ask(&app, "POST", path, ("x-nothing", ""), &credentials("alice")).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
    }
}

#[test]
fn what_can_not_work_is_an_error_of_finish() {
    let (auth, people) = engine();
    let (other, _) = engine();
    let endpoints = routes(&auth, &people, Delivery::Cookies).endpoints();
    let of_other = routes(&other, &people, Delivery::Json).endpoints();
    let own_login = TokenRoutes::json(auth.tokens().unwrap(), OwnLogin).endpoints();
    let errors = |path: &str, route: MethodRouter| -> Vec<String> {
        let error = Router::new().route(path, route).finish(&auth).err();
        error.map(|error| error.errors().map(str::to_owned).collect()).unwrap_or_default()
    };
    let (admins, get_or_post) = (rule!(roles = ["admin"]), MethodFilter::GET.or(MethodFilter::POST));
    for (path, route, expected) in [
        ("/x", endpoints.route(TokenRoute::Logout), vec![]),
        ("/x", endpoints.route_on(MethodFilter::POST, TokenRoute::Sessions), vec![]),
        (
            "/x",
            endpoints.route_on(get_or_post, TokenRoute::Logout),
            vec![
                "GET|POST /x (auth_runtime::session::routes::log_out at @): it changes state, and a page of any site can make a browser send \
                 GET: mount it with POST, PUT, PATCH or DELETE",
            ],
        ),
        (
            "/x/{id}",
            endpoints.route(TokenRoute::EndSession),
            vec![
                "DELETE /x/{id} (auth_runtime::session::routes::end_session at @): it reads `{session_id}` from its path, which has only id: \
                 put `{session_id}` into the path",
            ],
        ),
        (
            "/x",
            endpoints.guarded_route(TokenRoute::EndUserSession, admins),
            vec![
                "DELETE /x (auth_runtime::session::routes::end_user_session at @): it reads `{subject}` from its path, which has no parameter: \
                 put `{subject}` into the path",
                "it reads `{session_id}` from its path",
            ],
        ),
        ("/x/{subject}/{session_id}", endpoints.guarded_route(TokenRoute::EndUserSession, admins), vec![]),
        (
            "/x",
            endpoints.route(TokenRoute::Revoke),
            vec![
                "POST /x (auth_runtime::session::routes::revoke at @): no rule names who may call it, so it denies every request: mount it with \
                 `guarded_route` and a rule, such as `rule!(roles = [\"admin\"])`",
            ],
        ),
        (
            "/x",
            endpoints.guarded_route(TokenRoute::Introspect, rule!(public)),
            vec![
                "(auth_runtime::session::routes::introspect at @): its rule lets in anonymous callers, and it must know its caller",
            ],
        ),
        (
            "/x",
            endpoints.guarded_route(TokenRoute::Introspect, rule!(optional)),
            vec!["its rule lets in anonymous callers"],
        ),
        (
            "/x",
            endpoints.guarded_route(TokenRoute::Logout, rule!(public)),
            vec![
                "a router around it, or `guarded_route`, requires `public`, which requires nothing: remove that rule",
            ],
        ),
        (
            "/x",
            own_login.route(TokenRoute::Login),
            vec![
                "POST /x (auth_runtime::session::routes::log_in at @): `OwnLogin` has no ready login: mount a handler of yours, which calls \
                 `TokenEndpoints::attempt` and `log_in_as`",
            ],
        ),
        ("/x", own_login.route(TokenRoute::Refresh), vec![]),
        (
            "/x",
            of_other.route(TokenRoute::Refresh),
            vec![
                "POST /x (auth_runtime::session::routes::refresh at @): it belongs to another engine, whose revocations nothing here would \
                 enforce: pass the same `Auth` to `finish` that its `TokenService` is of",
            ],
        ),
    ] {
        let errors = errors(path, route);
        assert_eq!(errors.len(), expected.len(), "{errors:?}");
        for (error, expected) in errors.iter().zip(expected) {
            // The place in the application's source, with its line left out.
            let (before, at) = error.split_once(file!()).unwrap();
            let (_, text) = at.split_once(')').unwrap();
            let error = format!("{before}@){text}");
            assert!(error.contains(expected), "{error}");
        }
    }
}

/// A rule of a router around a route is not taken for the route's own.
#[test]
fn a_route_of_administrators_needs_a_rule_of_its_own() {
    let (auth, people) = engine();
    let endpoints = routes(&auth, &people, Delivery::Json).endpoints();
    let router: Router =
        Router::new().route("/x", endpoints.route(TokenRoute::Revoke)).require(rule!(roles = ["admin"]));
    let error = router.finish(&auth).unwrap_err().to_string();
    assert!(error.contains("no rule names who may call it"), "{error}");
    // But it counts for who the caller is.
    let public = endpoints.guarded_route(TokenRoute::Revoke, rule!(public));
    let router: Router = Router::new().route("/x", public).require(rule!(roles = ["admin"]));
    drop(router.finish(&auth).unwrap());
}

/// Whatever names the rule, the document has what the gate answers with the statuses of the route.
#[test]
fn a_rule_of_a_router_around_a_route_is_documented_as_one_of_the_route() {
    let (auth, people) = engine();
    let admins = rule!(roles = ["admin"]);
    for delivery in [Delivery::Json, Delivery::Cookies] {
        let endpoints = routes(&auth, &people, delivery).endpoints();
        for route in [TokenRoute::Login, TokenRoute::Refresh, TokenRoute::Logout] {
            let named: Router = Router::new().route("/in/x", endpoints.guarded_route(route, admins));
            let public = || Router::new().route("/x", endpoints.route(route));
            let around: Router = Router::new().nest("/in", public().require(admins));
            let further: Router = Router::new().nest("/in", public()).require(admins);
            let expected = document(&named, &auth);
            assert_eq!(document(&around, &auth), expected, "{route:?}");
            assert_eq!(document(&further, &auth), expected, "{route:?}");
            let unguarded = document(&Router::new().nest("/in", public()), &auth);
            let content =
                |document: &Value| document["paths"]["/in/x"]["post"]["responses"]["503"]["content"].clone();
            assert!(content(&expected)["application/problem+json"].is_object(), "{route:?}");
            assert!(content(&unguarded)["application/problem+json"].is_null(), "{route:?}");
        }
    }
}

/// No error, since a proxy may change the path. The ready router has the path of its cookie from the request.
#[test]
fn a_route_outside_of_the_path_of_its_cookie_is_in_the_log() {
    let (auth, people) = engine();
    let app = |endpoints: &TokenEndpoints<People>| -> Router {
        Router::new()
            .route("/login", endpoints.route(TokenRoute::Login))
            .route("/api/token/refresh", endpoints.route(TokenRoute::Refresh))
            .route("/apis/logout", endpoints.route_on(MethodFilter::DELETE, TokenRoute::Logout))
            .route("/devices", endpoints.route(TokenRoute::Sessions))
    };
    let warnings = |router: Router| {
        let log = CapturedLog::start(tracing::Level::WARN);
        drop(router.finish(&auth).unwrap());
        let text = log.take();
        let lines = text.lines().filter(|line| line.contains("do not send the refresh cookie"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let configured = |delivery| routes(&auth, &people, delivery);
    let found = warnings(app(&configured(Delivery::Cookies).cookie_path("/api").endpoints()));
    assert_eq!(found.len(), 2, "{found:?}");
    for (line, path) in found.iter().zip(["/login", "/apis/logout"]) {
        assert!(line.contains(path) && line.contains("/api\""), "{line}");
    }
    for router in [
        app(&configured(Delivery::Cookies).endpoints()),
        app(&configured(Delivery::Json).cookie_path("/api").endpoints()),
        Router::new().nest("/stripped", configured(Delivery::Cookies).cookie_path("/outside/auth").router()),
    ] {
        assert_eq!(warnings(router), Vec::<String>::new());
    }
}
