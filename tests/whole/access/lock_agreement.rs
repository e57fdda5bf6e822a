//! What the lock reports agrees with actual requests, to the router as it was and to the router as it is.

use auth_runtime::authenticator::{Credential, Subject};
use auth_runtime::policy::Rule;
use auth_runtime::routing::{self, MethodRouter};
use auth_runtime::source::CredentialPlace;
use auth_runtime::testing::{TestAuth, TestUser};
use auth_runtime::{Router, auth, rule};
use proptest::prelude::*;
use proptest::sample::select;

use super::lock::reported;
use crate::support::{request, send};

const PATHS: [&str; 16] = [
    "/",
    "/a",
    "/a/",
    "/a/b",
    "/a/{x}",
    "/{x}/b",
    "/{*r}",
    "/a/{*r}",
    "/{x}/b/c",
    "/a/{x}/c",
    "/a/b/{y}",
    "/{x}/{y}",
    "/{x}",
    "/a-{x}",
    "/o/t/b",
    "/{x}/{y}/{*r}",
];
const PREFIXES: [&str; 6] = ["/a", "/a/", "/o/{t}", "/o", "/{x}/b", "/a/b"];
const REQUESTS: [&str; 26] = [
    "/", "/a", "/b", "/a/", "/q/", "/a/b", "/a/q", "/q/b", "/q/q", "/a/b/", "/a/b/c", "/a/b/q", "/q/b/c",
    "/q/b/q", "/a/q/c", "/a/q/q/q", "/a-q", "//b", "/a//", "/o", "/o/", "/o/t", "/o/t/", "/o/t/b", "/o/t/q",
    "/o/q/b/c",
];

/// Whom a route lets in.
#[derive(Clone, Copy, Debug)]
enum Guard {
    Everybody,
    /// With a token.
    Admins,
    /// With a credential of the authenticator.
    PartnerAdmins,
    /// With either.
    AllAdmins,
}

impl Guard {
    fn rule(self) -> Rule {
        match self {
            Self::Everybody => Rule::public(),
            Self::Admins => rule!(roles = ["admin"]),
            Self::PartnerAdmins => rule!(roles = ["admin"], source = "partner"),
            Self::AllAdmins => rule!(roles = ["admin"], source = ["bearer", "partner"]),
        }
    }
}

fn guard() -> impl Strategy<Value = Guard> {
    prop_oneof![
        3 => Just(Guard::Everybody),
        2 => Just(Guard::Admins),
        2 => Just(Guard::PartnerAdmins),
        1 => Just(Guard::AllAdmins),
    ]
}

/// What a router is given.
#[derive(Clone, Copy, Debug)]
enum Mount {
    /// Of a path, methods, and whom it lets in.
    Route(&'static str, &'static str, Guard),
    Service(&'static str, Guard),
    /// A service at this path alone.
    RouteService(&'static str, Guard),
    /// What answers for the methods that the paths so far lack.
    NotAllowed(Guard),
    /// A router with one route, `/b`, and with a fallback or none.
    Nested(&'static str, Guard, Option<Guard>),
    Fallback(Guard),
}

fn mount() -> impl Strategy<Value = Mount> {
    let methods = select(vec!["GET", "POST", "HEAD", "ANY"]);
    prop_oneof![
        6 => (select(&PATHS), methods, guard()).prop_map(|(path, methods, guard)| Mount::Route(path, methods, guard)),
        1 => (select(&PREFIXES), guard()).prop_map(|(path, guard)| Mount::Service(path, guard)),
        2 => (select(&PREFIXES), guard(), proptest::option::of(guard()))
            .prop_map(|(path, guard, fallback)| Mount::Nested(path, guard, fallback)),
        1 => (select(&PATHS), guard()).prop_map(|(path, guard)| Mount::RouteService(path, guard)),
        1 => guard().prop_map(Mount::NotAllowed),
        1 => guard().prop_map(Mount::Fallback),
    ]
}

#[auth(public)]
async fn for_all() {}

#[auth(roles = ["admin"])]
async fn for_admins() {}

#[auth(roles = ["admin"], source = "partner")]
async fn for_partners() {}

#[auth(roles = ["admin"], source = ["bearer", "partner"])]
async fn for_all_admins() {}

/// Passes the handler of a guard on.
macro_rules! with_handler {
    ($guard:expr, $call:expr) => {
        match $guard {
            Guard::Everybody => $call(for_all),
            Guard::Admins => $call(for_admins),
            Guard::PartnerAdmins => $call(for_partners),
            Guard::AllAdmins => $call(for_all_admins),
        }
    };
}

fn route(methods: &str, guard: Guard) -> MethodRouter {
    match methods {
        "GET" => with_handler!(guard, routing::get),
        "POST" => with_handler!(guard, routing::post),
        "HEAD" => with_handler!(guard, routing::head),
        _ => with_handler!(guard, routing::any),
    }
}

fn with_fallback(router: Router, guard: Guard) -> Router {
    match guard {
        Guard::Everybody => router.fallback(for_all),
        Guard::Admins => router.fallback(for_admins),
        Guard::PartnerAdmins => router.fallback(for_partners),
        Guard::AllAdmins => router.fallback(for_all_admins),
    }
}

fn router(mounts: &[Mount]) -> Router {
    mounts.iter().fold(Router::new(), |router, mount| match *mount {
        Mount::Route(path, methods, guard) => router.route(path, route(methods, guard)),
        Mount::Service(path, guard) => {
            router.nest_service(path, (axum::routing::any(|| async {}), guard.rule()))
        }
        Mount::Nested(path, guard, fallback) => {
            let inner = Router::new().route("/b", route("ANY", guard));
            router.nest(
                path,
                fallback.map_or(Router::new(), |guard| with_fallback(Router::new(), guard)).merge(inner),
            )
        }
        Mount::RouteService(path, guard) => {
            router.route_service(path, (axum::routing::any(|| async {}), guard.rule()))
        }
        Mount::NotAllowed(Guard::Everybody) => router.method_not_allowed_fallback(for_all),
        Mount::NotAllowed(Guard::Admins) => router.method_not_allowed_fallback(for_admins),
        Mount::NotAllowed(Guard::PartnerAdmins) => router.method_not_allowed_fallback(for_partners),
        Mount::NotAllowed(Guard::AllAdmins) => router.method_not_allowed_fallback(for_all_admins),
        Mount::Fallback(guard) => with_fallback(router, guard),
    })
}

/// Those that axum's router takes together, each that conflicts with one before it left out.
fn held(mounts: &[Mount]) -> Vec<Mount> {
    let (mut routes, mut fallbacks) = (matchit::Router::new(), matchit::Router::new());
    fallbacks.insert("/{*rest}", ()).unwrap();
    let mut endpoints = Vec::new();
    let mut held: Vec<Mount> = Vec::new();
    for mount in mounts {
        let slash = |path: &str| format!("{}/", path.trim_end_matches('/'));
        let rest = |path: &str| slash(path) + "{*rest}";
        let (paths, below) = match *mount {
            Mount::Route(path, methods, _) => {
                let is_here = |mount: &Mount| matches!(mount, Mount::Route(other, _, _) if *other == path);
                if let Some(first) = held.iter().position(is_here) {
                    let has_fallback =
                        held[first..].iter().any(|mount| matches!(mount, Mount::NotAllowed(_)));
                    if methods == "ANY" && has_fallback {
                        continue;
                    }
                    // The same path again: another method.
                    if !endpoints.contains(&(path, methods)) {
                        endpoints.push((path, methods));
                        held.push(*mount);
                    }
                    continue;
                }
                endpoints.push((path, methods));
                (vec![path.to_owned()], vec![])
            }
            Mount::Service(path, _) if path.ends_with('/') => (vec![path.to_owned(), rest(path)], vec![]),
            Mount::Service(path, _) => (vec![path.to_owned(), slash(path), rest(path)], vec![]),
            Mount::Nested(path, _, fallback) => {
                let below = fallback.map_or(vec![], |_| vec![path.to_owned(), rest(path)]);
                (vec![slash(path) + "b"], below)
            }
            Mount::RouteService(path, _) => (vec![path.to_owned()], vec![]),
            Mount::NotAllowed(_) => {
                held.push(*mount);
                continue;
            }
            Mount::Fallback(_) => {
                if !held.iter().any(|mount| matches!(mount, Mount::Fallback(_))) {
                    held.push(*mount);
                }
                continue;
            }
        };
        let (mut with, mut with_below) = (routes.clone(), fallbacks.clone());
        let fits = paths.into_iter().all(|path| with.insert(path, ()).is_ok())
            && below.into_iter().all(|path| with_below.insert(path, ()).is_ok());
        if fits {
            (routes, fallbacks) = (with, with_below);
            held.push(*mount);
        }
    }
    held
}

#[test]
fn who_gained_by_a_request_is_told() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cases = (proptest::collection::vec(mount(), 3..7), any::<prop::sample::Index>(), mount(), 0..4);
    let seen = std::cell::Cell::new([0_u32; 4]);
    auth_tests_random::runner(80)
        .run(&cases, |(mounts, index, other, kind)| {
            let mut before = held(&mounts);
            let mut after = before.clone();
            match kind {
                _ if after.is_empty() => after.push(other),
                0 => *index.get_mut(&mut after) = other,
                1 => after.push(other),
                _ => drop(after.remove(index.index(after.len()))),
            }
            after = held(&after);
            if kind == 3 {
                std::mem::swap(&mut before, &mut after);
            }
            runtime.block_on(agrees(&before, &after, &seen))
        })
        .unwrap();
    assert!(seen.get().iter().all(|count| *count > auth_tests_random::times(2)), "{seen:?}");
}

/// The credential is the role of its caller.
async fn of_role(credential: Credential, (): ()) -> Result<Subject, std::convert::Infallible> {
    Ok(Subject::new("acme").roles([credential.text()]))
}

/// Whether each request is let in: without a credential, of an administrator with a token, and of one of the authenticator's.
async fn let_in(test: &TestAuth, router: Router) -> Vec<(String, [bool; 3])> {
    let app = router.finish(test.auth()).unwrap();
    let bearer = format!("Bearer {}", test.token(&TestUser::new("alice").roles(["admin"])));
    let callers: [&[(&str, &str)]; 3] = [&[], &[("authorization", &bearer)], &[("x-partner", "admin")]];
    let mut all = Vec::new();
    for path in REQUESTS {
        for method in ["GET", "HEAD", "POST", "PUT"] {
            let mut is_let_in = [false; 3];
            for (caller, is_let_in) in callers.iter().zip(&mut is_let_in) {
                *is_let_in = send(&app, request(method, path, caller)).await.status.is_success();
            }
            all.push((format!("{method} {path}"), is_let_in));
        }
    }
    all
}

async fn agrees(
    before: &[Mount],
    after: &[Mount],
    seen: &std::cell::Cell<[u32; 4]>,
) -> Result<(), TestCaseError> {
    let test = TestAuth::with(|builder| {
        builder.authenticator_with("partner", CredentialPlace::header("X-Partner"), of_role, ())
    });
    let [old, new] = [before, after].map(router);
    let changes = reported(&old.routes().table(test.auth()), &new.routes().table(test.auth()));
    let changes = changes.join("\n");
    let (old, new) = (let_in(&test, old).await, let_in(&test, new).await);
    let mut met = [false; 4];
    for ((request, old), (_, new)) in old.iter().zip(&new) {
        // Who it is, and by which source alone.
        let who = [("anonymous callers", ""), ("a caller with", "bearer"), ("a caller with", "partner")];
        for ((had, has), (who, source)) in old.iter().zip(new).zip(who) {
            let what = match (had, has) {
                (false, true) => "+ gained:",
                (true, false) => "- lost:  ",
                _ => continue,
            };
            let by_source = format!("{what} callers with a credential from `{source}`");
            let is_by_source = changes.contains(&by_source);
            met[usize::from(*had)] = true;
            met[3] |= is_by_source;
            prop_assert!(
                is_by_source || changes.contains(&format!("{what} {who}")),
                "{request}: {what} {who} {source}\n{before:?}\n{after:?}\n{changes}"
            );
        }
    }
    met[2] = !met[0] && !met[1];
    let mut counts = seen.get();
    counts.iter_mut().zip(met).for_each(|(count, met)| *count += u32::from(met));
    seen.set(counts);
    Ok(())
}
