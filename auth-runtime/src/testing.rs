//! Tools for tests of services: an engine with a clock that the test sets, tokens that it accepts, and principals.
//!
//! It is enabled by the feature `test-util`, which is for `[dev-dependencies]`. Only the engines that [`TestAuth`] makes
//! are affected, also if another crate of the dependency tree enables the feature.
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
//! // The same without a token; the rule is enforced too:
//! let request = Request::get("/purge").body(Body::empty())?.with_principal(TestUser::new("bob").principal());
//! assert_eq!(app.oneshot(request).await?.status(), StatusCode::FORBIDDEN);
//! # Ok(())
//! # }
//! ```
//!
//! A store of one's own is tested by [`store_contract!`](macro@store_contract).
#![allow(clippy::expect_used, reason = "a panic fails the test")]

#[doc(hidden)]
pub mod store_contract;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::Request;
use serde::Serialize;
use serde_json::{Map, Value};

#[doc(inline)]
pub use crate::__store_contract as store_contract;
use crate::clock::{Clock, unix_seconds};
use crate::engine::{Auth, AuthBuilder};
use crate::jose::SigningKey;
use crate::pipeline::InjectedPrincipal;
use crate::principal::{Principal, WatchedBy};
use crate::store::{LogEntry, LoggedRevocation, Note, Revocation};
use crate::verify::{Algorithm, TokenClaims, TrustedIssuer, VerifiedToken, VerifyError};
use crate::vocabulary::VocabularyIndex;

const ISSUER: &str = "https://issuer.test";
const AUDIENCE: &str = "test";

/// The entry that an instance of this version appends to the [log](crate::store::RevocationLog) for a revocation: for a test of what
/// another instance has revoked.
#[must_use]
pub fn log_entry(revocation: Revocation, keep_until: SystemTime, tag: u64) -> LogEntry {
    LoggedRevocation { revocation, keep_until, tag, note: Note::default() }.to_entry()
}

/// A clock that the test sets. It starts at the same time in every test.
#[derive(Clone, Debug)]
pub struct TestClock {
    seconds: Arc<AtomicU64>,
    /// The time that has passed, whatever the clock was set to, in seconds.
    passed: Arc<AtomicU64>,
}

impl Default for TestClock {
    fn default() -> Self {
        Self::new()
    }
}

impl TestClock {
    /// Returns a clock for an engine that [`TestAuth`] does not make.
    #[must_use]
    pub fn new() -> Self {
        Self { seconds: Arc::new(AtomicU64::new(1_800_000_000)), passed: Arc::default() }
    }

    /// Lets time pass. `by` is truncated to whole seconds.
    pub fn advance(&self, by: Duration) {
        self.seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
        self.passed.fetch_add(by.as_secs(), Ordering::SeqCst);
    }

    /// Sets the clock, without time passing: the clock was wrong, or is now. `time` is truncated to whole seconds since the epoch.
    pub fn set(&self, time: SystemTime) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        self.seconds.store(since.as_secs(), Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.seconds.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_secs(self.passed.load(Ordering::SeqCst))
    }
}

/// An engine for tests, with a [`TestClock`] and an issuer whose tokens it can make.
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
    /// Returns an engine with the builder's defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Returns an engine with the settings that `configure` adds to a builder that has the test's issuer and clock.
    ///
    /// # Panics
    /// If the configuration has an error.
    #[must_use]
    pub fn with(configure: impl FnOnce(AuthBuilder) -> AuthBuilder) -> Self {
        let key = SigningKey::generate(Algorithm::EdDSA).expect("the system generates a key").with_id("test");
        let clock = TestClock::new();
        let issuer = TrustedIssuer::new(ISSUER).audience(AUDIENCE).key(key.verifying_key());
        let builder = configure(Auth::builder().issuer(issuer).clock(clock.clone()));
        let auth = builder.build_for_test().expect("the configuration of the test's engine has no error");
        Self { auth, clock, key }
    }

    /// Returns the engine.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Returns the engine's clock.
    #[must_use]
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Returns the principal that the engine makes of a token of `user`, with the roles and permissions that its vocabulary adds.
    ///
    /// # Panics
    /// If the claims are not valid for a principal, such as two roles that exclude each other.
    #[must_use]
    pub fn principal(&self, user: &TestUser) -> Principal {
        let engine = self.auth.engine();
        user.principal_by(&engine.authorization.vocabulary, Some(engine.watch()))
    }

    /// Returns a token of `user` that the engine accepts. It is issued now, expires after 15 minutes, and has its own `jti`. Claims
    /// of `user` replace these.
    ///
    /// # Panics
    /// Never, because the claims are JSON.
    #[must_use]
    pub fn token(&self, user: &TestUser) -> String {
        self.key.sign(&user.claims_at(unix_seconds(self.clock.now()))).expect("the claims are JSON")
    }
}

/// A user in a test: `TestUser::new("alice").roles(["admin"])`.
#[derive(Clone, Debug)]
#[must_use]
pub struct TestUser {
    claims: Map<String, Value>,
}

impl TestUser {
    /// Returns a user with this subject, without roles, scopes or permissions.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { claims: Map::new() }.claim("sub", subject.into())
    }

    /// Sets the roles.
    pub fn roles(self, roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("roles", strings(roles))
    }

    /// Sets the scopes.
    pub fn scopes(self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("scope", strings(scopes).join(" "))
    }

    /// Sets the permissions.
    pub fn permissions(self, permissions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("permissions", strings(permissions))
    }

    /// Sets the methods that the user logged in with, such as `pwd` and `otp` (RFC 8176).
    pub fn amr(self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.claim("amr", strings(methods))
    }

    /// Sets a claim. It replaces a claim of the same name that a test token has by default.
    ///
    /// # Panics
    /// If the value can't be serialized as JSON.
    pub fn claim(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        self.claims.insert(name.into(), serde_json::to_value(value).expect("the claim is JSON"));
        self
    }

    /// Returns the principal of a token of this user, without a vocabulary, for calling a handler as a function or for
    /// [`with_principal`](TestRequest::with_principal).
    ///
    /// # Panics
    /// If the claims are not valid for a principal, such as a number for `roles`.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.principal_by(&VocabularyIndex::default(), None)
    }

    fn principal_by(&self, index: &VocabularyIndex, watch: Option<WatchedBy>) -> Principal {
        let claims = Value::Object(self.claims_at(unix_seconds(TestClock::new().now())));
        let claims =
            TokenClaims::from_json(claims.to_string().as_bytes()).expect("the claims have the right types");
        let principal = Principal::identify(VerifiedToken::new(claims), index, watch);
        principal.expect("the claims are those of a principal")
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

/// Adds `.with_principal(..)` to requests.
pub trait TestRequest {
    /// Sends the request as this principal, without a token. Rules and checks are enforced. Only an engine of [`TestAuth`] accepts
    /// the principal; another engine ignores it and uses the request's credential.
    #[must_use]
    fn with_principal(self, principal: Principal) -> Self;
}

impl<B> TestRequest for Request<B> {
    fn with_principal(mut self, principal: Principal) -> Self {
        self.extensions_mut().insert(InjectedPrincipal(principal));
        self
    }
}

/// Verifies the signature of a token and the names in it, as the engine does, and checks neither its times nor
/// whether it was revoked: for benchmarks.
///
/// # Errors
/// [`VerifyError`] if the token is invalid.
pub fn verify_token(auth: &Auth, token: &str) -> Result<VerifiedToken, VerifyError> {
    auth.engine().authentication.jwt.verify(token)
}

fn strings(values: impl IntoIterator<Item = impl Into<String>>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}
