//! What is an error before the first request, and what the log says where it can't be.

use auth_runtime::check;
use auth_runtime::routing::MethodRouter;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::*;
use crate::captured_log::CapturedLog;

type Aliased = User<Account>;

#[auth]
async fn as_alias(_: Aliased) {}

#[auth]
async fn as_option(_: Option<User<Account>>) {}

#[auth]
async fn as_result(_: Result<User<Account>, auth_runtime::rejection::Rejection>) {}

#[auth]
async fn after_others(_: Principal, _: axum::http::Method, #[cfg(test)] _: User<Account>, _: String) {}

#[auth]
async fn without_it(#[cfg(any())] _: User<Account>, _: axum::http::Method) {}

#[auth]
async fn other(_: User<String>) {}

#[auth(check = is_active)]
async fn checked() {}

#[check]
async fn is_active(_: &Principal, User(account): User<Account>) -> bool {
    account.is_active
}

/// Of the application's own: what it takes can't be seen.
struct Nested(#[allow(dead_code, reason = "it is extracted, and that is all")] User<Account>);

impl<S: Sync + Send> FromRequestParts<S> for Nested {
    type Rejection = auth_runtime::rejection::Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        User::from_request_parts(head, state).await.map(Self)
    }
}

#[auth]
async fn nested(_: Nested) {}

/// Of the application's own: it says what it takes.
struct Told(#[allow(dead_code, reason = "it is extracted, and that is all")] User<Account>);

impl<S: Sync + Send> FromRequestParts<S> for Told {
    type Rejection = auth_runtime::rejection::Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        User::from_request_parts(head, state).await.map(Self)
    }
}

impl auth_runtime::users::TakesUser for Told {
    type User = Account;
}

type AliasOfTold = Told;

#[auth]
async fn told(_: Told) {}

#[auth]
async fn told_as_result(_: Result<AliasOfTold, auth_runtime::rejection::Rejection>) {}

#[auth(check = told_check)]
async fn told_to_a_check() {}

#[check]
async fn told_check(_: &Principal, _: Told) -> bool {
    true
}

#[auth(public)]
async fn of_the_public(_: User<Account>) {}

fn error_of(auth: &Auth, routes: Router) -> String {
    routes.finish(auth).unwrap_err().to_string()
}

#[test]
fn a_handler_that_takes_a_user_needs_a_store_of_its_type() {
    let without = TestAuth::new();
    let with = TestAuth::with(|builder| builder.users(Accounts::new()));
    type Mount = fn() -> MethodRouter;
    let mounts: [(&str, Mount); 11] = [
        ("told", || get(told)),
        ("told_as_result", || get(told_as_result)),
        ("told_to_a_check", || get(told_to_a_check)),
        ("name", || get(name)),
        ("as_alias", || get(as_alias)),
        ("as_option", || get(as_option)),
        ("as_result", || get(as_result)),
        ("after_others", || get(after_others)),
        ("checked", || get(checked)),
        ("optional", || get(optional)),
        ("open", || get(open)),
    ];
    for (handler, mount) in mounts {
        let routes = || Router::new().route("/it", mount());
        let error = error_of(without.auth(), routes());
        for part in [
            "GET /it (",
            &format!("::{handler} at "),
            "it takes `User<",
            "::users::Account>`, and the engine loads no users: call `.users(store)` on the builder",
        ] {
            assert!(error.contains(part), "{handler}: {error}");
        }
        drop(routes().finish(with.auth()).unwrap());
    }
    let error = error_of(with.auth(), Router::new().route("/it", get(other)));
    assert!(
        error.contains("it takes `User<alloc::string::String>`, and the users of the engine are `"),
        "{error}"
    );
    let others: Router =
        Router::new().route("/plain", get(plain)).route("/it", get(without_it)).route("/nested", get(nested));
    drop(others.finish(without.auth()).unwrap());
}

#[tokio::test]
async fn what_can_not_be_seen_is_500_and_the_log_says_what_to_write() {
    for has_others in [false, true] {
        let log = CapturedLog::start(tracing::Level::ERROR);
        let test = TestAuth::with(|builder| if has_others { builder.users(Texts) } else { builder });
        let app: axum::Router = Router::new().route("/nested", get(nested)).finish(test.auth()).unwrap();
        let reply = get_as(&app, &test, &alice(), "/nested").await;
        assert_eq!(reply.status, 500);
        let expected =
            if has_others { "the users of the engine are `" } else { "call `.users(store)` on the builder" };
        assert!(log.text().contains(expected), "{}", log.text());
    }
}

struct Texts;

impl UserStore for Texts {
    type User = String;

    async fn load(&self, caller: &Principal) -> Result<Option<String>, BoxError> {
        Ok(Some(caller.subject().to_owned()))
    }
}

#[test]
fn what_the_builder_is_given_is_checked() {
    let key = || {
        auth_runtime::verify::TrustedIssuer::new("https://id.test")
            .audience("a")
            .key(auth_runtime::verify::Key::secret(auth_runtime::verify::Algorithm::HS256, [1; 32]))
    };
    let long = Duration::from_secs(86_401);
    let error = |configure: fn(AuthBuilder, UserCache) -> AuthBuilder, cache| {
        configure(Auth::builder().issuer(key()), cache).build().unwrap_err().to_string()
    };
    for (configure, cache, expected) in [
        (
            (|builder, _| builder.users(Texts).users(Texts)) as fn(AuthBuilder, UserCache) -> AuthBuilder,
            UserCache::new(),
            "`.users(..)` is called twice",
        ),
        (|builder, cache| builder.user_cache(cache), UserCache::new(), "without `.users(..)`"),
        (
            |builder, cache| builder.users(Texts).user_cache(cache),
            UserCache::new().time(long),
            "`UserCache::time` is 86401 s, and must be 86400 s at most",
        ),
        (
            |builder, cache| builder.users(Texts).user_cache(cache),
            UserCache::new().missing(long, 1),
            "`UserCache::missing` is 86401 s",
        ),
    ] {
        let error = error(configure, cache);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn on_a_public_route_there_is_no_user() {
    let with = TestAuth::with(|builder| builder.users(Accounts::new()));
    let error = error_of(with.auth(), Router::new().route("/it", get(of_the_public)));
    assert!(
        error.contains(
            "a public route looks at no credential, so no user is loaded: write `#[auth(optional)]`"
        ),
        "{error}"
    );
}
