//! Authenticators: what judges credentials that are not tokens of an issuer, such as signatures of partners, sessions of a framework
//! of the application's own, or opaque tokens.
//!
//! A **scheme** is the name that `source = ".."` of a rule uses: where the credential is ([`CredentialPlace`]), and what judges it.
//! For tokens of the builder's issuers that is built in; everything else is an [`Authenticator`]. Any number of schemes can be in one
//! engine and in one rule: the first credential that is present decides, and an invalid one is never skipped.
//!
//! | item | purpose |
//! |---|---|
//! | [`Authenticator`] | judges the credentials of a scheme |
//! | [`#[authenticator]`](macro@crate::authenticator) | makes an authenticator of a function with extractors |
//! | [`Credential`] | the credential and the request's head, for an authenticator that is a plain function |
//! | [`Authentication`] | what an authenticator answers: a caller, that there is no credential, or that it is invalid |
//! | [`Authenticated`] | a caller: a [`Subject`], and for how long it counts |
//!
//! ```
//! use auth_runtime::authenticator::{BoxError, CredentialPlace, Subject};
//! use auth_runtime::{Auth, Principal, Router, auth, authenticator, routing::get};
//! use axum::extract::State;
//!
//! #[derive(Clone)]
//! struct Partners; // a pool of connections to a database
//!
//! impl Partners {
//!     async fn by_device(&self, id: &str) -> Result<Option<String>, BoxError> {
//!         Ok((id == "scale-17").then(|| "acme".to_owned()))
//!     }
//! }
//!
//! /// `None` is an invalid credential (401), and an error is 503.
//! #[authenticator]
//! async fn partner(credential: &str, State(partners): State<Partners>) -> Result<Option<Subject>, BoxError> {
//!     let name = partners.by_device(credential).await?;
//!     Ok(name.map(|name| Subject::new(name).roles(["partner"])))
//! }
//!
//! #[auth(source = "partner", roles = ["partner"])]
//! async fn weights(caller: Principal) -> String {
//!     caller.subject().to_owned()
//! }
//!
//! let auth = Auth::builder()
//!     .authenticator("partner", CredentialPlace::header("X-Device"), partner::with_state(Partners))
//!     .build()?;
//! let app: axum::Router = Router::new().route("/weights", get(weights)).finish(&auth)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The [guide](https://docs.rs/auth-runtime/latest/auth_runtime/guide/authenticators/index.html) says when to answer absent, invalid
//! or with an error, for how long an answer may be remembered, and what to look out for.

mod answer;
pub(crate) mod attribute;
mod function;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

pub use axum::BoxError;
use axum::http::request::Parts;
use serde_json::Value;

pub use self::answer::{Authenticated, Authentication};
pub use self::function::Credential;
pub(crate) use self::function::FunctionAuthenticator;
pub use crate::issue::Subject;
pub use crate::source::CredentialPlace;

/// Judges the credentials of a scheme. [`AuthBuilder::authenticator`](crate::AuthBuilder::authenticator) adds it to an engine; a plain
/// async function is added by [`AuthBuilder::authenticator_with`](crate::AuthBuilder::authenticator_with).
///
/// It is called at most once a request, after the source has found the credential and, for what a browser sends by itself, after the origin check.
/// It never sees the body. It has no time limit of its own: a request that waits too long ends with the service's timeout. If it
/// panics, the request is rejected with 500.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an authenticator",
    note = "implement `auth_runtime::authenticator::Authenticator` for it, write `#[authenticator]` above an async function and pass `function::with_state(state)`, or pass an async function with its state: `.authenticator_with(\"partner\", place, function, state)`"
)]
pub trait Authenticator: Send + Sync + 'static {
    /// Judges a credential, which is at most 16 KiB of visible ASCII, in the request with this head.
    ///
    /// Requests with an equal credential that come at the same time share one call. Its answer is that of all of them, if it is one to
    /// [remember](Authenticated::remember_for); otherwise each asks by itself.
    ///
    /// # Errors
    /// If it can't be judged now, for example because a database does not answer: the request is rejected with 503. An error that is a
    /// [`Rejection`](crate::rejection::Rejection), such as [`Rejection::forbidden`](crate::rejection::Rejection::forbidden), is answered as
    /// that, to its own request alone. Any other error is also that of the requests with an equal credential that wait for this call, whatever
    /// else is in them: it must be about what is asked, such as a database, and not about the request. An error's text goes to tracing and
    /// to the audit hook, never to the caller, and must not contain the credential.
    fn authenticate(
        &self,
        credential: &str,
        head: &Parts,
    ) -> impl Future<Output = Result<Authentication, BoxError>> + Send;

    /// Returns the scheme of the challenge for a route that accepts this authenticator (RFC 9110 §11.6.1). With `None`, the default, it
    /// follows from where the credential is: see [`CredentialSource::challenge_scheme`](crate::source::CredentialSource::challenge_scheme).
    fn challenge_scheme(&self) -> Option<String> {
        None
    }

    /// Returns the Security Scheme Object of the OpenAPI document (OpenAPI 3.1.1 §4.8.27). With `None`, the default, it follows from
    /// where the credential is.
    fn security_scheme(&self) -> Option<Value> {
        None
    }
}

impl<A: Authenticator> Authenticator for Arc<A> {
    fn authenticate(
        &self,
        credential: &str,
        head: &Parts,
    ) -> impl Future<Output = Result<Authentication, BoxError>> + Send {
        (**self).authenticate(credential, head)
    }

    fn challenge_scheme(&self) -> Option<String> {
        (**self).challenge_scheme()
    }

    fn security_scheme(&self) -> Option<Value> {
        (**self).security_scheme()
    }
}

/// An object-safe [`Authenticator`].
pub(crate) trait DynAuthenticator: Send + Sync {
    fn authenticate<'a>(&'a self, credential: &'a str, head: &'a Parts) -> AuthenticationFuture<'a>;

    #[cfg(feature = "openapi")]
    fn security_scheme(&self) -> Option<Value>;
}

pub(crate) type AuthenticationFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Authentication, BoxError>> + Send + 'a>>;

impl<A: Authenticator> DynAuthenticator for A {
    fn authenticate<'a>(&'a self, credential: &'a str, head: &'a Parts) -> AuthenticationFuture<'a> {
        Box::pin(Authenticator::authenticate(self, credential, head))
    }

    #[cfg(feature = "openapi")]
    fn security_scheme(&self) -> Option<Value> {
        Authenticator::security_scheme(self)
    }
}

impl fmt::Debug for dyn DynAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authenticator")
    }
}
