//! The steps of the [pipeline](super), each by the name that it has there.

use std::sync::Arc;

use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::request::Parts;

use super::accepted::AcceptedPrincipal;
use super::check::{Check, CheckOutcome, NamedCheck};
use super::checked::HandedOver;
use super::extract::Credential;
use super::failure::{CredentialState, Failure};
use super::{Pipeline, Principal};
use crate::clock::unix_seconds;
use crate::engine::Verified;
use crate::policy::{Access, CompiledRule, Decision, Facts};
use crate::rejection::RejectionKind;
use crate::source::Carrier;
use crate::verify::{VerifiedToken, VerifyError};

/// The caller that a verified credential is of.
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// It was verified just now, and may be remembered, under this generation of the verifier.
    remember_as: Option<u64>,
}

impl Pipeline<'_> {
    /// The cache → what this credential led to when it was verified before.
    pub(super) fn remembered(&self, text: &str) -> Option<Arc<Verified>> {
        let authentication = &self.engine().authentication;
        authentication.token_cache.get(text, authentication.jwt.generation())
    }

    /// Ambient credential → the page may use it.
    pub(super) fn origin(&self, head: &Parts, carrier: Carrier) -> Result<(), Failure> {
        if carrier == Carrier::Explicit || self.engine().authentication.origins.admits(head) {
            return Ok(());
        }
        let reason = "a page of another origin used the browser's cookie: if it may, name its origin in `trust_origin`, \
                      and if a proxy changes the host, this service's in `public_origin`";
        Err(Failure::new(RejectionKind::CrossOrigin, reason))
    }

    /// The verifier, unless the credential is remembered → verified claims, and the caller that they are of: subject, roles,
    /// scopes, permissions.
    pub(super) fn verify(&self, credential: &Credential<'_>) -> Result<Caller, Failure> {
        if let Some(remembered) = &credential.remembered {
            return Ok(Caller { principal: remembered.principal.clone(), remember_as: None });
        }
        let jwt = &self.engine().authentication.jwt;
        let generation = jwt.generation();
        let token = jwt.verify(&credential.text).map_err(unverified)?;
        let remember_as = Some(generation).filter(|_| token.may_be_remembered);
        Ok(Caller { principal: self.identify(token)?, remember_as })
    }

    /// A verified token → the caller that it is of.
    pub(super) fn identify(&self, token: VerifiedToken) -> Result<Principal, Failure> {
        Principal::identify(token, &self.engine().authorization.vocabulary)
            .map_err(|unidentified| Failure::invalid_token(CredentialState::Invalid, unidentified.0))
    }

    /// `exp`, `nbf`, `iat` → the token is valid now.
    pub(super) fn in_time(&self, credential: &Credential<'_>, caller: &Caller) -> Result<(), Failure> {
        let claims = &caller.principal.token().claims;
        let limits = &self.engine().authentication.limits;
        limits.check_times(claims, unix_seconds(credential.now)).map_err(unverified)
    }

    /// Revocation view → it is fresh enough to decide by.
    pub(super) fn fresh(&self, credential: &Credential<'_>) -> Result<(), Failure> {
        let fresh = self.auth.engine().check_fresh(credential.now);
        fresh.map_err(|error| Failure::new(RejectionKind::Unavailable, error.to_string()))
    }

    /// Revocation view → not revoked: token, session, user. A token that passes is remembered.
    pub(super) fn not_revoked(&self, credential: &Credential<'_>, caller: &Caller) -> Result<(), Failure> {
        let revocations = &self.engine().revocations.state;
        self.fresh(credential)?;
        // Before the view is asked: what is revoked from now on changes it.
        let epoch = revocations.view().epoch();
        let remembered = credential.remembered.as_ref();
        if remembered.is_some_and(|remembered| remembered.epoch() == epoch) {
            return Ok(());
        }
        if revocations.view().is_revoked(&caller.principal.token_identity()) {
            let reason = "the token, its session or its user was revoked";
            return Err(Failure::invalid_token(CredentialState::Invalid, reason));
        }
        if let Some(remembered) = remembered {
            remembered.set_epoch(epoch);
        } else if let Some(generation) = caller.remember_as {
            let verified = Verified::new(caller.principal.clone(), generation, epoch);
            self.engine().authentication.token_cache.insert(&credential.text, verified);
        }
        Ok(())
    }

    /// No credential counts: the route needs none, or the request is rejected.
    pub(super) fn anonymous<C: NamedCheck>(&self) -> Result<(), Failure> {
        // A check is about a caller, so a route with one needs a credential.
        if self.policy.access == Access::Authenticated || C::NAME.is_some() {
            return Err(Failure::new(RejectionKind::Unauthenticated, "no credential was sent"));
        }
        Ok(())
    }

    /// Rules → allow, or deny with a reason.
    pub(super) async fn decide(&self, head: &mut Parts, principal: &Principal) -> Result<(), Failure> {
        let parameters = if self.policy.rules.iter().any(CompiledRule::reads_path) {
            RawPathParams::from_request_parts(head, &()).await.map(Some).map_err(|_| {
                let reason =
                    "the rule compares a claim with the path, and the path has no parameters or is not UTF-8";
                Failure::new(RejectionKind::InsufficientScope, reason)
            })?
        } else {
            None
        };
        let path: Vec<(&str, &str)> = parameters.iter().flatten().collect();
        let leeway = self.engine().authentication.limits.leeway;
        let facts = Facts { principal, path: &path, now: unix_seconds(self.now), leeway };
        for rule in self.policy.rules.iter() {
            if let Decision::Deny { reason, remedy } = rule.evaluate(&facts) {
                return Err(Failure::denied(reason, remedy));
            }
        }
        Ok(())
    }

    /// The application's own check → allow, or deny. While it decides, its extractors find the principal as those of the handler do.
    pub(super) async fn check<S: Sync, C: Check<S>>(
        &self,
        head: &mut Parts,
        state: &S,
        principal: &Principal,
    ) -> Result<HandedOver, Failure> {
        let Some(name) = C::NAME else { return Ok(HandedOver::default()) };
        AcceptedPrincipal::admit(head, Some(principal.clone()));
        self.auth.begin_check();
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
}

fn unverified(error: VerifyError) -> Failure {
    let reason = error.to_string();
    let state = match error {
        VerifyError::NotYetValid | VerifyError::IssuedInTheFuture => CredentialState::NotYetValid,
        _ => CredentialState::Invalid,
    };
    Failure::invalid_token(state, reason)
}

#[cfg(test)]
mod tests {
    use super::{CredentialState, VerifyError, unverified};

    #[test]
    fn only_a_token_that_is_too_early_may_be_valid_later() {
        for (error, expected) in [
            (VerifyError::Malformed("it is"), CredentialState::Invalid),
            (VerifyError::UnknownKey, CredentialState::Invalid),
            (VerifyError::BadSignature, CredentialState::Invalid),
            (VerifyError::Expired, CredentialState::Invalid),
            (VerifyError::NotYetValid, CredentialState::NotYetValid),
            (VerifyError::IssuedInTheFuture, CredentialState::NotYetValid),
            (VerifyError::LifetimeTooLong, CredentialState::Invalid),
            (VerifyError::MissingClaim("exp"), CredentialState::Invalid),
        ] {
            let shown = error.to_string();
            assert_eq!(unverified(error).credential, expected, "{shown}");
        }
    }
}
