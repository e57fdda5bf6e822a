//! The test kit, as a user's tests use it.

use std::time::Duration;

use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Authorized, Principal, Router, auth, check};

use crate::support::{get_as, request, send};

#[auth(roles = ["admin"], check = not_eve)]
async fn purge(user: Principal) -> String {
    user.subject().to_owned()
}

#[check]
async fn not_eve(user: &Principal) -> bool {
    user.subject() != "eve"
}

#[tokio::test]
async fn a_guarded_handler_is_called_as_a_function() {
    assert_eq!(purge(Authorized::for_test(), TestUser::new("alice").principal()).await, "alice");
    assert!(not_eve(&TestUser::new("alice").principal()).await);
}

#[tokio::test]
async fn a_request_with_a_principal_passes_all_that_follows_identification() {
    let test = TestAuth::new();
    let app = Router::new().route("/", get(purge)).finish(test.auth()).unwrap();
    for (user, status) in [
        (TestUser::new("alice").roles(["admin"]), 200),
        (TestUser::new("alice"), 403),
        (TestUser::new("eve").roles(["admin"]), 403),
    ] {
        let reply = send(&app, request("GET", "/", &[]).with_principal(user.principal())).await;
        assert_eq!(reply.status.as_u16(), status, "{user:?}");
    }
}

#[tokio::test]
async fn an_engine_that_is_no_test_engine_ignores_it() {
    let key = SigningKey::generate(Algorithm::EdDSA).unwrap();
    let issuer = TrustedIssuer::new("i").audience("a").key(key.verifying_key());
    let auth = Auth::builder().issuer(issuer).build().unwrap();
    let app = Router::new().route("/", get(purge)).finish(&auth).unwrap();
    let admin = TestUser::new("alice").roles(["admin"]).principal();
    assert_eq!(send(&app, request("GET", "/", &[]).with_principal(admin)).await.status, 401);
}

#[tokio::test]
async fn the_clock_is_set_by_hand() {
    let test = TestAuth::new();
    let app = Router::new().route("/", get(purge)).finish(test.auth()).unwrap();
    let admin = TestUser::new("alice").roles(["admin"]);
    let bearer = format!("Bearer {}", test.token(&admin));
    let ask = async || send(&app, request("GET", "/", &[("authorization", &bearer)])).await.status.as_u16();
    assert_eq!(ask().await, 200);
    test.clock().advance(Duration::from_secs(900 + 59));
    assert_eq!(ask().await, 200, "within the leeway");
    test.clock().advance(Duration::from_secs(1));
    assert_eq!(ask().await, 401);
    assert_eq!(get_as(&app, &test, &admin, "/").await.status, 200, "a new token is of the new time");
}
