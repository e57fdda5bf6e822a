//! The principal, as what runs behind the gate finds it.

use axum::http::request::Parts;

use crate::principal::Principal;

/// The principal in the extensions of a request: that of the handler which the gate let it through to, and of a check while that
/// one decides. No other crate can name this type.
#[derive(Clone, Debug)]
pub(crate) struct AcceptedPrincipal(Option<Principal>);

impl AcceptedPrincipal {
    /// Of the gate around this code; `None` if there is none. The inner `None` is an anonymous caller.
    pub(crate) fn of(head: &Parts) -> Option<Option<&Principal>> {
        head.extensions.get().map(|Self(principal)| principal.as_ref())
    }

    /// From now on, extractors find this one.
    pub(crate) fn admit(head: &mut Parts, principal: Option<Principal>) {
        head.extensions.insert(Self(principal));
    }

    /// From now on, extractors find none: neither this gate's, nor that of a gate around it.
    pub(crate) fn withdraw(head: &mut Parts) {
        head.extensions.remove::<Self>();
    }
}
