//! The same handler on a plain router, by hand, and behind the gate, with a rule of one role.

use std::hint::black_box;
use std::time::{SystemTime, UNIX_EPOCH};

use auth_runtime::routing::get;
use auth_runtime::session::SigningKey;
use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
use auth_runtime::{Auth, Principal, auth};
use bench_by_hand::{ByBearer, FlatClaims, Verifier};
use bench_harness::turns::Variant;
use benches::app::App;
use jsonwebtoken::DecodingKey;
use serde_json::json;

const SECRET: [u8; 32] = [7; 32];
pub const ISSUER: &str = "https://id.example.com";
const AUDIENCE: &str = "shop";

/// How many tokens are known at most.
const TOKENS: usize = 200_000;

/// A router, and the tokens that it is asked with.
pub struct Service(pub App);

impl Service {
    pub fn new(router: axum::Router, tokens: Vec<String>) -> Self {
        let bearer = |token| ("authorization", format!("Bearer {token}"));
        Self(App::new(router, tokens.into_iter().map(bearer).collect()))
    }

    /// Has seen all of its tokens.
    pub fn known(mut self) -> Self {
        self.0.learn();
        self
    }

    pub fn variant(self, name: &str, requests: usize) -> Variant<'static> {
        self.0.variant(name, requests)
    }
}

pub fn plain() -> Service {
    let router = axum::Router::new().route("/", axum::routing::get(async || "ok"));
    Service::new(router, vec![token(0, &roles(2))])
}

pub fn by_hand(tokens: Vec<String>) -> Service {
    async fn guarded(ByBearer(claims): ByBearer<FlatClaims>) -> &'static str {
        black_box(&claims.sub);
        "ok"
    }
    Service::new(axum::Router::new().route("/", axum::routing::get(guarded)).with_state(verifier()), tokens)
}

pub fn verifier() -> std::sync::Arc<Verifier<FlatClaims>> {
    Verifier::new(jsonwebtoken::Algorithm::HS256, DecodingKey::from_secret(&SECRET), ISSUER, AUDIENCE)
}

pub fn issuer() -> Auth {
    let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(Key::secret(Algorithm::HS256, SECRET));
    let builder = Auth::builder().issuer(issuer).max_token_bytes(64 * 1024);
    builder.token_cache(TOKENS, 512 << 20).build().expect("an engine")
}

pub fn this(auth: Auth, tokens: Vec<String>) -> Service {
    #[auth(roles = ["admin"])]
    async fn guarded(caller: Principal) -> &'static str {
        black_box(caller.subject());
        "ok"
    }
    let router = auth_runtime::Router::new().route("/", get(guarded)).finish(&auth).expect("routes");
    Service::new(router, tokens)
}

/// This many roles, of which the last is `admin`.
pub fn roles(count: usize) -> Vec<String> {
    (1..count).map(|number| format!("role-{number}")).chain(["admin".to_owned()]).collect()
}

pub fn token(number: usize, roles: &[String]) -> String {
    let key = SigningKey::secret(Algorithm::HS256, &SECRET).expect("a key");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock").as_secs();
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": format!("user-{number}"), "iat": now, "exp": now + 3600, "jti": format!("{number}"),
        "roles": roles, "scope": "orders:read orders:write", "name": "Alice",
    });
    key.sign(&claims).expect("a token")
}
