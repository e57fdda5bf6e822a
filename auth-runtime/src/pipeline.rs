//! The request pipeline. This is the one place that orders the steps.

mod check;
mod extract;
mod failure;
mod renewal;
mod request_auth;
mod route_policy;
mod steps;

use std::time::SystemTime;

use axum::http::request::Parts;

pub use self::check::{Check, CheckOutcome, IntoCheckOutcome, NamedCheck, NoCheck};
use self::extract::Credential;
#[cfg(feature = "test-util")]
pub(crate) use self::extract::InjectedPrincipal;
use self::failure::Failure;
pub use self::request_auth::RequestAuth;
pub(crate) use self::route_policy::RoutePolicy;
use crate::audit::AuditEvent;
use crate::engine::Engine;
use crate::policy::Access;
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind};

/// One request on one route.
struct Pipeline<'a> {
    auth: &'a RequestAuth,
    policy: &'a RoutePolicy<'a>,
    /// The time of the request: one for all steps.
    now: SystemTime,
}

impl<'a> Pipeline<'a> {
    /// From the request's head to the caller, or to the reason why it is rejected.
    async fn run<S: Sync, C: Check<S>>(
        &self,
        head: &mut Parts,
        state: &S,
    ) -> Result<Option<Principal>, Failure> {
        let Some(principal) = self.caller(head).await? else { return self.anonymous::<C>() };
        self.decide(head, &principal).await?;
        self.check::<S, C>(head, state, &principal).await?;
        Ok(Some(principal))
    }

    /// Who sent the request; `None` where no credential counts.
    async fn caller(&self, head: &Parts) -> Result<Option<Principal>, Failure> {
        #[cfg(feature = "test-util")]
        if let Some(token) = self.injected(head) {
            return self.identify(token.clone()).map(Some);
        }
        let extracted = self.extract(head)?;
        let Some(credential) = self.renew(head, extracted).await? else { return Ok(None) };
        let caller = self.authenticate(head, &credential);
        caller.map(Some).or_else(|failure| self.without(&credential, failure))
    }

    /// One credential → the caller that it is of.
    fn authenticate(&self, head: &Parts, credential: &Credential<'_>) -> Result<Principal, Failure> {
        self.origin(head, credential.source.carrier())?;
        let verified = self.verify(credential)?;
        self.in_time(credential, &verified)?;
        self.not_revoked(credential, &verified)?;
        Ok(verified.principal)
    }

    fn engine(&self) -> &'a Engine {
        self.auth.engine()
    }
}

/// Lets the request through and returns its caller, or rejects it. Reports the decision.
pub(crate) async fn authorize<S: Sync, C: Check<S>>(
    auth: &RequestAuth,
    head: &mut Parts,
    state: &S,
    policy: &RoutePolicy<'_>,
) -> Result<Option<Principal>, Rejection> {
    let decision = match policy.access {
        Access::Public if C::NAME.is_none() => Ok(None),
        _ => Pipeline { auth, policy, now: auth.engine().now() }.run::<S, C>(head, state).await,
    };
    report(auth, head, policy, &decision);
    decision.map_err(|failure| {
        let engine = auth.engine();
        let schemes = engine.authentication.sources.challenge_schemes(policy.sources());
        engine.responses.render(failure.rejection, &schemes, head)
    })
}

/// Rejects where no policy can be enforced, and reports it as any other rejection.
pub(crate) fn misconfigured(auth: &RequestAuth, head: &Parts, what: &'static str) -> Rejection {
    let failure = Failure::new(RejectionKind::Misconfigured, what);
    let decision = Err(failure);
    report(auth, head, &RoutePolicy::unknown(head), &decision);
    auth.engine().responses.render(Rejection::new(RejectionKind::Misconfigured), &[], head)
}

/// For an outer middleware, and for tracing and audit. A public route decides nothing: it is for the middleware alone.
fn report(
    auth: &RequestAuth,
    head: &Parts,
    policy: &RoutePolicy<'_>,
    decision: &Result<Option<Principal>, Failure>,
) {
    let (principal, rejection, reason) = match decision {
        Ok(principal) => (principal.as_ref(), None, "the rule is satisfied"),
        Err(failure) => (failure.principal.as_ref(), Some(failure.rejection.kind()), &*failure.reason),
    };
    auth.set_decision(principal, rejection);
    if policy.access == Access::Public && rejection.is_none() {
        return;
    }
    auth.engine().responses.report(&AuditEvent {
        principal,
        method: &head.method,
        route: &policy.route,
        handler: policy.handler.name,
        rejection,
        reason,
    });
}
