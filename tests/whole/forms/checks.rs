//! Every form that a check can have, compiled and called.

use auth_runtime::routing::get;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Principal, Router, auth, check};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method};

use crate::support::{get_as, request, send};

/// Parameters that are there or not, in any order. `E0061` if the call passes one that is not.
#[check]
async fn conditional(
    user: &Principal,
    #[cfg(not(any()))] Path(name): Path<String>,
    #[cfg(any())] _: NoSuchType,
    #[cfg_attr(all(), cfg(any()))] _: NoSuchType,
    #[cfg_attr(any(), cfg(any()))] method: Method,
    #[allow(unused_variables, reason = "an attribute on a parameter")] headers: HeaderMap,
) -> bool {
    user.subject() == name && method == Method::GET
}

#[check]
async fn patterns(
    user: &Principal,
    Path((mut first, second)): Path<(String, u32)>,
    Query(query): Query<std::collections::BTreeMap<String, String>>,
) -> Result<bool, std::io::Error> {
    first.push('e');
    Ok(user.subject() == first && second == 1 && query.len() == 1)
}

#[check]
async fn r#move(_: &Principal) -> bool {
    true
}

#[check]
#[allow(clippy::needless_lifetimes, reason = "a check may name them")]
async fn lifetimes<'p>(user: &'p Principal, State(()): State<()>) -> Result<bool, &'p str> {
    Ok(user.subject() == "alice")
}

#[tracing::instrument(skip_all)]
#[check]
async fn instrumented_above(user: &Principal, method: Method) -> bool {
    user.subject() == "alice" && method == Method::GET
}

#[check]
#[tracing::instrument(skip_all)]
async fn instrumented_below(user: &Principal, headers: HeaderMap) -> bool {
    user.subject() == "alice" && headers.contains_key("authorization")
}

#[check]
#[cfg(any())]
async fn absent(_: &Principal, _: NoSuchType) -> bool {}

#[cfg(any())]
#[check]
async fn absent_too(_: &Principal, _: NoSuchType) -> bool {}

/// A crate of this name is there, too, so the path says which of the two it is.
#[check]
async fn tower(user: &Principal) -> bool {
    let _ = ::tower::ServiceBuilder::new();
    user.subject() == "alice"
}

macro_rules! handlers {
    ($($name:ident = $check:path,)*) => {
        $(#[auth(check = $check)] async fn $name() {})*
    };
}
handlers! {
    of_conditional = conditional,
    of_patterns = patterns,
    of_move = r#move,
    of_lifetimes = lifetimes,
    of_instrumented_above = instrumented_above,
    of_instrumented_below = instrumented_below,
    of_tower = self::tower,
}

/// A parameter of a handler that is there or not.
#[auth(check = conditional)]
async fn handler(#[cfg(any())] _: NoSuchType, #[cfg(not(any()))] user: Principal) -> String {
    user.subject().to_owned()
}

fn app(test: &TestAuth) -> axum::Router {
    #[check]
    async fn inside_a_function(user: &Principal) -> bool {
        user.subject() == "alice"
    }

    #[auth(check = inside_a_function)]
    async fn of_inside_a_function() {}

    Router::new()
        .route("/conditional/{name}", get(of_conditional))
        .route("/handler/{name}", get(handler))
        .route("/patterns/{a}/{b}", get(of_patterns))
        .route("/move", get(of_move))
        .route("/lifetimes", get(of_lifetimes))
        .route("/instrumented/above", get(of_instrumented_above))
        .route("/instrumented/below", get(of_instrumented_below))
        .route("/tower", get(of_tower))
        .route("/inside", get(of_inside_a_function))
        .finish(test.auth())
        .unwrap()
}

#[tokio::test]
async fn each_decides() {
    let test = TestAuth::new();
    let app = app(&test);
    let alice = TestUser::new("alice");
    let bob = TestUser::new("bob");
    for (path, bobs) in [
        ("/conditional/alice", 403),
        ("/handler/alice", 403),
        ("/patterns/alic/1?q=1", 403),
        ("/move", 200),
        ("/lifetimes", 403),
        ("/instrumented/above", 403),
        ("/instrumented/below", 403),
        ("/tower", 403),
        ("/inside", 403),
    ] {
        assert_eq!(get_as(&app, &test, &alice, path).await.status.as_u16(), 200, "{path}");
        assert_eq!(get_as(&app, &test, &bob, path).await.status.as_u16(), bobs, "{path}");
    }
    let reply = send(&app, request("GET", "/move", &[])).await;
    assert_eq!(reply.status.as_u16(), 401, "a check needs a caller");
}

/// A check stays a function.
#[tokio::test]
async fn each_can_be_called() {
    let user = TestUser::new("alice").principal();
    assert!(tower(&user).await && r#move(&user).await);
}
