//! The request pipeline. This is the one place that orders the steps.

mod accepted;
mod after;
mod asked;
mod authenticator;
mod check;
mod checked;
mod extract;
mod failure;
mod renewal;
mod request_auth;
mod route_policy;
mod steps;
mod user;
mod verify_with;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::request::Parts;

pub(crate) use self::accepted::AcceptedPrincipal;
pub(crate) use self::after::answer_after_gate;
use self::asked::Authenticators;
pub(crate) use self::asked::{Asker, CallerAnswer, GuardedRoutes};
pub use self::check::{
    Check, CheckError, CheckOutcome, DeclaredCheck, FunctionWithoutCheck, IntoCheckOutcome, NamedCheck,
    NamesCheck, NoCheck,
};
pub(crate) use self::checked::withdraw_handed_over;
pub use self::checked::{Checked, Gives, HandedOver};
#[cfg(feature = "test-util")]
pub(crate) use self::extract::InjectedPrincipal;
use self::extract::{Credential, Extraction};
use self::failure::Failure;
pub(crate) use self::request_auth::AnswerHeaders;
use self::request_auth::Decided;
pub use self::request_auth::RequestAuth;
pub(crate) use self::request_auth::Stage;
pub(crate) use self::route_policy::RoutePolicy;
use crate::audit::AuditEvent;
use crate::catch_panic::catch_panic_of;
use crate::engine::{Engine, is_access_cookie};
use crate::policy::Access;
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind};

/// One request on one route.
struct Pipeline<'a> {
    auth: &'a RequestAuth,
    policy: &'a RoutePolicy<'a>,
    /// The time of the request: one for all steps.
    now: SystemTime,
    authenticators: Authenticators<'a>,
}

impl<'a> Pipeline<'a> {
    /// From the request's head to the decision. Sets the caller as soon as it is known.
    async fn run<S: Sync, C: Check<S>>(
        &self,
        head: &mut Parts,
        state: &S,
        caller: &mut Option<Principal>,
    ) -> Result<HandedOver, Failure> {
        let Some(principal) = self.caller_once(head).await? else {
            return self.anonymous::<C>().map(|()| HandedOver::default());
        };
        let principal = caller.insert(principal);
        self.decide(head, principal).await?;
        self.check::<S, C>(head, state, principal).await
    }

    /// Who sent the request; `None` where no credential counts.
    async fn caller(&self, head: &Parts) -> Result<Option<Principal>, Failure> {
        #[cfg(feature = "test-util")]
        if let Some(token) = self.injected(head) {
            return self.with_user(self.auth.engine().identify(token.clone())?).await.map(Some);
        }
        // The sources whose authenticators say that what was found is no credential.
        let mut empty = Vec::new();
        while let Some(credential) = self.credential(head, &empty).await? {
            let principal = match self.authenticate(head, &credential).await {
                Ok(Some(principal)) => principal,
                Ok(None) => {
                    empty.push(credential.index);
                    continue;
                }
                // What was issued just now and is refused is a fault of the service.
                Err(failure) if credential.is_renewed => return Err(failure),
                Err(failure) => return self.without(credential.source, failure),
            };
            return match self.with_user(principal).await {
                Ok(principal) => {
                    self.keep_from_shared_caches(credential.source);
                    Ok(Some(principal))
                }
                Err(failure) => self.without(credential.source, failure),
            };
        }
        Ok(None)
    }

    /// The one credential that counts, of other sources than these; `None` where there is none, or an invalid one counts as absent.
    async fn credential<'r>(
        &self,
        head: &'r Parts,
        empty: &[usize],
    ) -> Result<Option<Credential<'r>>, Failure>
    where
        'a: 'r,
    {
        let (extracted, invalid) = match self.extract(head, empty)? {
            Extraction::Nothing => (None, None),
            Extraction::Credential(credential) => (Some(credential), None),
            Extraction::Invalid(source, failure) => {
                self.origin(head, source.carrier())?;
                // An access cookie that is empty or has forbidden characters belongs to no caller, so the session may be renewed.
                let is_unusable = failure.rejection.kind() == RejectionKind::InvalidToken;
                if !(is_unusable && is_access_cookie(source)) {
                    return self.without(source, failure).map(|_| None);
                }
                (None, Some((source, failure)))
            }
        };
        match self.renew(head, extracted).await? {
            None => invalid.map_or(Ok(None), |(source, failure)| self.without(source, failure).map(|_| None)),
            credential => Ok(credential),
        }
    }

    /// One credential → the caller that it is of; `None` if its authenticator says that it is none.
    async fn authenticate(
        &self,
        head: &Parts,
        credential: &Credential<'_>,
    ) -> Result<Option<Principal>, Failure> {
        self.origin(head, credential.source.carrier())?;
        if let Some(scheme) = self.engine().authentication.sources.scheme(credential.index) {
            return self.judge(scheme, head, credential).await;
        }
        let Credential { text, remembered, now, .. } = credential;
        Ok(Some(self.auth.engine().caller_of(text, remembered.as_deref(), *now).await?))
    }

    fn engine(&self) -> &'a Engine {
        self.auth.engine()
    }
}

/// Lets the request through, for the caller that its extensions then have, or rejects it. Reports the decision. A panic of the
/// application's code is a rejection. Returns what the check has for the handler.
pub(crate) async fn authorize<S: Sync, C: Check<S>>(
    auth: &RequestAuth,
    head: &mut Parts,
    state: &S,
    policy: &RoutePolicy<'_>,
) -> Result<HandedOver, Rejection> {
    let mut caller = None;
    let steps = async {
        match policy.access {
            Access::Public if C::NAME.is_none() => Ok(HandedOver::default()),
            _ => {
                auth.set_sources(&policy.sources);
                let authenticators = Authenticators::All;
                let pipeline = Pipeline { auth, policy, now: auth.engine().now(), authenticators };
                pipeline.run::<S, C>(head, state, &mut caller).await
            }
        }
    };
    let decision = match catch_panic_of(steps).await {
        Ok(decision) => decision,
        Err(panic) => Err(Failure::panicked(caller.as_ref().and(C::NAME), &panic)),
    };
    match report(auth, head, policy, caller.as_ref(), decision) {
        Ok(handed_over) => {
            AcceptedPrincipal::admit(head, caller);
            Ok(handed_over)
        }
        Err(failure) => {
            // A check may have found it.
            AcceptedPrincipal::withdraw(head);
            Err(auth.render_of_gate(failure.rejection, head))
        }
    }
}

/// Rejects where no policy can be enforced, and reports it as any other rejection.
pub(crate) fn misconfigured(
    auth: &RequestAuth,
    head: &Parts,
    what: impl Into<Cow<'static, str>>,
) -> Rejection {
    let decision: Result<(), _> = Err(Failure::new(RejectionKind::Misconfigured, what));
    // It is this rejection, whether the audit hook panics or not.
    let _ = report(auth, head, &RoutePolicy::unknown(head), None, decision);
    auth.render_of_gate(Rejection::new(RejectionKind::Misconfigured), head)
}

/// For an outer middleware, and for tracing and audit. A public route decides nothing: it is for the middleware alone. Returns
/// the decision, which is a rejection if the audit hook panics.
fn report<T>(
    auth: &RequestAuth,
    head: &Parts,
    policy: &RoutePolicy<'_>,
    caller: Option<&Principal>,
    decision: Result<T, Failure>,
) -> Result<T, Failure> {
    let audit_log = &auth.engine().responses.audit_log;
    // For the hook alone: without one it is not looked for.
    let client_address = if audit_log.has_hook() { auth.engine().client_address(head) } else { None };
    let decided = Decided {
        principal: caller.cloned(),
        route: Arc::clone(&policy.route),
        handler: Some(policy.handler),
        client_address,
    };
    let event = decided.event(&head.method);
    let event = match &decision {
        Ok(_) => event,
        Err(Failure { rejection, reason, .. }) => {
            AuditEvent { is_provoked: rejection.is_provoked(), ..event.failed(rejection.kind(), reason) }
        }
    };
    let rejection = event.rejection;
    let is_undecided = policy.access == Access::Public && rejection.is_none();
    let reported = if is_undecided { Ok(()) } else { audit_log.report(&event) };
    match reported {
        Ok(()) => {
            auth.set_decision(decided, rejection);
            decision
        }
        Err(panic) => {
            auth.set_decision(decided, Some(RejectionKind::Misconfigured));
            Err(Failure::new(RejectionKind::Misconfigured, panic.to_string()))
        }
    }
}
