//! The gate: the argument that `#[auth]` puts in front of a handler's own.

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::IntoResponse;

use crate::engine::Engine;
use crate::pipeline::{self, GatePolicy};
use crate::policy::Rule;
use crate::principal::Principal;
use crate::rejection::{Rejection, misconfigured};
use crate::request_auth::RequestAuth;
use crate::routing::MountedRoute;

/// Proof that the rule `P` and the check `C` were kept: the first argument of every guarded handler, written by
/// `#[auth]`.
///
/// axum runs extractors from left to right and the body's last, so the gate refuses before any other extractor
/// runs and before one byte of the body is read.
pub struct Authorized<P, C = NoCheck> {
    marker: PhantomData<fn() -> (P, C)>,
}

#[cfg(feature = "test-util")]
impl<P, C> Authorized<P, C> {
    /// For calling a guarded handler as a plain function in a unit test: `purge(Authorized::for_test(), user)`.
    /// No rule is looked at: it is the handler that is tested.
    #[must_use]
    pub fn for_test() -> Self {
        Self { marker: PhantomData }
    }
}

impl<P, C> fmt::Debug for Authorized<P, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorized")
    }
}

impl<S, P, C> FromRequestParts<S> for Authorized<P, C>
where
    S: Send + Sync,
    P: Policy,
    C: Check<S>,
{
    type Rejection = Rejection;

    async fn from_request_parts(head: &mut Parts, state: &S) -> Result<Self, Rejection> {
        // Put there by the guarded router right before this call. Taken away, so that no gate further in takes it
        // for its own.
        let mounted = head.extensions.remove::<Arc<MountedRoute>>();
        enter::<S, C>(head, state, |engine, head| match mounted.as_deref() {
            Some(route) => route.policy(engine, head).filter(|_| route.is_of::<P>()),
            None => GatePolicy::unmounted::<P>(engine, head),
        })
        .await?;
        Ok(Self { marker: PhantomData })
    }
}

/// Passes the gate of the policy that `policy` finds for the engine, or is refused.
pub(crate) async fn enter<'p, S: Sync, C: Check<S>>(
    head: &mut Parts,
    state: &S,
    policy: impl FnOnce(&Arc<Engine>, &Parts) -> Option<GatePolicy<'p>>,
) -> Result<(), Rejection> {
    let Some(auth) = RequestAuth::of(head).cloned() else {
        return Err(misconfigured(
            "a guarded route was reached without the layer of `Auth`: build the app with `auth_runtime::Router` and \
             `.finish(&auth)`, or add `.layer(auth.layer())` to the `axum::Router`",
        ));
    };
    let Some(policy) = policy(auth.engine(), head) else {
        return Err(pipeline::misconfigured(
            &auth,
            head,
            "a guarded route was reached whose router was not finished, or finished with another engine than that of \
             the nearest layer, or whose rule names a source that the engine lacks, or does not agree with the \
             engine's vocabulary: `finish` of the guarded router says which, and the log did when the route was first met",
        ));
    };
    pipeline::authorize::<S, C>(&auth, head, state, &policy).await
}

/// A policy as a type. `#[auth]` writes the implementations.
pub trait Policy: 'static {
    /// What is asked of the caller.
    const RULE: Rule;
    /// Whose policy it is.
    const HANDLER: HandlerInfo;
}

/// Where a handler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandlerInfo {
    /// With its module: `my_service::articles::publish`.
    pub name: &'static str,
    /// The source file.
    pub file: &'static str,
    /// The line in it.
    pub line: u32,
}

impl HandlerInfo {
    /// For the expansion of `#[auth]`.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(name: &'static str, file: &'static str, line: u32) -> Self {
        Self { name, file, line }
    }
}

impl fmt::Display for HandlerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}:{}", self.name, self.file, self.line)
    }
}

/// The name of a check, which does not depend on the router's state.
pub trait NamedCheck: 'static {
    /// The function, with its module; `None` for [`NoCheck`].
    const NAME: Option<&'static str>;
}

/// A check of the user's own, run after the rule was kept. `#[check]` writes the implementations.
#[diagnostic::on_unimplemented(
    message = "the check `{Self}` cannot be run with the router's state `{S}`",
    note = "every argument of a `#[check]` function but the first must be extractable from the request's head and that state"
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

/// What a check said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckOutcome {
    /// Let in.
    Allowed,
    /// Refused.
    Refused,
    /// An argument could not be extracted, because of the request.
    Unreadable,
    /// The check could not be made, with the reason for the log. The request is answered 503.
    Failed(String),
}

impl CheckOutcome {
    /// What the function returned.
    pub fn of(answer: impl CheckAnswer) -> Self {
        answer.into_outcome()
    }

    /// An extractor of the check refused.
    pub fn rejected(rejection: impl IntoResponse) -> Self {
        let status = rejection.into_response().status();
        if status.is_server_error() {
            Self::Failed(format!("an extractor of the check answered {status}"))
        } else {
            Self::Unreadable
        }
    }

    /// The check was not compiled.
    #[must_use]
    pub fn refused() -> Self {
        Self::Refused
    }
}

/// What a `#[check]` function may return.
#[diagnostic::on_unimplemented(
    message = "a `#[check]` function returns `bool` or `Result<bool, E>`, and this one returns `{Self}`",
    label = "neither `bool` nor `Result<bool, E>` with an error that implements `Display`",
    note = "`true` lets the request in, `false` refuses it with 403, and an error with 503: its text goes to the log, never to the caller"
)]
pub trait CheckAnswer {
    /// What it says.
    fn into_outcome(self) -> CheckOutcome;
}

impl CheckAnswer for bool {
    fn into_outcome(self) -> CheckOutcome {
        if self { CheckOutcome::Allowed } else { CheckOutcome::Refused }
    }
}

impl<E: fmt::Display> CheckAnswer for Result<bool, E> {
    fn into_outcome(self) -> CheckOutcome {
        match self {
            Ok(allowed) => allowed.into_outcome(),
            Err(error) => CheckOutcome::Failed(error.to_string()),
        }
    }
}

/// Arguments of a handler, as axum's own type for them, that begin with the gate.
///
/// The guarded router asks this of every handler, so a route without a policy does not compile.
#[diagnostic::on_unimplemented(
    message = "this handler has no `#[auth(...)]` attribute",
    label = "a route must say who may call it",
    note = "write `#[auth]` above the handler for any authenticated caller, `#[auth(roles = [\"admin\"])]` for some, `#[auth(public)]` for everyone",
    note = "a closure or a handler of another crate is mounted with a rule beside it: `.route(\"/path\", (axum::routing::get(handler), rule!(public)))`"
)]
pub trait CarriesPolicy: sealed::Sealed {
    /// The rule.
    const RULE: Rule;
    /// The handler.
    const HANDLER: HandlerInfo;
    /// The check, with its module, if there is one.
    const CHECK: Option<&'static str>;

    #[doc(hidden)]
    fn policy_type() -> TypeId;
}

#[diagnostic::do_not_recommend]
impl<T> CarriesPolicy for T
where
    T: Arguments,
    T::First: Gate,
{
    const RULE: Rule = <T::First as Gate>::RULE;
    const HANDLER: HandlerInfo = <T::First as Gate>::HANDLER;
    const CHECK: Option<&'static str> = <T::First as Gate>::CHECK;

    fn policy_type() -> TypeId {
        <T::First as Gate>::policy_type()
    }
}

/// Nobody else can say that a handler carries a policy.
mod sealed {
    pub trait Sealed {}

    #[diagnostic::do_not_recommend]
    impl<T> Sealed for T
    where
        T: super::Arguments,
        T::First: super::Gate,
    {
    }

    pub trait SealedArguments {}

    pub trait SealedGate {}

    impl<P, C> SealedGate for super::Authorized<P, C> {}
}

/// Only [`Authorized`].
///
/// A trait of the first argument by itself, and not of the tuple with `Authorized` in it: the compiler would take the
/// one tuple of a handler's length for what is meant, and complain of a wrong type instead of the missing attribute.
pub trait Gate: sealed::SealedGate {
    /// The rule.
    const RULE: Rule;
    /// The handler.
    const HANDLER: HandlerInfo;
    /// The check, with its module, if there is one.
    const CHECK: Option<&'static str>;

    /// The policy.
    fn policy_type() -> TypeId;
}

#[diagnostic::do_not_recommend]
impl<P: Policy, C: NamedCheck> Gate for Authorized<P, C> {
    const RULE: Rule = P::RULE;
    const HANDLER: HandlerInfo = P::HANDLER;
    const CHECK: Option<&'static str> = C::NAME;

    fn policy_type() -> TypeId {
        TypeId::of::<P>()
    }
}

/// axum's type for a handler's arguments: a marker, and then the arguments.
pub trait Arguments: sealed::SealedArguments {
    /// The type of the first argument.
    type First;
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        #[diagnostic::do_not_recommend]
        impl<M, First, $($argument),*> sealed::SealedArguments for (M, First, $($argument,)*) {}

        #[diagnostic::do_not_recommend]
        impl<M, First, $($argument),*> Arguments for (M, First, $($argument,)*) {
            type First = First;
        }
    };
}

arguments!();
arguments!(A2);
arguments!(A2 A3);
arguments!(A2 A3 A4);
arguments!(A2 A3 A4 A5);
arguments!(A2 A3 A4 A5 A6);
arguments!(A2 A3 A4 A5 A6 A7);
arguments!(A2 A3 A4 A5 A6 A7 A8);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15);
arguments!(A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12 A13 A14 A15 A16);
