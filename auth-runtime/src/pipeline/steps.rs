//! The steps of the [pipeline](super), each by the name that it has there.

use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::request::Parts;
use futures_util::FutureExt as _;

use super::check::{Check, CheckOutcome};
use super::checked::HandedOver;
use super::failure::Failure;
use super::head_state::HeadState;
use super::{Pipeline, Principal, RequestAuth};
use crate::clock::unix_seconds;
use crate::policy::{Access, CompiledRule, Decision, Facts};
use crate::rejection::RejectionKind;
use crate::source::Carrier;

impl Pipeline<'_> {
    /// Ambient credential → the page may use it.
    pub(super) fn origin(&self, head: &Parts, carrier: Carrier) -> Result<(), Failure> {
        if carrier == Carrier::Explicit || self.engine().authentication.origins.admits(head) {
            return Ok(());
        }
        let reason = "a page of another origin used a credential that the browser or its proxy adds by itself, such as a cookie: if it may, \
                      name its origin in `trust_origin`, and if a proxy changes the host, this service's in `public_origin`";
        Err(Failure::new(RejectionKind::CrossOrigin, reason))
    }

    /// No credential counts: the route needs none, or the request is rejected.
    pub(super) fn anonymous(&self) -> Result<(), Failure> {
        if self.policy.access == Access::Authenticated {
            return Err(Failure::new(RejectionKind::Unauthenticated, "no credential was sent"));
        }
        Ok(())
    }

    /// Rules → allow, or deny with a reason.
    pub(super) fn decide(&self, head: &mut Parts, principal: &Principal) -> Result<(), Failure> {
        let parameters = if self.policy.rules.iter().any(CompiledRule::reads_path) {
            // It waits for nothing.
            let parameters = RawPathParams::from_request_parts(head, &()).now_or_never().and_then(Result::ok);
            Some(parameters.ok_or_else(|| {
                let reason =
                    "the rule compares a claim with the path, and the path has no parameters or is not UTF-8";
                Failure::new(RejectionKind::InsufficientScope, reason)
            })?)
        } else {
            None
        };
        let path: Vec<(&str, &str)> = parameters.iter().flatten().collect();
        let leeway = self.engine().authentication.limits.leeway;
        let facts = Facts { principal, path: &path, now: unix_seconds(self.now), leeway, is_negated: false };
        for rule in self.policy.rules.iter() {
            if let Decision::Deny { reason, remedy } = rule.evaluate(&facts) {
                return Err(Failure::denied(reason, remedy));
            }
        }
        Ok(())
    }
}

/// The application's own check → allow, or deny. While it decides, its extractors find the principal as those of the handler do.
pub(super) async fn check<S: Sync, C: Check<S>>(
    auth: &RequestAuth,
    head: &mut Parts,
    state: &S,
    principal: &Principal,
) -> Result<HandedOver, Failure> {
    let Some(name) = C::NAME else { return Ok(HandedOver::default()) };
    HeadState::admit(head, Some(principal.clone()));
    auth.begin_check();
    let (kind, reason) = match C::check(principal, head, state).await {
        CheckOutcome::Allowed(handed_over) => return Ok(handed_over),
        CheckOutcome::Rejected(rejection) => {
            return Err(Failure::of_application(rejection, format!("check {name} rejected the request")));
        }
        CheckOutcome::NotExtracted(extractor, rejection) => {
            let by = format!("the extractor `{extractor}` of check {name} rejected the request");
            return Err(Failure::of_application(rejection, by));
        }
        CheckOutcome::Denied => (RejectionKind::InsufficientScope, format!("check {name} denied access")),
        CheckOutcome::Unreadable(why) => {
            (RejectionKind::InsufficientScope, format!("check {name} could not read the request: {why}"))
        }
        CheckOutcome::Failed(why) => (RejectionKind::Unavailable, format!("check {name} failed: {why}")),
    };
    Err(Failure::new(kind, reason))
}
