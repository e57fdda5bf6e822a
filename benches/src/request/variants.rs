//! One handler, on a plain router, behind an extractor by hand, and behind the gate.

use std::hint::black_box;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, TrustedIssuer};
use auth_runtime::{Auth, Principal, auth, rule};
use axum::extract::Request;
use axum::response::Response;
use bench_by_hand::{ByBearer, ByCookie, FlatClaims};
use benches::app::App;
use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use tower::{Layer, Service};

use super::floor::{self, Mounted};

/// With roles where this library has them by default.
pub type Verifier = bench_by_hand::Verifier<FlatClaims>;

const SECRET: [u8; 32] = [7; 32];

/// How many tokens are known where they differ.
const DISTINCT: usize = 10_000;

async fn plain() -> &'static str {
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

async fn by_hand(ByBearer(claims): ByBearer<FlatClaims>) -> &'static str {
    black_box(&claims.sub);
    "ok"
}

async fn by_hand_cookie(ByCookie(claims): ByCookie<FlatClaims>) -> &'static str {
    black_box(&claims.sub);
    "ok"
}

/// A layer that does nothing.
#[derive(Clone)]
struct Nothing;

#[derive(Clone)]
struct NothingService<S>(S);

impl<S> Layer<S> for Nothing {
    type Service = NothingService<S>;

    fn layer(&self, inner: S) -> NothingService<S> {
        NothingService(inner)
    }
}

impl<S: Service<Request, Response = Response>> Service<Request> for NothingService<S> {
    type Response = Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> S::Future {
        self.0.call(request)
    }
}

/// The plain router comes first, twice.
pub const NAMES: [&str; 14] = [
    "plain",
    "plain-control",
    "layer-that-does-nothing",
    "by-hand",
    "by-hand-public-with-decision",
    "by-hand-known-with-decision",
    "public",
    "known",
    "known-in-a-layer",
    "by-hand-cookie",
    "known-in-a-cookie",
    "rule-beside",
    "by-hand-10000-distinct",
    "known-10000-distinct",
];

pub fn of(name: &str) -> App {
    let bearer = |number: usize| ("authorization", format!("Bearer {}", token(number)));
    let cookie = || ("cookie", format!("theme=dark; __Host-access_token={}; lang=en", token(0)));
    let headers: Vec<_> = match name {
        _ if name.ends_with("distinct") => (0..DISTINCT).map(bearer).collect(),
        _ if name.ends_with("cookie") => vec![cookie()],
        _ => vec![bearer(0)],
    };
    let plain = || axum::Router::new().route("/", axum::routing::get(plain));
    let by_hand = |method: axum::routing::MethodRouter<Arc<Verifier>>| {
        let key = DecodingKey::from_secret(&SECRET);
        let verifier = Verifier::new(jsonwebtoken::Algorithm::HS256, key, "https://id.example.com", "shop");
        axum::Router::new().route("/", method).with_state(verifier)
    };
    let guarded_router =
        |method: auth_runtime::routing::MethodRouter| auth_runtime::Router::new().route("/", method);
    let finish = |router: auth_runtime::Router| router.finish(&engine()).expect("routes");
    let app = match name {
        "plain" | "plain-control" => plain(),
        "layer-that-does-nothing" => plain().layer(Nothing),
        "by-hand" | "by-hand-10000-distinct" => by_hand(axum::routing::get(self::by_hand)),
        "by-hand-public-with-decision" => {
            axum::Router::new().route("/", axum::routing::get(Mounted(floor::public)))
        }
        "by-hand-known-with-decision" => by_hand(axum::routing::get(Mounted(floor::known))),
        "by-hand-cookie" => by_hand(axum::routing::get(by_hand_cookie)),
        "public" => finish(guarded_router(get(public))),
        "known" | "known-10000-distinct" => finish(guarded_router(get(guarded))),
        "known-in-a-layer" => finish(guarded_router(get(guarded)).layer(Nothing)),
        "known-in-a-cookie" => finish(guarded_router(get(by_cookie))),
        "rule-beside" => {
            let beside = (axum::routing::get(self::plain), rule!(roles = ["admin"]));
            finish(auth_runtime::Router::new().route("/", beside))
        }
        _ => panic!("{name} is no variant"),
    };
    App::new(app, headers)
}

fn engine() -> Auth {
    let key = auth_runtime::verify::Key::secret(Algorithm::HS256, SECRET);
    let issuer = TrustedIssuer::new("https://id.example.com").audience("shop").key(key);
    let builder = Auth::builder().issuer(issuer).token_cache(20_000, 256 << 20);
    builder.build().expect("an engine")
}

fn token(number: usize) -> String {
    let key = SigningKey::secret(Algorithm::HS256, &SECRET).expect("a key");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let claims: Value = json!({
        "iss": "https://id.example.com", "aud": "shop", "sub": format!("user-{number}"), "iat": now, "exp": now + 3600,
        "jti": format!("{number}"), "roles": ["admin", "editor"], "scope": "orders:read orders:write", "name": "Alice",
    });
    key.sign(&claims).expect("a token")
}
