//! Tokens that their issuer is asked about (RFC 7662): which these are, what is required of the answer, and for how long it counts.

mod answers;
mod clients;
mod configuration;
mod dispatch;
mod hostile;
mod real_provider;
mod remembered;
mod server;

use auth_runtime::routing::get;
use auth_runtime::testing::TestClock;
use auth_runtime::verify::{Introspection, TrustedIssuer};
use auth_runtime::{Auth, AuthBuilder, Principal, Router, auth};
use serde_json::{Value, json};

use self::server::Server;
use crate::support::{request, send};

const ISSUER: &str = "https://id.test";
const AUDIENCE: &str = "orders";
/// The time of a new `TestClock`.
const NOW: i64 = 1_800_000_000;

/// Who the caller is: issuer, subject, roles, scopes and permissions.
#[auth]
async fn who(caller: Principal) -> String {
    let issuer = caller.issuer().unwrap_or("-");
    let names = |names: Vec<&str>| names.join(" ");
    let (roles, scopes) = (names(caller.roles().collect()), names(caller.scopes().collect()));
    format!("{issuer} {} [{roles}] [{scopes}] [{}]", caller.subject(), names(caller.permissions().collect()))
}

/// What an issuer answers for an active token: all that is required.
fn active() -> Value {
    json!({
        "active": true,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "exp": NOW + 600,
        "iat": NOW - 10,
        "token_type": "Bearer",
    })
}

/// The same with another value of this member; without it if that is `null`.
fn active_with(name: &str, value: Value) -> Value {
    let mut answer = active();
    let members = answer.as_object_mut().unwrap();
    if value.is_null() {
        members.remove(name);
    } else {
        members.insert(name.to_owned(), value);
    }
    answer
}

fn introspection(server: &Server) -> Introspection {
    Introspection::at(server.url()).client_secret_basic("orders", "a secret")
}

fn issuer(server: &Server) -> TrustedIssuer {
    TrustedIssuer::new(ISSUER).audience(AUDIENCE).introspection(introspection(server))
}

struct App {
    auth: Auth,
    router: axum::Router,
    clock: TestClock,
}

impl App {
    fn new(issuer: TrustedIssuer) -> Self {
        Self::with(issuer, |builder| builder)
    }

    fn with(issuer: TrustedIssuer, configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let clock = TestClock::new();
        let auth = configure(Auth::builder().issuer(issuer).clock(clock.clone())).build().unwrap();
        let router = Router::new().route("/who", get(who)).finish(&auth).unwrap();
        Self { auth, router, clock }
    }

    /// The status of the answer to a request with this token, and its body if that is 200.
    async fn get(&self, token: &str) -> (u16, String) {
        let bearer = format!("Bearer {token}");
        let reply = send(&self.router, request("GET", "/who", &[("authorization", &bearer)])).await;
        let status = reply.status.as_u16();
        (status, if status == 200 { reply.body } else { String::new() })
    }

    async fn status(&self, token: &str) -> u16 {
        self.get(token).await.0
    }
}
