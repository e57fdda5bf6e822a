//! The table of axum's methods has a row for each: they are called here, on axum's routers and on these.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;

use axum::body::Body;
use axum::routing::MethodFilter;
use tower::layer::util::Identity;

use super::{MethodRouter, Router};
use crate::policy::Rule;

const TABLES: &str = include_str!("axum.md");

async fn handler() {}

fn service() -> axum::routing::MethodRouter {
    axum::routing::any(handler)
}

fn guarded() -> (axum::routing::MethodRouter, Rule) {
    (service(), Rule::public())
}

/// Calls the methods, one on what the other returned, and notes their names.
macro_rules! calls {
    ($names:ident, $start:expr $(, $method:ident $(::<$($type:ty),*>)? ($($argument:expr),*))*) => {{
        $($names.insert(stringify!($method));)*
        $start $(.$method $(::<$($type),*>)? ($($argument),*))*
    }};
}

/// A guarded handler, as the expansion of `#[auth]` has it.
struct Open;

impl crate::policy::Policy for Open {
    const RULE: Rule = Rule::public();
    const HANDLER: crate::policy::HandlerInfo = crate::policy::HandlerInfo::new("open", file!(), line!());
}

async fn open(_: crate::gate::Authorized<Open>) {}

fn of_axums_router() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::from(["new"]);
    let router = || axum::Router::<()>::new().route("/x", service());
    let mut app = calls!(
        names,
        axum::Router::<()>::new(),
        without_v07_checks(),
        route("/a", service()),
        route_service("/b", service()),
        nest("/c", router()),
        nest_service("/d", service()),
        merge(router()),
        layer(Identity::new()),
        route_layer(Identity::new()),
        fallback(handler),
        fallback_service(service()),
        method_not_allowed_fallback(handler),
        reset_fallback(),
        with_state::<()>(())
    );
    assert!(calls!(names, app, has_routes()));
    let _ = calls!(names, app, as_service::<Body>());
    let _ = calls!(names, app.clone(), into_service::<Body>());
    let _ = calls!(names, app.clone(), into_make_service());
    let _ = calls!(names, app, into_make_service_with_connect_info::<SocketAddr>());
    names
}

fn of_router() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::from(["new"]);
    let router = || Router::<()>::new().route("/x", guarded());
    let app = calls!(
        names,
        Router::<()>::new(),
        without_v07_checks(),
        route("/a", guarded()),
        route_service("/b", guarded()),
        nest("/c", router()),
        nest_service("/d", guarded()),
        merge(router()),
        dangerously_merge_unguarded(axum::Router::new()),
        layer(Identity::new()),
        route_layer(Identity::new()),
        fallback(open),
        fallback_service(guarded()),
        method_not_allowed_fallback(open),
        reset_fallback(),
        with_state::<()>(())
    );
    assert!(calls!(names, app, has_routes()));
    names
}

fn of_axums_method_router() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::from(["new"]);
    let methods = calls!(
        names,
        axum::routing::MethodRouter::<(), Infallible>::new(),
        on(MethodFilter::GET, handler),
        head(handler),
        post(handler),
        put(handler),
        patch(handler),
        delete(handler),
        options(handler),
        trace(handler),
        connect(handler),
        layer(Identity::new()),
        route_layer(Identity::new()),
        fallback(handler),
        fallback_service(service()),
        with_state::<()>(())
    );
    let _ = calls!(names, axum::routing::MethodRouter::<(), Infallible>::new(), get(handler));
    let services = calls!(
        names,
        axum::routing::MethodRouter::<(), Infallible>::new(),
        get_service(service()),
        head_service(service()),
        post_service(service()),
        put_service(service()),
        patch_service(service()),
        delete_service(service()),
        options_service(service()),
        trace_service(service()),
        connect_service(service()),
        handle_error(async |_: Infallible| ())
    );
    let _ = calls!(
        names,
        axum::routing::MethodRouter::<(), Infallible>::new(),
        on_service(MethodFilter::GET, service())
    );
    drop(calls!(names, axum::routing::MethodRouter::<(), Infallible>::new(), merge(services)));
    let _ = calls!(names, methods.clone(), into_make_service());
    let _ = calls!(names, methods, into_make_service_with_connect_info::<SocketAddr>());
    names
}

fn of_method_router() -> BTreeSet<&'static str> {
    let mut names = BTreeSet::from(["new"]);
    drop(calls!(
        names,
        MethodRouter::<()>::new(),
        get(open),
        on_service(MethodFilter::HEAD, guarded()),
        post(open),
        put(open),
        patch(open),
        delete(open),
        options(open),
        trace(open),
        connect(open),
        layer(Identity::new()),
        route_layer(Identity::new()),
        fallback(open),
        fallback_service(guarded()),
        with_state::<()>(())
    ));
    drop(calls!(
        names,
        MethodRouter::<()>::new(),
        head(open),
        on(MethodFilter::GET, open),
        merge(MethodRouter::new())
    ));
    names
}

/// What a cell names in backquotes, but for arguments.
fn named(cell: &str) -> BTreeSet<&str> {
    cell.split('`').skip(1).step_by(2).filter(|name| !name.contains(char::is_uppercase)).collect()
}

/// The names of axum's methods in a table, and of those that are here.
fn table(heading: &str) -> (BTreeSet<&'static str>, BTreeSet<&'static str>) {
    let (_, table) = TABLES.split_once(heading).unwrap_or_default();
    let table = table.split("\n# ").next().unwrap_or_default();
    let (mut axums, mut here) = (BTreeSet::new(), BTreeSet::new());
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = row.split('|').skip(1);
        let [first, second] = [(); 2].map(|()| named(cells.next().unwrap_or_default()));
        axums.extend(first.iter().copied());
        here.extend(if row.contains("and so on") { first } else { second });
        // What is also here, in the third column.
        here.extend(cells.next().and_then(|cell| {
            cell.contains("(Self::dangerously_merge_unguarded)").then_some("dangerously_merge_unguarded")
        }));
    }
    (axums, here)
}

#[test]
fn the_tables_name_every_method() {
    assert_eq!(table("# Methods of axum's `Router`\n"), (of_axums_router(), of_router()));
    assert_eq!(table("# Methods of axum's `MethodRouter`\n"), (of_axums_method_router(), of_method_router()));
}
