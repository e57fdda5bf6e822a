//! What the gate allocates for a token that it remembers: nothing.
//!
//! A public route is measured beside it: axum, the layer, and the extension that hands over the caller take as much there,
//! where it holds no caller. The counter sees the thread that it is called on, and no other.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::{AllocationInfo, measure};
use auth_runtime::rejection::Rejection;
use auth_runtime::routing::get;
use auth_runtime::session::BoxError;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::users::{Grants, UserStore};
use auth_runtime::{Principal, Router, User, auth};
use tower::Service as _;

use crate::support::request;

#[auth(public)]
async fn open() {}

#[auth]
async fn guarded() {}

#[auth]
async fn with_principal(_: Principal) {}

#[auth(source = ["bearer", "cookie"], optional)]
async fn optional(_: Option<Principal>) {}

#[auth(source = "cookie")]
async fn by_cookie() {}

#[auth(
    roles = ["r1", "r2", "r3", "admin"],
    scopes = ["s1", "s2", "s3"],
    permissions = ["p1", "p2", "p3"],
    claims(c1 = 1, c2 = [1, 2], c3 = "x"),
    max_age = "1h",
    any(roles = ["r1"], scopes = ["s4"], permissions = ["p4"], claims(c3 = "x")),
    all(any(roles = ["r4", "admin"], scopes = ["s4"]), not(claims(c2 = 3))),
    not(any(roles = ["r1", "r2"], permissions = ["p4"], claims(c3 = "y"))),
)]
#[allow(deprecated, reason = "parts of it change nothing: it is long, and no more")]
async fn long_rule() {}

fn app(test: &TestAuth) -> axum::Router {
    let routes = Router::new()
        .route("/public", get(open))
        .route("/guarded", get(guarded))
        .route("/principal", get(with_principal))
        .route("/optional", get(optional))
        .route("/by-cookie", get(by_cookie))
        .route("/long-rule", get(long_rule));
    routes.finish(test.auth()).unwrap()
}

const GUARDED: [&str; 5] = ["/guarded", "/principal", "/optional", "/by-cookie", "/long-rule"];

fn alice() -> TestUser {
    TestUser::new("alice")
        .roles(["admin"])
        .scopes(["s1", "s2", "s3"])
        .permissions(["p1", "p2", "p3"])
        .claim("auth_time", 1_800_000_000)
        .claim("c1", 1)
        .claim("c2", 2)
        .claim("c3", "x")
}

/// All from the request to the answer. Nothing in it waits.
fn allocations(app: &axum::Router, path: &str, token: &str) -> (u64, u64) {
    let carrier = if path == "/by-cookie" {
        ("cookie", format!("__Host-access_token={token}"))
    } else {
        ("authorization", format!("Bearer {token}"))
    };
    let (mut app, request) = (app.clone(), request("GET", path, &[(carrier.0, &carrier.1)]));
    let AllocationInfo { count_total, bytes_total, .. } = measure(|| {
        let answer = pin!(app.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(Ok(answer)) = answer else { panic!("it waits") };
        assert_eq!(answer.status(), 200, "{path}");
    });
    (count_total, bytes_total)
}

#[test]
fn a_remembered_token_needs_no_more_than_no_token() {
    let test = TestAuth::new();
    let app = app(&test);
    let many = (0..100).fold(alice(), |user, n| user.claim(format!("further-{n}"), "x".repeat(n)));
    let tokens = [alice(), many].map(|user| test.token(&user));
    for path in GUARDED {
        let [few, many] = tokens.each_ref().map(|token| {
            let (public, _) = allocations(&app, "/public", token);
            let first = allocations(&app, path, token);
            let then = [0; 3].map(|_| allocations(&app, path, token));
            assert_eq!(then.map(|(count, _)| count), [public; 3], "{path}, and {first:?} at first");
            then
        });
        assert_eq!(few, many, "{path}: nor does it need more bytes for more claims");
    }
}

/// A user that is remembered takes no more, whether a handler asks for it or not.
#[test]
fn a_remembered_user_needs_no_more_than_no_user() {
    struct Names;

    impl UserStore for Names {
        type User = String;

        async fn load(&self, caller: &Principal) -> Result<Option<String>, BoxError> {
            Ok(Some(caller.subject().to_owned()))
        }

        fn grants(&self, _: &String) -> Option<Grants> {
            Some(Grants::new().roles(["admin"]).permissions(["p1", "p2", "p3"]))
        }
    }

    #[auth]
    async fn with_user(user: User<String>) {
        assert_eq!(*user.0, "alice");
    }

    let test = TestAuth::with(|builder| builder.users(Names));
    let (app, token) = (app(&test), test.token(&alice()));
    let with_user: axum::Router = Router::new().route("/user", get(with_user)).finish(test.auth()).unwrap();
    let (public, _) = allocations(&app, "/public", &token);
    for (app, path) in GUARDED.map(|path| (&app, path)).into_iter().chain([(&with_user, "/user")]) {
        let _first = allocations(app, path, &token);
        let then = [0; 3].map(|_| allocations(app, path, &token).0);
        assert_eq!(then, [public; 3], "{path}");
    }
}

/// A token whose payload has at least so many bytes, in texts, lists and objects. With a string that has an escape.
fn token_of(test: &TestAuth, size: usize) -> String {
    let with = |user: TestUser, n: usize| {
        let service = serde_json::json!({ "roles": ["viewer", format!("editor-{n}")], "level": n });
        user.claim(format!("service-{n}"), service).claim(format!("name-{n}"), "line one\nline two")
    };
    let claims = |token: &str| token.split('.').nth(1).unwrap().len() * 3 / 4;
    let mut user = alice();
    for n in 0.. {
        let token = test.token(&user);
        if claims(&token) >= size {
            return token;
        }
        user = with(user, n);
    }
    unreachable!()
}

/// The verification, and handing the caller over to the handler: the text of the claims, the places in it, the strings without escapes, the
/// names of roles and the like, and the principal.
#[test]
fn a_token_that_is_verified_anew_needs_eight_more_at_most_whatever_its_size() {
    let test = TestAuth::with(|builder| builder.token_cache(0, 0));
    let app = app(&test);
    for size in [300, 2_000, 8_000] {
        let token = token_of(&test, size);
        let (public, _) = allocations(&app, "/public", &token);
        for path in GUARDED {
            let (count, _) = [0; 3].map(|_| allocations(&app, path, &token))[2];
            assert!(
                (public + 4..=public + 8).contains(&count),
                "{path}, {size} B: {count}, and {public} without"
            );
        }
    }
}

/// With what the cache keeps of it: the token, and its principal with the state of the revocations.
#[test]
fn the_first_sight_of_a_token_needs_twelve_more_at_most() {
    let test = TestAuth::new();
    let app = app(&test);
    for size in [300, 2_000, 8_000] {
        // What a thread and the cache keep for all tokens.
        for _ in 0..50 {
            allocations(&app, "/guarded", &token_of(&test, size));
        }
        let token = token_of(&test, size);
        let (public, _) = allocations(&app, "/public", &token);
        let (first, _) = allocations(&app, "/guarded", &token);
        assert!(first <= public + 12, "{size} B: {first}, and {public} without");
    }
}

#[auth(public)]
async fn rejects() -> Rejection {
    Rejection::hidden()
}

/// All from the request to the answer, of a request with these headers.
fn allocations_of(app: &axum::Router, path: &str, headers: &[(&str, &str)]) -> (u64, u64) {
    let (mut app, request) = (app.clone(), request("GET", path, headers));
    let AllocationInfo { count_total, bytes_total, .. } = measure(|| {
        let answer = pin!(app.call(request)).poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(answer, Poll::Ready(Ok(_))), "it waits");
    });
    (count_total, bytes_total)
}

/// For a rejection of the application's own, the layer keeps nothing of the head without a hook, and with one a few headers.
#[test]
fn what_is_kept_for_a_hook_costs_nothing_without_one() {
    let names: Vec<String> = (0..30).map(|n| format!("x-{n}")).collect();
    let many: Vec<_> = names.iter().map(|name| (&**name, "value")).collect();
    let with_kept: Vec<_> =
        many.iter().copied().chain([("accept", "text/html"), ("host", "a.example")]).collect();
    let counts = |test: &TestAuth| {
        let routes = Router::new().route("/public", get(open)).route("/rejects", get(rejects));
        let app = routes.finish(test.auth()).unwrap();
        allocations_of(&app, "/public", &[]);
        ["/public", "/rejects"].map(|path| {
            let few = allocations_of(&app, path, &[]);
            assert_eq!(allocations_of(&app, path, &many), few, "{path}: other headers are not copied");
            (few.0, allocations_of(&app, path, &with_kept).0)
        })
    };
    let [(without, kept_without), _] = counts(&TestAuth::new());
    assert_eq!(kept_without, without, "without a hook nothing is");
    let hooked = TestAuth::with(|builder| builder.render_rejections(|rejection, _| rejection.problem()));
    let [(with, kept_with), _] = counts(&hooked);
    assert!(without < with && with < kept_with, "{without}, {with}, {kept_with}");
}
