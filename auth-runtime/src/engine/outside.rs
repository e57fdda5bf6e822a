//! What an engine decides outside of a request: a message of a socket, a message of a queue, a call of another protocol.

use super::Auth;
use crate::catch_panic::{Panic, catch_panic, catch_panic_of};
use crate::policy::Rule;
use crate::principal::Principal;
use crate::rejection::{CallerError, CallerErrorKind};

impl Auth {
    /// Verifies a token of an issuer and returns its caller, as for a request: the signature and all that its issuer must satisfy, its
    /// times, and that it was not revoked. No source, origin or rule is looked at: [`require`](Self::require) decides rules.
    ///
    /// `token` is the token alone, without `Bearer`. Where the engine loads users ([`users`](crate::AuthBuilder::users)), the caller has an
    /// active one.
    ///
    /// ```
    /// use auth_runtime::rejection::CallerError;
    /// use auth_runtime::{Auth, Principal};
    ///
    /// /// The caller of a gRPC call, by its metadata `authorization`.
    /// async fn caller(auth: &Auth, metadata: &str) -> Result<Principal, CallerError> {
    ///     let token = metadata.strip_prefix("Bearer ").unwrap_or_default();
    ///     auth.verify(token).await
    /// }
    /// ```
    ///
    /// The audit hook is not called: what was decided is known to the caller of this method.
    ///
    /// # Errors
    /// [`CallerError`], whose kind says whether the token is invalid, has expired or was revoked, or whether that can't be decided now.
    pub async fn verify(&self, token: &str) -> Result<Principal, CallerError> {
        let engine = self.engine();
        // The clock, and predicates on claims, are code of the application's.
        let caller = catch_panic_of(async {
            let now = engine.now();
            let remembered = engine.remembered(token);
            let caller = match engine.caller_at_once(token, remembered.as_ref(), now) {
                Some(caller) => caller?,
                None => engine.caller_of(token, remembered.as_ref(), now).await?,
            };
            engine.with_user(caller).await
        });
        caller.await.unwrap_or_else(|panic| Err(panicked(&panic)))
    }

    /// Decides a rule for a caller, outside of a request: for each message of a WebSocket, for the messages of a queue, for gRPC. It
    /// also requires that the caller's credential still counts: it has not expired, was not revoked, and the key that verified it was
    /// not withdrawn. Nothing is waited for.
    ///
    /// The rule is one that a router declares, so that the access table, its lock and the OpenAPI document have it:
    ///
    /// ```
    /// # use auth_runtime::verify::{Algorithm, Key, TrustedIssuer};
    /// use auth_runtime::rejection::CallerError;
    /// use auth_runtime::{Auth, Principal, Router, auth, policy::Rule, routing::get, rule};
    ///
    /// const PUBLISH: Rule = rule!(scopes = ["chat:write"]);
    ///
    /// #[auth]
    /// async fn chat(user: Principal) {} // upgrades to a WebSocket, whose messages `receive` gets
    ///
    /// fn receive(auth: &Auth, user: &Principal, message: &str) -> Result<(), CallerError> {
    ///     auth.require(user, &PUBLISH)?;
    ///     Ok(())
    /// }
    ///
    /// # let issuer = TrustedIssuer::new("i").audience("a").key(Key::secret(Algorithm::HS256, [7; 32]));
    /// let auth = Auth::builder().issuer(issuer).build()?;
    /// let app: axum::Router =
    ///     Router::new().route("/chat", get(chat).declares("publish", &PUBLISH)).finish(&auth)?;
    /// # let _ = receive;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// The caller of an authenticator or of an API key whose subject was [forgotten](crate::revocation::Revocations::forget) since, such as by
    /// the revocation of a key of the same owner, is rejected until its credential is verified again: nothing is looked up here.
    ///
    /// Roles, scopes, permissions, claims, `max_age`, `acr` and `amr` are decided as for a request. The audit hook is not called.
    ///
    /// # Errors
    /// [`CallerError`] of the kind [`Denied`](CallerErrorKind::Denied) if the caller does not satisfy the rule;
    /// [`Misconfigured`](CallerErrorKind::Misconfigured) if no router that was [finished](crate::Router::finish) with this engine
    /// [declares](crate::routing::MethodRouter::declares) the rule; otherwise as [`verify`](Self::verify).
    pub fn require(&self, principal: &Principal, rule: &Rule) -> Result<(), CallerError> {
        let decision = catch_panic(|| self.engine().require(principal, rule));
        decision.unwrap_or_else(|panic| Err(panicked(&panic)))
    }
}

fn panicked(panic: &Panic) -> CallerError {
    let reason = format!(
        "the application's code that finds the caller (the clock, a predicate of an issuer, the `UserStore`) {panic}"
    );
    CallerError::new(CallerErrorKind::Misconfigured, reason)
}
