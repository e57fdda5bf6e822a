//! WebSockets over HTTP/2: an extended `CONNECT` (RFC 8441) in place of `GET` with `Upgrade`. The same credentials count, and the same pages
//! may send cookies.

use auth_runtime::routing::{any, post};
use auth_runtime::source::{Query, WebSocketProtocol};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, routing::get};
use axum::http::Version;

use crate::support::{request, send};

#[auth(source = ["query", "ws_protocol", "cookie"])]
async fn socket(user: Principal) -> String {
    user.subject().to_owned()
}

#[auth(source = "key")]
async fn by_key(user: Principal) -> String {
    user.subject().to_owned()
}

fn test() -> TestAuth {
    TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(Query::new()).source(WebSocketProtocol::new())
    })
}

#[tokio::test]
async fn the_credentials_of_a_socket_count_in_an_extended_connect() {
    let test = test();
    let routes = Router::new().route("/socket", get(socket).connect(socket));
    let app = routes.finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));
    let in_url = format!("/socket?access_token={token}");
    let protocol = format!("chat, bearer.{token}");
    let cookie = format!("__Host-access_token={token}");
    let own = [("host", "shop.example"), ("cookie", &*cookie), ("origin", "https://shop.example")];
    let foreign = [("host", "shop.example"), ("cookie", &*cookie), ("origin", "https://evil.example")];
    type Row<'a> = (&'a str, Version, &'a str, &'a [(&'a str, &'a str)], u16);
    let table: &[Row<'_>] = &[
        ("CONNECT", Version::HTTP_2, &in_url, &[], 200),
        ("CONNECT", Version::HTTP_3, &in_url, &[], 200),
        ("CONNECT", Version::HTTP_2, "/socket", &[("sec-websocket-protocol", &protocol)], 200),
        ("CONNECT", Version::HTTP_2, "/socket", &own, 200),
        ("CONNECT", Version::HTTP_2, "/socket", &foreign, 403),
        ("CONNECT", Version::HTTP_2, "/socket", &[], 401),
        ("CONNECT", Version::HTTP_2, "/socket?access_token=x", &[], 401),
        // There it is a tunnel (RFC 9110 §9.3.6), and no WebSocket.
        ("CONNECT", Version::HTTP_11, &in_url, &[], 400),
        ("CONNECT", Version::HTTP_11, "/socket", &[("sec-websocket-protocol", &protocol)], 401),
        ("GET", Version::HTTP_11, &in_url, &[("upgrade", "websocket")], 200),
        ("GET", Version::HTTP_2, &in_url, &[], 401),
    ];
    for (method, version, uri, headers, expected) in table {
        let mut request = request(method, uri, headers);
        *request.version_mut() = *version;
        let reply = send(&app, request).await;
        assert_eq!(reply.status, *expected, "{method} {version:?} {uri:.20} {headers:?}");
        // To a `CONNECT` that succeeds, axum answers without a body.
        if *expected == 200 && *method == "GET" {
            assert_eq!(reply.body, "alice");
        }
    }
}

/// A credential in the URL of a request that changes state is refused, and a route for such requests alone is an error of `finish`.
#[test]
fn a_route_for_sockets_takes_tokens_from_the_url_and_one_for_other_methods_does_not() {
    let test = test();
    let finish = |routes: Router| routes.finish(test.auth()).map(drop).map_err(|error| error.to_string());
    finish(Router::new().route("/", get(socket).connect(socket))).unwrap();
    finish(Router::new().route("/", auth_runtime::routing::connect(socket))).unwrap();
    for routes in [Router::new().route("/", any(socket)), Router::new().route("/", get(socket).post(socket))]
    {
        let error = finish(routes).unwrap_err();
        assert!(error.contains("takes a token from the URL"), "{error}");
        assert!(
            error.contains("for a WebSocket, mount the handler with `get(handler).connect(handler)`"),
            "{error}"
        );
    }
    assert!(finish(Router::new().route("/", post(socket))).is_err());
}

#[tokio::test]
async fn an_authenticator_gets_its_credential_from_the_url_too() {
    use auth_runtime::authenticator::{BoxError, Credential, CredentialPlace, Subject};

    async fn known(credential: Credential, (): ()) -> Result<Option<Subject>, BoxError> {
        Ok((credential.text() == "k").then(|| Subject::new("alice")))
    }
    let place = CredentialPlace::dangerously_in_query("key");
    let auth = auth_runtime::Auth::builder().authenticator_with("key", place, known, ()).build().unwrap();
    let app = Router::new().route("/", get(by_key).connect(by_key)).finish(&auth).unwrap();
    for (version, expected) in [(Version::HTTP_2, 200), (Version::HTTP_11, 400)] {
        let mut request = request("CONNECT", "/?key=k", &[]);
        *request.version_mut() = version;
        assert_eq!(send(&app, request).await.status, expected, "{version:?}");
    }
}
