//! The guarded router: nesting, merging, requirements, services, fallbacks, the list, and what `finish` refuses.

mod fallbacks;
mod like_axum;
mod methods;
mod other_methods;
mod panics;
mod services;

use auth_runtime::routing::{MethodFilter, any, get, on, post};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Auth, Principal, Router, auth, check, rule};
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::support::{get_as, request, send};

#[auth]
async fn any_caller(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(roles = ["admin"])]
async fn admin() -> &'static str {
    "admin"
}

#[auth(public)]
async fn open() -> &'static str {
    "open"
}

#[auth(optional)]
async fn optional(user: Option<Principal>) -> &'static str {
    if user.is_some() { "somebody" } else { "nobody" }
}

#[auth(claims(tenant = path("tenant")))]
async fn of_tenant(Path(tenant): Path<std::collections::BTreeMap<String, String>>) -> String {
    tenant["tenant"].clone()
}

#[auth(public)]
async fn lost() -> (StatusCode, &'static str) {
    (StatusCode::NOT_FOUND, "lost")
}

#[auth(roles = ["admin"])]
async fn lost_for_admins() -> StatusCode {
    StatusCode::NOT_FOUND
}

#[auth(source = "cookie")]
async fn from_cookie() {}

#[check]
async fn never(_: &Principal) -> bool {
    false
}

#[auth(check = never)]
async fn checked() {}

async fn status(app: &axum::Router, test: &TestAuth, user: &TestUser, path: &str) -> u16 {
    get_as(app, test, user, path).await.status.as_u16()
}

#[tokio::test]
async fn what_a_router_requires_holds_for_all_of_its_routes() {
    let test = TestAuth::new();
    let members = Router::new()
        .route("/before", get(any_caller))
        .require(rule!(roles = ["member"]))
        .route("/after", get(any_caller))
        .route("/open", get(open))
        .route("/optional", get(optional))
        .route("/admin", get(admin))
        .nest_service("/service", (axum::routing::get(|| async {}), rule!(public)))
        .route("/beside", (axum::routing::get(|| async {}), rule!(public)))
        .fallback(lost);
    let app = Router::new()
        .nest("/members", members)
        .route("/outside", get(open))
        .require(rule!(scopes = ["site"]))
        .finish(test.auth())
        .unwrap();

    let member = TestUser::new("alice").roles(["member"]).scopes(["site"]);
    let paths = ["/before", "/after", "/open", "/optional", "/service", "/beside"];
    for path in paths.map(|path| format!("/members{path}")) {
        assert_eq!(send(&app, request("GET", &path, &[])).await.status, 401, "{path}");
        for (user, expected) in [
            (&member, 200),
            (&TestUser::new("bob").roles(["member"]), 403),
            (&TestUser::new("bob").scopes(["site"]), 403),
        ] {
            assert_eq!(status(&app, &test, user, &path).await, expected, "{path} {user:?}");
        }
    }
    assert_eq!(status(&app, &test, &member, "/members/admin").await, 403, "a route's own rule stays");
    assert_eq!(status(&app, &test, &member, "/members/nothing").await, 404);
    assert_eq!(
        send(&app, request("GET", "/members/nothing", &[])).await.status,
        401,
        "the fallback is a route too"
    );
    assert_eq!(send(&app, request("GET", "/outside", &[])).await.status, 401);
    assert_eq!(status(&app, &test, &TestUser::new("bob").scopes(["site"]), "/outside").await, 200);
}

#[tokio::test]
async fn what_one_router_requires_does_not_spread_to_its_neighbours() {
    let test = TestAuth::new();
    let app = Router::new()
        .merge(Router::new().route("/a", get(any_caller)).require(rule!(roles = ["a"])))
        .merge(Router::new().route("/b", get(any_caller)).require(rule!(roles = ["b"])))
        .route("/c", get(any_caller))
        .finish(test.auth())
        .unwrap();
    let user = TestUser::new("alice").roles(["a"]);
    for (path, expected) in [("/a", 200), ("/b", 403), ("/c", 200)] {
        assert_eq!(status(&app, &test, &user, path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn sources_are_those_in_common() {
    let test = TestAuth::new();
    let app = Router::new()
        .route("/", get(from_cookie))
        .require(rule!(source = ["bearer", "cookie"]))
        .finish(test.auth())
        .unwrap();
    let token = test.token(&TestUser::new("alice"));
    let cookie = format!("__Host-access_token={token}");
    assert_eq!(send(&app, request("GET", "/", &[("cookie", &cookie)])).await.status, 200);
    assert_eq!(status(&app, &test, &TestUser::new("alice"), "/").await, 401);

    let error = Router::<()>::new()
        .route("/", get(from_cookie))
        .require(rule!(source = "bearer"))
        .finish(test.auth())
        .unwrap_err();
    assert!(error.to_string().contains("none in common"), "{error}");
}

#[tokio::test]
async fn paths_and_claims() {
    let test = TestAuth::new();
    let tenants = Router::new().route("/", get(of_tenant)).route("/deeper/{id}", get(of_tenant));
    let app = Router::new().nest("/org/{tenant}", tenants).finish(test.auth()).unwrap();
    for (claim, path, expected) in [
        (serde_json::json!("acme"), "/org/acme", 200),
        (serde_json::json!("acme"), "/org/acme/deeper/5", 200),
        (serde_json::json!("acme"), "/org/other", 403),
        (serde_json::json!("acme"), "/org/Acme", 403),
        // a list matches if one element does
        (serde_json::json!(["other", "acme"]), "/org/acme", 200),
        (serde_json::json!([]), "/org/acme", 403),
        // percent-decoded, and what can't be decoded refuses
        (serde_json::json!("a/b c"), "/org/a%2Fb%20c", 200),
        (serde_json::json!("a%2Fb"), "/org/a%2Fb", 403),
        (serde_json::json!("\u{fffd}"), "/org/%ff", 403),
        (serde_json::json!("ü"), "/org/%C3%BC", 200),
        // integers, in their one form
        (serde_json::json!(7), "/org/7", 200),
        (serde_json::json!(-7), "/org/-7", 200),
        (serde_json::json!(7), "/org/07", 403),
        (serde_json::json!(7.0), "/org/7", 403),
        (serde_json::json!(u64::MAX), "/org/18446744073709551615", 200),
        (serde_json::json!(true), "/org/true", 403),
        (serde_json::json!(null), "/org/null", 403),
        (serde_json::json!({"acme": 1}), "/org/acme", 403),
    ] {
        let user = TestUser::new("alice").claim("tenant", claim.clone());
        assert_eq!(status(&app, &test, &user, path).await, expected, "{claim} on {path}");
    }
}

#[auth(not(claims(tenant = path("tenant"))))]
async fn of_others() {}

#[tokio::test]
async fn what_cannot_be_decoded_refuses_under_not_too() {
    let test = TestAuth::new();
    let app = Router::new().route("/{tenant}", get(of_others)).finish(test.auth()).unwrap();
    let user = TestUser::new("alice").claim("tenant", "a");
    for (path, expected) in [("/b", 200), ("/a", 403), ("/%ff", 403)] {
        assert_eq!(status(&app, &test, &user, path).await, expected, "{path}");
    }
}

#[tokio::test]
async fn a_finished_router_inside_another() {
    let test = TestAuth::new();
    let tenants = || Router::new().route("/files", get(of_tenant));
    let error = tenants().finish(test.auth()).unwrap_err();
    assert!(
        error.to_string().contains(r#"GET /files (whole::routers::of_tenant at tests/whole/routers.rs:"#),
        "{error}"
    );
    assert!(error.to_string().contains(r#"`path("tenant")`, and the path has no parameter"#), "{error}");

    let inner = tenants().mounted_at("/org/{tenant}");
    assert!(inner.routes().to_string().contains("/org/{tenant}/files"));
    let app = axum::Router::new().nest("/org/{tenant}", inner.finish(test.auth()).unwrap());
    let user = TestUser::new("alice").claim("tenant", "acme");
    assert_eq!(status(&app, &test, &user, "/org/acme/files").await, 200);
    assert_eq!(status(&app, &test, &user, "/org/other/files").await, 403);
}

#[tokio::test]
async fn services_keep_what_is_below_them() {
    let test = TestAuth::new();
    let echo = axum::Router::new().fallback(|uri: axum::http::Uri| async move { uri.path().to_owned() });
    let app = Router::new()
        .nest_service("/assets", (echo.clone(), rule!(roles = ["staff"])))
        .route_service("/files/{*path}", (axum::routing::any_service(echo), rule!(public)))
        .finish(test.auth())
        .unwrap();
    let staff = TestUser::new("alice").roles(["staff"]);
    for (path, seen) in [("/assets", "/"), ("/assets/", "/"), ("/assets/a/b.css", "/a/b.css")] {
        assert_eq!(send(&app, request("GET", path, &[])).await.status, 401, "{path}");
        let reply = get_as(&app, &test, &staff, path).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, seen), "{path}");
    }
    assert_eq!(send(&app, request("GET", "/files/a/b", &[])).await.body, "/files/a/b");
}

/// A service that brings guarded handlers of its own: both gates must be passed.
#[tokio::test]
async fn a_gate_behind_a_gate() {
    let test = TestAuth::new();
    let inner = axum::Router::new().route("/admin", axum::routing::get(admin));
    let app =
        Router::new().nest_service("/in", (inner, rule!(roles = ["staff"]))).finish(test.auth()).unwrap();
    for (roles, expected) in [(vec!["staff", "admin"], 200), (vec!["admin"], 403), (vec!["staff"], 403)] {
        assert_eq!(status(&app, &test, &TestUser::new("a").roles(roles), "/in/admin").await, expected);
    }
}

#[tokio::test]
async fn methods_layers_state_and_fallbacks_are_as_in_axum() {
    #[auth]
    async fn with_state(State(name): State<&'static str>) -> &'static str {
        name
    }
    let test = TestAuth::new();
    let tagged = |tag: &'static str| {
        axum::middleware::map_response(move |mut answer: axum::response::Response| async move {
            answer.headers_mut().append("x-tag", tag.parse().unwrap());
            answer
        })
    };
    let app = Router::new()
        .route("/state", get(with_state).post(with_state).route_layer(tagged("method")))
        .route("/on", on(MethodFilter::PUT.or(MethodFilter::PATCH), with_state))
        .route_layer(tagged("route"))
        .route("/any", any(with_state))
        .route("/post", post(with_state))
        .layer(tagged("all"))
        .fallback(lost_for_admins)
        .with_state("state")
        .finish(test.auth())
        .unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice")));
    for (method, path, expected, tags) in [
        ("GET", "/state", 200, vec!["method", "route", "all"]),
        ("HEAD", "/state", 200, vec!["method", "route", "all"]),
        ("POST", "/state", 200, vec!["method", "route", "all"]),
        ("DELETE", "/state", 405, vec!["route", "all"]),
        ("PATCH", "/on", 200, vec!["route", "all"]),
        ("GET", "/on", 405, vec!["route", "all"]),
        ("DELETE", "/any", 200, vec!["all"]),
        ("GET", "/post", 405, vec!["all"]),
        ("GET", "/nothing", 403, vec![]),
    ] {
        let reply = send(&app, request(method, path, &[("authorization", &bearer)])).await;
        let found: Vec<_> = reply.headers.get_all("x-tag").iter().map(|tag| tag.to_str().unwrap()).collect();
        assert_eq!((reply.status.as_u16(), found), (expected, tags), "{method} {path}");
    }
}

#[test]
fn the_list_and_the_table() {
    let org = Router::new()
        .route("/", get(of_tenant))
        .route("/purge", post(admin))
        .require(rule!(roles = ["member"]));
    let app: Router = Router::new()
        .route("/", get(any_caller).post(admin))
        .route("/home", get(optional))
        .route("/both", on(MethodFilter::PUT.or(MethodFilter::DELETE), checked))
        .nest("/org/{tenant}", org)
        .nest_service("/assets", (axum::routing::get(|| async {}), rule!(public)))
        .route("/ping", (axum::routing::get(|| async {}), rule!(source = "cookie", not(roles = ["bot"]))))
        .dangerously_merge_unguarded(axum::Router::new())
        .fallback(lost);
    let table = app.routes().to_string();
    let expected = "\
METHOD  PATH                  WHO                                                                 HANDLER
GET     /                     any authenticated caller                                            whole::routers::any_caller
POST    /                     role admin                                                          whole::routers::admin
GET     /home                 optional                                                            whole::routers::optional
PUT     /both                 any authenticated caller, and check never                          whole::routers::checked
DELETE  /both                 any authenticated caller, and check never                          whole::routers::checked
GET     /org/{tenant}         role member, and claim tenant equal to {tenant} of the path         whole::routers::of_tenant
POST    /org/{tenant}/purge   role member, and role admin                                         whole::routers::admin
ANY     /assets/{*}       public                                                              [service]
ANY     /ping                 from cookie: not role bot                                           [rule beside it]
ANY     /(unknown)            NOT GUARDED                                                         [dangerously_merge_unguarded]
ANY     /(fallback)           public                                                              whole::routers::lost
";
    let squeezed = |text: &str| {
        text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(squeezed(&table), squeezed(expected), "\n{table}");
    let column = |line: &str| line.find("whole::").or(line.find("HANDLER"));
    let columns: Vec<_> = table.lines().filter_map(column).collect();
    assert!(columns.windows(2).all(|pair| pair[0] == pair[1]), "aligned:\n{table}");
}

#[test]
fn finish_lists_all_that_the_engine_cannot_serve() {
    #[auth(source = ["bearer", "partner"])]
    async fn unknown_source() {}
    #[auth(source = "query")]
    async fn from_url() {}
    #[auth(any(roles = ["a"], not(claims(tenant = path("tenant")))))]
    async fn nested_path() {}

    let auth = TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
    });
    let error = Router::<()>::new()
        .route("/source", get(unknown_source))
        .route("/url", get(from_url).post(from_url))
        .route("/any", any(from_url))
        .route("/org/{id}", get(nested_path))
        .route("/fine", get(any_caller))
        .nest_service("/service", (axum::routing::get(|| async {}), rule!(claims(a = path("b")))))
        .nest("/public", Router::new().route("/", get(any_caller)).require(rule!(public)))
        .nest(
            "/open",
            Router::new().dangerously_merge_unguarded(axum::Router::new()).require(rule!(roles = ["x"])),
        )
        .finish(auth.auth())
        .unwrap_err();
    let mistakes: Vec<_> = error.errors().collect();
    let expected = [
        "GET /source (whole::routers::unknown_source at tests/whole/routers.rs:",
        "POST /url (",
        "ANY /any (",
        "GET /org/{id} (",
        "ANY /service/{*} ([service] at tests/whole/routers.rs:",
        "GET /public (",
        "the routes merged by `dangerously_merge_unguarded` at tests/whole/routers.rs:",
    ];
    assert_eq!(mistakes.len(), expected.len(), "{error}");
    for (mistake, expected) in mistakes.iter().zip(expected) {
        assert!(mistake.starts_with(expected), "{mistake}\ndoes not start with {expected}");
    }
    assert!(
        mistakes[0].contains("the source `partner`, and the engine has bearer, cookie, query"),
        "{}",
        mistakes[0]
    );
    assert!(mistakes[1].contains("changes state"), "{}", mistakes[1]);
    assert!(mistakes[3].contains("the path has only id"), "{}", mistakes[3]);
}

#[test]
fn a_check_needs_a_caller() {
    const OPEN: auth_runtime::policy::Rule = rule!(public);
    #[auth(rule = OPEN, check = never)]
    async fn contradiction() {}
    let error =
        Router::<()>::new().route("/", get(contradiction)).finish(TestAuth::new().auth()).unwrap_err();
    assert!(error.to_string().contains("check `whole::routers::never` needs a caller"), "{error}");
}

#[tokio::test]
async fn query_by_default_is_refused_where_state_changes() {
    let test = TestAuth::with(|builder| {
        builder
            .dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
            .default_sources(["bearer", "query"])
    });
    let guarded = Router::new().route("/", get(any_caller).post(any_caller)).finish(test.auth()).unwrap();
    let plain = axum::Router::new().route("/", axum::routing::get(any_caller).post(any_caller));
    let token = test.token(&TestUser::new("alice"));
    let (path, bearer) = (format!("/?access_token={token}"), format!("Bearer {token}"));
    for app in [guarded, plain.layer(test.auth().layer())] {
        assert_eq!(send(&app, request("GET", &path, &[])).await.status, 200);
        assert_eq!(send(&app, request("POST", &path, &[])).await.status, 400);
        assert_eq!(send(&app, request("POST", "/", &[("authorization", &bearer)])).await.status, 200);
        assert_eq!(send(&app, request("POST", &path, &[("authorization", &bearer)])).await.status, 400);
    }
}

#[tokio::test]
async fn a_handler_mounted_twice_has_two_policies() {
    let test = TestAuth::new();
    let inside = Router::new().route("/x", get(any_caller)).require(rule!(roles = ["a"]));
    let app = Router::new().nest("/in", inside).route("/x", get(any_caller)).finish(test.auth()).unwrap();
    let user = TestUser::new("alice");
    assert_eq!(status(&app, &test, &user, "/in/x").await, 403);
    assert_eq!(status(&app, &test, &user, "/x").await, 200);
}

#[test]
fn the_engine_and_its_router_can_be_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<Auth>();
    shared::<Principal>();
    shared::<Router>();
}

/// axum keeps the handler of `any`, and a fallback, beside the methods: they are behind the gate too.
#[tokio::test]
async fn a_rule_beside_a_method_router_holds_for_all_of_it() {
    let inside = || async { "inside" };
    let test = TestAuth::new();
    let rule = rule!(roles = ["admin"]);
    let app = Router::new()
        .route("/fallback", (axum::routing::get(inside).fallback(inside), rule))
        .route("/any", (axum::routing::any(inside), rule))
        .route("/any-and-get", (axum::routing::any(inside).get(inside), rule))
        .route("/service", (axum::routing::any_service(axum::routing::any(inside)), rule))
        .route("/get", (axum::routing::get(inside), rule))
        .finish(test.auth())
        .unwrap();
    let admin = format!("Bearer {}", test.token(&TestUser::new("alice").roles(["admin"])));
    for path in ["/fallback", "/any", "/any-and-get", "/service", "/get"] {
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS", "PROPFIND"] {
            assert_eq!(send(&app, request(method, path, &[])).await.status, 401, "{method} {path}");
            let expected = if path == "/get" && !matches!(method, "GET" | "HEAD") { 405 } else { 200 };
            let reply = send(&app, request(method, path, &[("authorization", &admin)])).await;
            assert_eq!(reply.status.as_u16(), expected, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_route_layer_reaches_the_handler_of_any() {
    let test = TestAuth::new();
    let teapot = axum::middleware::from_fn(|_: axum::extract::Request, _: axum::middleware::Next| async {
        StatusCode::IM_A_TEAPOT
    });
    let app = Router::new()
        .route("/any", any(open).route_layer(teapot.clone()))
        .route("/both", any(open).get(open).route_layer(teapot.clone()))
        .route("/get", get(open).route_layer(teapot))
        .finish(test.auth())
        .unwrap();
    for (method, path, expected) in [
        ("GET", "/any", 418),
        ("POST", "/any", 418),
        ("GET", "/both", 418),
        ("POST", "/both", 418),
        ("GET", "/get", 418),
        ("POST", "/get", 405),
    ] {
        assert_eq!(send(&app, request(method, path, &[])).await.status.as_u16(), expected, "{method} {path}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_not_there_exactly_once_refuses_under_not_too() {
    let test = TestAuth::new();
    let user = TestUser::new("alice").claim("tenant", "a");
    // The router's own check finds it before the first request …
    for router in [
        Router::<()>::new().route("/x", get(of_others)),
        Router::new().nest("/{tenant}", Router::new().route("/x/{tenant}", get(of_others))),
        Router::new().nest_service(
            "/files",
            (axum::routing::get(|| async {}), rule!(not(claims(tenant = path("rest"))))),
        ),
    ] {
        let error = router.finish(test.auth()).unwrap_err();
        assert!(error.to_string().contains("the path has"), "{error}");
    }
    // … and where it can't look, the gate does.
    let plain = axum::Router::new()
        .route("/t/{org}", axum::routing::get(of_others))
        .route("/none", axum::routing::get(of_others))
        .layer(test.auth().layer());
    for path in ["/t/b", "/none"] {
        assert_eq!(status(&plain, &test, &user, path).await, 403, "{path}");
    }
    let wrongly_mounted =
        Router::new().route("/x", get(of_others)).mounted_at("/{tenant}").finish(test.auth()).unwrap();
    let app = axum::Router::new().nest("/{org}", wrongly_mounted);
    assert_eq!(status(&app, &test, &user, "/b/x").await, 403);
    let rule = rule!(not(claims(tenant = path("tenant"))));
    assert!(!rule.decide(&user.principal(), test.auth().now()).is_allow(), "there is no path here");
}

#[test]
fn a_rule_is_not_silently_given_twice() {
    use auth_runtime::policy::{Condition, Rule};
    let list = |conditions: Vec<Condition>| -> &'static [Condition] { conditions.leak() };
    let rule = || Rule::authenticated().requires(list(vec![Condition::Roles(vec!["admin".into()])]));
    let scopes = list(vec![Condition::Scopes(vec!["x".into()])]);
    assert!(std::panic::catch_unwind(|| rule().requires(scopes)).is_err());
    assert!(std::panic::catch_unwind(|| rule().sources(&["cookie"])).is_err());
    assert!(std::panic::catch_unwind(|| Rule::authenticated().sources(&["a"]).sources(&["b"])).is_err());
}

/// A name of the user's that the expansion uses too.
mod names {
    use auth_runtime::policy::Rule;
    use auth_runtime::{Principal, auth, check, rule};
    use axum::extract::State;

    const BASE: Rule = rule!(roles = ["a"]);
    const RULE: Rule = rule!(rule = BASE);

    #[derive(Clone)]
    pub(super) struct S;

    #[auth(rule = RULE, check = state)]
    pub(super) async fn parts() {}

    #[check]
    async fn state(principal: &Principal, State(S): State<S>) -> bool {
        principal.subject() == "alice"
    }
}

#[tokio::test]
async fn names_of_the_user_are_not_captured() {
    let test = TestAuth::new();
    let app = Router::new().route("/", get(names::parts)).with_state(names::S).finish(test.auth()).unwrap();
    for (subject, expected) in [("alice", 200), ("bob", 403)] {
        assert_eq!(status(&app, &test, &TestUser::new(subject).roles(["a"]), "/").await, expected);
    }
}

#[test]
fn the_table_says_what_is_enforced() {
    const OPEN: auth_runtime::policy::Rule = rule!(public);
    #[auth(rule = OPEN)]
    async fn named_public() {}

    let routes = Router::<()>::new()
        .route("/named", get(named_public))
        .nest("/in", Router::new().route("/named", get(named_public)).require(rule!()))
        .nest(
            "/cookie",
            Router::new().route("/admin", get(admin)).require(rule!(source = ["cookie", "bearer"])),
        )
        .nest("/optional", Router::new().route("/", get(optional)).require(rule!(roles = ["a"])))
        .routes();
    let who: Vec<_> = routes.iter().map(auth_runtime::routing::RouteInfo::who).collect();
    assert_eq!(who, ["public", "any authenticated caller", "from cookie or bearer: role admin", "role a"]);
}

#[test]
fn default_sources_that_a_route_cannot_take_are_a_mistake() {
    let test = TestAuth::with(|builder| {
        builder
            .dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
            .default_sources(["query"])
    });
    assert!(Router::<()>::new().route("/", get(any_caller)).finish(test.auth()).is_ok());
    let error = Router::<()>::new().route("/", post(any_caller)).finish(test.auth()).unwrap_err();
    assert!(error.to_string().contains("default sources are all in the URL"), "{error}");
}

/// axum forgets the fallback of a router inside of one that has none; the list says what is served.
#[tokio::test]
async fn a_fallback_is_listed_where_it_is_served() {
    #[auth(public)]
    async fn inner_fallback() -> &'static str {
        "inner"
    }
    let inner = || Router::<()>::new().route("/x", get(open)).fallback(inner_fallback);
    let test = TestAuth::new();
    for (routes, paths, is_listed) in [
        (Router::new().nest("/a", inner()), ["/a/q", "/a"], true),
        (Router::new().nest("/b", Router::new().nest("/a", inner())), ["/b/a/q", "/b/a"], false),
        (
            Router::new().nest("/b", Router::new().nest("/a", inner()).fallback(lost)),
            ["/b/a/q", "/b/a"],
            true,
        ),
        (Router::new().nest("/b", Router::new().merge(inner())), ["/b/q", "/b"], true),
    ] {
        let listed = routes.routes();
        let is_there = listed.iter().any(|route| route.handler.ends_with("inner_fallback"));
        assert_eq!(is_there, is_listed, "{listed}");
        let app = routes.finish(test.auth()).unwrap();
        for path in paths {
            let reply = send(&app, request("GET", path, &[])).await;
            assert_eq!(reply.body == "inner", is_listed, "{path}: {}", reply.body);
        }
    }
}
