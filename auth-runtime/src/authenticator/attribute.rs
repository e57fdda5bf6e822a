//! Authenticators that are functions with `#[authenticator]`.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;

use axum::BoxError;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use super::{Authentication, Authenticator};
use crate::rejection::take_marked;

/// What the function of an authenticator answers.
pub type AuthenticatorAnswer = Result<Authentication, BoxError>;

/// A function with `#[authenticator]`, which can be run with the state `S`. The attribute writes the implementations.
#[diagnostic::on_unimplemented(
    message = "the authenticator `{Self}` cannot be run with the state `{S}`",
    note = "every argument of an `#[authenticator]` function but the first must be extractable from the request's head and the state that `with_state` is given, such as `headers: HeaderMap` or `State(db): State<Db>`"
)]
pub trait AuthenticatorFunction<S>: Send + Sync + 'static {
    /// Extracts the arguments, which may change this head, and calls the function.
    fn authenticate(
        credential: &str,
        head: &mut Parts,
        state: &S,
    ) -> impl Future<Output = AuthenticatorAnswer> + Send;
}

/// A function with `#[authenticator]`, and its state.
pub struct WithState<F, S> {
    function: PhantomData<F>,
    state: S,
}

impl<F, S> WithState<F, S> {
    /// Returns the authenticator of this function.
    pub fn new(state: S) -> Self {
        Self { function: PhantomData, state }
    }
}

impl<F, S> Authenticator for WithState<F, S>
where
    F: AuthenticatorFunction<S>,
    S: Send + Sync + 'static,
{
    async fn authenticate(&self, credential: &str, head: &Parts) -> Result<Authentication, BoxError> {
        F::authenticate(credential, &mut head.clone(), &self.state).await
    }
}

/// Prints no state, which may contain secrets.
impl<F, S> fmt::Debug for WithState<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithState").field("function", &type_name::<F>()).finish_non_exhaustive()
    }
}

/// What an `#[authenticator]` function may return.
#[diagnostic::on_unimplemented(
    message = "an `#[authenticator]` function returns `Result<A, E>`, where `A` is who the caller is, and this one returns `{Self}`",
    label = "not such a `Result`",
    note = "`A` is a `Subject`, an `Authenticated`, an `Option` of one of them, where `None` is an invalid credential, or an `Authentication`",
    note = "`E` is an error or a text, such as `BoxError`: it rejects the request with 503, except a `Rejection`, which is the answer, and its text goes to the log, never to the caller"
)]
pub trait IntoAuthentication {
    /// Converts it to the answer of an authenticator.
    ///
    /// # Errors
    /// If it is an error.
    fn into_authentication(self) -> AuthenticatorAnswer;
}

#[diagnostic::do_not_recommend]
impl<A: Into<Authentication>, E: Into<BoxError>> IntoAuthentication for Result<A, E> {
    fn into_authentication(self) -> AuthenticatorAnswer {
        self.map(Into::into).map_err(Into::into)
    }
}

/// The answer for what the function returned.
///
/// # Errors
/// If that is an error.
pub fn answer(returned: impl IntoAuthentication) -> AuthenticatorAnswer {
    returned.into_authentication()
}

/// The answer where the extractor `X` rejected the request.
///
/// # Errors
/// If the service is at fault, as the status says, or if it is the library's `Rejection`. A request in which something is missing has an invalid credential.
pub fn not_extracted<X, R: IntoResponse>(rejection: R) -> AuthenticatorAnswer {
    let mut answer = rejection.into_response();
    if let Some(rejection) = take_marked(answer.extensions_mut()) {
        return Err(rejection.into());
    }
    let status = answer.status();
    let reason = format!("its extractor `{}` answered {status}", type_name::<X>());
    if status.is_server_error() {
        return Err(reason.into());
    }
    Ok(Authentication::Invalid(format!("the authenticator could not read the request: {reason}").into()))
}

/// The answer of a function whose attribute has an error. It does not compile anyway.
///
/// # Errors
/// Always.
pub fn not_compiled() -> AuthenticatorAnswer {
    Err("its `#[authenticator]` has an error".into())
}
