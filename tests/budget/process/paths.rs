//! The paths of a request that have a budget.

use std::hint::black_box;

use auth_runtime::routing::get;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, Router, auth, rule};
use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderName};

use crate::tokens::{FixedClock, LARGE, SECRET, SMALL, token};

async fn unguarded() -> &'static str {
    "ok"
}

#[auth(public)]
async fn public() -> &'static str {
    "ok"
}

#[auth(roles = ["admin"])]
async fn guarded(caller: Principal) -> &'static str {
    black_box(caller.subject());
    "ok"
}

#[auth(source = "cookie", roles = ["admin"])]
async fn by_cookie(caller: Principal) -> &'static str {
    black_box(caller.subject());
    "ok"
}

/// The router of a path, and what makes a request for it.
pub(crate) fn of(path: &str) -> (axum::Router, impl Fn() -> Request) {
    let remembers = || Auth::builder().issuer(issuer());
    let (routes, auth) = match path {
        "public" => (Router::new().route("/", get(public)), remembers()),
        "known-bearer" => (Router::new().route("/", get(guarded)), remembers()),
        "known-cookie" => (Router::new().route("/", get(by_cookie)), remembers()),
        "rule-beside" => {
            let beside = (axum::routing::get(unguarded), rule!(roles = ["admin"]));
            (Router::new().route("/", beside), remembers())
        }
        "verified" => {
            let issuer = issuer().roles_at("realm_access.roles");
            (Router::new().route("/", get(guarded)), Auth::builder().issuer(issuer).token_cache(0, 0))
        }
        _ => panic!("{path} is no path"),
    };
    let auth = auth.clock(FixedClock).build().unwrap();
    // As `axum::serve` does.
    (routes.finish(&auth).unwrap().with_state(()), requests(path))
}

fn issuer() -> TrustedIssuer {
    TrustedIssuer::new("https://id.example.com").audience("shop").key(Key::secret(Algorithm::HS256, SECRET))
}

/// The credential that the path is for. A public route gets one, too, and does not look at it.
fn requests(path: &str) -> impl Fn() -> Request + use<> {
    let token = token(if path == "verified" { LARGE } else { SMALL });
    let (name, value): (HeaderName, String) = match path {
        "known-cookie" => (COOKIE, format!("theme=dark; __Host-access_token={token}; lang=en")),
        _ => (AUTHORIZATION, format!("Bearer {token}")),
    };
    let value = HeaderValue::try_from(value).unwrap();
    move || Request::get("/").header(&name, &value).body(Body::empty()).unwrap()
}
