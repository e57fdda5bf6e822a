//! What the lock tells agrees with actual requests, to the router as it was and to the router as it is.

use auth_runtime::policy::Rule;
use auth_runtime::routing::{self, MethodRouter};
use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
use auth_runtime::{Router, auth, rule};
use proptest::prelude::*;
use proptest::sample::select;

use super::lock::told;
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

/// What a router is given.
#[derive(Clone, Copy, Debug)]
enum Mount {
    /// Of a path, methods, and whether everybody is let in.
    Route(&'static str, &'static str, bool),
    Service(&'static str, bool),
    /// A service at this path alone.
    RouteService(&'static str, bool),
    /// What answers for the methods that the paths so far lack.
    NotAllowed(bool),
    /// A router with one route, `/b`, and with a fallback or none.
    Nested(&'static str, bool, Option<bool>),
    Fallback(bool),
}

fn mount() -> impl Strategy<Value = Mount> {
    let methods = select(vec!["GET", "POST", "HEAD", "ANY"]);
    prop_oneof![
        6 => (select(&PATHS), methods, any::<bool>()).prop_map(|(path, methods, open)| Mount::Route(path, methods, open)),
        1 => (select(&PREFIXES), any::<bool>()).prop_map(|(path, open)| Mount::Service(path, open)),
        2 => (select(&PREFIXES), any::<bool>(), any::<Option<bool>>())
            .prop_map(|(path, open, fallback)| Mount::Nested(path, open, fallback)),
        1 => (select(&PATHS), any::<bool>()).prop_map(|(path, open)| Mount::RouteService(path, open)),
        1 => any::<bool>().prop_map(Mount::NotAllowed),
        1 => any::<bool>().prop_map(Mount::Fallback),
    ]
}

#[auth(public)]
async fn for_all() {}

#[auth(roles = ["admin"])]
async fn for_admins() {}

fn route(methods: &str, open: bool) -> MethodRouter {
    match (methods, open) {
        ("GET", true) => routing::get(for_all),
        ("GET", false) => routing::get(for_admins),
        ("POST", true) => routing::post(for_all),
        ("POST", false) => routing::post(for_admins),
        ("HEAD", true) => routing::head(for_all),
        ("HEAD", false) => routing::head(for_admins),
        (_, true) => routing::any(for_all),
        (_, false) => routing::any(for_admins),
    }
}

fn with_fallback(router: Router, open: bool) -> Router {
    if open { router.fallback(for_all) } else { router.fallback(for_admins) }
}

fn router(mounts: &[Mount]) -> Router {
    mounts.iter().fold(Router::new(), |router, mount| match *mount {
        Mount::Route(path, methods, open) => router.route(path, route(methods, open)),
        Mount::Service(path, open) => {
            let rule = if open { Rule::public() } else { rule!(roles = ["admin"]) };
            router.nest_service(path, (axum::routing::any(|| async {}), rule))
        }
        Mount::Nested(path, open, fallback) => {
            let inner = Router::new().route("/b", route("ANY", open));
            router.nest(
                path,
                fallback.map_or(Router::new(), |open| with_fallback(Router::new(), open)).merge(inner),
            )
        }
        Mount::RouteService(path, open) => {
            let rule = if open { Rule::public() } else { rule!(roles = ["admin"]) };
            router.route_service(path, (axum::routing::any(|| async {}), rule))
        }
        Mount::NotAllowed(true) => router.method_not_allowed_fallback(for_all),
        Mount::NotAllowed(false) => router.method_not_allowed_fallback(for_admins),
        Mount::Fallback(open) => with_fallback(router, open),
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
    let seen = std::cell::Cell::new([0_u32; 3]);
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

/// Whether each request is let in: without a credential, and by an administrator.
async fn let_in(test: &TestAuth, router: Router) -> Vec<(String, bool, bool)> {
    let app = router.finish(test.auth()).unwrap();
    let admin = TestUser::new("alice").roles(["admin"]);
    let mut all = Vec::new();
    for path in REQUESTS {
        for method in ["GET", "HEAD", "POST", "PUT"] {
            let anonymous = send(&app, request(method, path, &[])).await.status;
            let admin = send(&app, request(method, path, &[]).with_principal(admin.principal())).await.status;
            all.push((format!("{method} {path}"), anonymous.is_success(), admin.is_success()));
        }
    }
    all
}

async fn agrees(
    before: &[Mount],
    after: &[Mount],
    seen: &std::cell::Cell<[u32; 3]>,
) -> Result<(), TestCaseError> {
    let test = TestAuth::new();
    let [old, new] = [before, after].map(router);
    let changes = told(&old.routes().table(test.auth()), &new.routes().table(test.auth()));
    let changes = changes.join("\n");
    let (old, new) = (let_in(&test, old).await, let_in(&test, new).await);
    let [mut gained, mut lost] = [false; 2];
    for ((request, old_anonymous, old_admin), (_, anonymous, admin)) in old.iter().zip(&new) {
        let everybody = "anonymous callers";
        for (had, has, who) in [(old_anonymous, anonymous, everybody), (old_admin, admin, "a caller with")] {
            let line = match (had, has) {
                (false, true) => format!("+ gained: {who}"),
                (true, false) => format!("- lost:   {who}"),
                _ => continue,
            };
            gained |= *has;
            lost |= *had;
            prop_assert!(changes.contains(&line), "{request}: {line}\n{before:?}\n{after:?}\n{changes}");
        }
    }
    let mut counts = seen.get();
    counts[0] += u32::from(gained);
    counts[1] += u32::from(lost);
    counts[2] += u32::from(!gained && !lost);
    seen.set(counts);
    Ok(())
}
