//! The request pipeline. This is the one place that orders the steps; [`known`] takes some of them alone, for most requests.

mod after;
mod answer;
mod asked;
mod authenticator;
mod check;
mod checked;
mod extract;
mod failure;
mod head_state;
mod known;
mod renewal;
mod request_auth;
mod resolved_route;
mod steps;
mod user;
mod verify_with;
mod watched;

use std::borrow::Cow;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use axum::http::request::Parts;

pub(crate) use self::after::answer_after_gate;
pub(crate) use self::answer::{AnswerTo, begin};
use self::asked::Authenticators;
pub(crate) use self::asked::{Asker, CallerAnswer, GuardedRoutes};
pub use self::check::{
    Check, CheckError, CheckOutcome, DeclaredCheck, FunctionWithoutCheck, IntoCheckOutcome, NamedCheck,
    NamesCheck, NoCheck,
};
pub use self::checked::{Checked, Gives, HandedOver};
#[cfg(feature = "test-util")]
pub(crate) use self::extract::InjectedPrincipal;
use self::extract::{Credential, Extraction};
use self::failure::Failure;
pub(crate) use self::head_state::{HeadState, Mounted};
pub(crate) use self::known::let_in;
pub use self::request_auth::RequestAuth;
pub(crate) use self::request_auth::Stage;
pub(crate) use self::resolved_route::ResolvedRoute;
use self::resolved_route::path_of;
use crate::audit::{AuditAction, AuditEvent, trace_allowed};
use crate::catch_panic::{catch_panic, catch_panic_of};
use crate::engine::{Engine, RoutePolicy, is_access_cookie};
use crate::policy::{Access, HandlerInfo};
use crate::principal::Principal;
use crate::rejection::{Rejection, RejectionKind};

/// What is waited for. It is in a box: most requests wait for nothing, and their future is not larger for it.
type BoxFuture<'r, T> = Pin<Box<dyn Future<Output = T> + Send + 'r>>;

/// One request on one route.
struct Pipeline<'a> {
    auth: &'a RequestAuth,
    policy: &'a RoutePolicy,
    /// The time of the request: one for all steps.
    now: SystemTime,
    authenticators: Authenticators<'a>,
    /// Whether it may wait. Where it may not, and must, it ends, and is run again from its beginning.
    may_wait: bool,
}

impl<'a> Pipeline<'a> {
    /// From the request's head to the decision of the rule. Sets the caller as soon as it is known.
    async fn run(&self, head: &mut Parts, caller: &mut Option<Principal>) -> Result<(), Failure> {
        let Some(principal) = self.caller_once(head).await? else { return self.anonymous() };
        self.decide(head, caller.insert(principal))
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
            let engine = self.engine();
            let with_user =
                if engine.users.is_some() { self.with_user(principal).await } else { Ok(principal) };
            return match with_user {
                Ok(principal) => {
                    if engine.authentication.sources.is_private(credential.index) {
                        self.auth.set_private();
                    }
                    Ok(Some(principal))
                }
                Err(failure) => self.without(credential.source, failure),
            };
        }
        Ok(None)
    }

    /// The one credential that counts, of other sources than these; `None` where there is none, or an invalid one counts as absent.
    async fn credential<'r>(
        &'r self,
        head: &'r Parts,
        empty: &[usize],
    ) -> Result<Option<Credential<'r>>, Failure> {
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
        if self.may_renew()
            && let Some(renewal) = self.renewal(head, extracted.as_ref())?
        {
            self.wait()?;
            if let Some(renewed) = self.renew(head, renewal).await? {
                return Ok(Some(renewed));
            }
        }
        match invalid {
            None => Ok(extracted),
            Some((source, failure)) => self.without(source, failure).map(|_| None),
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
        let (engine, remembered) = (self.auth.engine(), remembered.as_ref());
        if !self.may_wait {
            let known = engine.caller_at_once(text, remembered, *now);
            return Ok(Some(known.ok_or_else(Failure::needs_to_wait)??));
        }
        Ok(Some(engine.caller_of(text, remembered, *now).await?))
    }

    /// Something must be waited for from here on.
    fn wait(&self) -> Result<(), Failure> {
        if self.may_wait { Ok(()) } else { Err(Failure::needs_to_wait()) }
    }

    fn engine(&self) -> &'a Engine {
        self.auth.engine()
    }
}

/// What was decided on a request, before it is reported.
pub(crate) struct Decided {
    caller: Option<Principal>,
    result: Result<HandedOver, Failure>,
}

/// From the request's head to the decision of the rule, without waiting; `None` if something must be waited for. Nothing is allocated for it. A
/// panic of the application's code is a failure. `has_check`: a check decides after it.
pub(crate) fn decide_at_once(
    auth: &RequestAuth,
    head: &mut Parts,
    policy: &RoutePolicy,
    has_check: bool,
) -> Option<Decided> {
    if policy.access == Access::Public && !has_check {
        return Some(Decided { caller: None, result: Ok(HandedOver::default()) });
    }
    auth.begin_gate_of(policy);
    let mut caller = None;
    let polled = catch_panic(|| {
        let pipeline = Pipeline::new(auth, policy, false);
        pin!(pipeline.run(head, &mut caller)).poll(&mut Context::from_waker(Waker::noop()))
    });
    let result = match polled {
        Ok(Poll::Ready(Err(failure))) if failure.is_of_waiting() => return None,
        Ok(Poll::Ready(result)) => result,
        Ok(Poll::Pending) => return None,
        Err(panic) => Err(Failure::panicked(None, &panic)),
    };
    Some(Decided::new(result, caller))
}

/// The same, which waits where it must. It begins again: what was extracted and looked up so far is extracted and looked up once more.
pub(crate) fn decide<'r>(
    auth: &'r RequestAuth,
    head: &'r mut Parts,
    policy: &'r RoutePolicy,
) -> BoxFuture<'r, Decided> {
    Box::pin(async move {
        let mut caller = None;
        let result = catch_panic_of(async {
            let pipeline = Pipeline::new(auth, policy, true);
            pipeline.run(head, &mut caller).await
        });
        let result = result.await.unwrap_or_else(|panic| Err(Failure::panicked(None, &panic)));
        Decided::new(result, caller)
    })
}

impl<'a> Pipeline<'a> {
    fn new(auth: &'a RequestAuth, policy: &'a RoutePolicy, may_wait: bool) -> Self {
        Self { auth, policy, now: auth.engine().now(), authenticators: Authenticators::All, may_wait }
    }
}

impl Decided {
    /// Nothing can be enforced.
    pub(crate) fn misconfigured(what: &'static str) -> Self {
        Self::new(Err(Failure::new(RejectionKind::Misconfigured, what)), None)
    }

    fn new(result: Result<(), Failure>, caller: Option<Principal>) -> Self {
        Self { caller, result: result.map(|()| HandedOver::default()) }
    }

    /// The application's own check decides too, if the rule is satisfied.
    pub(crate) async fn checked<S: Sync, C: Check<S>>(
        self,
        auth: &RequestAuth,
        head: &mut Parts,
        state: &S,
    ) -> Self {
        let Self { caller, result: Ok(_) } = self else { return self };
        let result = match &caller {
            // A check is about a caller, so a route with one needs a credential.
            None => Err(Failure::new(RejectionKind::Unauthenticated, "no credential was sent")),
            Some(principal) => catch_panic_of(steps::check::<S, C>(auth, head, state, principal))
                .await
                .unwrap_or_else(|panic| Err(Failure::panicked(C::NAME, &panic))),
        };
        Self { caller, result }
    }

    /// Lets the request through, for the caller that its head then has, or rejects it. Reports the decision. Returns what the check has
    /// for the handler.
    pub(crate) fn conclude(
        self,
        auth: &RequestAuth,
        head: &mut Parts,
        policy: &RoutePolicy,
    ) -> Result<HandedOver, Rejection> {
        let Self { caller, result } = self;
        match report(auth, head, policy, caller.as_ref(), result) {
            Ok(handed_over) => {
                HeadState::admit(head, caller);
                Ok(handed_over)
            }
            Err(failure) => {
                // A check may have found it.
                HeadState::withdraw(head);
                Err(auth.render_of_gate(failure.rejection, head))
            }
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
    let _ = report(auth, head, &unknown_policy(), None, decision);
    auth.render_of_gate(Rejection::new(RejectionKind::Misconfigured), head)
}

/// Of a route of which nothing is known but that it must not be entered.
fn unknown_policy() -> RoutePolicy {
    RoutePolicy {
        access: Access::Authenticated,
        rules: Vec::new(),
        sources: Arc::default(),
        handler: HandlerInfo::new("[unknown]", "", 0),
        path: None,
    }
}

/// For an outer middleware, and for tracing and audit. A public route decides nothing: it is for the middleware alone. Returns
/// the decision, which is a rejection if the audit hook panics.
fn report<T>(
    auth: &RequestAuth,
    head: &Parts,
    policy: &RoutePolicy,
    caller: Option<&Principal>,
    decision: Result<T, Failure>,
) -> Result<T, Failure> {
    let is_undecided = policy.access == Access::Public && decision.is_ok();
    let client_address = auth.heard_address(head);
    let audit_log = &auth.engine().responses.audit_log;
    if decision.is_ok() && (is_undecided || !audit_log.has_hook()) {
        if !is_undecided {
            let subject = caller.map(Principal::subject);
            trace_allowed(Some(head.method.as_str()), path_of(policy, head), policy.handler.name, subject);
        }
        auth.set_decision(caller.cloned(), policy, head, client_address, None);
        return decision;
    }
    let event = AuditEvent {
        client_address,
        method: Some(&head.method),
        route: path_of(policy, head),
        handler: policy.handler.name,
        ..AuditEvent::new(AuditAction::Request).of(caller)
    };
    let event = match &decision {
        Ok(_) => event,
        Err(Failure { rejection, reason, .. }) => {
            let (is_provoked, is_of_data) = (rejection.is_provoked(), rejection.is_of_data());
            AuditEvent { is_provoked, is_of_data, ..event.failed(rejection.kind(), reason) }
        }
    };
    let rejection = event.rejection;
    let (decision, rejection) = match audit_log.report(&event) {
        Ok(()) => (decision, rejection),
        Err(panic) => {
            let failure = Failure::new(RejectionKind::Misconfigured, panic.to_string());
            (Err(failure), Some(RejectionKind::Misconfigured))
        }
    };
    auth.set_decision(caller.cloned(), policy, head, client_address, rejection);
    decision
}
