//! The way of a request. This is the one place that orders the steps.

mod gate_policy;
mod refused;
mod renew;
mod steps;

use axum::http::request::Parts;

pub(crate) use self::gate_policy::{GatePolicy, UnmountedPolicies};
use self::refused::Refused;
use self::renew::renewed;
use self::steps::{Credential, Step};
use crate::audit::{AuditDecision, AuditEvent};
use crate::gate::Check;
use crate::policy::Access;
use crate::principal::{Admitted, Principal};
use crate::rejection::{Rejection, RejectionKind};
use crate::request_auth::{Outcome, RequestAuth};

/// Lets the request through, with the caller in its extensions, or refuses it.
pub(crate) async fn authorize<S: Sync, C: Check<S>>(
    auth: &RequestAuth,
    head: &mut Parts,
    state: &S,
    policy: &GatePolicy<'_>,
) -> Result<(), Rejection> {
    let decision = match policy.access {
        Access::Public if C::NAME.is_none() => Ok(None),
        _ => way::<S, C>(&Step { auth, policy, now: auth.engine().now() }, head, state).await,
    };
    report(auth, head, policy, &decision);
    match decision {
        Ok(principal) => {
            head.extensions.insert(Admitted(principal));
            Ok(())
        }
        Err(refused) => {
            let engine = auth.engine();
            let schemes = engine.challenge_schemes(policy.sources());
            Err(refused.refusal.render(engine.realm(), &schemes, engine.render_hook(), head))
        }
    }
}

/// Refuses where no policy can be enforced, and says so wherever a refusal is told.
pub(crate) fn misconfigured(auth: &RequestAuth, head: &Parts, what: &'static str) -> Rejection {
    let refused = Refused::new(RejectionKind::Misconfigured, what);
    let policy = GatePolicy::unknown(head);
    let refusal = refused.refusal.clone();
    report(auth, head, &policy, &Err(refused));
    refusal.render(auth.engine().realm(), &[], auth.engine().render_hook(), head)
}

/// From the request's head to the caller, or to the reason why it is refused.
async fn way<S: Sync, C: Check<S>>(
    step: &Step<'_>,
    head: &mut Parts,
    state: &S,
) -> Result<Option<Principal>, Refused> {
    let Some(principal) = caller(step, head).await? else { return step.nobody::<C>() };
    step.decide(head, &principal).await?;
    step.check::<S, C>(head, state, &principal).await?;
    Ok(Some(principal))
}

/// Who sent the request; `None` where no credential counts.
async fn caller(step: &Step<'_>, head: &Parts) -> Result<Option<Principal>, Refused> {
    #[cfg(feature = "test-util")]
    if let Some(token) = crate::testing::injected(step.auth.engine(), head) {
        return step.identify(token.clone()).map(Some);
    }
    let credential = step.extract(head)?;
    let found = credential.as_ref().map(|credential| known(step, head, credential)).transpose();
    match renewed(step, head, credential.as_ref(), &found).await? {
        Some(principal) => Ok(Some(principal)),
        None => found.or_else(|refused| step.without(credential.as_ref(), refused)),
    }
}

/// One credential → whom it is of.
fn known(step: &Step<'_>, head: &Parts, credential: &Credential<'_>) -> Result<Principal, Refused> {
    step.origin(head, credential.source.carrier())?;
    let caller = step.verify(credential)?;
    step.in_time(&caller)?;
    step.not_revoked(credential, &caller)?;
    Ok(caller.principal)
}

/// One tracing event, one call of the audit hook, and the outcome for an outer middleware. A public route decides
/// nothing: it has the outcome alone.
fn report(
    auth: &RequestAuth,
    head: &Parts,
    policy: &GatePolicy<'_>,
    result: &Result<Option<Principal>, Refused>,
) {
    let (principal, decision, reason) = match result {
        Ok(principal) => (principal.as_ref(), AuditDecision::Allowed, "the rule is kept"),
        Err(refused) => (
            refused.principal.as_ref(),
            AuditDecision::Refused { status: refused.refusal.status(), code: refused.refusal.code() },
            &*refused.reason,
        ),
    };
    auth.set_outcome(Outcome { principal: principal.cloned(), decision });
    if policy.access == Access::Public && result.is_ok() {
        return;
    }
    let event = AuditEvent {
        principal,
        method: &head.method,
        route: &policy.route,
        handler: policy.handler.name,
        decision,
        reason,
    };
    let subject = principal.map(Principal::subject);
    let (method, route, handler) = (event.method.as_str(), event.route, event.handler);
    match decision {
        AuditDecision::Allowed => {
            tracing::debug!(method, route, handler, subject, reason, "auth: allowed");
        }
        AuditDecision::Refused { status, code } if status.is_server_error() => {
            tracing::error!(
                method,
                route,
                handler,
                subject,
                status = status.as_u16(),
                code,
                reason,
                "auth: refused"
            );
        }
        AuditDecision::Refused { status, code } => {
            tracing::info!(
                method,
                route,
                handler,
                subject,
                status = status.as_u16(),
                code,
                reason,
                "auth: refused"
            );
        }
    }
    if let Some(hook) = auth.engine().audit_hook() {
        hook(&event);
    }
}
