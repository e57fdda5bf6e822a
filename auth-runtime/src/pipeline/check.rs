//! Checks: functions of the application's own that decide after the rule.

use std::any::type_name;
use std::fmt;

use axum::http::request::Parts;
use axum::response::IntoResponse;

use crate::principal::Principal;

/// The name of a check, which does not depend on the router's state.
pub trait NamedCheck: 'static {
    /// The path of the function; `None` for [`NoCheck`].
    const NAME: Option<&'static str>;
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
        CheckOutcome::Allowed
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

/// What a check decided.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckOutcome {
    /// The check admits the caller.
    Allowed,
    /// The check rejects the caller: 403.
    Denied,
    /// An argument could not be extracted, because of the request: 403.
    Unreadable,
    /// The check failed, with the reason for the log: 503.
    Failed(String),
}

impl CheckOutcome {
    /// The outcome of what the function returned.
    pub fn of(answer: impl IntoCheckOutcome) -> Self {
        answer.into_outcome()
    }

    /// The extractor `X` of the check rejected the request.
    pub fn rejected<X, R: IntoResponse>(rejection: R) -> Self {
        let status = rejection.into_response().status();
        if status.is_server_error() {
            Self::Failed(format!("its extractor `{}` answered {status}", type_name::<X>()))
        } else {
            Self::Unreadable
        }
    }

    /// The check was not compiled.
    #[must_use]
    pub fn denied() -> Self {
        Self::Denied
    }
}

/// What a `#[check]` function may return.
#[diagnostic::on_unimplemented(
    message = "a `#[check]` function returns `bool` or `Result<bool, E>`, and this one returns `{Self}`",
    label = "neither `bool` nor `Result<bool, E>` with an error that implements `Display`",
    note = "`true` lets the request in, `false` rejects it with 403, and an error with 503: its text goes to the log, never to the caller"
)]
pub trait IntoCheckOutcome {
    /// Converts it to the outcome.
    fn into_outcome(self) -> CheckOutcome;
}

impl IntoCheckOutcome for bool {
    fn into_outcome(self) -> CheckOutcome {
        if self { CheckOutcome::Allowed } else { CheckOutcome::Denied }
    }
}

impl<E: fmt::Display> IntoCheckOutcome for Result<bool, E> {
    fn into_outcome(self) -> CheckOutcome {
        match self {
            Ok(allowed) => allowed.into_outcome(),
            Err(error) => CheckOutcome::Failed(error.to_string()),
        }
    }
}
