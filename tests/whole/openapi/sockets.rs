//! Sources for WebSockets are in the document where they can count.

use auth_runtime::openapi::OpenApi;
use auth_runtime::routing::{MethodRouter, get, post};
use auth_runtime::source::{Query, WebSocketProtocol};
use auth_runtime::testing::TestAuth;
use auth_runtime::{Router, auth, rule};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use serde_json::Value;

#[auth]
async fn page() {}

#[auth]
async fn socket(_: WebSocketUpgrade) {}

#[auth]
async fn perhaps_socket(_: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) {}

#[auth(source = ["bearer", "ws_protocol"])]
async fn own_rule() {}

#[auth(source = "ws_protocol")]
async fn nothing_else() {}

#[auth(optional)]
async fn optional() {}

fn security(mount: MethodRouter, query: Query, method: &str) -> (Vec<String>, Value) {
    let test = TestAuth::with(|builder| {
        builder.source(WebSocketProtocol::new()).dangerously_allow_query_tokens(query).default_sources([
            "bearer",
            "query",
            "ws_protocol",
        ])
    });
    let routes: Router = Router::new().route("/x", mount);
    let document = OpenApi::new("chat", "1").describe(&routes.routes(), test.auth()).unwrap().to_value();
    let alternatives = document["paths"]["/x"][method]["security"].as_array().unwrap().clone();
    let names = alternatives.iter().flat_map(|one| one.as_object().unwrap().keys().cloned());
    (names.collect(), document)
}

#[test]
fn an_operation_lists_what_can_count_there() {
    let all = ["bearer", "query", "ws_protocol"];
    type Row<'a> = (&'a str, fn() -> MethodRouter, &'a str, &'a [&'a str]);
    let table: &[Row<'_>] = &[
        ("a page", || get(page), "get", &["bearer"]),
        ("a form", || post(page), "post", &["bearer"]),
        ("an optional page", || get(optional), "get", &["bearer"]),
        ("a socket", || get(socket), "get", &all),
        ("a socket or a page", || get(perhaps_socket), "get", &all),
        // The author says that it is for sockets.
        ("named in the rule", || get(own_rule), "get", &["bearer", "ws_protocol"]),
        ("nothing else", || get(nothing_else), "get", &["ws_protocol"]),
    ];
    for (name, mount, method, expected) in table {
        assert_eq!(security(mount(), Query::new(), method).0, *expected, "{name}");
    }
    // What it takes is not known.
    let beside = MethodRouter::new().merge((axum::routing::get(async || {}), rule!()));
    assert_eq!(security(beside, Query::new(), "get").0, all);
    // This takes tokens of pages, too.
    assert_eq!(security(get(page), Query::new().for_downloads(), "get").0, ["bearer", "query"]);
}

#[test]
fn the_scheme_says_that_it_is_for_sockets() {
    for (query, expected) in [
        (Query::new(), "Only for the opening handshake of a WebSocket."),
        (Query::new().for_downloads(), "Only for requests that change no state."),
    ] {
        let (_, document) = security(get(socket), query, "get");
        let description = |scheme: &str| {
            document["components"]["securitySchemes"][scheme]["description"].as_str().unwrap().to_owned()
        };
        assert!(description("query").ends_with(expected), "{}", description("query"));
        assert!(description("ws_protocol").ends_with("Only for the opening handshake of a WebSocket."));
    }
}
