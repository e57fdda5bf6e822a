//! The gate: the argument that `#[auth]` puts before the handler's own arguments, and the extractors that run after it.
//!
//! | file | purpose |
//! |---|---|
//! | `argument` | what is known of the arguments of a function |
//! | `caller` | [`Caller`], for a middleware around a route |
//! | `carries_policy` | which handlers carry a policy |
//! | `enter` | the gate as the pipeline is run by it |
//! | `extract` | `Principal` and [`Claims`] as arguments of a handler |
//! | `client_address` | [`ClientAddress`] as an argument of a handler |
//! | `user` | [`User`] as an argument of a handler or a check |
//! | `session_data` | [`SessionData`](crate::session::SessionData) as an argument of a handler or a check |
//! | `same_origin` | [`SameOrigin`] as an argument of a handler |
//! | `return_to` | [`ReturnTo`], the way back from the login page |
//! | `layer` | the layer that gives every request what its gate needs |
//! | `mounted` | a route with its policy, which the router lists and the gate enforces |
//! | `guarded_service` | a gate around a service |

mod argument;
mod caller;
mod carries_policy;
mod client_address;
mod enter;
mod extract;
mod guarded_service;
mod layer;
mod mounted;
mod return_to;
mod same_origin;
mod session_data;
mod user;

use std::any::TypeId;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use pin_project_lite::pin_project;

pub use self::argument::{Argument, BeforeTheCaller};
pub use self::caller::Caller;
pub use self::carries_policy::CarriesPolicy;
pub use self::client_address::ClientAddress;
use self::enter::Gate;
pub use self::extract::Claims;
pub(crate) use self::guarded_service::{GateLayer, GuardedService};
pub use self::layer::{AuthFuture, AuthLayer, AuthService};
pub(crate) use self::mounted::{MountedHandler, MountedRoute};
pub use self::return_to::ReturnTo;
pub use self::same_origin::SameOrigin;
pub use self::user::User;
pub(crate) use self::user::missing_store;
use crate::engine::UnmountedHandler;
use crate::pipeline::{Check, NoCheck, let_in};
use crate::policy::Policy;
use crate::rejection::Rejection;

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

    fn from_request_parts(
        head: &mut Parts,
        state: &S,
    ) -> impl Future<Output = Result<Self, Rejection>> + Send {
        let handler = const {
            &UnmountedHandler { policy_type: TypeId::of::<P>(), rule: P::RULE, handler: P::HANDLER }
        };
        EnterFuture { entering: enter::<S, C>(head, state, handler, P::TAKES_CHECKED), marker: PhantomData }
    }
}

pin_project! {
    /// The future of the gate of one handler. With it, all that is compiled for each handler is here.
    struct EnterFuture<F, P, C> {
        #[pin]
        entering: F,
        marker: PhantomData<fn() -> (P, C)>,
    }
}

impl<F, P, C> Future for EnterFuture<F, P, C>
where
    F: Future<Output = Result<(), Rejection>>,
{
    type Output = Result<Authorized<P, C>, Rejection>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().entering.poll(context).map_ok(|()| Authorized { marker: PhantomData })
    }
}

/// The gate without the type of the policy: compiled for each state and each check, and not for each handler.
async fn enter<S: Sync, C: Check<S>>(
    head: &mut Parts,
    state: &S,
    handler: &'static UnmountedHandler,
    takes_checked: bool,
) -> Result<(), Rejection> {
    match enter_or_wait::<S, C>(head, state, handler, takes_checked) {
        Ok(None) => Ok(()),
        Ok(Some(waiting)) => waiting.await,
        Err(rejection) => Err(rejection),
    }
}

/// What the gate waits for. It does not name what it holds: for each handler, the compiler would prove anew that all of that is `Send`.
type Waiting<'r> = Pin<Box<dyn Future<Output = Result<(), Rejection>> + Send + 'r>>;

/// Lets the request through, or returns what must be waited for, or rejects it.
fn enter_or_wait<'r, S: Sync, C: Check<S>>(
    head: &'r mut Parts,
    state: &'r S,
    handler: &'static UnmountedHandler,
    takes_checked: bool,
) -> Result<Option<Waiting<'r>>, Rejection> {
    if C::NAME.is_none() && let_in(head, Some(handler.policy_type)) {
        return Ok(None);
    }
    let gate = Gate::of_handler(head, handler)?;
    let decided = match gate.decide_at_once(head, C::NAME.is_some()) {
        Some(decided) if C::NAME.is_none() => {
            gate.conclude_and_hand_over(head, decided, takes_checked)?;
            return Ok(None);
        }
        decided => decided,
    };
    Ok(Some(Box::pin(async move {
        let decided = match decided {
            Some(decided) => decided,
            None => gate.decide(head).await,
        };
        let decided = match C::NAME {
            Some(_) => decided.checked::<S, C>(gate.auth(), head, state).await,
            None => decided,
        };
        gate.conclude_and_hand_over(head, decided, takes_checked)
    })))
}
