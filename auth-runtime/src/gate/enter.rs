//! The gate without the type of its handler: it finds the policy, and runs the request pipeline with it.

use std::any::TypeId;
use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::request::Parts;

use crate::catch_panic::{Panic, catch_panic};
use crate::engine::{RoutePolicy, UnmountedHandler};
use crate::pipeline::{self, Decided, HandedOver, HeadState, Mounted, RequestAuth, ResolvedRoute};
use crate::rejection::{Rejection, misconfigured};

/// A gate that a request has reached.
pub(super) struct Gate {
    auth: RequestAuth,
    policy: PolicyOf,
}

/// What the gate enforces.
enum PolicyOf {
    /// That of the route which has made the [`RequestAuth`].
    Own,
    Route(Arc<ResolvedRoute>),
    Unmounted(Arc<RoutePolicy>),
}

impl Gate {
    /// That of a handler.
    pub(super) fn of_handler(head: &mut Parts, handler: &UnmountedHandler) -> Result<Self, Rejection> {
        let (auth, mounted) = reach(head)?;
        let policy = match mounted {
            Mounted::Nothing => match unmounted(&auth, handler) {
                Ok(policy) => policy.map(PolicyOf::Unmounted),
                Err(panic) => {
                    let what = format!("the `name`, the `carrier` or the `location` of a source {panic}");
                    return Err(pipeline::misconfigured(&auth, head, what));
                }
            },
            mounted => PolicyOf::mounted(&auth, mounted, Some(handler.policy_type)),
        };
        Self::with(auth, policy, head)
    }

    /// That of a service, which its rule is beside.
    pub(super) fn of_service(head: &mut Parts) -> Result<Self, Rejection> {
        let (auth, mounted) = reach(head)?;
        let policy = PolicyOf::mounted(&auth, mounted, None);
        Self::with(auth, policy, head)
    }

    fn with(auth: RequestAuth, policy: Option<PolicyOf>, head: &Parts) -> Result<Self, Rejection> {
        match policy {
            Some(policy) => Ok(Self { auth, policy }),
            None => Err(pipeline::misconfigured(&auth, head, NOTHING)),
        }
    }

    /// From the request's head to the decision of the rule, without waiting; `None` if something must be waited for.
    pub(super) fn decide_at_once(&self, head: &mut Parts, has_check: bool) -> Option<Decided> {
        pipeline::decide_at_once(&self.auth, head, self.policy()?, has_check)
    }

    /// The same, which waits where it must.
    pub(super) fn decide<'r>(
        &'r self,
        head: &'r mut Parts,
    ) -> Pin<Box<dyn Future<Output = Decided> + Send + 'r>> {
        match self.policy() {
            Some(policy) => pipeline::decide(&self.auth, head, policy),
            None => Box::pin(ready(Decided::misconfigured(NOTHING))),
        }
    }

    /// Lets the request through or rejects it, and reports that.
    pub(super) fn conclude(&self, head: &mut Parts, decided: Decided) -> Result<HandedOver, Rejection> {
        match self.policy() {
            Some(policy) => decided.conclude(&self.auth, head, policy),
            None => Err(pipeline::misconfigured(&self.auth, head, NOTHING)),
        }
    }

    /// The same for a handler, which is handed what its check has loaded if it takes that. Otherwise it would stay in the request, for
    /// whatever the handler passes that on to.
    pub(super) fn conclude_and_hand_over(
        &self,
        head: &mut Parts,
        decided: Decided,
        takes_checked: bool,
    ) -> Result<(), Rejection> {
        let handed_over = self.conclude(head, decided)?;
        if takes_checked {
            handed_over.hand_to(head);
        }
        Ok(())
    }

    pub(super) fn auth(&self) -> &RequestAuth {
        &self.auth
    }

    /// `None` would be an error of this library, and rejects the request.
    fn policy(&self) -> Option<&RoutePolicy> {
        match &self.policy {
            PolicyOf::Own => self.auth.own_route().map(|route| &route.policy),
            PolicyOf::Route(route) => Some(&route.policy),
            PolicyOf::Unmounted(policy) => Some(policy),
        }
    }
}

impl PolicyOf {
    /// That of a mounted route, if it is the route of a policy of this type, and of the engine of the request.
    fn mounted(auth: &RequestAuth, mounted: Mounted, policy_type: Option<TypeId>) -> Option<Self> {
        let is_served = |route: &ResolvedRoute| {
            route.policy_type == policy_type && Arc::ptr_eq(&route.engine, auth.engine())
        };
        match mounted {
            Mounted::Own => auth.own_route().is_some_and(|route| is_served(route)).then_some(Self::Own),
            Mounted::Route(route) => is_served(&route).then_some(Self::Route(route)),
            Mounted::Nothing | Mounted::Unresolved => None,
        }
    }
}

fn reach(head: &mut Parts) -> Result<(RequestAuth, Mounted), Rejection> {
    HeadState::reach_gate(head).ok_or_else(|| {
        misconfigured(
            "a guarded route was called without the layer of `Auth`: build the app with `auth_runtime::Router` and \
             `.finish(&auth)`, or add `.layer(auth.layer())` to the `axum::Router`",
        )
    })
}

/// The policy of a handler that no guarded router mounted. It asks the sources for their names, which the application may implement.
fn unmounted(auth: &RequestAuth, handler: &UnmountedHandler) -> Result<Option<Arc<RoutePolicy>>, Panic> {
    auth.begin_gate();
    let engine = auth.engine();
    catch_panic(|| engine.authorization.unmounted(handler, &engine.authentication.sources))
}

const NOTHING: &str = "a guarded route can't be served: its router was not finished, or a layer of another engine is between the router \
                       and the route, or its rule names a source that the engine does not have or contradicts the engine's vocabulary: \
                       call `.finish(&auth)` on the guarded router, whose error says which, or see the first log line of this route";
