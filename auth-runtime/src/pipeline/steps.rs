//! The steps of [`way`](super::way), each by the name that it has there.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use axum::extract::{FromRequestParts as _, RawPathParams};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::http::request::Parts;

use super::gate_policy::GatePolicy;
use super::refused::{Fate, Refused};
use crate::clock::unix_seconds;
use crate::engine::{Engine, background};
use crate::gate::{Check, CheckOutcome, NamedCheck};
use crate::policy::{Access, CompiledRule, Decision, Facts};
use crate::principal::Principal;
use crate::rejection::RejectionKind;
use crate::request_auth::RequestAuth;
use crate::source::{Carrier, CredentialSource, Extracted};
use crate::verify::{Verified, VerifiedToken, VerifyError};

pub(super) struct Step<'a> {
    pub(super) auth: &'a RequestAuth,
    pub(super) policy: &'a GatePolicy<'a>,
    /// The time of the request: one for all steps.
    pub(super) now: SystemTime,
}

/// The one credential that counts, and where it stood.
pub(super) struct Credential<'r> {
    pub(super) source: &'r dyn CredentialSource,
    pub(super) text: Cow<'r, str>,
}

/// Whom the credential is of, once it was verified.
pub(super) struct Caller {
    pub(super) principal: Principal,
    /// The token was verified before.
    remembered: Option<Arc<Verified>>,
    /// It was verified just now, and may be remembered, under this generation of the verifier.
    remember_as: Option<u64>,
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
                self.clear(source);
                let reason = format!("the credential of source `{}` was sent more than once", source.name());
                return Err(Refused::new(RejectionKind::InvalidRequest, reason));
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
                    return Err(Refused::new(RejectionKind::InvalidRequest, reason));
                }
                Some(_) => {}
            }
        }
        match first {
            Some((source, Extracted::Present(_))) if source.is_in_url() && !head.method.is_safe() => {
                let reason = "a credential stands in the URL of a request that changes state";
                Err(Refused::new(RejectionKind::InvalidRequest, reason))
            }
            Some((source, Extracted::Present(text))) => Ok(Some(Credential { source, text })),
            Some((source, Extracted::Unusable(why))) => {
                self.clear(source);
                Err(Refused::invalid_token(why))
            }
            _ => Ok(None),
        }
    }

    /// Whether the route takes the access cookie.
    pub(super) fn takes_access_cookie(&self) -> bool {
        self.engine().takes_access_cookie(self.policy.sources())
    }

    /// Ambient credential → the page may use it.
    pub(super) fn origin(&self, head: &Parts, carrier: Carrier) -> Result<(), Refused> {
        if carrier == Carrier::Explicit || self.engine().origins().admits(head) {
            return Ok(());
        }
        let reason = "a page of another origin used the browser's cookie: if it may, name its origin in `trust_origin`, \
                      and if a proxy changes the host, this service's in `public_origin`";
        Err(Refused::new(RejectionKind::CrossOrigin, reason))
    }

    /// The cache, or the verifier → verified claims, and the caller that they tell of: subject, roles, scopes, permissions.
    pub(super) fn verify(&self, credential: &Credential<'_>) -> Result<Caller, Refused> {
        let engine = self.engine();
        let generation = engine.verifier().generation();
        let remembered = generation.and_then(|now| engine.token_cache().get(&credential.text, now));
        if let Some(remembered) = remembered {
            return Ok(Caller {
                principal: remembered.principal.clone(),
                remembered: Some(remembered),
                remember_as: None,
            });
        }
        let token = engine.verifier().verify(&credential.text).map_err(unverified)?;
        let remember_as = generation.filter(|_| token.may_be_remembered);
        Ok(Caller { principal: self.identify(token)?, remembered: None, remember_as })
    }

    /// A verified token → whom it is of.
    pub(super) fn identify(&self, token: VerifiedToken) -> Result<Principal, Refused> {
        Principal::identify(token, self.engine().lexicon())
            .map_err(|unidentified| Refused::invalid_token(unidentified.0).with_fate(Fate::Bad))
    }

    /// `exp`, `nbf`, `iat` → the token is good now.
    pub(super) fn in_time(&self, caller: &Caller) -> Result<(), Refused> {
        let claims = &caller.principal.token().claims;
        self.engine().limits().check_times(claims, unix_seconds(self.now)).map_err(unverified)
    }

    /// Revocation view → not revoked: token, session, user. A token that passes is remembered.
    pub(super) fn not_revoked(&self, credential: &Credential<'_>, caller: &Caller) -> Result<(), Refused> {
        let revocations = self.engine().revocations();
        if let Err(error) = revocations.check_fresh(self.now) {
            // Whatever followed the store may have ended with its runtime.
            background::ensure(self.auth.engine());
            return Err(Refused::new(RejectionKind::Unavailable, error.to_string()));
        }
        // Before the view is asked: what is revoked from now on changes it.
        let epoch = revocations.view().epoch();
        if caller.remembered.as_ref().is_some_and(|remembered| remembered.epoch() == epoch) {
            return Ok(());
        }
        if revocations.view().is_revoked(&caller.principal.token_identity()) {
            let reason = "the token, its session or its user was revoked";
            return Err(Refused::invalid_token(reason).with_fate(Fate::Revoked));
        }
        if let Some(remembered) = &caller.remembered {
            remembered.set_epoch(epoch);
        } else if let Some(generation) = caller.remember_as {
            let verified = Verified::new(caller.principal.clone(), generation, epoch);
            self.engine().token_cache().insert(&credential.text, verified);
        }
        Ok(())
    }

    /// No credential counts: fine where none is needed.
    pub(super) fn nobody<C: NamedCheck>(&self) -> Result<Option<Principal>, Refused> {
        // A check is about a caller, so where there is one there must be the other.
        if self.policy.access == Access::Authenticated || C::NAME.is_some() {
            return Err(Refused::new(RejectionKind::Unauthenticated, "no credential was sent"));
        }
        Ok(None)
    }

    /// On an optional route an ambient credential that is no good is cleared by the answer, and one that expired or was revoked
    /// counts as absent: its owner did not choose to send it, and would be locked out of every such page. Elsewhere it stays:
    /// another instance, or another service of this host, may know it.
    pub(super) fn without(
        &self,
        credential: Option<&Credential<'_>>,
        refused: Refused,
    ) -> Result<Option<Principal>, Refused> {
        let Some(credential) = credential else { return Err(refused) };
        if refused.fate == Fate::Open {
            return Err(refused);
        }
        self.clear(credential.source);
        let ambient = credential.source.carrier() == Carrier::Ambient;
        match refused.fate {
            Fate::Expired | Fate::Revoked if ambient && self.policy.access == Access::Optional => Ok(None),
            _ => Err(refused),
        }
    }

    fn clear(&self, source: &dyn CredentialSource) {
        if self.policy.access != Access::Optional {
            return;
        }
        if let Some(cookie) = source.clearing_cookie() {
            self.auth.set_cookie(cookie);
        }
    }

    /// Rule → allow, or deny with a reason.
    pub(super) async fn decide(&self, head: &mut Parts, principal: &Principal) -> Result<(), Refused> {
        let parameters = if self.policy.rules.iter().any(CompiledRule::reads_path) {
            RawPathParams::from_request_parts(head, &()).await.map(Some).map_err(|_| {
                let reason =
                    "the rule compares a claim with the path, and the path has no parameters or is not UTF-8";
                Refused::new(RejectionKind::InsufficientScope, reason).of(principal)
            })?
        } else {
            None
        };
        let path: Vec<(&str, &str)> = parameters.iter().flatten().collect();
        let leeway = self.engine().limits().leeway;
        let facts = Facts { principal, path: &path, now: unix_seconds(self.now), leeway };
        for rule in self.policy.rules.iter() {
            if let Decision::Deny { reason, remedy } = rule.evaluate(&facts) {
                return Err(Refused::denied(reason, remedy, principal));
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
            CheckOutcome::Refused => (RejectionKind::InsufficientScope, format!("check {name} said no")),
            CheckOutcome::Unreadable => {
                (RejectionKind::InsufficientScope, format!("check {name} could not read the request"))
            }
            CheckOutcome::Failed(why) => (RejectionKind::Unavailable, format!("check {name} failed: {why}")),
        };
        Err(Refused::new(code, reason).of(principal))
    }
}

fn unverified(error: VerifyError) -> Refused {
    let reason = error.to_string();
    let fate = match error {
        VerifyError::Unavailable(_) => return Refused::new(RejectionKind::Unavailable, reason),
        VerifyError::Expired => Fate::Expired,
        VerifyError::NotYetValid | VerifyError::IssuedInTheFuture => Fate::Open,
        _ => Fate::Bad,
    };
    Refused::invalid_token(reason).with_fate(fate)
}

fn both_explicit(one: &dyn CredentialSource, other: &dyn CredentialSource) -> bool {
    one.carrier() == Carrier::Explicit && other.carrier() == Carrier::Explicit
}
