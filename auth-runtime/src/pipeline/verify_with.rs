//! [`Auth::verify_with`]: credentials that an authenticator judges, outside of a request.

use axum::http::request::Parts;
use axum::http::{Method, Request};

use super::Principal;
use super::authenticator::Judged;
use crate::catch_panic::catch_panic_of;
use crate::engine::{Auth, Engine};
use crate::rejection::{CallerError, CallerErrorKind};
use crate::source::{self, Extracted};

impl Auth {
    /// Has an [authenticator](mod@crate::authenticator) of the engine judge a credential outside of a request, and returns its caller, as
    /// [`verify`](Self::verify) does for tokens. `scheme` is the name of the authenticator, which is that of its source.
    ///
    /// The authenticator is given the head of a request `CONNECT /` without headers, since there is no request. One that
    /// decides by the head, such as one that verifies a signature over it, must not accept that: it answers with
    /// [`Authentication::Invalid`](crate::authenticator::Authentication::Invalid). What is remembered of the credential from requests
    /// counts here too.
    ///
    /// ```
    /// use auth_runtime::rejection::CallerError;
    /// use auth_runtime::{Auth, Principal};
    ///
    /// /// The partner that put this message into the queue.
    /// async fn sender(auth: &Auth, device: &str) -> Result<Principal, CallerError> {
    ///     auth.verify_with("partner", device).await
    /// }
    /// ```
    ///
    /// # Errors
    /// [`CallerError`]: of the kind `Invalid` also if the authenticator says that this is no credential; `Unavailable` if it failed or the
    /// view of revocations is too old; `Misconfigured` if the engine has no authenticator of this name, or if it panicked.
    pub async fn verify_with(&self, scheme: &str, credential: &str) -> Result<Principal, CallerError> {
        let engine = self.engine();
        let caller = catch_panic_of(async {
            let mut authenticators = engine.authentication.sources.authenticators();
            let Some((_, found)) = authenticators.find(|(name, _)| *name == scheme) else {
                return Err(CallerError::new(
                    CallerErrorKind::Misconfigured,
                    no_authenticator(engine, scheme),
                ));
            };
            if let Extracted::Unusable(reason) = source::credential(credential.as_bytes()) {
                return Err(CallerError::new(CallerErrorKind::Invalid, reason));
            }
            let head = empty_head();
            let judged = Judged { scheme: found, name: scheme, text: credential, now: engine.now() };
            let caller = judged.caller(engine, &head).await?;
            let absent = "the authenticator says that this is no credential";
            let caller = caller.ok_or_else(|| CallerError::new(CallerErrorKind::Invalid, absent))?;
            engine.with_user(caller).await
        });
        caller.await.unwrap_or_else(|panic| {
            let reason = format!("the authenticator `{scheme}`, the `UserStore` or the clock {panic}");
            Err(CallerError::new(CallerErrorKind::Misconfigured, reason))
        })
    }
}

fn no_authenticator(engine: &Engine, scheme: &str) -> String {
    let known: Vec<&str> = engine.authentication.sources.authenticators().map(|(name, _)| name).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(
        "the engine has no authenticator `{scheme}`, and has {known}: name one of these, add it with `.authenticator(..)` on the builder, or \
         call `verify` for a token of an issuer"
    )
}

/// Of no request: a method that no handler of this library is mounted for by itself, and nothing that could be signed.
fn empty_head() -> Parts {
    let mut head = Request::new(()).into_parts().0;
    head.method = Method::CONNECT;
    head
}
