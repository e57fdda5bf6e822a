//! Random bytes where credentials stand: never a panic, never a 2xx, never a 5xx.

use auth_runtime::routing::{any, get};
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, auth};
use axum::body::Body;
use axum::http::{HeaderValue, Request};
use proptest::collection::vec;
use proptest::prelude::*;
use tower::ServiceExt as _;

#[auth(source = ["bearer", "cookie", "query"])]
async fn read() {}

#[auth(source = ["bearer", "cookie"])]
async fn write() {}

/// Bytes that a header can hold, near to what is looked for and far from it.
fn values(token: String) -> impl Strategy<Value = Vec<u8>> {
    let noise = vec(prop_oneof![Just(b'\t'), 32..127_u8, 128..=255_u8], 0..60);
    let words = prop::sample::select(vec![
        "Bearer ",
        "bearer",
        "Basic ",
        "__Host-access_token=",
        "; ",
        "=",
        ".",
        "..",
        "https://",
        "null",
        "http://[",
        ":",
        "@",
        "%ff",
        "eyJhbGciOiJub25lIn0",
        "\"",
        ",",
    ]);
    // A good token, cut somewhere, so that it is none.
    let cut = (0..token.len() - 1).prop_map(move |at| token.as_bytes()[..at].to_vec());
    let piece = prop_oneof![noise, words.prop_map(|word| word.as_bytes().to_vec()), cut];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

#[test]
fn no_noise_is_a_credential() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let test = TestAuth::with(|builder| {
        builder.dangerously_allow_query_tokens(auth_runtime::source::Query::new().for_every_read())
    });
    let app =
        Router::new().route("/read", get(read)).route("/write", any(write)).finish(test.auth()).unwrap();
    let token = test.token(&TestUser::new("alice"));

    let value = || prop::option::of(values(token.clone()));
    let method = prop::sample::select(vec!["GET", "HEAD", "POST", "DELETE", "OPTIONS"]);
    let inputs = (method, value(), value(), value(), value(), "[ -~]{0,20}");
    auth_tests_random::runner(300)
        .run(&inputs, |(method, authorization, cookie, origin, site, query)| {
            let query: String =
                query.chars().filter(|c| c.is_ascii_alphanumeric() || "&=%".contains(*c)).collect();
            let path = if method == "GET" { format!("/read?access_token={query}") } else { "/write".into() };
            let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
            for (name, bytes) in [
                ("authorization", authorization),
                ("cookie", cookie),
                ("origin", origin),
                ("sec-fetch-site", site),
            ] {
                if let Some(value) = bytes.and_then(|bytes| HeaderValue::from_bytes(&bytes).ok()) {
                    request.headers_mut().insert(name, value);
                }
            }
            let answer = runtime.block_on(app.clone().oneshot(request)).unwrap();
            prop_assert!(answer.status().is_client_error(), "{}", answer.status());
            Ok(())
        })
        .unwrap();
}
