//! Which handlers carry a policy: those whose first argument is the gate.

use std::any::TypeId;

use super::Authorized;
use crate::pipeline::NamedCheck;
use crate::policy::{HandlerInfo, KnownArgument, Policy, Rule};

/// The arguments of a handler, as axum's type for them, whose first argument is the gate.
///
/// The guarded router requires it of every handler, so a route without a policy does not compile.
#[diagnostic::on_unimplemented(
    message = "this handler has no `#[auth(...)]` attribute",
    label = "a route must say who may call it",
    note = "write `#[auth]` above the handler for any authenticated caller, `#[auth(roles = [\"admin\"])]` for some, `#[auth(public)]` for everyone",
    note = "a closure or a handler of another crate is mounted with a rule beside it: `.route(\"/path\", (axum::routing::get(handler), rule!(public)))`"
)]
pub trait CarriesPolicy: sealed::Sealed {
    /// The rule of the policy.
    const RULE: Rule;
    /// The handler that carries the policy.
    const HANDLER: HandlerInfo;
    /// The path of the check function, if there is one.
    const CHECK: Option<&'static str>;

    #[doc(hidden)]
    fn policy_type() -> TypeId;

    #[doc(hidden)]
    fn arguments() -> Vec<KnownArgument>;
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

    fn arguments() -> Vec<KnownArgument> {
        <T::First as Gate>::arguments()
    }
}

/// Prevents other crates from implementing [`CarriesPolicy`].
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

/// Implemented by [`Authorized`] alone.
///
/// It is a trait of the first argument, and not of the tuple of all arguments: otherwise the compiler would suggest the
/// only tuple of the handler's length, and report a wrong type instead of the missing attribute.
pub trait Gate: sealed::SealedGate {
    /// The rule of the policy.
    const RULE: Rule;
    /// The handler that carries the policy.
    const HANDLER: HandlerInfo;
    /// The path of the check function, if there is one.
    const CHECK: Option<&'static str>;

    /// The policy.
    fn policy_type() -> TypeId;

    /// What is known of the arguments of the handler and its check.
    fn arguments() -> Vec<KnownArgument>;
}

#[diagnostic::do_not_recommend]
impl<P: Policy, C: NamedCheck> Gate for Authorized<P, C> {
    const RULE: Rule = P::RULE;
    const HANDLER: HandlerInfo = P::HANDLER;
    const CHECK: Option<&'static str> = C::NAME;

    fn policy_type() -> TypeId {
        TypeId::of::<P>()
    }

    fn arguments() -> Vec<KnownArgument> {
        joined(P::arguments(), C::arguments())
    }
}

/// Apart, so that it is not compiled for each handler.
fn joined(mut of_handler: Vec<KnownArgument>, of_check: Vec<KnownArgument>) -> Vec<KnownArgument> {
    of_handler.extend(of_check);
    of_handler
}

/// axum's type for the arguments of a handler: a marker, then the arguments.
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
