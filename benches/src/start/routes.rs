//! Routers of many routes.

use auth_runtime::routing::get;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth};
use bench_harness::report::{Report, Table};
use bench_harness::turns::{Variant, take_turns};

const ROUTES: [usize; 3] = [10, 100, 1_000];
const ROUNDS: usize = 60;

const PLAIN: &str = "plain";
const CONTROL: &str = "plain-control";
const GUARDED: &str = "guarded";

async fn plain() -> &'static str {
    "ok"
}

#[auth(roles = ["admin"], scopes = ["orders:read"])]
async fn guarded(_caller: Principal) -> &'static str {
    "ok"
}

pub fn report(write: bool) {
    let mut report = Report::begin("start-routes", env!("CARGO_MANIFEST_DIR"), &["axum"], write);
    let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
    let auth = Auth::builder().issuer(issuer).build().expect("an engine");
    let mut table = Table::new([
        "routes",
        "plain [ms]",
        "guarded [ms]",
        "guarded ÷ plain",
        "plain [B a route]",
        "guarded [B a route]",
    ]);
    for routes in ROUTES {
        let variant = |name| Variant::prepared(name, 1, || (), move |()| drop(plain_router(routes)));
        let guarded = Variant::prepared(GUARDED, 1, || (), |()| drop(guarded_router(routes, &auth)));
        let times = take_turns([variant(PLAIN), variant(CONTROL)], vec![guarded], ROUNDS);
        let bytes = [bytes(|| plain_router(routes)), bytes(|| guarded_router(routes, &auth))];
        let millis = |name| times.each(name).scaled(1e3).text(3);
        let ratio = times.ratio(GUARDED, PLAIN).text(2);
        let bytes = bytes.map(|bytes| format!("{:.0}", bytes / routes as f64));
        let cells = [routes.to_string(), millis(PLAIN), millis(GUARDED), ratio].into_iter().chain(bytes);
        table.guarded_row(cells, &times);
    }
    report.table(&table);
    report.finish();
}

fn path(number: usize) -> String {
    format!("/orders/{number}/{{id}}")
}

fn plain_router(routes: usize) -> axum::Router {
    let router = axum::Router::new();
    (0..routes).fold(router, |router, number| router.route(&path(number), axum::routing::get(plain)))
}

fn guarded_router(routes: usize, auth: &Auth) -> axum::Router {
    let router = (0..routes).fold(Router::new(), |router, number| router.route(&path(number), get(guarded)));
    router.finish(auth).expect("the routes are right")
}

/// What the allocator gave out for it and did not get back.
fn bytes(build: impl FnOnce() -> axum::Router) -> f64 {
    let mut router = None;
    let measured = allocation_counter::measure(|| router = Some(build()));
    assert!(router.is_some_and(|router| router.has_routes()), "it was not dropped before");
    measured.bytes_current as f64
}
