//! A router that is misconfigured panics in the line that did it, and says what to write instead.

use std::cell::RefCell;
use std::panic::{Location, catch_unwind, set_hook, take_hook};
use std::sync::Once;

use auth_runtime::policy::Rule;
use auth_runtime::routing::{MethodFilter, MethodRouter, any, get, post};
use auth_runtime::{Router, rule};

use super::{lost, open};

const PUBLIC: Rule = rule!(public);

fn service() -> axum::routing::MethodRouter {
    axum::routing::any(async || ())
}

fn new() -> Router {
    Router::new().route("/x", get(open))
}

/// The line, what panics in it, and what is said.
#[rustfmt::skip]
const WRONG: &[(u32, fn(), &str)] = &[
    (line!(), || drop(new().route("y", get(open))), "Paths must start with a `/`"),
    (line!(), || drop(new().route("/:y", get(open))), "use `{capture}`"),
    (line!(), || drop(new().route("/x", get(open))), "Handler for `GET /x` already exists"),
    (line!(), || drop(new().route("/x", any(open).fallback(open)).route("/x", any(open))), "both have a fallback"),
    (line!(), || drop(new().route("/{", (service(), PUBLIC))), "Invalid route \"/{\""),
    (line!(), || drop(new().route_service("y", (service(), PUBLIC))), "Paths must start with a `/`"),
    (line!(), || drop(new().route_service("/:y", (service(), PUBLIC))), "call `without_v07_checks` on the router"),
    (line!(), || drop(new().route_service("/{", (service(), PUBLIC))), "Invalid route \"/{\""),
    (line!(), || drop(new().route_service("/x", (service(), PUBLIC))), "conflict with previously registered route: /x"),
    (line!(), || drop(new().route_service("/y", (axum::Router::<()>::new(), PUBLIC))), "Use `nest_service(\"/y\", (router, rule!(..)))`"),
    (line!(), || drop(new().nest_service("/", (service(), PUBLIC))), "Use `fallback_service((service, rule!(..)))`, or `route_service` at \"/\" and at \"/{*path}\""),
    (line!(), || drop(new().nest_service("", (service(), PUBLIC))), "`nest_service` can't be used at the root"),
    (line!(), || drop(new().nest_service("y", (service(), PUBLIC))), "must start with `/`"),
    (line!(), || drop(new().nest_service("/y/{*z}", (service(), PUBLIC))), "`route_service` takes a wildcard"),
    (line!(), || drop(new().nest_service("/y/*z", (service(), PUBLIC))), "the segment `*z` starts with `:` or `*`"),
    (line!(), || drop(new().nest_service("/x", (service(), PUBLIC))), "conflict with previously registered route: /x"),
    (line!(), || drop(new().nest("/", new())), "`nest` can't be used at the root. Use `merge`"),
    (line!(), || drop(new().nest("y", new())), "a path that is given to `nest` must start with `/`"),
    (line!(), || drop(new().nest("/{*y}", new())), "a path that is given to `nest` can't have a wildcard"),
    (line!(), || drop(new().nest("/:y", new())), "For a parameter write `{name}`"),
    (line!(), || drop(new().nest("/y", new()).nest("/y", new())), "Handler for `GET /y/x` already exists"),
    (line!(), || drop(new().merge(new())), "Handler for `GET /x` already exists"),
    (line!(), || drop(new().fallback(lost).merge(Router::new().fallback(lost))), "Cannot merge two `Router`s that both have a fallback"),
    (line!(), || drop(new().dangerously_merge_unguarded(axum::Router::new().route("/x", axum::routing::get(async || ())))), "Handler for `GET /x` already exists"),
    (line!(), || drop(Router::<()>::new().route_layer(tower::layer::util::Identity::new())), "before any routes is a no-op"),
    (line!(), || drop(new().access_page("/x", PUBLIC)), "Handler for `GET /x` already exists"),
    (line!(), || drop(get::<_, _, ()>(open).get(open)), "both handle `GET`"),
    (line!(), || drop(get::<_, _, ()>(open).on(MethodFilter::GET, open)), "both handle `GET`"),
    (line!(), || drop(post::<_, _, ()>(open).on_service(MethodFilter::POST, (service(), PUBLIC))), "both handle `POST`"),
    (line!(), || drop(MethodRouter::<()>::new().connect(open).connect(open)), "both handle `CONNECT`"),
    (line!(), || drop(any::<_, _, ()>(open).merge(any(open))), "Cannot merge two `MethodRouter`s that both have a fallback"),
    (line!(), || drop(get::<_, _, ()>(open).merge((axum::routing::get(async || ()), PUBLIC))), "both define `GET`"),
    (line!(), || drop(MethodRouter::<()>::new().route_layer(tower::layer::util::Identity::new())), "before any routes is a no-op"),
];

thread_local! {
    static LAST: RefCell<Option<(String, String, u32)>> = const { RefCell::new(None) };
}

/// The message of a panic, and the file and line that it names.
fn panic_of(build: fn()) -> Option<(String, String, u32)> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let previous = take_hook();
        set_hook(Box::new(move |info| {
            let message = info.payload_as_str().unwrap_or_default().to_owned();
            let file = info.location().map_or("", Location::file).to_owned();
            LAST.set(Some((message, file, info.location().map_or(0, Location::line))));
            previous(info);
        }));
    });
    catch_unwind(build).err().and_then(|_| LAST.take())
}

#[test]
fn a_panic_names_the_line_and_what_to_write() {
    for (expected, build, says) in WRONG {
        let Some((message, file, line)) = panic_of(*build) else {
            panic!("line {expected} does not panic: {says}")
        };
        assert!(message.contains(says), "line {expected}: {message}");
        assert_eq!((&*file, line), (file!(), *expected), "{message}");
    }
}
