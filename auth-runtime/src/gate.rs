//! The gate: the argument that `#[auth]` puts before the handler's own arguments, and the extractors that run after it.
//!
//! | file | purpose |
//! |---|---|
//! | `argument` | what is known of the arguments of a function |
//! | `caller` | [`Caller`], for a middleware around a route |
//! | `carries_policy` | which handlers carry a policy |
//! | `extract` | `Principal` and [`Claims`] as arguments of a handler |
//! | `client_address` | [`ClientAddress`] as an argument of a handler |
//! | `user` | [`User`] as an argument of a handler or a check |
//! | `same_origin` | [`SameOrigin`] as an argument of a handler |
//! | `return_to` | [`ReturnTo`], the way back from the login page |
//! | `layer` | the layer that gives every request what its gate needs |
//! | `mounted` | a route with its policy, which the router lists and the gate enforces |
//! | `guarded_service` | a gate around a service |

mod argument;
mod caller;
mod carries_policy;
mod client_address;
mod extract;
mod guarded_service;
mod layer;
mod mounted;
mod return_to;
mod same_origin;
mod user;

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

pub use self::argument::{Argument, BeforeTheCaller};
pub use self::caller::Caller;
pub use self::carries_policy::CarriesPolicy;
pub use self::client_address::ClientAddress;
pub use self::extract::Claims;
pub(crate) use self::guarded_service::{GateLayer, GuardedService};
pub use self::layer::{AuthFuture, AuthLayer, AuthService};
pub(crate) use self::mounted::{MountedHandler, MountedRoute, ResolvedPolicy};
pub use self::return_to::ReturnTo;
pub use self::same_origin::SameOrigin;
pub use self::user::User;
pub(crate) use self::user::missing_store;
use crate::catch_panic::catch_panic;
use crate::engine::Engine;
use crate::pipeline::{
    self, AcceptedPrincipal, Check, HandedOver, NoCheck, RequestAuth, RoutePolicy, withdraw_handed_over,
};
use crate::policy::Policy;
use crate::rejection::{Rejection, misconfigured};

/// Proof that the rule `P` and the check `C` are satisfied. `#[auth]` adds it as the first argument of a handler.
///
/// axum runs extractors from left to right and the body's last, so the gate rejects a request before another extractor runs, and
/// before any of the body is read.
pub struct Authorized<P, C = NoCheck> {
    marker: PhantomData<fn() -> (P, C)>,
}

#[cfg(feature = "test-util")]
impl<P, C> Authorized<P, C> {
    /// Returns an argument for a guarded handler that a unit test calls as a function: `purge(Authorized::for_test(),
    /// user)`. No rule is evaluated.
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
        // The guarded router inserted it just before this call. It is removed, so that no gate inside of this one uses it.
        let mounted = head.extensions.remove::<Arc<MountedRoute>>();
        let handed_over = enter::<S, C>(head, state, |engine, head| match mounted.as_deref() {
            Some(route) => route.policy(engine, head).filter(|_| route.is_of::<P>()),
            None => RoutePolicy::unmounted::<P>(engine, head),
        })
        .await?;
        // Otherwise it would stay in the request, for whatever this handler passes that on to.
        if P::TAKES_CHECKED {
            handed_over.hand_to(head);
        }
        Ok(Self { marker: PhantomData })
    }
}

/// Runs the request pipeline with the policy that `policy` returns for the engine. Returns what the check has for the handler; an
/// error is the rejection of the request.
pub(crate) async fn enter<'p, S: Sync, C: Check<S>>(
    head: &mut Parts,
    state: &S,
    policy: impl FnOnce(&Arc<Engine>, &Parts) -> Option<RoutePolicy<'p>>,
) -> Result<HandedOver, Rejection> {
    // What a gate around this one has accepted is not for what is behind this one.
    AcceptedPrincipal::withdraw(head);
    withdraw_handed_over(head);
    let Some(auth) = RequestAuth::of(head).cloned() else {
        return Err(misconfigured(
            "a guarded route was called without the layer of `Auth`: build the app with `auth_runtime::Router` and \
             `.finish(&auth)`, or add `.layer(auth.layer())` to the `axum::Router`",
        ));
    };
    auth.begin_gate();
    // It asks the sources for their names, which the application may implement.
    let policy = match catch_panic(|| policy(auth.engine(), head)) {
        Ok(policy) => policy,
        Err(panic) => {
            let what = format!("the `name`, the `carrier` or the `location` of a source {panic}");
            return Err(pipeline::misconfigured(&auth, head, what));
        }
    };
    let Some(policy) = policy else {
        return Err(pipeline::misconfigured(
            &auth,
            head,
            "a guarded route can't be served: its router was not finished, or was finished with another engine than that \
             of the nearest layer, or its rule names a source that the engine does not have or contradicts the engine's \
             vocabulary: call `.finish(&auth)` on the guarded router, whose error says which, or see the first log line of \
             this route",
        ));
    };
    pipeline::authorize::<S, C>(&auth, head, state, &policy).await
}
