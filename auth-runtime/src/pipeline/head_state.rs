//! What the head of a request carries for the gates that it comes to, and for what runs behind them.

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::Extensions;
use axum::http::request::Parts;

use super::request_auth::RequestAuth;
use super::resolved_route::ResolvedRoute;
use crate::audit::trace_allowed;
use crate::principal::Principal;

/// What the head of a request carries. A copy of the head has its own, of the same [`RequestAuth`]. No other crate can name this type.
#[derive(Clone)]
pub(crate) struct HeadState {
    pub(super) auth: RequestAuth,
    mounted: Mounted,
    accepted: Option<Option<Principal>>,
    handed_over: Option<Slot>,
}

/// The route that a guarded router has called, from then on until its gate is reached.
#[derive(Clone, Default)]
pub(crate) enum Mounted {
    /// None: what is called next was not mounted by a guarded router.
    #[default]
    Nothing,
    /// The one that the [`RequestAuth`] is of.
    Own,
    Route(Arc<ResolvedRoute>),
    /// Its router was not finished.
    Unresolved,
}

/// What a check has loaded, until the handler takes it. A copy of the head has the same slot.
type Slot = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

impl HeadState {
    /// From now on, the request is of this one. What a gate around it has accepted stays until the next gate is reached.
    ///
    /// `mounted` is the route that is called next. `Nothing`, of a layer, leaves the one that was named before: then the layer is between
    /// a route and its gate.
    pub(super) fn put(extensions: &mut Extensions, auth: RequestAuth, mounted: Mounted) {
        let Some(state) = extensions.get_mut::<Self>() else {
            extensions.insert(Self { auth, mounted, accepted: None, handed_over: None });
            return;
        };
        let before = std::mem::replace(&mut state.auth, auth);
        state.mounted = match (mounted, std::mem::take(&mut state.mounted)) {
            (Mounted::Nothing, Mounted::Own) => {
                before.own_route().map_or(Mounted::Unresolved, |route| Mounted::Route(Arc::clone(route)))
            }
            (Mounted::Nothing, named) => named,
            (mounted, _) => mounted,
        };
    }

    /// Names the route that is called next, in the state that the layer has put there.
    pub(crate) fn set_mounted(extensions: &mut Extensions, mounted: Mounted) {
        if let Some(state) = extensions.get_mut::<Self>() {
            state.mounted = mounted;
        }
    }

    /// The route that is called next.
    pub(crate) fn mounted(head: &Parts) -> Option<&Mounted> {
        head.extensions.get::<Self>().map(|state| &state.mounted)
    }

    /// The route that is called next, if it is of the engine of the request.
    pub(super) fn route_ahead(&self) -> Option<&ResolvedRoute> {
        let route = match &self.mounted {
            Mounted::Own => self.auth.own_route()?,
            Mounted::Route(route) => route,
            Mounted::Nothing | Mounted::Unresolved => return None,
        };
        Arc::ptr_eq(&route.engine, self.auth.engine()).then_some(route)
    }

    /// The route that is called next lets the request in, for this caller. Returns whether it does: not where the [`RequestAuth`] has come to
    /// a gate before, or a middleware has asked it.
    pub(super) fn admit_first(head: &mut Parts, caller: Option<Principal>, is_private: bool) -> bool {
        let Some(state) = head.extensions.get_mut::<Self>() else { return false };
        if !state.auth.admit_first(&state.mounted, caller.clone(), is_private) {
            return false;
        }
        if let (Some(caller), Some(route)) = (&caller, state.route_ahead()) {
            let path = route.policy.path.as_deref().unwrap_or_default();
            trace_allowed(
                Some(head.method.as_str()),
                path,
                route.policy.handler.name,
                Some(caller.subject()),
            );
        }
        (state.mounted, state.accepted, state.handed_over) = (Mounted::Nothing, Some(caller), None);
        true
    }

    /// A gate is reached: what one around it has accepted is not for what is behind this one, and no gate inside uses its route.
    pub(crate) fn reach_gate(head: &mut Parts) -> Option<(RequestAuth, Mounted)> {
        let state = head.extensions.get_mut::<Self>()?;
        (state.accepted, state.handed_over) = (None, None);
        Some((state.auth.clone(), std::mem::take(&mut state.mounted)))
    }

    /// The principal that the gate around this code has accepted, or which its check decides about; `None` if there is no gate. The
    /// inner `None` is an anonymous caller.
    pub(crate) fn accepted(head: &Parts) -> Option<Option<&Principal>> {
        head.extensions.get::<Self>()?.accepted.as_ref().map(Option::as_ref)
    }

    /// From now on, extractors find this one.
    pub(super) fn admit(head: &mut Parts, principal: Option<Principal>) {
        if let Some(state) = head.extensions.get_mut::<Self>() {
            state.accepted = Some(principal);
        }
    }

    /// From now on, extractors find neither a principal nor what a check has loaded.
    pub(super) fn withdraw(head: &mut Parts) {
        if let Some(state) = head.extensions.get_mut::<Self>() {
            (state.accepted, state.handed_over) = (None, None);
        }
    }

    /// From now on, the handler can take this.
    pub(super) fn hand_over(head: &mut Parts, value: Box<dyn Any + Send>) {
        if let Some(state) = head.extensions.get_mut::<Self>() {
            state.handed_over = Some(Arc::new(Mutex::new(Some(value))));
        }
    }

    /// What a check has loaded, once.
    pub(super) fn take_handed_over(head: &mut Parts) -> Option<Box<dyn Any + Send>> {
        let slot = head.extensions.get_mut::<Self>()?.handed_over.take()?;
        slot.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
