//! The steps of [`way`](super::way), each by the name that it has there.

use std::borrow::Cow;
use std::time::SystemTime;

use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, SET_COOKIE};
use axum::http::request::Parts;

use super::gate_policy::GatePolicy;
use super::refused::Refused;
use crate::clock::unix_seconds;
use crate::engine::Engine;
use crate::gate::{Check, CheckOutcome, NamedCheck};
use crate::policy::{Access, Decision, Facts, Rule};
use crate::principal::Principal;
use crate::rejection::RefusalCode;
use crate::request_auth::RequestAuth;
use crate::revocation::TokenIdentity;
use crate::source::{Carrier, CredentialSource, Extracted};
use crate::verify::{VerifiedToken, VerifyError};

pub(super) struct Step<'a> {
    pub(super) auth: &'a RequestAuth,
    pub(super) policy: &'a GatePolicy<'a>,
    /// The time of the request: one for all steps.
    pub(super) now: SystemTime,
}

/// The one credential that counts, and where it stood.
pub(super) struct Credential<'r> {
    source: &'r dyn CredentialSource,
    text: Cow<'r, str>,
}

impl<'a> Step<'a> {
    fn engine(&self) -> &'a Engine {
        self.auth.engine()
    }

    /// The sources of the route → the one credential that counts, or none. The first that is present decides, and
    /// a bad one is never skipped for the next.
    pub(super) fn extract<'r>(&self, head: &'r Parts) -> Result<Option<Credential<'r>>, Refused>
    where
        'a: 'r,
    {
        let mut first: Option<(&dyn CredentialSource, Extracted<'r>)> = None;
        for &index in self.policy.sources() {
            let Some(source) = self.engine().source(index) else { continue };
            let found = source.extract(head);
            if found == Extracted::Absent {
                continue;
            }
            if source.is_in_url() {
                self.auth.add_answer_header(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            if found == Extracted::Repeated {
                let reason = format!("the credential of source `{}` was sent more than once", source.name());
                return Err(Refused::new(RefusalCode::InvalidRequest, reason));
            }
            match &first {
                None => first = Some((source, found)),
                // RFC 6750 §2: in no more than one way. A header, or a query parameter.
                Some((earlier, _))
                    if both_explicit(*earlier, source) && earlier.is_in_url() != source.is_in_url() =>
                {
                    let reason = format!(
                        "credentials were sent from both `{}` and `{}`",
                        earlier.name(),
                        source.name()
                    );
                    return Err(Refused::new(RefusalCode::InvalidRequest, reason));
                }
                Some(_) => {}
            }
        }
        match first {
            Some((source, Extracted::Present(_))) if source.is_in_url() && !head.method.is_safe() => {
                let reason = "a credential stands in the URL of a request that changes state";
                Err(Refused::new(RefusalCode::InvalidRequest, reason))
            }
            Some((source, Extracted::Present(text))) => Ok(Some(Credential { source, text })),
            Some((_, Extracted::Unusable(why))) => Err(Refused::invalid_token(why)),
            _ => Ok(None),
        }
    }

    /// Ambient credential → the page may use it.
    pub(super) fn origin(&self, head: &Parts, credential: &Credential<'_>) -> Result<(), Refused> {
        if credential.source.carrier() == Carrier::Explicit || self.engine().origins().admits(head) {
            return Ok(());
        }
        let reason = "a page of another origin used the browser's cookie: if it may, name its origin in `trust_origin`, \
                      and if a proxy changes the host, this service's in `public_origin`";
        Err(Refused::new(RefusalCode::ForeignOrigin, reason))
    }

    /// Verifier → verified claims: signature, then claims, then times.
    pub(super) fn verify(&self, credential: &Credential<'_>) -> Result<VerifiedToken, Refused> {
        let refused = |error: VerifyError| {
            let reason = error.to_string();
            match error {
                VerifyError::Unavailable(_) => Refused::new(RefusalCode::Unavailable, reason),
                VerifyError::Expired => Refused::invalid_token(reason).lapsed(),
                _ => Refused::invalid_token(reason),
            }
        };
        let token = self.engine().verifier().verify(&credential.text).map_err(refused)?;
        self.engine().limits().check_times(&token.claims, unix_seconds(self.now)).map_err(refused)?;
        Ok(token)
    }

    /// Revocation view → not revoked: token, session, user.
    pub(super) fn not_revoked(&self, token: &VerifiedToken) -> Result<(), Refused> {
        let Some(identity) = TokenIdentity::of(token) else {
            return Err(Refused::invalid_token("the token's subject is missing, empty or no string"));
        };
        match self.engine().revocations().is_revoked(&identity, self.now) {
            Ok(false) => Ok(()),
            Ok(true) => {
                Err(Refused::invalid_token("the token, its session or its user was revoked").lapsed())
            }
            Err(error) => Err(Refused::new(RefusalCode::Unavailable, error.to_string())),
        }
    }

    /// Verified claims → the caller: subject, roles, scopes, permissions.
    pub(super) fn identify(&self, token: VerifiedToken) -> Result<Principal, Refused> {
        Principal::identify(token, self.engine().role_implications())
            .map_err(|unidentified| Refused::invalid_token(unidentified.0))
    }

    /// No credential counts: fine where none is needed.
    pub(super) fn nobody<C: NamedCheck>(&self) -> Result<Option<Principal>, Refused> {
        // A check is about a caller, so where there is one there must be the other.
        if self.policy.access == Access::Authenticated || C::NAME.is_some() {
            return Err(Refused::new(RefusalCode::Unauthenticated, "no credential was sent"));
        }
        Ok(None)
    }

    /// On an optional route an ambient credential that expired or was revoked counts as absent, and the answer
    /// clears it: its owner did not choose to send it, and would be locked out of every such page.
    pub(super) fn lapsed_counts_as_absent(
        &self,
        credential: &Credential<'_>,
        refused: Refused,
    ) -> Result<Option<Principal>, Refused> {
        let ambient = credential.source.carrier() == Carrier::Ambient;
        if !(self.policy.access == Access::Optional && ambient && refused.lapsed) {
            return Err(refused);
        }
        if let Some(Ok(value)) = credential.source.clearing_cookie().map(HeaderValue::try_from) {
            self.auth.add_answer_header(SET_COOKIE, value);
        }
        Ok(None)
    }

    /// Rule → allow, or deny with a reason.
    pub(super) async fn decide(&self, head: &mut Parts, principal: &Principal) -> Result<(), Refused> {
        let parameters = if self.policy.rules.iter().any(Rule::reads_path) {
            RawPathParams::from_request_parts(head, &()).await.map(Some).map_err(|_| {
                let reason =
                    "the rule compares a claim with the path, and the path has no parameters or is not UTF-8";
                Refused::new(RefusalCode::InsufficientScope, reason).of(principal)
            })?
        } else {
            None
        };
        let path: Vec<(&str, &str)> = parameters.iter().flatten().collect();
        let leeway = self.engine().limits().leeway;
        let facts = Facts { principal, path: &path, now: unix_seconds(self.now), leeway };
        for rule in self.policy.rules.iter() {
            if let Decision::Deny(denial) = rule.evaluate(&facts) {
                return Err(Refused::denied(&denial, principal));
            }
        }
        Ok(())
    }

    /// The user's own check: allow, or deny.
    pub(super) async fn check<S: Sync, C: Check<S>>(
        &self,
        head: &mut Parts,
        state: &S,
        principal: &Principal,
    ) -> Result<(), Refused> {
        let name = C::NAME.unwrap_or_default();
        let (code, reason) = match C::check(principal, head, state).await {
            CheckOutcome::Allowed => return Ok(()),
            CheckOutcome::Refused => (RefusalCode::InsufficientScope, format!("check {name} said no")),
            CheckOutcome::Unreadable => {
                (RefusalCode::InsufficientScope, format!("check {name} could not read the request"))
            }
            CheckOutcome::Failed(why) => (RefusalCode::Unavailable, format!("check {name} failed: {why}")),
        };
        Err(Refused::new(code, reason).of(principal))
    }
}

fn both_explicit(one: &dyn CredentialSource, other: &dyn CredentialSource) -> bool {
    one.carrier() == Carrier::Explicit && other.carrier() == Carrier::Explicit
}
