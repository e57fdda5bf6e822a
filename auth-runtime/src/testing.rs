//! For tests of services: an engine with a clock that is set by hand, tokens that it accepts, and principals.
//!
//! Behind the feature `test-util`, which is for `[dev-dependencies]`. It weakens no engine but those that
//! [`TestAuth`] makes, also if another crate of the tree turns it on.
//!
//! ```
//! use auth_runtime::testing::{TestAuth, TestRequest as _, TestUser};
//! use auth_runtime::{Principal, Router, auth, routing::get};
//! use axum::{body::Body, http::{Request, StatusCode}};
//! use tower::ServiceExt as _;
//!
//! #[auth(roles = ["admin"])]
//! async fn purge(user: Principal) -> String {
//!     user.subject().to_owned()
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let test = TestAuth::new();
//! let app = Router::new().route("/purge", get(purge)).finish(test.auth())?;
//!
//! // A whole request, with a token of the engine's issuer:
//! let token = test.token(&TestUser::new("alice").roles(["admin"]));
//! let request = Request::get("/purge").header("authorization", format!("Bearer {token}")).body(Body::empty())?;
//! assert_eq!(app.clone().oneshot(request).await?.status(), StatusCode::OK);
//!
//! // The same without a token; the rule is enforced all the same:
//! let request = Request::get("/purge").body(Body::empty())?.with_principal(TestUser::new("bob").principal());
//! assert_eq!(app.oneshot(request).await?.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```
#![allow(clippy::expect_used, reason = "a test kit fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::Request;
use axum::http::request::Parts;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::clock::{Clock, unix_seconds};
use crate::engine::{Auth, AuthBuilder, Engine};
use crate::principal::Principal;
use crate::session::SigningKey;
use crate::verify::{Algorithm, TokenClaims, TrustedIssuer, VerifiedToken};
use crate::vocabulary::VocabularyIndex;

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "test";

/// A clock that is set by hand. It starts at the same time in every test.
#[derive(Clone, Debug)]
pub struct TestClock {
    seconds: Arc<AtomicU64>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TestClock {
    /// A clock for an engine that [`TestAuth`] does not make.
    #[must_use]
    pub fn new() -> Self {
        Self { seconds: Arc::new(AtomicU64::new(1_800_000_000)) }
    }

    /// Moves the clock forward, in whole seconds.
    pub fn advance(&self, by: Duration) {
        self.seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }
}

/// An engine for tests: with a [`TestClock`], and with an issuer whose tokens it makes.
#[derive(Debug)]
pub struct TestAuth {
    auth: Auth,
    clock: TestClock,
    key: SigningKey,
}

impl Default for TestAuth {
    fn default() -> Self {
        Self::new()
    }
}

impl TestAuth {
    /// With the builder's defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// With what `configure` adds to a builder that has the test's issuer and clock already.
    ///
    /// # Panics
    /// If the configuration has a mistake.
    #[must_use]
    pub fn with(configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let key = SigningKey::generate(Algorithm::EdDSA).expect("a key for tests").with_id("test");
        let clock = TestClock::new();
        let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key.verifying_key());
        let builder = configure(Auth::builder().issuer(issuer).clock(clock.clone()));
        let auth = builder.build_for_test().expect("the configuration of the test's engine");
        Self { auth, clock, key }
    }

    /// The engine.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The engine's clock.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// The principal that a token of `user` leads to in this engine: with what its vocabulary says that roles imply and
    /// are granted.
    ///
    /// # Panics
    /// If the claims can't be those of a principal, such as two roles that exclude each other.
    #[must_use]
    pub fn principal(&self, user: &TestUser) -> Principal {
        user.principal_by(self.auth.engine().lexicon())
    }

    /// A token of `user` that the engine accepts: issued now, for 15 minutes, each with its own `jti`. Claims that
    /// the user brings replace these.
    ///
    /// # Panics
    /// Never, for claims that are JSON.
    #[must_use]
    pub fn token(&self, user: &TestUser) -> String {
        self.key.sign(&user.claims_at(unix_seconds(self.clock.now()))).expect("claims that are JSON")
    }
}

/// A user in a test, described in one line: `TestUser::new("alice").roles(["admin"])`.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestUser {
    claims: Map<String, Value>,
}

impl TestUser {
    /// A user with this subject and nothing else.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { claims: Map::new() }.claim("sub", subject.into())
    }

    /// Has these roles.
    pub fn roles(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("roles", strings(roles))
    }

    /// Has these scopes.
    pub fn scopes(self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("scope", strings(scopes).join(" "))
    }

    /// Has these permissions.
    pub fn permissions(self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("permissions", strings(permissions))
    }

    /// Logged in with these methods, such as `pwd` and `otp` (RFC 8176).
    pub fn amr(self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("amr", strings(methods))
    }

    /// Has this claim, in place of one of the same name that a test token has by itself.
    ///
    /// # Panics
    /// If the value can't be written as JSON.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.insert(name.into(), serde_json::to_value(value).expect("a claim that is JSON"));
        self
    }

    /// The principal that a token of this user leads to without a vocabulary, for calling a handler as a function, or for
    /// [`with_principal`](TestRequest::with_principal).
    ///
    /// # Panics
    /// If the claims can't be those of a principal, such as a number for `roles`.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.principal_by(&VocabularyIndex::default())
    }

    fn principal_by(&self, lexicon: &VocabularyIndex) -> Principal {
        let claims = Value::Object(self.claims_at(unix_seconds(TestClock::new().now())));
        let claims =
            TokenClaims::from_json(claims.to_string().as_bytes()).expect("claims of the right types");
        let principal = Principal::identify(VerifiedToken::new(claims), lexicon);
        principal.expect("claims that name a principal")
    }

    fn claims_at(&self, now: i64) -> Map<String, Value> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let mut claims = Map::new();
        claims.insert("iss".into(), ISSUER.into());
        claims.insert("aud".into(), AUDIENCE.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + 900).into());
        claims.insert("jti".into(), format!("test-{}", NEXT.fetch_add(1, Ordering::Relaxed)).into());
        claims.extend(self.claims.clone());
        claims
    }
}

/// `.with_principal(..)` on a request.
pub trait TestRequest {
    /// Sends the request as this principal, without a token. Rules and checks are enforced as ever. Only an engine
    /// that [`TestAuth`] made honours it; any other goes by the request's credential.
    #[must_use]
    fn with_principal(self, principal: Principal) -> Self;
}

impl<B> TestRequest for Request<B> {
    fn with_principal(mut self, principal: Principal) -> Self {
        self.extensions_mut().insert(Injected(principal));
        self
    }
}

#[derive(Clone, Debug)]
struct Injected(Principal);

/// The token of the principal that a test put into the request, for an engine that honours it.
pub(crate) fn injected<'r>(engine: &Engine, head: &'r Parts) -> Option<&'r VerifiedToken> {
    let Injected(principal) = head.extensions.get().filter(|_| engine.honours_injected_principals)?;
    Some(principal.token())
}

fn strings(values: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}
