//! Protected resource metadata (RFC 9728): the document, where it is, and which routers can be a protected resource.

mod challenges;
mod errors;

use auth_runtime::access::AccessTable;
use auth_runtime::openapi::OpenApi;
use auth_runtime::policy::Rule;
use auth_runtime::routing::{MethodRouter, ProtectedResource, get, post};
use auth_runtime::session::SigningKey;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::verify::{Algorithm, Introspection, TrustedIssuer};
use auth_runtime::{AuthBuilder, Router, auth, rule};
use serde_json::{Value, json};

use crate::support::people::{People, issuer, signing_key};
use crate::support::{Reply, request, send};

const RESOURCE: &str = "https://api.example.com";
const PROVIDER: &str = "https://id.example.com";
const METADATA: &str = "/.well-known/oauth-protected-resource";

/// What one tool of several requires that share a route.
const WRITE: Rule = rule!(scopes = ["notes:write"], roles = ["author"]);

#[auth]
async fn home() {}

#[auth(scopes = ["notes:read"])]
async fn read() {}

/// An engine with a provider whose tokens are for this audience.
fn engine(audience: &str, configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> (TestAuth, SigningKey) {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let provider = TrustedIssuer::new(PROVIDER).audience(audience).key(key.verifying_key());
    (TestAuth::with(|builder| configure(builder.issuer(provider))), key)
}

fn test_engine() -> TestAuth {
    engine(RESOURCE, |builder| builder).0
}

fn beside<S: Clone + Send + Sync + 'static>(rule: Rule) -> (axum::routing::MethodRouter<S>, Rule) {
    (axum::routing::any(async || ()), rule)
}

async fn document(app: &axum::Router) -> Value {
    let reply = send(app, request("GET", METADATA, &[])).await;
    assert_eq!(reply.status, 200);
    serde_json::from_str(&reply.body).unwrap()
}

/// What the document of such a router says of scopes.
async fn scopes_of(test: &TestAuth, router: Router) -> Value {
    let app = router.protected_resource(RESOURCE).finish(test.auth()).unwrap();
    document(&app).await["scopes_supported"].clone()
}

#[tokio::test]
async fn the_answer_is_json_for_everyone_and_caches_keep_it() {
    let test = test_engine();
    let app = Router::new().route("/", get(home)).protected_resource(RESOURCE).finish(test.auth()).unwrap();
    // A credential is not looked at.
    for headers in [&[][..], &[("authorization", "Bearer forged"), ("origin", "https://elsewhere.example")]] {
        let Reply { status, headers, body } = send(&app, request("GET", METADATA, headers)).await;
        let expected = json!({
            "resource": RESOURCE,
            "authorization_servers": [PROVIDER],
            "bearer_methods_supported": ["header"],
        });
        assert_eq!((status.as_u16(), serde_json::from_str::<Value>(&body).unwrap()), (200, expected));
        let mut names: Vec<&str> = headers.keys().map(axum::http::HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["access-control-allow-origin", "cache-control", "content-length", "content-type"]);
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["cache-control"], "public, max-age=300");
        assert_eq!(headers["access-control-allow-origin"], "*");
    }
    let head = send(&app, request("HEAD", METADATA, &[])).await;
    assert_eq!((head.status.as_u16(), &*head.body), (200, ""));
    assert_eq!(send(&app, request("POST", METADATA, &[])).await.status, 405);
    assert_eq!(send(&app, request("GET", &format!("{METADATA}/"), &[])).await.status, 404);
}

/// RFC 9728 §3.3: a client compares `resource` with what it made the URL of.
#[tokio::test]
async fn the_document_is_where_the_identifier_says_and_names_it() {
    for (resource, path) in [
        (RESOURCE, METADATA),
        ("https://api.example.com/", METADATA),
        ("https://api.example.com/mcp", "/.well-known/oauth-protected-resource/mcp"),
        ("https://api.example.com/mcp/", "/.well-known/oauth-protected-resource/mcp/"),
        ("https://api.example.com/a/b%20c", "/.well-known/oauth-protected-resource/a/b%20c"),
        ("http://127.0.0.1:8080/mcp", "/.well-known/oauth-protected-resource/mcp"),
    ] {
        let (test, _) = engine(resource, |builder| builder);
        let app =
            Router::new().route("/", get(home)).protected_resource(resource).finish(test.auth()).unwrap();
        let reply = send(&app, request("GET", path, &[])).await;
        let document: Value = serde_json::from_str(&reply.body).unwrap();
        assert_eq!((reply.status.as_u16(), &document["resource"]), (200, &json!(resource)));
        // The challenge leads to it, and to no other place.
        let challenged = send(&app, request("GET", "/", &[])).await;
        let origin = resource.split('/').take(3).collect::<Vec<_>>().join("/");
        let expected = format!("Bearer realm=\"restricted\", resource_metadata=\"{origin}{path}\"");
        assert_eq!(challenged.header("www-authenticate"), expected);
        if path != METADATA {
            assert_eq!(send(&app, request("GET", METADATA, &[])).await.status, 404);
        }
    }
}

#[tokio::test]
async fn scopes_are_those_of_the_rules() {
    let test = engine(RESOURCE, |builder| builder.default_sources(["bearer", "cookie"])).0;
    let required = || Router::<()>::new().route("/", get(read)).require(rule!(scopes = ["app"]));
    let rows: Vec<(Router, Value)> = vec![
        (Router::new().route("/", get(home)), Value::Null),
        (Router::new().route("/", get(read)), json!(["notes:read"])),
        (Router::new().route("/b", get(read)).route("/a", get(read).post(home)), json!(["notes:read"])),
        (Router::new().route("/", beside(rule!(scopes = ["b", "a"]))), json!(["a", "b"])),
        (Router::new().route("/", beside(rule!(any(roles = ["admin"], scopes = ["a"])))), json!(["a"])),
        (Router::new().route("/", beside(rule!(not(scopes = ["guest"])))), Value::Null),
        (Router::new().merge(required()), json!(["app", "notes:read"])),
        (Router::new().nest("/v1", required()), json!(["app", "notes:read"])),
        (Router::new().fallback(beside(rule!(scopes = ["a"]))), json!(["a"])),
        (Router::new().route("/", beside(rule!(optional))), Value::Null),
        // A declared rule, of a route and of none.
        (
            Router::new().route("/", post(read).declares("write", &WRITE)),
            json!(["notes:read", "notes:write"]),
        ),
        (Router::new().route("/", get(home)).declares("write", &WRITE), json!(["notes:write"])),
        // Not of those that no token of an authorization server is for.
        (
            Router::new()
                .route("/", get(read))
                .route("/page", beside(rule!(source = "cookie", scopes = ["pages"]))),
            json!(["notes:read"]),
        ),
    ];
    for (router, expected) in rows {
        let listed = router.routes().to_string();
        assert_eq!(scopes_of(&test, router).await, expected, "{listed}");
    }
}

/// What is hidden by one route is there if another one names it.
#[tokio::test]
async fn a_route_hides_its_scopes_and_those_that_it_declares() {
    let test = test_engine();
    let hidden = || post(read).declares("write", &WRITE).hide_scopes();
    let rows: Vec<(Router, Value)> = vec![
        (Router::new().route("/", hidden()), Value::Null),
        (Router::new().route("/", MethodRouter::new().hide_scopes().post(read)), Value::Null),
        (Router::new().route("/", post(home).hide_scopes().declares("write", &WRITE)), Value::Null),
        (Router::new().route("/", get(home).merge(hidden())), Value::Null),
        (Router::new().nest("/v1", Router::new().route("/", hidden())), Value::Null),
        (Router::new().route("/", hidden().with_state(())), Value::Null),
        (Router::new().route("/", get(home)).fallback(hidden()), Value::Null),
        (Router::new().route("/", hidden()).route("/read", get(read)), json!(["notes:read"])),
        (Router::new().route("/", get(read).merge(post(home).hide_scopes())), json!(["notes:read"])),
    ];
    for (router, expected) in rows {
        let listed = router.routes().to_string();
        assert_eq!(scopes_of(&test, router).await, expected, "{listed}");
    }
}

#[tokio::test]
async fn authorization_servers_are_the_issuers_of_tokens_for_the_resource() {
    let key = || SigningKey::generate(Algorithm::EdDSA).unwrap().verifying_key();
    let add = |name: &'static str, audiences: &'static [&'static str]| {
        move |builder: AuthBuilder| {
            let issuer =
                audiences.iter().fold(TrustedIssuer::new(name), |issuer, name| issuer.audience(*name));
            builder.issuer(issuer.key(key()))
        }
    };
    type Configure = Box<dyn FnOnce(AuthBuilder) -> AuthBuilder>;
    let rows: Vec<(Configure, ProtectedResource, Value)> = vec![
        (Box::new(|builder| builder), RESOURCE.into(), json!([PROVIDER])),
        (
            Box::new(add("https://other.example/realms/a", &["legacy", RESOURCE])),
            RESOURCE.to_owned().into(),
            json!([PROVIDER, "https://other.example/realms/a"]),
        ),
        // Each name of an issuer that has several.
        (
            Box::new(move |builder| {
                let names = ["https://a.example", "https://b.example"];
                builder.issuer(TrustedIssuer::one_of(names).audience(RESOURCE).key(key()))
            }),
            RESOURCE.into(),
            json!([PROVIDER, "https://a.example", "https://b.example"]),
        ),
        // It is asked about its tokens, also where its answers do not name it.
        (
            Box::new(move |builder| {
                let introspection = Introspection::at("https://opaque.example/introspect")
                    .client_secret_basic("api", "secret")
                    .dangerously_accept_missing_issuer();
                let issuer = TrustedIssuer::new("https://opaque.example").audience(RESOURCE);
                builder.issuer(issuer.introspection(introspection))
            }),
            RESOURCE.into(),
            json!([PROVIDER, "https://opaque.example"]),
        ),
        // Its tokens are for another service, it is no URL, or its tokens would go over plain http.
        (Box::new(add("https://other.example", &["orders"])), RESOURCE.into(), json!([PROVIDER])),
        (
            Box::new(add("https://other.example", &["https://api.example.com/"])),
            RESOURCE.into(),
            json!([PROVIDER]),
        ),
        (Box::new(add("internal", &[RESOURCE])), RESOURCE.into(), json!([PROVIDER])),
        (Box::new(add("http://other.example", &[RESOURCE])), RESOURCE.into(), json!([PROVIDER])),
        (
            Box::new(add("http://localhost:9000", &[RESOURCE])),
            RESOURCE.into(),
            json!([PROVIDER, "http://localhost:9000"]),
        ),
        // The engine's own issuer has no metadata, unless the application says so.
        (
            Box::new(|builder| builder.token_issuer(issuer(&People::default()))),
            RESOURCE.into(),
            json!([PROVIDER]),
        ),
        (
            Box::new(|builder| {
                let own = auth_runtime::session::TokenIssuer::new(
                    RESOURCE,
                    RESOURCE,
                    signing_key(1),
                    People::default(),
                );
                builder.token_issuer(own.refresh_key(auth_runtime::session::RefreshKey::new("k1", [1; 32])))
            }),
            RESOURCE.into(),
            json!([PROVIDER]),
        ),
        (
            Box::new(|builder| builder),
            ProtectedResource::new(RESOURCE)
                .authorization_server("https://opaque.example")
                .authorization_server(PROVIDER),
            json!([PROVIDER, "https://opaque.example"]),
        ),
    ];
    for (configure, resource, expected) in rows {
        let (test, _) = engine(RESOURCE, configure);
        let app =
            Router::new().route("/", get(home)).protected_resource(resource).finish(test.auth()).unwrap();
        assert_eq!(document(&app).await["authorization_servers"], expected);
    }
}

#[tokio::test]
async fn what_the_service_says_of_itself() {
    let test = test_engine();
    let resource = ProtectedResource::new(RESOURCE)
        .name("Notes \"and\" more")
        .documentation("https://old.example")
        .documentation("https://docs.example.com/api?v=1#notes")
        .policy("https://example.com/policy")
        .terms_of_service("https://example.com/terms")
        .scopes(["own", "notes:read"]);
    let app = Router::new().route("/", get(read)).protected_resource(resource).finish(test.auth()).unwrap();
    let expected = json!({
        "resource": RESOURCE,
        "authorization_servers": [PROVIDER],
        "scopes_supported": ["notes:read", "own"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Notes \"and\" more",
        "resource_documentation": "https://docs.example.com/api?v=1#notes",
        "resource_policy_uri": "https://example.com/policy",
        "resource_tos_uri": "https://example.com/terms",
    });
    assert_eq!(document(&app).await, expected);
}

/// A router of axum's, with handlers that carry their policies or have none.
#[tokio::test]
async fn a_router_of_axums_is_a_protected_resource_too() {
    let test = test_engine();
    let plain = axum::Router::new()
        .route("/read", axum::routing::get(read))
        .route("/open", axum::routing::get(async || "open"));
    let resource = ProtectedResource::new(RESOURCE).scopes(["notes:read"]);
    let router = Router::new().dangerously_merge_unguarded(plain).protected_resource(resource);
    let app = router.finish(test.auth()).unwrap();
    assert_eq!(document(&app).await["scopes_supported"], json!(["notes:read"]));
    let reply = send(&app, request("GET", "/read", &[])).await;
    let expected = format!(
        "Bearer realm=\"restricted\", scope=\"notes:read\", resource_metadata=\"{RESOURCE}{METADATA}\""
    );
    assert_eq!((reply.status.as_u16(), reply.header("www-authenticate")), (401, &*expected));
    assert_eq!(send(&app, request("GET", "/open", &[])).await.body, "open");
}

#[test]
fn the_document_is_a_public_route_in_every_list() {
    let test = test_engine();
    let router = || Router::<()>::new().route("/", get(read)).protected_resource(RESOURCE);
    let routes = router().routes();
    let table: AccessTable = routes.table(test.auth());
    let row = table.routes.iter().find(|row| row.path == METADATA).unwrap();
    assert_eq!(
        (&*row.method, &*row.who, &*row.handler),
        ("GET", "public", "auth_runtime::protected_resource")
    );
    let document = OpenApi::new("t", "1").describe(&routes, test.auth()).unwrap();
    let document: Value = serde_json::from_str(&document.to_json()).unwrap();
    let operation = &document["paths"][METADATA]["get"];
    assert_eq!(operation["operationId"], "protectedResourceMetadata");
    assert_eq!(operation["security"], json!([]));
    assert!(operation["responses"]["200"]["content"]["application/json"].is_object());
}

#[tokio::test]
async fn a_token_for_another_resource_is_rejected() {
    let (test, key) = engine(RESOURCE, |builder| builder);
    let app = Router::new().route("/", get(read)).protected_resource(RESOURCE).finish(test.auth()).unwrap();
    let now = 1_800_000_000;
    for (audience, status) in [
        (json!(RESOURCE), 200),
        (json!([RESOURCE, "https://other.example.com"]), 200),
        (json!("https://other.example.com"), 401),
        (json!("https://api.example.com/"), 401),
        (json!("https://API.example.com"), 401),
        (json!(["https://api.example.com/mcp"]), 401),
        (json!([]), 401),
        (Value::Null, 401),
    ] {
        let mut claims =
            json!({ "iss": PROVIDER, "sub": "alice", "iat": now, "exp": now + 60, "scope": "notes:read" });
        if !audience.is_null() {
            claims["aud"] = audience.clone();
        }
        let bearer = format!("Bearer {}", key.sign(&claims).unwrap());
        let reply = send(&app, request("GET", "/", &[("authorization", &bearer)])).await;
        assert_eq!(reply.status, status, "{audience}");
        let challenge = reply.header("www-authenticate");
        assert_eq!(
            challenge.contains("error=\"invalid_token\", scope=\"notes:read\", resource_metadata="),
            status == 401
        );
    }
}

fn bearer(test: &TestAuth, user: &TestUser) -> String {
    format!("Bearer {}", test.token(user))
}
