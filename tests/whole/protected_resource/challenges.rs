//! What the challenges of a protected resource say (RFC 9728 §5.1, RFC 6750 §3).

use auth_runtime::rejection::Rejection;
use auth_runtime::routing::{get, post};
use auth_runtime::source::CookieOptions;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::extract::State;

use super::{METADATA, RESOURCE, WRITE, bearer, beside, engine, home, read};
use crate::support::{Reply, request, send};

#[auth(scopes = ["mcp"])]
async fn tools(State(auth): State<Auth>, user: Principal) -> Result<&'static str, Rejection> {
    auth.require(&user, &WRITE)?;
    Ok("written")
}

#[auth(roles = ["admin"])]
async fn administer() {}

#[auth(scopes = ["a"], max_age = "5m")]
async fn lately() {}

#[auth(public)]
async fn another() -> Rejection {
    Rejection::unauthenticated("the session of the form is over")
}

#[auth(scopes = ["a"])]
async fn forbidden() -> Rejection {
    Rejection::forbidden("it belongs to another user")
}

#[auth(scopes = ["a"])]
async fn again() -> Rejection {
    Rejection::unauthenticated("the password was changed")
}

fn router(auth: &Auth) -> Router {
    let app = Router::new().route("/required", get(read)).require(rule!(scopes = ["app"]));
    Router::new()
        .route("/", get(home))
        .route("/read", get(read))
        .route("/tools", post(tools).declares("write", &WRITE))
        .route("/admin", get(administer))
        .route("/lately", get(lately))
        .route("/hidden", get(read).hide_scopes())
        .route("/another", get(another))
        .route("/forbidden", get(forbidden))
        .route("/again", get(again))
        .route("/either", beside(rule!(any(roles = ["admin"], scopes = ["b"], all(scopes = ["c"])))))
        .route("/cookie", beside(rule!(source = ["bearer", "cookie"], scopes = ["a"])))
        .route("/optional", beside(rule!(optional)))
        .merge(app)
        .with_state(auth.clone())
}

fn resource() -> (TestAuth, axum::Router) {
    let (test, _) = engine(RESOURCE, |builder| builder.cookies(CookieOptions::new()));
    let app = router(test.auth()).protected_resource(RESOURCE).finish(test.auth()).unwrap();
    (test, app)
}

fn challenges(reply: &Reply) -> Vec<String> {
    let values = reply.headers.get_all("www-authenticate").iter();
    values.map(|value| value.to_str().unwrap().replace(&format!("{RESOURCE}{METADATA}"), "URL")).collect()
}

/// The method and the path, the scopes of the token, the status, and the challenge after `Bearer realm="restricted"`, where `URL` is
/// that of the metadata.
type Row = (&'static str, Option<&'static [&'static str]>, u16, &'static str);

const TABLE: &[Row] = &[
    // Without a token: what the route needs.
    ("GET /", None, 401, ", resource_metadata=\"URL\""),
    ("GET /read", None, 401, ", scope=\"notes:read\", resource_metadata=\"URL\""),
    ("POST /tools", None, 401, ", scope=\"mcp\", resource_metadata=\"URL\""),
    ("GET /admin", None, 401, ", resource_metadata=\"URL\""),
    ("GET /hidden", None, 401, ", resource_metadata=\"URL\""),
    ("GET /required", None, 401, ", scope=\"app notes:read\", resource_metadata=\"URL\""),
    ("POST /required", None, 401, ", scope=\"app\", resource_metadata=\"URL\""),
    ("GET /either", None, 401, ", scope=\"b\", resource_metadata=\"URL\""),
    ("GET /another", None, 401, ", resource_metadata=\"URL\""),
    // With one that is too narrow: all that the request needs, in one challenge.
    (
        "GET /read",
        Some(&[]),
        403,
        ", error=\"insufficient_scope\", scope=\"notes:read\", resource_metadata=\"URL\"",
    ),
    (
        "GET /required",
        Some(&[]),
        403,
        ", error=\"insufficient_scope\", scope=\"app notes:read\", resource_metadata=\"URL\"",
    ),
    (
        "GET /required",
        Some(&["app"]),
        403,
        ", error=\"insufficient_scope\", scope=\"app notes:read\", resource_metadata=\"URL\"",
    ),
    (
        "POST /tools",
        Some(&[]),
        403,
        ", error=\"insufficient_scope\", scope=\"mcp\", resource_metadata=\"URL\"",
    ),
    (
        "GET /hidden",
        Some(&[]),
        403,
        ", error=\"insufficient_scope\", scope=\"notes:read\", resource_metadata=\"URL\"",
    ),
    ("GET /either", Some(&[]), 403, ", error=\"insufficient_scope\", scope=\"b\", resource_metadata=\"URL\""),
    // No other token would help.
    ("GET /admin", Some(&["admin"]), 403, ", error=\"insufficient_scope\", resource_metadata=\"URL\""),
    ("GET /forbidden", Some(&["a"]), 403, ", error=\"insufficient_scope\", resource_metadata=\"URL\""),
    // A newer login, and a rejection of the application's own: a token that is to have the same scopes.
    (
        "GET /lately",
        Some(&["a"]),
        401,
        ", error=\"insufficient_user_authentication\", scope=\"a\", max_age=\"300\", resource_metadata=\"URL\"",
    ),
    ("GET /again", Some(&["a"]), 401, ", scope=\"a\", resource_metadata=\"URL\""),
];

#[tokio::test]
async fn the_table() {
    let (test, app) = resource();
    for &(line, scopes, status, expected) in TABLE {
        let (method, path) = line.split_once(' ').unwrap();
        let token =
            scopes.map(|scopes| bearer(&test, &TestUser::new("alice").scopes(scopes.iter().copied())));
        let headers: Vec<(&str, &str)> = token.iter().map(|token| ("authorization", &**token)).collect();
        let reply = send(&app, request(method, path, &headers)).await;
        let expected = format!("Bearer realm=\"restricted\"{expected}");
        assert_eq!(
            (reply.status.as_u16(), challenges(&reply)),
            (status, vec![expected]),
            "{line} {scopes:?}"
        );
    }
}

#[tokio::test]
async fn an_invalid_token_and_two_of_them() {
    let (test, app) = resource();
    let reply = send(&app, request("GET", "/read", &[("authorization", "Bearer forged")])).await;
    let expected = "Bearer realm=\"restricted\", error=\"invalid_token\", scope=\"notes:read\", resource_metadata=\"URL\"";
    assert_eq!((reply.status.as_u16(), challenges(&reply)), (401, vec![expected.to_owned()]));
    let reply = send(&app, request("GET", "/optional", &[("authorization", "Bearer forged")])).await;
    let expected = "Bearer realm=\"restricted\", error=\"invalid_token\", resource_metadata=\"URL\"";
    assert_eq!((reply.status.as_u16(), challenges(&reply)), (401, vec![expected.to_owned()]));
    // Another token does not mend a request that is malformed.
    let token = bearer(&test, &TestUser::new("alice"));
    let twice = [("authorization", &*token), ("authorization", &*token)];
    let reply = send(&app, request("GET", "/read", &twice)).await;
    let expected = "Bearer realm=\"restricted\", error=\"invalid_request\", resource_metadata=\"URL\"";
    assert_eq!((reply.status.as_u16(), challenges(&reply)), (400, vec![expected.to_owned()]));
}

/// A cookie is no token that an authorization server issues to a client.
#[tokio::test]
async fn other_schemes_have_no_metadata() {
    let (_, app) = resource();
    let reply = send(&app, request("GET", "/cookie", &[])).await;
    let expected = [
        "Bearer realm=\"restricted\", scope=\"a\", resource_metadata=\"URL\"",
        "Cookie realm=\"restricted\"",
    ];
    assert_eq!((reply.status.as_u16(), challenges(&reply)), (401, expected.map(str::to_owned).to_vec()));
}

/// A rule that code decides for one of the tools behind a route.
#[tokio::test]
async fn a_tool_that_the_token_is_too_narrow_for_is_403_with_its_scopes() {
    let (test, app) = resource();
    let author = || TestUser::new("alice").roles(["author"]);
    for (user, status, expected) in [
        (author().scopes(["mcp", "notes:write"]), 200, None),
        (author().scopes(["mcp"]), 403, Some(", scope=\"mcp notes:write\"")),
        // The role would be missing with every token.
        (TestUser::new("bob").scopes(["mcp"]), 403, Some("")),
    ] {
        let token = bearer(&test, &user);
        let reply = send(&app, request("POST", "/tools", &[("authorization", &token)])).await;
        let expected = expected.map(|scope| {
            format!(
                "Bearer realm=\"restricted\", error=\"insufficient_scope\"{scope}, resource_metadata=\"URL\""
            )
        });
        assert_eq!((reply.status.as_u16(), challenges(&reply)), (status, Vec::from_iter(expected)));
        assert_eq!(reply.header("cache-control") == "no-store", status == 403);
    }
}

/// A service that is no protected resource answers as ever.
#[tokio::test]
async fn without_a_resource_nothing_is_added() {
    let (test, _) = engine(RESOURCE, |builder| builder);
    let app = router(test.auth()).finish(test.auth()).unwrap();
    for &(line, scopes, status, _) in TABLE {
        let (method, path) = line.split_once(' ').unwrap();
        let token =
            scopes.map(|scopes| bearer(&test, &TestUser::new("alice").scopes(scopes.iter().copied())));
        let headers: Vec<(&str, &str)> = token.iter().map(|token| ("authorization", &**token)).collect();
        let reply = send(&app, request(method, path, &headers)).await;
        let challenge = &challenges(&reply)[0];
        assert_eq!(reply.status, status);
        assert!(!challenge.contains("resource_metadata"), "{challenge}");
        let has_scope = challenge.contains("scope=\"");
        assert_eq!(
            has_scope,
            status == 403 && !path.ends_with("admin") && !path.ends_with("forbidden"),
            "{line}"
        );
    }
    assert_eq!(send(&app, request("GET", METADATA, &[])).await.status, 404);
}
