//! An invalid credential that a browser sends by itself: absent where a credential is optional, but neither where it could not be
//! judged nor for the page of another origin.

use auth_runtime::Auth;
use auth_runtime::routing::any;
use auth_runtime::source::Header;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth};
use axum::http::header;

use super::optional;
use crate::support::flaky::FlakyStore;
use crate::support::{request, send};

/// The name of the cookie and what is in it.
fn cookie(value: &str) -> String {
    format!("__Host-access_token={value}")
}

#[auth(source = ["cookie", "bearer"])]
async fn required() {}

fn app(auth: &Auth) -> axum::Router {
    let routes = Router::new().route("/optional", any(optional)).route("/required", any(required));
    routes.finish(auth).unwrap()
}

#[tokio::test]
async fn a_page_of_another_origin_neither_learns_of_a_cookie_nor_clears_it() {
    let test = TestAuth::new();
    let app = app(test.auth());
    let good = cookie(&test.token(&TestUser::new("alice")));
    let foreign = [("host", "shop.example"), ("origin", "https://evil.example")];
    for sent in [good.clone(), cookie("bad"), cookie(""), cookie("a b"), format!("{good}; {good}")] {
        for path in ["/optional", "/required"] {
            let headers: Vec<_> = foreign.iter().copied().chain([("cookie", sent.as_str())]).collect();
            for method in ["POST", "QUERY"] {
                let reply = send(&app, request(method, path, &headers)).await;
                assert_eq!(reply.status, 403, "{method} {path} {sent:.40}");
                assert!(!reply.headers.contains_key("set-cookie"), "{method} {path} {sent:.40}");
            }
        }
    }
}

#[tokio::test]
async fn a_revoked_cookie_counts_as_absent_and_one_that_could_not_be_judged_does_not() {
    let store = FlakyStore::default();
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    test.auth().start().await.unwrap();
    let app = app(test.auth());
    let sent = cookie(&test.token(&TestUser::new("alice")));
    let ask = async || send(&app, request("GET", "/optional", &[("cookie", &sent)])).await;
    assert_eq!(ask().await.body, "alice");
    test.auth().revocations().revoke_user(&TestUser::new("alice").principal()).await.unwrap();
    let reply = ask().await;
    assert_eq!((reply.status.as_u16(), &*reply.body), (200, "nobody"));
    assert!(reply.header("set-cookie").starts_with("__Host-access_token=; "));

    let store = FlakyStore::default();
    store.set_broken(true);
    let test = TestAuth::with(|builder| builder.store(store.clone()));
    let app = self::app(test.auth());
    let sent = cookie(&test.token(&TestUser::new("alice")));
    let reply = send(&app, request("GET", "/optional", &[("cookie", &sent)])).await;
    assert_eq!(reply.status, 503);
    assert!(!reply.headers.contains_key("set-cookie"));
}

/// There is no cookie to clear.
#[tokio::test]
async fn a_password_of_the_browser_counts_as_absent() {
    #[auth(optional, source = "basic")]
    async fn by_password(user: Option<Principal>) -> String {
        user.map_or("nobody".into(), |user| user.subject().to_owned())
    }
    let test = TestAuth::with(|builder| {
        builder.source(Header::new("basic", header::AUTHORIZATION).with_scheme("Basic"))
    });
    let app = Router::new().route("/", any(by_password)).finish(test.auth()).unwrap();
    let good = format!("Basic {}", test.token(&TestUser::new("alice")));
    for (sent, expected) in [(good.as_str(), "alice"), ("Basic YTpi", "nobody"), ("Basic", "nobody")] {
        let reply = send(&app, request("GET", "/", &[("authorization", sent)])).await;
        assert_eq!((reply.status.as_u16(), &*reply.body), (200, expected), "{sent}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}
