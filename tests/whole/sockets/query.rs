//! The token in a URL: for WebSockets alone, unless the builder says otherwise.

use auth_runtime::source::Query;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Auth, Principal, Router, auth, routing::get};

use crate::support::people::{People, issuer};
use crate::support::{request, send};

#[auth(source = ["query", "cookie"])]
async fn who(user: Principal) -> String {
    user.subject().to_owned()
}

#[tokio::test]
async fn it_takes_a_token_of_the_requests_that_it_is_told_to_take() {
    let options = [Query::new(), Query::new().for_downloads(), Query::new().for_every_read()];
    type Row<'a> = (&'a str, &'a [(&'a str, &'a str)], [u16; 3]);
    let table: &[Row<'_>] = &[
        ("GET", &[("upgrade", "websocket")], [200, 200, 200]),
        ("GET", &[("upgrade", "websocket"), ("sec-fetch-mode", "websocket")], [200, 200, 200]),
        ("GET", &[("upgrade", "h2c")], [401, 200, 200]),
        ("GET", &[], [401, 200, 200]),
        ("HEAD", &[], [401, 200, 200]),
        ("GET", &[("sec-fetch-mode", "navigate")], [401, 200, 200]),
        ("GET", &[("sec-fetch-mode", "no-cors")], [401, 200, 200]),
        // `fetch`, and an `EventSource`.
        ("GET", &[("sec-fetch-mode", "cors")], [401, 401, 200]),
        ("GET", &[("sec-fetch-mode", "same-origin")], [401, 401, 200]),
        ("GET", &[("sec-fetch-mode", "navigate"), ("sec-fetch-mode", "cors")], [401, 401, 200]),
    ];
    for (index, option) in options.into_iter().enumerate() {
        let test = TestAuth::with(|builder| builder.dangerously_allow_query_tokens(option.clone()));
        let app = Router::new().route("/", get(who)).finish(test.auth()).unwrap();
        let token = test.token(&TestUser::new("alice"));
        let cookie = format!("__Host-access_token={}", test.token(&TestUser::new("bob")));
        for (method, headers, expected) in table {
            let uri = format!("/?page=2&access_token={token}");
            let reply = send(&app, request(method, &uri, headers)).await;
            assert_eq!(reply.status, expected[index], "{option:?} {method} {headers:?}");
            assert_eq!(reply.header("cache-control"), "no-store");
            // One that is not taken is invalid, and is not skipped for the next.
            let mut headers = headers.to_vec();
            headers.push(("cookie", &cookie));
            let reply = send(&app, request(method, &uri, &headers)).await;
            assert_eq!(reply.status, expected[index], "{option:?} {method} {headers:?}");
            assert_ne!(reply.body, "bob");
        }
    }
}

#[tokio::test]
async fn the_parameter_can_be_named() {
    let query = Query::new().parameter("authorization");
    let test = TestAuth::with(|builder| builder.dangerously_allow_query_tokens(query));
    let app = Router::new().route("/", get(who)).finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));
    for (query, expected) in [
        (format!("authorization={token}"), 200),
        (format!("access_token={token}"), 401),
        (format!("Authorization={token}"), 401),
        (format!("authorization={token}&authorization={token}"), 400),
        (format!("authorization={token}&authorization="), 400),
        ("authorization=".to_owned(), 401),
        (format!("access_token=x&authorization={token}"), 200),
    ] {
        let reply = send(&app, request("GET", &format!("/?{query}"), &[("upgrade", "websocket")])).await;
        assert_eq!(reply.status, expected, "{query}");
        if expected == 400 {
            assert!(
                reply.body.contains("the query parameter `authorization` was sent more than once"),
                "{}",
                reply.body
            );
        }
    }
}

#[test]
fn the_name_of_the_parameter_is_not_empty() {
    let builder = Auth::builder().token_issuer(issuer(&People::default()));
    let error = builder.dangerously_allow_query_tokens(Query::new().parameter("")).build().unwrap_err();
    assert!(error.to_string().contains("name one, such as `access_token`"), "{error}");
}
