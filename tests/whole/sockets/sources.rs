//! The token of a WebSocket among its subprotocols.

use auth_runtime::source::WebSocketProtocol;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, routing::get};
use serde_json::json;

use super::{Service, is_echoed};
use crate::support::{request, send};

#[auth(source = "ws_protocol")]
async fn who(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = ["ws_protocol", "cookie"], optional)]
async fn maybe(user: Option<Principal>) -> String {
    user.map_or_else(|| "nobody".to_owned(), |user| user.subject().to_owned())
}

fn app(source: WebSocketProtocol) -> (TestAuth, axum::Router) {
    let test = TestAuth::with(|builder| builder.source(source));
    let app = Router::new().route("/", get(who)).route("/maybe", get(maybe)).finish(test.auth()).unwrap();
    (test, app)
}

#[tokio::test]
async fn a_browser_opens_a_socket_with_a_subprotocol_and_gets_another_one_back() {
    let service = Service::new().await;
    let alice = service.log_in("alice").await;
    let token = format!("bearer.{}", alice.access_token);
    for offered in [format!("chat, {token}"), format!("{token},chat")] {
        let (mut socket, answer) =
            service.open("/echo", &[("sec-websocket-protocol", &offered)]).await.unwrap();
        let selected: Vec<_> = answer.headers().get_all("sec-websocket-protocol").iter().collect();
        assert_eq!(selected, ["chat"]);
        assert!(
            answer.headers().iter().all(|(_, value)| !value.to_str().unwrap().contains(&alice.access_token))
        );
        assert!(is_echoed(&mut socket).await);
    }
}

#[tokio::test]
async fn the_header_is_a_list_in_which_one_name_is_a_credential() {
    let (test, app) = app(WebSocketProtocol::new());
    let [alice, bob] = ["alice", "bob"].map(|name| format!("bearer.{}", test.token(&TestUser::new(name))));
    let both = format!("{alice}, chat, {bob}");
    let upper = alice.replacen("bearer.", "Bearer.", 1);
    let spaced = format!(" \tchat ,,  {alice}\t, more");
    // The lines of the header, the status, and on an optional route.
    let table: &[(&[&str], u16, u16)] = &[
        (&[&alice], 200, 200),
        (&[&spaced], 200, 200),
        (&["chat", &alice], 200, 200),
        (&["chat, graphql"], 401, 200),
        (&[&upper], 401, 200),
        (&[], 401, 200),
        (&["bearer"], 401, 200),
        (&["bearer."], 401, 401),
        (&["bearer.x"], 401, 401),
        (&["bearer.\u{e9}"], 401, 401),
        (&[&both], 400, 400),
        (&[&alice, &bob], 400, 400),
        (&[&alice, &alice], 400, 400),
        (&["bearer.", &alice], 400, 400),
    ];
    for (lines, status, optional) in table {
        for (path, expected) in [("/", status), ("/maybe", optional)] {
            let mut request = request("GET", path, &[("upgrade", "websocket"), ("connection", "upgrade")]);
            for line in *lines {
                let line = axum::http::HeaderValue::from_bytes(line.as_bytes()).unwrap();
                request.headers_mut().append("sec-websocket-protocol", line);
            }
            let reply = send(&app, request).await;
            assert_eq!(reply.status, *expected, "{path} {lines:?}");
            assert!(reply.header("vary").contains("sec-websocket-protocol"), "{:?}", reply.headers);
            match reply.status.as_u16() {
                200 if *status == 200 => {
                    assert_eq!((&*reply.body, reply.header("cache-control")), ("alice", "private"));
                }
                401 => assert!(reply.header("www-authenticate").starts_with("Bearer ")),
                _ => {}
            }
        }
    }
}

#[tokio::test]
async fn it_is_for_the_handshake_of_a_websocket_alone() {
    let (test, app) = app(WebSocketProtocol::new());
    let alice = format!("bearer.{}", test.token(&TestUser::new("alice")));
    for (upgrade, expected) in [
        (&[("upgrade", "websocket")][..], 200),
        (&[("upgrade", "h2c, WebSocket")], 200),
        (&[], 401),
        (&[("upgrade", "h2c")], 401),
        (&[("upgrade", "websockets")], 401),
    ] {
        let mut headers = upgrade.to_vec();
        headers.push(("sec-websocket-protocol", &alice));
        assert_eq!(send(&app, request("GET", "/", &headers)).await.status, expected, "{upgrade:?}");
    }
}

#[tokio::test]
async fn the_prefix_is_chosen_and_never_empty() {
    for (prefix, used) in [("base64url.bearer.", "base64url.bearer."), ("", "bearer.")] {
        let (test, app) = app(WebSocketProtocol::new().prefix(prefix));
        let alice = test.token(&TestUser::new("alice"));
        for (offered, expected) in [(format!("{used}{alice}"), 200), (format!("other.{alice}"), 401)] {
            let headers = [("upgrade", "websocket"), ("sec-websocket-protocol", &*offered)];
            assert_eq!(
                send(&app, request("GET", "/", &headers)).await.status,
                expected,
                "{prefix:?} {offered}"
            );
        }
    }
}

#[test]
fn the_openapi_document_says_where_it_is() {
    use auth_runtime::openapi::OpenApi;

    let test = TestAuth::with(|builder| builder.source(WebSocketProtocol::new()));
    let routes: Router = Router::new().route("/", get(who));
    let document = OpenApi::new("chat", "1").describe(&routes.routes(), test.auth()).unwrap().to_value();
    let scheme = &document["components"]["securitySchemes"]["ws_protocol"];
    assert_eq!(
        (&scheme["type"], &scheme["in"], &scheme["name"]),
        (&json!("apiKey"), &json!("header"), &json!("Sec-WebSocket-Protocol"),)
    );
}
