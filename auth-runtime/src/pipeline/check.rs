//! Checks: functions of the application's own that decide after the rule.

use std::any::type_name;

use axum::BoxError;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use super::checked::{Checked, Gives, HandedOver};
use crate::policy::KnownArgument;
use crate::principal::Principal;
use crate::rejection::{Rejection, take_marked};

/// The name of a check, which does not depend on the router's state.
pub trait NamedCheck: 'static {
    /// The path of the function; `None` for [`NoCheck`].
    const NAME: Option<&'static str>;

    /// What is known of the arguments of the function.
    #[doc(hidden)]
    #[must_use]
    fn arguments() -> Vec<KnownArgument> {
        Vec::new()
    }
}

/// A check of the application's own, run after the rule was satisfied. `#[check]` writes the implementations.
///
/// If the check or one of its extractors panics, the request is rejected with 500, and the panic's message goes to tracing. With
/// `panic = "abort"` it ends the process.
#[diagnostic::on_unimplemented(
    message = "the check `{Self}` cannot be run with the router's state `{S}`",
    note = "every argument of a `#[check]` function but the first must be extractable from the request's head and that state, such as `Path(id): Path<u64>` or `State(db): State<Db>`"
)]
pub trait Check<S>: NamedCheck {
    /// Runs the check.
    fn check(principal: &Principal, head: &mut Parts, state: &S)
    -> impl Future<Output = CheckOutcome> + Send;
}

/// No check.
#[derive(Debug)]
#[non_exhaustive]
pub struct NoCheck;

impl NamedCheck for NoCheck {
    const NAME: Option<&'static str> = None;
}

impl<S: Sync> Check<S> for NoCheck {
    async fn check(_: &Principal, _: &mut Parts, _: &S) -> CheckOutcome {
        CheckOutcome::Allowed(HandedOver::default())
    }
}

/// A type that `#[check]` declared under the name of its function.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the function that `check = ..` names has no `#[check]` attribute",
    label = "write `#[check]` above this function",
    note = "`check = owns` takes an async function such as `#[check] async fn owns(user: &Principal, Path(id): Path<u64>) -> bool`"
)]
pub trait DeclaredCheck: NamedCheck {}

/// The policy of a handler with a check.
#[doc(hidden)]
pub trait NamesCheck {
    type Check: DeclaredCheck;
}

/// Takes the place of a check that is not declared. The expansion of the handler does not compile then.
#[doc(hidden)]
#[derive(Debug)]
#[non_exhaustive]
pub struct FunctionWithoutCheck;

impl NamedCheck for FunctionWithoutCheck {
    const NAME: Option<&'static str> = Some("no check");
}

impl<S: Sync> Check<S> for FunctionWithoutCheck {
    async fn check(_: &Principal, _: &mut Parts, _: &S) -> CheckOutcome {
        CheckOutcome::Denied
    }
}

// That it is no check is reported once.
impl<T> Gives<T> for FunctionWithoutCheck {}

/// What a check decided.
#[derive(Debug)]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The check admits the caller, and may have something for the handler.
    Allowed(HandedOver),
    /// The check rejects the caller: 403.
    Denied,
    /// The check rejects the request, in a way of its own.
    Rejected(Rejection),
    /// An argument of this type could not be extracted, and its extractor rejects the request in a way of the library's.
    NotExtracted(&'static str, Rejection),
    /// An argument could not be extracted, because of the request: 403. With the reason for the log.
    Unreadable(String),
    /// The check failed: 503. With the reason for the log.
    Failed(String),
}

impl CheckOutcome {
    /// The outcome of what the function returned. `T` is what it has for the handler; `()` is nothing.
    pub fn of<T, A: IntoCheckOutcome<T>>(answer: A) -> Self {
        answer.into_outcome()
    }

    /// The extractor `X` rejected the request. Whether by a [`Rejection`] is known by its mark, also if it is in a type of the
    /// application's: a status would not say it.
    pub fn rejected<X, R: IntoResponse>(rejection: R) -> Self {
        let extractor = type_name::<X>();
        let mut answer = rejection.into_response();
        if let Some(rejection) = take_marked(answer.extensions_mut()) {
            return Self::NotExtracted(extractor, rejection);
        }
        let status = answer.status();
        let reason = format!("its extractor `{extractor}` answered {status}");
        if status.is_server_error() { Self::Failed(reason) } else { Self::Unreadable(reason) }
    }

    /// The check was not compiled.
    #[must_use]
    pub fn denied() -> Self {
        Self::Denied
    }

    /// A [`Rejection`] is answered as what it is.
    fn of_error(error: impl CheckError) -> Self {
        let error: BoxError = error.into();
        error
            .downcast()
            .map_or_else(|error| Self::Failed(error.to_string()), |rejection| Self::Rejected(*rejection))
    }
}

/// What a `#[check]` function may return, with what it has for the handler: `T`.
#[diagnostic::on_unimplemented(
    message = "a `#[check]` function returns `bool` or `Result<bool, E>`, and this one returns `{Self}`",
    label = "neither `bool` nor `Result<bool, E>`, nor one of the types that give the handler a value",
    note = "`true` lets the request in, `false` rejects it with 403, an error that is a `Rejection` with the status of that one, and any other error with 503: its text goes to the log, never to the caller",
    note = "a check that gives the handler a value returns `Option<Checked<T>>`, `Result<Checked<T>, E>` or `Result<Option<Checked<T>>, E>`, and not an alias of such a type"
)]
pub trait IntoCheckOutcome<T = ()> {
    /// Converts it to the outcome.
    fn into_outcome(self) -> CheckOutcome;
}

/// The error of a `#[check]` function: a [`Rejection`], with which the request is rejected, or what the log is to say of a check that
/// failed. A [`BoxError`] can be either.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the error of a `#[check]` function",
    label = "not a `Rejection`, an error, or a text",
    note = "a `Rejection` is the answer; of any other error the text goes to the log, and the answer is 503: implement `std::error::Error` for it, or return a `String`"
)]
pub trait CheckError: Into<BoxError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> CheckError for E {}

impl IntoCheckOutcome for bool {
    fn into_outcome(self) -> CheckOutcome {
        if self { CheckOutcome::Allowed(HandedOver::default()) } else { CheckOutcome::Denied }
    }
}

impl<T: Send + 'static> IntoCheckOutcome<T> for Option<Checked<T>> {
    fn into_outcome(self) -> CheckOutcome {
        self.map_or(CheckOutcome::Denied, |Checked(value)| CheckOutcome::Allowed(HandedOver::new(value)))
    }
}

impl<E: CheckError> IntoCheckOutcome for Result<bool, E> {
    fn into_outcome(self) -> CheckOutcome {
        self.map_or_else(CheckOutcome::of_error, CheckOutcome::of)
    }
}

impl<T: Send + 'static, E: CheckError> IntoCheckOutcome<T> for Result<Option<Checked<T>>, E> {
    fn into_outcome(self) -> CheckOutcome {
        self.map_or_else(CheckOutcome::of_error, CheckOutcome::of)
    }
}

impl<T: Send + 'static, E: CheckError> IntoCheckOutcome<T> for Result<Checked<T>, E> {
    fn into_outcome(self) -> CheckOutcome {
        self.map(Some).into_outcome()
    }
}
