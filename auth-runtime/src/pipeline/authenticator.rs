//! Credentials that an authenticator judges, in a request or outside of one.

use std::sync::Arc;
use std::time::SystemTime;

use axum::http::Request;
use axum::http::request::Parts;

use super::extract::Credential;
use super::failure::Failure;
use super::{Pipeline, Principal};
use crate::authenticator::{Authentication, DynAuthenticator};
use crate::catch_panic::catch_panic_of;
use crate::engine::{Auth, Engine, check_expiry};
use crate::rejection::{CallerError, CallerErrorKind};

/// The longest credential that an authenticator is asked about, in bytes.
const MAX_CREDENTIAL_BYTES: usize = 16 * 1024;

impl Pipeline<'_> {
    /// The authenticator → the caller; `None` if it says that there is no credential.
    pub(super) async fn ask(
        &self,
        authenticator: &dyn DynAuthenticator,
        head: &Parts,
        credential: &Credential<'_>,
    ) -> Result<Option<Principal>, Failure> {
        let Credential { source, text, now, .. } = credential;
        let scheme = Scheme { name: source.name(), authenticator };
        Ok(scheme.caller(self.auth.engine(), text, head, *now).await?)
    }
}

/// A scheme whose credentials are not tokens of an issuer.
struct Scheme<'a> {
    name: &'a str,
    authenticator: &'a dyn DynAuthenticator,
}

impl Scheme<'_> {
    /// Size, revocation view, the authenticator, expiry → the caller; `None` if it says that there is no credential.
    async fn caller(
        &self,
        engine: &Arc<Engine>,
        text: &str,
        head: &Parts,
        now: SystemTime,
    ) -> Result<Option<Principal>, CallerError> {
        let scheme = self.name;
        let invalid = |why| CallerError::new(CallerErrorKind::Invalid, why);
        if text.len() > MAX_CREDENTIAL_BYTES {
            return Err(invalid("the credential is longer than 16 KiB".into()));
        }
        engine.check_view(now)?;
        let caller = match self.authenticator.authenticate(text, head).await {
            Ok(Authentication::Authenticated(caller)) => caller,
            Ok(Authentication::Absent) => return Ok(None),
            Ok(Authentication::Invalid(why)) => return Err(invalid(why)),
            Err(error) => {
                let reason = format!("the authenticator `{scheme}` failed: {error}");
                return Err(CallerError::new(CallerErrorKind::Unavailable, reason));
            }
        };
        let token = caller.into_token(scheme).map_err(|objection| {
            let reason =
                format!("the authenticator `{scheme}` returned a caller that can't be one: {objection}");
            CallerError::new(CallerErrorKind::Misconfigured, reason)
        })?;
        let principal = engine.identify(token)?;
        check_expiry(&principal, now)?;
        Ok(Some(principal))
    }
}

impl Auth {
    /// Has an [authenticator](crate::authenticator) of the engine judge a credential outside of a request, and returns its caller, as
    /// [`verify`](Self::verify) does for tokens. `scheme` is the name of the authenticator, which is that of its source.
    ///
    /// The authenticator is given the head of a request `CONNECT /` without headers, since there is no request. One that
    /// decides by the head, such as one that verifies a signature over it, must not accept that: it answers with
    /// [`Authentication::Invalid`](crate::authenticator::Authentication::Invalid).
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
            let sources = &engine.authentication.sources;
            let found = sources.resolve(&[scheme]).ok();
            let authenticator = found.and_then(|found| sources.authenticator(*found.first()?));
            let Some(authenticator) = authenticator else {
                return Err(CallerError::new(
                    CallerErrorKind::Misconfigured,
                    no_authenticator(engine, scheme),
                ));
            };
            let is_credential =
                !credential.is_empty() && credential.bytes().all(|byte| byte.is_ascii_graphic());
            if !is_credential {
                let reason = "the credential is empty, or has characters that are not visible ASCII";
                return Err(CallerError::new(CallerErrorKind::Invalid, reason));
            }
            let head = empty_head();
            let scheme = Scheme { name: scheme, authenticator };
            let caller = scheme.caller(engine, credential, &head, engine.now()).await?;
            let absent = "the authenticator says that this is no credential";
            caller.ok_or_else(|| CallerError::new(CallerErrorKind::Invalid, absent))
        });
        caller.await.unwrap_or_else(|panic| {
            let reason = format!("the authenticator `{scheme}`, or the clock, {panic}");
            Err(CallerError::new(CallerErrorKind::Misconfigured, reason))
        })
    }
}

fn no_authenticator(engine: &Engine, scheme: &str) -> String {
    let sources = &engine.authentication.sources;
    let is_authenticator = |name: &&str| {
        sources
            .resolve(&[*name])
            .is_ok_and(|found| found.iter().any(|at| sources.authenticator(*at).is_some()))
    };
    let known: Vec<&str> = sources.names().filter(is_authenticator).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    format!(
        "the engine has no authenticator `{scheme}`, and has {known}: name one of these, add it with `.authenticator(..)` on the builder, or \
         call `verify` for a token of an issuer"
    )
}

/// Of no request: a method that no handler of this library is mounted for by itself, and nothing that could be signed.
fn empty_head() -> Parts {
    let mut head = Request::new(()).into_parts().0;
    head.method = axum::http::Method::CONNECT;
    head
}
